//! What `/proc` says of the machine, a process and a socket.

use std::{env, fmt, fs, path::Path, thread};

use crate::Result;

/// The machine, as far as the numbers depend on it.
pub(crate) struct Machine {
    pub(crate) cpu: String,
    pub(crate) cores: usize,
    pub(crate) kernel: String,
    /// Bytes that a socket may hold for its reader where nobody asks for more, and at most.
    pub(crate) receive_buffer: (u64, u64),
    /// Where stores are kept.
    pub(crate) file_system: String,
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
        file_system: file_system(&env::temp_dir())?,
    })
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cpu, cores, kernel, receive_buffer: (default, max), file_system } = self;
        write!(
            f,
            "{cpu}, {cores} cores, Linux {kernel}, net.core.rmem_default {default}, rmem_max {max}, \
             stores on {file_system}"
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

/// Bytes that a process has had written to disks, in whole pages. What the file system adds for itself is not
/// among them.
pub(crate) fn written_bytes(pid: u32) -> Result<u64> {
    let counts = fs::read_to_string(format!("/proc/{pid}/io"))?;
    let count = counts.lines().find_map(|line| line.strip_prefix("write_bytes:"));
    Ok(count.ok_or("no write_bytes")?.trim().parse()?)
}

/// The sort of file system that a path is on.
pub(crate) fn file_system(path: &Path) -> Result<String> {
    let mounts = fs::read_to_string("/proc/self/mounts")?;
    let found = mount_of(&mounts, &path.canonicalize()?);
    Ok(found.ok_or_else(|| format!("{} is on no file system", path.display()))?.to_owned())
}

/// Of mounts at the same place the last one is seen.
fn mount_of<'a>(mounts: &'a str, path: &Path) -> Option<&'a str> {
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let (place, sort) = (Path::new(fields.next()?), fields.next()?);
        path.starts_with(place).then(|| (place.components().count(), sort))
    });
    mounts.max_by_key(|(depth, _)| *depth).map(|(_, sort)| sort)
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

    #[test]
    fn a_path_is_on_the_deepest_mount_above_it() {
        let mounts = "/dev/vda / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/vdb /tmp xfs rw 0 0\n\
                      /dev/vdc /tmp/a btrfs rw 0 0\n";
        for (path, want) in
            [("/tmpx", "ext4"), ("/tmp", "xfs"), ("/tmp/ab", "xfs"), ("/tmp/a/b", "btrfs")]
        {
            assert_eq!(mount_of(mounts, Path::new(path)), Some(want), "{path}");
        }
        assert_eq!(mount_of("", Path::new("/tmp")), None);
    }
}
