//! The little that a store asks of a file system, so that tests can have it fail.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, fchown},
    path::{Path, PathBuf},
};

use super::StoreError;

/// Permissions of what is created: labels are nobody else's business.
const FILE_MODE: u32 = 0o600;

/// A directory.
pub trait Disk: Send {
    /// Where a file is, for messages.
    fn path(&self, name: &str) -> String;

    /// The names in it, in any order.
    fn names(&self) -> io::Result<Vec<String>>;

    /// What is in a file, from its start on.
    fn read(&self, name: &str) -> io::Result<Box<dyn Read>>;

    /// A new, empty file, in place of any old one.
    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;

    /// A file that is there, to write to.
    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;

    /// Renames a file, in place of any other of that name.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Returns when the names are on disk.
    fn sync_names(&self) -> io::Result<()>;
}

/// A file in it that is written.
pub trait DiskFile: Send {
    /// Writes all of it at the end.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Returns when its bytes and its length are on disk.
    fn sync(&mut self) -> io::Result<()>;

    /// Makes it as short as that.
    fn truncate(&mut self, len: u64) -> io::Result<()>;
}

/// A directory of the operating system, locked for this process.
pub struct OsDisk {
    path: PathBuf,
    /// Holds the lock.
    _lock: Option<File>,
}

/// The file that is locked.
const LOCK: &str = "lock";

impl OsDisk {
    /// Locks a directory, which is made if its parent is there.
    pub fn open(path: PathBuf) -> Result<Self, StoreError> {
        make(&path).map_err(|error| cannot_use(&path, error))?;
        Self::lock(path)
    }

    /// Locks a directory that is there.
    pub fn lock(path: PathBuf) -> Result<Self, StoreError> {
        let lock = open_lock(&path).map_err(|error| cannot_use(&path, error))?;
        let locked = lock.try_lock();
        Self::locked(path, Some(lock), locked)
    }

    /// Locks a directory against those who write, and changes nothing. Where nobody ever took the lock, or it has
    /// been left out of a copy, there is none to take.
    pub fn lock_to_read(path: PathBuf) -> Result<Self, StoreError> {
        match File::open(path.join(LOCK)) {
            Ok(lock) => {
                let locked = lock.try_lock_shared();
                Self::locked(path, Some(lock), locked)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::read_dir(&path).map_err(|error| cannot_use(&path, error))?;
                Self::locked(path, None, Ok(()))
            }
            Err(error) => Err(cannot_use(&path, error)),
        }
    }

    fn locked(
        path: PathBuf,
        lock: Option<File>,
        locked: Result<(), TryLockError>,
    ) -> Result<Self, StoreError> {
        match locked {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                Err(StoreError::InUse { path: path.display().to_string() })
            }
            Err(TryLockError::Error(error)) => Err(cannot_use(&path, error)),
        }
    }
}

/// Makes a directory, if it is not there.
fn make(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Ok(()) => {
            let made = File::options()
                .read(true)
                .custom_flags(libc::O_DIRECTORY | libc::O_NOFOLLOW)
                .open(path)?;
            hand_over(&made, parent(path))?;
            // As durable as what will be in it.
            File::open(parent(path))?.sync_all()
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Why a directory cannot be had: it, or the lock in it.
fn cannot_use(path: &Path, error: io::Error) -> StoreError {
    let lock = path.join(LOCK);
    if error.kind() == io::ErrorKind::PermissionDenied && lock.exists() {
        StoreError::Io { action: "open", path: lock.display().to_string(), error }
    } else {
        StoreError::NoDirectory { path: path.display().to_string(), error }
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A new file in a directory.
fn create_new(directory: &Path, name: &str) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(FILE_MODE).open(directory.join(name))?;
    hand_over(&file, directory)?;
    Ok(file)
}

fn open_lock(directory: &Path) -> io::Result<File> {
    match create_new(directory, LOCK) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            OpenOptions::new().write(true).open(directory.join(LOCK))
        }
        other => other,
    }
}

/// Has what root has made belong to the user and group of the directory that it is in: they can go on with it. It has
/// just been made: whoever may write there could have had a link lead to anything else.
fn hand_over(made: &File, directory: &Path) -> io::Result<()> {
    let owner = |of: fs::Metadata| (of.uid(), of.gid());
    let (user, group) = owner(fs::metadata(directory)?);
    if owner(made.metadata()?) == (user, group) {
        return Ok(());
    }
    match fchown(made, Some(user), Some(group)) {
        // Who is not root keeps what they have made.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        other => other,
    }
}

impl Disk for OsDisk {
    fn path(&self, name: &str) -> String {
        self.path.join(name).display().to_string()
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(&self.path)?;
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    fn read(&self, name: &str) -> io::Result<Box<dyn Read>> {
        Ok(Box::new(File::open(self.path.join(name))?))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        match self.remove(name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(Box::new(OsFile(create_new(&self.path, name)?))),
        }
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(OsFile(OpenOptions::new().write(true).open(self.path.join(name))?)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    fn sync_names(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }
}

struct OsFile(File);

impl DiskFile for OsFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.seek(SeekFrom::End(0))?;
        self.0.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()?;
        // The system goes on taking what is written to a file that nobody will find again.
        if self.0.metadata()?.nlink() == 0 {
            return Err(io::Error::new(io::ErrorKind::NotFound, "it has been removed"));
        }
        Ok(())
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }
}
