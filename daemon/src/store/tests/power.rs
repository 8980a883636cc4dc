//! A power cut at any moment: whatever is on disk then, what was committed is.

use proptest::prelude::*;

use super::{
    disk::{Dice, Fault, MemoryDisk},
    driver::{Driver, Step, steps},
};

/// Cuts of each workload.
const CUTS: usize = 120;

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_power_cut_loses_nothing_that_was_committed(steps in steps(20), seed: u64) {
        let driver = Driver::after_all(&steps);
        let disk = &driver.disk;
        let mut dice = Dice(seed);
        for _ in 0..CUTS {
            let done = dice.roll(disk.done() + 1);
            let cut = disk.after_power_cut(done, &mut dice);
            let mut next = Driver::after(&driver, done, cut);
            next.open().unwrap();
            for step in steps.iter().take(dice.roll(4)) {
                next.run(step).unwrap();
            }
            // And another one.
            let done = dice.roll(next.disk.done() + 1);
            let cut = next.disk.after_power_cut(done, &mut dice);
            Driver::after(&next, done, cut).open().unwrap();
        }
    }
}

#[test]
fn what_a_start_has_found_is_on_disk() {
    let disk = MemoryDisk::default();
    let mut driver = Driver::new(disk.clone());
    driver.open().unwrap();
    // Killed when it had written, and not synced.
    disk.fail(Fault { after: disk.done() + 1, code: 5, short: 0, is_over: true });
    driver.run(&Step::Commit(vec![(1, 1)])).unwrap_err();
    driver.open().unwrap();
    let mut dice = Dice(0);
    for _ in 0..CUTS {
        let done = disk.done();
        let cut = disk.after_power_cut(done, &mut dice);
        Driver::after(&driver, done, cut).open().unwrap();
    }
}
