//! A disk in memory, for stores.

use std::{
    collections::BTreeMap,
    io::{self, Cursor, Read},
    sync::{Arc, Mutex, MutexGuard},
};

use pushprom::store::{Disk, DiskFile};

type Content = Arc<Mutex<Vec<u8>>>;

/// The disk. Clones are the same one.
#[derive(Clone, Default)]
pub struct MemoryDisk(Arc<Mutex<BTreeMap<String, Content>>>);

impl MemoryDisk {
    /// Changes each file.
    pub fn change(&self, mut change: impl FnMut(&mut Vec<u8>)) {
        for content in self.files().values() {
            change(&mut content.lock().expect("no holder panics"));
        }
    }

    fn files(&self) -> MutexGuard<'_, BTreeMap<String, Content>> {
        self.0.lock().expect("no holder panics")
    }

    fn file(&self, name: &str) -> io::Result<Content> {
        Ok(Arc::clone(self.files().get(name).ok_or(io::ErrorKind::NotFound)?))
    }
}

impl Disk for MemoryDisk {
    fn path(&self, name: &str) -> String {
        name.to_owned()
    }

    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.files().keys().cloned().collect())
    }

    fn read(&self, name: &str) -> io::Result<Box<dyn Read>> {
        Ok(Box::new(Cursor::new(self.file(name)?.lock().expect("no holder panics").clone())))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let content = Content::default();
        self.files().insert(name.to_owned(), Arc::clone(&content));
        Ok(Box::new(MemoryFile(content)))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(MemoryFile(self.file(name)?)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let content = self.files().remove(from).ok_or(io::ErrorKind::NotFound)?;
        self.files().insert(to.to_owned(), content);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.files().remove(name);
        Ok(())
    }

    fn sync_names(&self) -> io::Result<()> {
        Ok(())
    }
}

struct MemoryFile(Content);

impl DiskFile for MemoryFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.lock().expect("no holder panics").extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(io::Error::other)?;
        self.0.lock().expect("no holder panics").truncate(len);
        Ok(())
    }
}
