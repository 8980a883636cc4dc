//! What has to be done now and then, though no message comes: series expire, and who fills a family is named.

use std::{io, sync::Arc, thread, time::Duration};

use crate::{clock, ingest::Ingest, log::Sampler, shutdown::Shutdown, telemetry::Telemetry};

/// How often it is done. Series expire that much late at most, and what it takes to look for them.
const INTERVAL: Duration = Duration::from_secs(1);

/// How often the end is looked for meanwhile.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Starts the thread. It ends soon after `shutdown` is requested.
pub fn spawn(ingest: Arc<Ingest>, telemetry: Arc<Telemetry>, shutdown: Shutdown) -> io::Result<()> {
    let run = move || {
        let mut waited = Duration::ZERO;
        while !shutdown.is_requested() {
            thread::sleep(POLL_INTERVAL);
            waited += POLL_INTERVAL;
            if waited >= INTERVAL {
                waited = Duration::ZERO;
                expire(&ingest, &telemetry);
                name_culprits(&ingest, &telemetry);
            }
        }
    };
    thread::Builder::new().name("upkeep".to_owned()).spawn(run)?;
    Ok(())
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
