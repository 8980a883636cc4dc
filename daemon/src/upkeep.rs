//! What has to be done now and then, though no message comes: series and keys expire, and who fills a family is named. What
//! is there already follows rules that have been reloaded.

use std::{
    io,
    num::NonZeroU32,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use pushprom_core::rules::Rules;

use crate::{
    clock, ingest::Ingest, live::Live, log::Sampler, shutdown::Shutdown, telemetry::Telemetry,
};

/// How often it is done.
const INTERVAL: Duration = Duration::from_secs(1);

/// How often the end is looked for meanwhile.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Series are looked through so many times within the shortest time after which one expires: that much of it they
/// may be late.
const SWEEPS_PER_EXPIRY: u32 = 16;

/// How long it takes until they are looked through again at most.
const SWEEP_INTERVAL_MAX: Duration = Duration::from_mins(1);

/// Starts the thread. It ends soon after `shutdown` is requested. What is there follows `rules`, which those in force
/// may not be any more.
pub fn spawn(
    ingest: Arc<Ingest>,
    live: Arc<Live>,
    mut rules: Arc<Rules>,
    telemetry: Arc<Telemetry>,
    shutdown: Shutdown,
) -> io::Result<()> {
    let run = move || {
        let (mut done, mut swept) = (Instant::now(), Instant::now());
        let mut again = None;
        while !shutdown.is_requested() {
            thread::sleep(POLL_INTERVAL);
            if done.elapsed() < INTERVAL {
                continue;
            }
            done = Instant::now();
            let in_force = Arc::clone(&live.settings().rules);
            let is_new = !Arc::ptr_eq(&rules, &in_force);
            let is_time = again.is_some_and(|again| Instant::now() >= again);
            if is_new || is_time {
                rules = in_force;
                ingest.registry().follow(&rules, thread::yield_now);
                // What was in flight then has begun series by the old rules, and is over by then.
                let over = live.settings().config.body_timeout + 2 * INTERVAL;
                again = is_new.then(|| Instant::now() + over);
            }
            let shortest = rules.shortest_expiry();
            if shortest.is_some_and(|shortest| swept.elapsed() >= sweep_interval(shortest)) {
                swept = Instant::now();
                expire(&ingest, &telemetry);
            }
            ingest.answers().forget_old(clock::now());
            name_culprits(&ingest, &telemetry);
        }
    };
    thread::Builder::new().name("upkeep".to_owned()).spawn(run)?;
    Ok(())
}

/// How often series are looked through of which some expire after so many seconds.
fn sweep_interval(shortest: NonZeroU32) -> Duration {
    let shortest = Duration::from_secs(shortest.get().into());
    (shortest / SWEEPS_PER_EXPIRY).min(SWEEP_INTERVAL_MAX)
}

fn expire(ingest: &Ingest, telemetry: &Telemetry) {
    let expired = ingest.registry().expire(clock::now(), thread::yield_now);
    if expired > 0 {
        telemetry.record_expired(expired);
        tracing::debug!(series = expired, "series expired");
    }
}

/// Says which families are full, and by which label, once for each of them.
fn name_culprits(ingest: &Ingest, telemetry: &Telemetry) {
    static SAMPLER: Sampler = Sampler::new();
    for family in ingest.registry().blame(thread::yield_now) {
        let Some(suppressed) = SAMPLER.admit(clock::now().0 / 1000) else {
            telemetry.record_suppressed_line();
            continue;
        };
        tracing::warn!(
            family = %family.name,
            series = family.series,
            label = %family.culprit.label,
            values = family.culprit.values,
            suppressed,
            "a limit of series is reached: further ones are added up in a series with \
             pushprom_overflow=\"true\"; use labels of fewer values"
        );
    }
}
