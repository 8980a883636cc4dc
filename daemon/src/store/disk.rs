//! The little that a store asks of a file system, so that tests can have it fail.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

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

    /// A new, empty file, or an old one emptied.
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
    _lock: File,
}

/// The file that is locked.
const LOCK: &str = "lock";

impl OsDisk {
    /// Locks a directory, which is made if its parent is there. `None` if another process has it.
    pub fn open(path: PathBuf) -> io::Result<Option<Self>> {
        match fs::create_dir(&path) {
            // As durable as what will be in it.
            Ok(()) => File::open(parent(&path))?.sync_all()?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        Self::lock(path)
    }

    /// Locks a directory that is there. `None` if another process has it.
    pub fn lock(path: PathBuf) -> io::Result<Option<Self>> {
        let lock = options().write(true).create(true).truncate(false).open(path.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Self { path, _lock: lock })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(FILE_MODE);
    options
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
        let options = &mut options();
        options.write(true).create(true).truncate(true);
        Ok(Box::new(OsFile(options.open(self.path.join(name))?)))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(OsFile(options().write(true).open(self.path.join(name))?)))
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
