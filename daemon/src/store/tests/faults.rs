//! Whatever fails, nothing that was kept is lost, nothing is kept by halves, and it goes on when the disk does.

use proptest::prelude::*;

use super::{
    disk::{Dice, Fault, MemoryDisk},
    driver::{Driver, SIZES, Step, load, steps},
};
use crate::store::log::Log;

const EIO: i32 = 5;
const ENOSPC: i32 = 28;

/// Runs the steps with a fault, and mends what it breaks.
fn run(steps: &[Step], fault: Fault, dice: &mut Dice) {
    let disk = MemoryDisk::default();
    let mut driver = Driver::new(disk.clone());
    disk.fail(fault);
    if driver.open().is_err() {
        found_after(&driver, dice);
        disk.mend();
        driver.open().unwrap();
    }
    for step in steps {
        if driver.run(step).is_err() {
            assert!(disk.has_failed(), "a failure without a fault");
            found_after(&driver, dice);
            if dice.roll(2) == 0 && driver.recover().is_err() {
                found_after(&driver, dice);
            }
            disk.mend();
            // It goes on, or it is started again.
            match step {
                Step::Commit(_) | Step::Copy(_) => driver.recover().unwrap(),
                Step::Close | Step::Kill => driver.open().unwrap(),
            }
        }
    }
    disk.mend();
    driver.open().unwrap();
}

/// Whoever starts then, or after a power cut then, finds what may be there.
fn found_after(driver: &Driver, dice: &mut Dice) {
    let done = driver.disk.done();
    let possible = driver.possible(done);
    let killed = MemoryDisk::with(driver.disk.files());
    let cut = [(); 4].map(|()| driver.disk.after_power_cut(done, dice));
    for disk in cut.into_iter().chain([killed]) {
        let (found, _) = load(&mut Log::with_sizes(Box::new(disk), SIZES)).unwrap();
        assert!(possible.contains(&&found), "{found:?} was found");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn a_store_that_cannot_write_says_so_and_loses_nothing(steps in steps(14), seed: u64) {
        let done = Driver::after_all(&steps).disk.done();
        let mut dice = Dice(seed);
        for after in 0..done {
            let code = if dice.roll(2) == 0 { EIO } else { ENOSPC };
            let fault = Fault { after, code, short: dice.roll(60), is_over: dice.roll(2) == 0 };
            run(&steps, fault, &mut dice);
        }
    }
}
