//! Unix sockets: files that come and go with those who listen on them.

use std::{
    fs::{self, File, Metadata, OpenOptions, Permissions},
    io,
    os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use rustix::fs::{Mode, fchmod};
use socket2::{Domain, SockAddr, Socket, Type};

/// The file of a socket. When this is dropped it is removed, unless another has taken its place.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    /// Held so that no other file gets its inode number.
    held: File,
}

/// Why a path cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub enum UnixBindError {
    /// Another process does already.
    #[error("another process listens there already")]
    InUse,
    /// Something other than a socket is there; it was not touched.
    #[error("what is there is no socket: remove it, or give another path")]
    NotASocket,
    /// Its folder is not there.
    #[error("its folder is not there: make it, or give another path")]
    NoFolder,
    /// We may not make a socket there.
    #[error("permission denied: let pushprom write to its folder, or give another path")]
    Denied,
    /// A socket is there, and whether anybody listens on it could not be found out.
    #[error("a socket is there, and whether it is in use is unknown: {0}")]
    Unknown(io::Error),
    /// Anything else.
    #[error("{0}")]
    Other(io::Error),
}

impl From<io::Error> for UnixBindError {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind::{AddrInUse, NotADirectory, NotFound, PermissionDenied};
        let kind = error.kind();
        if kind == AddrInUse {
            Self::InUse
        } else if kind == PermissionDenied {
            Self::Denied
        } else if matches!(kind, NotFound | NotADirectory) {
            Self::NoFolder
        } else {
            Self::Other(error)
        }
    }
}

/// Makes a socket of `kind` with a file of permissions `mode` at `path`, in the place of one that nobody
/// listens on any more; `prepare` makes it ready at once, so that it is not taken for such a one itself.
pub fn bind(
    path: &Path,
    kind: Type,
    mode: u32,
    prepare: impl Fn(&Socket) -> io::Result<()>,
) -> Result<(Socket, SocketFile), UnixBindError> {
    let address = SockAddr::unix(path)?;
    let socket = Socket::new(Domain::UNIX, kind, None)?;
    // The file begins with these less the umask, so that nobody gets in before they are set as asked.
    fchmod(&socket, Mode::from_raw_mode(mode)).map_err(io::Error::from)?;
    match socket.bind(&address) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            remove_stale(path, &address, kind)?;
            socket.bind(&address)?;
        }
        bound => bound?,
    }
    prepare(&socket)?;
    let mut handle = OpenOptions::new();
    handle.read(true).custom_flags(libc::O_PATH | libc::O_NOFOLLOW);
    let file = SocketFile { path: path.to_owned(), held: handle.open(path)? };
    fs::set_permissions(path, Permissions::from_mode(mode))?;
    Ok((socket, file))
}

/// Removes a socket that nobody listens on, as one is left by a process that was killed.
fn remove_stale(path: &Path, address: &SockAddr, kind: Type) -> Result<(), UnixBindError> {
    if !fs::symlink_metadata(path)?.file_type().is_socket() {
        return Err(UnixBindError::NotASocket);
    }
    let knock = Socket::new(Domain::UNIX, kind, None)?;
    // A queue that is full would make us wait for a place in it.
    knock.set_nonblocking(true)?;
    let Err(error) = knock.connect(address) else { return Err(UnixBindError::InUse) };
    let is_full = error.kind() == io::ErrorKind::WouldBlock;
    if error.kind() == io::ErrorKind::ConnectionRefused {
        Ok(fs::remove_file(path)?)
    } else if is_full || error.raw_os_error() == Some(WRONG_KIND) {
        Err(UnixBindError::InUse)
    } else {
        Err(UnixBindError::Unknown(error))
    }
}

/// EPROTOTYPE of Linux: there is a listener, of another kind.
const WRONG_KIND: i32 = 91;

impl Drop for SocketFile {
    fn drop(&mut self) {
        let identity = |file: Metadata| (file.dev(), file.ino());
        let there = fs::symlink_metadata(&self.path).map(identity).ok();
        let is_ours = there.is_some() && there == self.held.metadata().map(identity).ok();
        if is_ours && let Err(error) = fs::remove_file(&self.path) {
            let path = self.path.display();
            tracing::warn!(%path, %error, "could not remove the file of a socket");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [Type; 2] = [Type::STREAM, Type::DGRAM];

    #[track_caller]
    fn check(path: &Path, kind: Type, want: &str) {
        let error = bind(path, kind, 0o660, |_| Ok(())).expect_err("it is refused");
        assert_eq!(error.to_string(), want, "{}", path.display());
    }

    #[test]
    fn a_path_is_taken_if_it_is_free() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("socket");
        for kind in KINDS {
            let mode = |path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
            let (socket, file) = bind(&path, kind, 0o666, |_| Ok(())).expect("it is free");
            assert_eq!(mode(&path), 0o666);
            if kind == Type::STREAM {
                socket.listen(1).expect("it listens");
            }
            for kind in KINDS {
                check(&path, kind, "another process listens there already");
            }
            // What a killed process leaves is replaced, and its file is no longer its own.
            drop(socket);
            let (socket, replaced) = bind(&path, kind, 0o600, |_| Ok(())).expect("nobody listens");
            assert_eq!(mode(&path), 0o600);
            drop(file);
            assert!(path.exists());
            drop((socket, replaced));
            assert!(!path.exists());
        }
    }

    #[test]
    fn a_path_that_cannot_be_had_is_left_as_it_is() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("file");
        fs::write(&file, "text").expect("it can be written");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&file, &link).expect("it can be made");
        for kind in KINDS {
            let no_socket = "what is there is no socket: remove it, or give another path";
            check(&file, kind, no_socket);
            check(&link, kind, no_socket);
            check(folder.path(), kind, no_socket);
            let no_folder = "its folder is not there: make it, or give another path";
            check(&folder.path().join("no/socket"), kind, no_folder);
            check(&file.join("socket"), kind, no_folder);
        }
        assert_eq!(fs::read_to_string(&file).expect("it is there"), "text");
    }
}
