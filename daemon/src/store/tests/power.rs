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
fn what_a_start_has_read_survives_a_power_cut() {
    let disk = MemoryDisk::default();
    let mut driver = Driver::new(disk.clone());
    driver.open().unwrap();
    // A commit that is written and not synced; then the process is killed.
    let eio = 5;
    disk.fail(Fault { after: disk.done() + 1, code: eio, short: 0, is_over: false });
    assert!(driver.run(&Step::Commit(vec![(1, 1)])).is_err());
    disk.mend();
    driver.open().unwrap();
    assert!(driver.possible(disk.done())[0].contains_key(&1), "the next one has read it");
    let mut dice = Dice(0);
    for _ in 0..CUTS {
        let cut = disk.after_power_cut(disk.done(), &mut dice);
        Driver::after(&driver, disk.done(), cut).open().unwrap();
    }
}
