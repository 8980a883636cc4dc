//! The `process_*` families of the Prometheus client libraries, from `/proc`. Where that is missing, so
//! are they.

use procfs::{
    WithCurrentSystemInfo,
    process::{LimitValue, Process},
};
use pushprom_core::{model::Amount, snapshot::FamilySnapshot};

use super::family::{level, total};

pub(super) fn families() -> Vec<FamilySnapshot> {
    let Ok(process) = Process::myself() else { return Vec::new() };
    let mut families = Vec::new();
    let mut gauge = |name, help, value: f64| families.push(level(name, help, value));
    if let Ok(count) = process.fd_count() {
        gauge("process_open_fds", "Number of open file descriptors.", float(count as u64));
    }
    if let Ok(limits) = process.limits() {
        let limit = |limit: LimitValue| match limit {
            LimitValue::Value(value) => float(value),
            LimitValue::Unlimited => float(u64::MAX),
        };
        let fds = limit(limits.max_open_files.soft_limit);
        gauge("process_max_fds", "Maximum number of open file descriptors.", fds);
        let memory = limit(limits.max_address_space.soft_limit);
        let help = "Maximum amount of virtual memory available in bytes.";
        gauge("process_virtual_memory_max_bytes", help, memory);
    }
    if let Ok(stat) = process.stat() {
        gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.", float(stat.vsize));
        let resident = float(stat.rss_bytes().get());
        gauge("process_resident_memory_bytes", "Resident memory size in bytes.", resident);
        let ticks = float(procfs::ticks_per_second());
        if let Ok(boot) = procfs::boot_time_secs() {
            let start = float(boot) + float(stat.starttime) / ticks;
            let help = "Start time of the process since unix epoch in seconds.";
            gauge("process_start_time_seconds", help, start);
        }
        let cpu = float(stat.utime + stat.stime) / ticks;
        let help = "Total user and system CPU time spent in seconds.";
        let cpu = Amount::new(cpu).unwrap_or_default();
        families.push(total("process_cpu_seconds_total", help, cpu));
    }
    families
}

fn float(count: u64) -> f64 {
    pushprom_core::model::count_as_f64(count)
}
