//! A child process under measurement: the server, or a sink that stands beside it.

use std::{
    env,
    io::{self, BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    Result,
    client::Client,
    machine::{self, Queue},
    sinks::Sink,
    sys, wait,
    workload::{Held, held_bodies},
};

/// How long a child may take for anything before the run is given up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// How long a process that uses no CPU is taken to be at rest for the moment. The kernel brings the CPU
/// time of a running thread up to date with every tick; the longest ticks take 10 ms.
const REST: Duration = Duration::from_millis(12);

/// What a server counts of datagrams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Datagrams received.
    pub(crate) datagrams: u64,
    /// Deltas of them that were applied.
    pub(crate) applied: u64,
    /// Deltas of them that were refused, and what could not be read.
    pub(crate) rejected: u64,
    /// Datagrams that the kernel dropped. A server that does not know says 0.
    pub(crate) dropped: u64,
}

/// A running child. It is killed when this is dropped.
pub(crate) struct Target {
    child: Child,
    lines: Receiver<String>,
    http: Option<SocketAddr>,
    udp: Option<SocketAddr>,
    /// Datagrams that a sink has told of.
    received: u64,
    start_took: Duration,
}

impl Target {
    /// Starts the server as it comes.
    pub(crate) fn server(path: &Path) -> Result<Self> {
        Self::server_with(path, &[])
    }

    /// Starts the server with `flags` beside those that every run needs.
    pub(crate) fn server_with(path: &Path, flags: &[&str]) -> Result<Self> {
        let mut command = Command::new(path);
        command.args(["-http-listen-address=127.0.0.1:0", "-udp-listen-address=127.0.0.1:0"]);
        Self::start(command.arg("-log.format=json").args(flags))
            .map_err(|error| format!("{}: {error}", path.display()).into())
    }

    /// Starts a sink: this program again, by another name.
    pub(crate) fn sink(sink: Sink) -> Result<Self> {
        Self::start(Command::new(env::current_exe()?).arg(sink.word()))
    }

