//! A running Prometheus, from Debian.

use std::{
    fs,
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::Client;

/// A running Prometheus; killed when dropped.
pub(crate) struct Prometheus {
    child: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Prometheus {
    /// Starts one with more flags that scrapes `targets` five times a second.
    pub(crate) fn scraping(targets: &[SocketAddr], flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = folder.path().join("prometheus.yml");
        let targets: Vec<String> = targets.iter().map(|target| format!("'{target}'")).collect();
        let text = format!(
            "scrape_configs:\n- job_name: pushprom\n  honor_labels: true\n  scrape_interval: 200ms\n\
             \x20 scrape_timeout: 200ms\n  static_configs:\n  - targets: [{}]\n",
            targets.join(",")
        );
        fs::write(&config, text).expect("the file can be written");
        // It cannot be asked for any free port, so it gets one that was free a moment ago.
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = free.expect("a free port");
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .args(flags)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus is installed");
        Self { child, address, _folder: folder }
    }

    /// The value of an instant query that has one result.
    pub(crate) fn query(&self, expression: &str) -> Option<f64> {
        let escaped = utf8_percent_encode(expression, NON_ALPHANUMERIC);
        let answer = self.get(&format!("/api/v1/query?query={escaped}"))?;
        let results = answer["data"]["result"].as_array()?;
        assert!(results.len() < 2, "{expression}: {answer}");
        results.first()?["value"][1].as_str()?.parse().ok()
    }

    fn get(&self, path: &str) -> Option<Value> {
        drop(TcpStream::connect(self.address).ok()?);
        let mut client = Client::connect(self.address);
        let reply = client.request("GET", path, &[("Connection", "close")], None)?;
        serde_json::from_slice(&reply.body).ok()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
