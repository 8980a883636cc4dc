//! All that keeps what is pushed, together, against a naive model of it: the intake, the registry, the answers, the
//! committer and the log, on a disk that fails and loses power, while clients push and operators delete.
//!
//! All that happens follows from a seed. What a start finds has to be, as a whole, what there was at the end of an
//! epoch: the last one of which anybody was told, or a later one that was begun.

mod draw;
mod look;
mod naive;
mod users;

use std::{
    any::Any,
    cell::Cell,
    collections::hash_map::RandomState,
    env,
    hash::BuildHasher,
    ops::ControlFlow::Continue,
    panic::{self, AssertUnwindSafe},
    path::Path,
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;

use self::users::Users;
use super::{
    disk::{Dice, Fault, MemoryDisk},
    driver::SIZES,
};
use crate::store::{
    Loaded, Store, StoreError, TakePiece,
    committer::Writer,
    log::{Log, Sizes},
    restore,
};

/// Seeds that are run unless `PUSHPROM_SEEDS` says how many.
const SEEDS: u64 = 600;

/// What happens to a server in a run.
const STEPS: usize = 90;

const EIO: i32 = 5;
const ENOSPC: i32 = 28;

/// Sizes of which a batch is mostly one frame.
const LARGE: Sizes = Sizes { payload: 1000, copy: 6000, sync: 2000 };

#[test]
fn what_is_kept_is_what_there_was() {
    let number = |name| env::var(name).ok().map(|text| text.parse::<u64>().expect(name));
    let seed = number("PUSHPROM_SEED");
    let seeds = number("PUSHPROM_SEEDS").unwrap_or(if seed.is_some() { 1 } else { SEEDS });
    let first = seed.unwrap_or_else(|| RandomState::new().hash_one(0));
    for run in 0..seeds {
        let seed = first.wrapping_add(run);
        let at = Cell::new((0, ""));
        let played = panic::catch_unwind(AssertUnwindSafe(|| play(seed, &at)));
        if let Err(panicked) = played {
            let ((step, what), problem) = (at.get(), text_of(&*panicked));
            panic!(
                "PUSHPROM_SEED={seed} fails after {run} others at step {step}, {what}: {problem}"
            );
        }
    }
}

fn text_of(panicked: &(dyn Any + Send)) -> &str {
    let owned = panicked.downcast_ref::<String>().map(String::as_str);
    owned.or(panicked.downcast_ref::<&str>().copied()).unwrap_or("it panicked")
}

fn play(seed: u64, at: &Cell<(usize, &'static str)>) {
    let mut dice = Dice(seed);
    let sizes = if dice.one_in(2) { SIZES } else { LARGE };
    let disk = MemoryDisk::default();
    let mut server = Server::new(disk, sizes, dice);
    for step in 0..STEPS {
        let dice = server.dice(|dice| dice.roll(100));
        let (name, happen): (_, fn(&mut Server)) = match dice {
            0..62 => ("an act", |it| it.users.lock().act()),
            62..84 => ("a write", Server::write),
            84..87 => ("a copy", Server::copy),
            87..90 => ("a slow delete", Server::delete_slowly),
            90..93 => ("a fault", Server::fail),
            93..96 => ("no fault", |it| it.disk.mend()),
            96 => ("a stop", Server::stop),
            97 => ("a kill", Server::kill),
            _ => ("a power cut", Server::cut_power),
        };
        at.set((step, name));
        happen(&mut server);
        server.users.lock().hear();
    }
    at.set((STEPS, "the end"));
    server.disk.mend();
    // The first one writes anew if anything has failed.
    server.write();
    server.users.lock().assert_seen();
    server.stop();
    server.users.lock().assert_seen();
}

/// A server that is started again and again on a disk.
struct Server {
    disk: MemoryDisk,
    sizes: Sizes,
    users: Arc<Mutex<Users>>,
    writer: Writer,
}

impl Server {
    fn new(disk: MemoryDisk, sizes: Sizes, dice: Dice) -> Self {
        let users = Arc::new(Mutex::new(Users::new(dice)));
        let writer = start(&disk, sizes, &users).expect("nothing fails yet");
        Self { disk, sizes, users, writer }
    }

    fn dice<T>(&self, throw: impl FnOnce(&mut Dice) -> T) -> T {
        throw(&mut self.users.lock().dice)
    }

    /// The thread that writes does so once.
    fn write(&mut self) {
        let may_fail = self.disk.is_to_fail();
        self.writer.write_or_recover();
        self.writer.copy_if_wanted();
        let mut users = self.users.lock();
        users.hear();
        if !may_fail {
            assert!(users.storage.is_well(), "it fails without a fault");
            users.assert_heard();
        }
    }

    fn copy(&mut self) {
        self.users.lock().wants_copy = true;
        self.write();
    }

    /// Series are deleted one after another, and written meanwhile.
    fn delete_slowly(&mut self) {
        let mut users = self.users.lock();
        let (selector, _) = users.selection();
        let ingest = Arc::clone(&users.ingest);
        // A family is there for a push as long as it is being emptied, and for nobody else.
        users.is_quiet = true;
        drop(users);
        let users = Arc::clone(&self.users);
        let delete = |name: &str, labels: &_| {
            let is_wanted = selector.matches_name(name) && selector.matches_labels(labels);
            if is_wanted {
                users.lock().remove(name, labels);
            }
            Continue(is_wanted)
        };
        let may_be_wanted = |name: &str| Continue(selector.matches_name(name));
        ingest.registry().delete(may_be_wanted, delete, || {
            if self.dice(|dice| dice.one_in(2)) {
                self.write();
            }
        });
        users.lock().is_quiet = false;
    }

    fn fail(&mut self) {
        let fault = self.draw_fault(12);
        self.disk.fail(fault);
    }

    fn draw_fault(&self, most: usize) -> Fault {
        let done = self.disk.done();
        self.dice(|dice| Fault {
            after: done + dice.roll(most),
            code: dice.pick(&[EIO, ENOSPC]),
            short: dice.roll(150),
            is_over: dice.one_in(2),
        })
    }

    /// It ends in order, if the disk lets it, and starts again.
    fn stop(&mut self) {
        let may_fail = self.disk.is_to_fail();
        self.users.lock().is_quiet = true;
        let ended = self.writer.end();
        let mut users = self.users.lock();
        users.hear();
        users.is_quiet = false;
        match ended {
            Ok(()) => users.assert_all_is_kept(),
            Err(error) => assert!(may_fail, "{error} without a fault"),
        }
        drop(users);
        self.start();
    }

    /// It ends at any moment; what it has written is left.
    fn kill(&mut self) {
        self.write_in_part();
        self.start();
    }

    /// All ends at any moment, and what is on disk is left.
    fn cut_power(&mut self) {
        self.write_in_part();
        let done = self.disk.done();
        self.disk = self.dice(|dice| self.disk.after_power_cut(done, dice));
        self.start();
    }

    /// What it is writing is cut off, or it is not writing.
    fn write_in_part(&mut self) {
        if self.dice(|dice| dice.one_in(3)) {
            return;
        }
        let fault = self.draw_fault(20);
        self.disk.fail(Fault { is_over: false, ..fault });
        if self.dice(|dice| dice.one_in(4)) {
            self.users.lock().wants_copy = true;
        }
        self.writer.write_or_recover();
        self.writer.copy_if_wanted();
        self.users.lock().hear();
        self.disk.mend();
    }

    fn start(&mut self) {
        // It may fail at that, and the machine too.
        if self.dice(|dice| dice.one_in(6)) {
            self.fail();
        }
        loop {
            let may_fail = self.disk.is_to_fail();
            match start(&self.disk, self.sizes, &self.users) {
                Ok(writer) => {
                    self.writer = writer;
                    return;
                }
                Err(error) => assert!(may_fail, "{error} without a fault"),
            }
            self.disk.mend();
            if self.dice(|dice| dice.one_in(2)) {
                let done = self.disk.done();
                self.disk = self.dice(|dice| self.disk.after_power_cut(done, dice));
            }
        }
    }
}

/// Starts as a process does: with what is on the disk.
fn start(disk: &MemoryDisk, sizes: Sizes, users: &Arc<Mutex<Users>>) -> Result<Writer, StoreError> {
    let (ingest, storage) = users.lock().replace_server();
    let rules = Arc::clone(&users.lock().rules);
    let log = Log::with_sizes(Box::new(disk.clone()), sizes);
    let mut store = Box::new(Watched { log, users: Arc::clone(users) });
    let (registry, answers) = (ingest.registry(), ingest.answers());
    restore(&mut *store, Path::new("/memory"), registry, answers, &rules, &storage)?;
    users.lock().find();
    // A commit begins when it is asked for.
    Ok(Writer::new(ingest, store, storage, Duration::MAX))
}

/// A log that tells those who use the server what becomes of it, and lets them go on while it is written.
struct Watched {
    log: Log,
    users: Arc<Mutex<Users>>,
}

impl Store for Watched {
    fn load(&mut self, take: &mut TakePiece<'_>) -> Result<Loaded, StoreError> {
        self.log.load(take)
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        self.log.begin()
    }

    fn commit(&mut self, pieces: &mut dyn Iterator<Item = Vec<u8>>) -> Result<(), StoreError> {
        // After a failure it is for a copy alone, which does not hold before it is finished.
        let holds = self.log.is_well();
        self.users.lock().end_epoch(holds);
        self.log.commit(&mut pieces.inspect(|_| self.users.lock().act_meanwhile()))?;
        let mut users = self.users.lock();
        users.hear();
        if holds {
            users.keep();
        }
        Ok(())
    }

    fn is_well(&self) -> bool {
        self.log.is_well()
    }

    fn wants_copy(&self, live: usize) -> bool {
        self.log.wants_copy(live) || self.users.lock().wants_copy
    }

    fn begin_copy(&mut self) -> Result<(), StoreError> {
        self.users.lock().wants_copy = false;
        self.log.begin_copy()
    }

    fn copy(&mut self, piece: &[u8]) -> Result<(), StoreError> {
        self.users.lock().act_meanwhile();
        self.log.copy(piece)
    }

    fn finish_copy(&mut self, live: usize) -> Result<(), StoreError> {
        self.users.lock().begin();
        self.log.finish_copy(live)?;
        let mut users = self.users.lock();
        users.hear();
        users.keep();
        Ok(())
    }

    fn abandon_copy(&mut self) {
        self.log.abandon_copy();
    }

    fn bytes(&self) -> u64 {
        self.log.bytes()
    }

    fn close(&mut self) -> Result<(), StoreError> {
        self.log.close()
    }
}
