//! A running Prometheus, from Debian, and a way to choose the format that it gets.

use std::{
    fs, io,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// A running Prometheus; killed when dropped.
pub(crate) struct Prometheus {
    child: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Prometheus {
    /// Starts one with more flags that scrapes `targets` five times a second.
    pub(crate) fn scraping(targets: &[SocketAddr], flags: &[&str]) -> Self {
        Self::scraping_with(targets, "", flags)
    }

    /// The same with more lines in what it is told about them, each indented by two.
    pub(crate) fn scraping_with(targets: &[SocketAddr], more: &str, flags: &[&str]) -> Self {
        let targets: Vec<String> = targets.iter().map(|target| format!("'{target}'")).collect();
        let text = format!(
            "scrape_configs:\n- job_name: pushprom\n  honor_labels: true\n  scrape_interval: 200ms\n\
             \x20 scrape_timeout: 200ms\n{more}  static_configs:\n  - targets: [{}]\n",
            targets.join(",")
        );
        Self::configured(&text, flags)
    }

    /// Starts one with a configuration.
    pub(crate) fn configured(text: &str, flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = folder.path().join("prometheus.yml");
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
        let results = self.query_all(expression)?;
        assert!(results.len() < 2, "{expression}: {results:?}");
        results.first()?["value"][1].as_str()?.parse().ok()
    }

    /// The results of an instant query, each with a `metric` and a `value`.
    pub(crate) fn query_all(&self, expression: &str) -> Option<Vec<Value>> {
        let escaped = utf8_percent_encode(expression, NON_ALPHANUMERIC);
        let answer = self.get(&format!("/api/v1/query?query={escaped}"))?;
        answer["data"]["result"].as_array().cloned()
    }

    /// The type of a family, as it was scraped.
    pub(crate) fn type_of(&self, family: &str) -> Option<String> {
        let answer = self.get(&format!("/api/v1/metadata?metric={family}"))?;
        answer["data"][family][0]["type"].as_str().map(str::to_owned)
    }

    fn get(&self, path: &str) -> Option<Value> {
        let mut stream = TcpStream::connect(self.address).ok()?;
        // An answer to HTTP/1.0 comes whole and not in chunks, however long.
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Listens for scrapes, and passes each on to `target` with `accept` for its `Accept`: old as Debian's
/// Prometheus is, it cannot be told which format to ask for. It serves until the test ends.
pub(crate) fn asking_for(accept: &'static str, target: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || pass_on(stream, accept, target));
        }
    });
    address
}

fn pass_on(mut scraper: TcpStream, accept: &str, target: SocketAddr) -> io::Result<()> {
    let mut request = BufReader::new(scraper.try_clone()?);
    let mut line = String::new();
    while request.read_line(&mut line)? > 2 {
        line.clear();
    }
    let mut server = TcpStream::connect(target)?;
    write!(
        server,
        "GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: {accept}\r\nConnection: close\r\n\r\n"
    )?;
    io::copy(&mut server, &mut scraper)?;
    Ok(())
}
