//! A real Prometheus, and its `promtool`, both from Debian.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use serde_json::Value;

use crate::support::{Client, Server, inc, promtool, wait_for};

/// A running Prometheus; killed when dropped.
struct Prometheus {
    child: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Prometheus {
    /// Starts one that scrapes `target` five times a second.
    fn scraping(target: SocketAddr) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = folder.path().join("prometheus.yml");
        let text = format!(
            "scrape_configs:\n- job_name: pushprom\n  honor_labels: true\n  scrape_interval: 200ms\n\
             \x20 scrape_timeout: 200ms\n  static_configs:\n  - targets: ['{target}']\n"
        );
        fs::write(&config, text).expect("the file can be written");
        // It cannot be asked for any free port, so it gets one that was free a moment ago.
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = free.expect("a free port");
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus is installed");
        Self { child, address, _folder: folder }
    }

    /// The value of an instant query that has one result.
    fn query(&self, expression: &str) -> Option<f64> {
        let stream = std::net::TcpStream::connect(self.address).ok()?;
        drop(stream);
        let mut client = Client::connect(self.address);
        let path = format!("/api/v1/query?query={expression}");
        let reply = client.request("GET", &path, &[("Connection", "close")], None)?;
        let answer: Value = serde_json::from_slice(&reply.body).ok()?;
        answer["data"]["result"][0]["value"][1].as_str()?.parse().ok()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[test]
fn a_real_prometheus_gets_the_totals() {
    let server = Server::start(&[]);
    let prometheus = Prometheus::scraping(server.http);
    let enough = AtomicBool::new(false);
    let pushed = thread::scope(|scope| {
        let pusher = scope.spawn(|| {
            let mut pushed = 0_u32;
            while !enough.load(Ordering::Relaxed) {
                pushed += 1;
                server.send(inc("over_udp"));
                server.push_ok(format!(
                    "[{},{{\"type\":\"histogram\",\"name\":\"took\",\"help\":\"h\",\
                     \"method\":\"observe\",\"value\":2,\"labels\":{{\"path\":\"a\\\\\\\"b\"}}}}]",
                    inc("over_http")
                ));
            }
            pushed
        });
        // Two scrapes fall into the time of the pushes.
        let seen = |more_than| {
            wait_for("a total on its way", || {
                prometheus.query("over_http").filter(|total| *total > more_than)
            })
        };
        seen(seen(0.0));
        enough.store(true, Ordering::Relaxed);
        f64::from(pusher.join().expect("the pusher does not fail"))
    });
    server.catch_up();
    for (expression, total) in [
        ("over_udp", pushed),
        ("over_http", pushed),
        ("sum(took_count)", pushed),
        ("sum(took_sum)", 2.0 * pushed),
        ("pushprom_deltas_applied_total%7Bkind=%22histogram%22,transport=%22http%22%7D", pushed),
    ] {
        wait_for(&format!("{expression} = {total}"), || {
            (prometheus.query(expression) == Some(total)).then_some(())
        });
    }
    assert_eq!(prometheus.query("up"), Some(1.0));
}

#[test]
fn promtool_accepts_the_page() {
    let server = Server::start(&[]);
    server.push_ok(
        r#"[
        {"type":"counter","name":"visits_total","help":"Visits.","method":"add","value":1e300},
        {"type":"counter","name":"visits_total","help":"Visits.","method":"inc","labels":{"path":"\"\\\n\u0000"}},
        {"type":"gauge","name":"depth","help":"A \\ depth\nof queues.","method":"set","value":-0.5},
        {"type":"histogram","name":"took_seconds","help":"Time.","method":"observe","value":0.1},
        {"type":"summary","name":"size_bytes","help":"Size.","method":"observe","value":7,"labels":{"kind":"1"}}
        ]"#,
    );
    let page = server.scrape();
    let said = promtool(&page);
    assert_eq!(said, "", "{}", page.0);
}