    /// Starts a child that tells its addresses on standard error, and then that it is ready. One that
    /// serves HTTP has to say so over HTTP too.
    fn start(command: &mut Command) -> Result<Self> {
        let begun = Instant::now();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let stderr = child.stderr.take().ok_or("a child without standard error")?;
        let (sender, lines) = mpsc::channel();
        // It ends with the child, or with the one who listens.
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(io::Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let (http, udp, received, start_took) = (None, None, 0, Duration::ZERO);
        let mut target = Self { child, lines, http, udp, received, start_took };
        target.await_ready()?;
        if target.http.is_some() {
            target.client()?.get("/-/ready")?;
        }
        target.start_took = begun.elapsed();
        Ok(target)
    }

    fn await_ready(&mut self) -> Result<()> {
        loop {
            let text = self.lines.recv_timeout(PATIENCE).map_err(|_| "it did not become ready")?;
            let line: Value = serde_json::from_str(&text).map_err(|_| text.clone())?;
            match line["message"].as_str() {
                Some("listening") => {
                    let address = line["address"].as_str().unwrap_or_default().parse()?;
                    match line["transport"].as_str() {
                        Some("http") => self.http = Some(address),
                        Some("udp") => self.udp = Some(address),
                        Some(_) | None => {}
                    }
                }
                Some("ready") => return Ok(()),
                Some(_) | None => {}
            }
        }
    }

    /// From before it was spawned to its first 200, or to its word if it has no HTTP.
    pub(crate) fn start_took(&self) -> Duration {
        self.start_took
    }

    /// Whether it is the server: no sink both serves HTTP and receives datagrams.
    pub(crate) fn is_server(&self) -> bool {
        self.http.is_some() && self.udp.is_some()
    }

    /// Where it serves HTTP.
    pub(crate) fn http(&self) -> Result<SocketAddr> {
        self.http.ok_or_else(|| "the target serves no HTTP".into())
    }

    /// Where it receives datagrams.
    pub(crate) fn udp(&self) -> Result<SocketAddr> {
        self.udp.ok_or_else(|| "the target receives no datagrams".into())
    }

    /// A new connection to it.
    pub(crate) fn client(&self) -> Result<Client> {
        Client::connect(self.http()?)
    }

    /// Makes it hold series.
    pub(crate) fn hold(&self, held: Held, series: &[usize]) -> Result<()> {
        let mut client = self.client()?;
        held_bodies(held, series).try_for_each(|body| client.push(&body))
    }

    /// Its CPU time, as of a moment at which it rests.
    pub(crate) fn cpu_at_rest(&self) -> Result<Duration> {
        wait::until("a target to rest", PATIENCE, || {
            let before = sys::cpu_time(self.child.id())?;
            thread::sleep(REST);
            Ok((sys::cpu_time(self.child.id())? == before).then_some(before))
        })
    }

    /// Ends it as a service manager does, and waits until it has ended well.
    pub(crate) fn end(mut self) -> Result<()> {
        sys::terminate(self.child.id())?;
        let status = wait::until("a target to end", PATIENCE, || Ok(self.child.try_wait()?))?;
        if status.success() { Ok(()) } else { Err(format!("a target ended with {status}").into()) }
    }

    /// Bytes that it has had written to disks.
    pub(crate) fn written_bytes(&self) -> Result<u64> {
        machine::written_bytes(self.child.id())
    }

    /// Bytes of memory that it holds.
    pub(crate) fn resident_bytes(&self) -> Result<u64> {
        machine::resident_bytes(self.child.id())
    }

    /// The kernel's queue of its UDP sockets.
    pub(crate) fn udp_queue(&self) -> Result<Queue> {
        machine::udp_queue(self.udp()?.port())
    }

    /// Datagrams that a sink has received; it tells now and then.
    pub(crate) fn received(&mut self) -> Result<u64> {
        for line in self.lines.try_iter() {
            let line: Value = serde_json::from_str(&line)?;
            self.received = line["datagrams"].as_u64().unwrap_or(self.received);
        }
        Ok(self.received)
    }

    /// What a server's page says of a metric of its own that has no labels.
    pub(crate) fn sample(&self, name: &str) -> Result<u64> {
        let mut client = self.client()?;
        Ok(total(str::from_utf8(client.get("/metrics")?)?, name, ""))
    }

    /// What a server counts of datagrams. It makes a page for it, which costs it CPU time.
    pub(crate) fn counts(&self) -> Result<Counts> {
        let mut client = self.client()?;
        let page = str::from_utf8(client.get("/metrics")?)?;
        let by_udp = r#"transport="udp""#;
        Ok(Counts {
            datagrams: total(page, "pushprom_udp_packets_total", ""),
            applied: total(page, "pushprom_deltas_applied_total", by_udp),
            rejected: total(page, "pushprom_deltas_rejected_total", by_udp),
            dropped: total(page, "pushprom_udp_dropped_total", ""),
        })
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing else to be done about it.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The sum of the samples of a name that have a label.
fn total(page: &str, name: &str, label: &str) -> u64 {
    let values = page.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?;
        let (labels, value) = rest.rsplit_once(' ')?;
        let is_it = labels.is_empty() || labels.starts_with('{');
        if is_it && labels.contains(label) { value.parse::<f64>().ok() } else { None }
    });
    whole(values.sum())
}

/// A count that a page wrote as a float.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is a count")]
fn whole(count: f64) -> u64 {
    count as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_added_up_by_name_and_label() {
        let page = "# TYPE a counter\na{k=\"1\",t=\"udp\"} 2e+06\na{k=\"2\",t=\"udp\"} 3\n\
                    a{k=\"1\",t=\"http\"} 5\na_b 7\nb 11\n";
        assert_eq!(total(page, "a", r#"t="udp""#), 2_000_003);
        assert_eq!((total(page, "a", ""), total(page, "b", "")), (2_000_008, 11));
    }
}
