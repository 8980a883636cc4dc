//! What `/proc` says of the machine, a process and a socket.

use std::{fmt, fs, thread};

use crate::Result;

/// The machine, as far as the numbers depend on it.
pub(crate) struct Machine {
    pub(crate) cpu: String,
    pub(crate) cores: usize,
    pub(crate) kernel: String,
    /// Bytes that a socket may hold for its reader where nobody asks for more, and at most.
    pub(crate) receive_buffer: (u64, u64),
}

/// Describes this machine.
pub(crate) fn describe() -> Result<Machine> {
    let cpu = fs::read_to_string("/proc/cpuinfo")?;
    let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let sysctl = |name: &str| fs::read_to_string(format!("/proc/sys/{name}"));
    Ok(Machine {
        cpu: cpu.map_or("an unnamed CPU", |(_, model)| model.trim()).to_owned(),
        cores: thread::available_parallelism()?.get(),
        kernel: sysctl("kernel/osrelease")?.trim().to_owned(),
        receive_buffer: (
            sysctl("net/core/rmem_default")?.trim().parse()?,
            sysctl("net/core/rmem_max")?.trim().parse()?,
        ),
    })
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cpu, cores, kernel, receive_buffer: (default, max) } = self;
        write!(
            f,
            "{cpu}, {cores} cores, Linux {kernel}, net.core.rmem_default {default}, rmem_max {max}"
        )
    }
}

/// Bytes of memory that a process holds.
pub(crate) fn resident_bytes(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")).ok_or("no VmRSS")?;
    Ok(kilobytes.parse::<u64>()? * 1024)
}

/// What the kernel holds and has thrown away for a UDP socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Queue {
    /// Bytes that wait for the reader.
    pub(crate) waiting: u64,
    /// Datagrams dropped since the socket was opened.
    pub(crate) dropped: u64,
}

/// The queues of the IPv4 UDP sockets that are bound to `port`, as one: a receiver may have several that
/// share it.
pub(crate) fn udp_queue(port: u16) -> Result<Queue> {
    let table = fs::read_to_string("/proc/net/udp")?;
    add_queues(&table, port).ok_or_else(|| format!("no UDP socket is bound to port {port}").into())
}

fn add_queues(table: &str, port: u16) -> Option<Queue> {
    let queues = table.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let (_, bound) = fields.get(1)?.split_once(':')?;
        if u16::from_str_radix(bound, 16) != Ok(port) {
            return None;
        }
        let (_, waiting) = fields.get(4)?.split_once(':')?;
        let waiting = u64::from_str_radix(waiting, 16).ok()?;
        Some(Queue { waiting, dropped: fields.last()?.parse().ok()? })
    });
    queues.reduce(|sum, queue| Queue {
        waiting: sum.waiting + queue.waiting,
        dropped: sum.dropped + queue.dropped,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queues_of_a_port_are_added_up() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   \
                     uid  timeout inode ref pointer drops\n\
                     1: 0100007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000 \
                     0 0 1 2 0000000000000000 0\n\
                     2: 0100007F:2382 00000000:0000 07 00000000:0000A300 00:00000000 00000000 \
                     0 0 3 2 0000000000000000 17\n\
                     3: 0100007F:2382 00000000:0000 07 00000000:00000001 00:00000000 00000000 \
                     0 0 3 2 0000000000000000 2\n";
        assert_eq!(add_queues(table, 9090), Some(Queue { waiting: 0xa301, dropped: 19 }));
        assert_eq!(add_queues(table, 9091), None);
    }

    #[test]
    fn this_process_holds_memory() {
        assert!(resident_bytes(std::process::id()).unwrap() > 100_000);
    }
}
