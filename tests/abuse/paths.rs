//! Ways to write a path. What is guarded is reached by the path that it has, after decoding and cleaning, and by
//! no other; what is not spelled plainly is sent elsewhere by an answer, and never served.

use crate::support::{Client, Server, inc};

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum There {
    /// The page.
    Page,
    /// `ok`.
    Health,
    /// The list of odd names.
    Lint,
    /// The place where pushes go, which a GET is refused at.
    Pushes,
    /// Another path, in `Location`.
    Moved(&'static str),
    /// No request.
    Refused(u16),
}
use There::{Health, Lint, Moved, Page, Pushes, Refused};

const PATHS: &[(&str, There)] = &[
    ("/metrics", Page),
    ("/metrics?/../x", Page),
    ("/metrics?x=%00", Page),
    ("/%6detrics", Page),
    ("/%6D%65%74%72%69%63%73", Page),
    ("http://other.example/metrics", Page),
    ("http://user:secret@other.example:80/metrics", Page),
    ("/-/ready", Health),
    ("/%2d/ready", Health),
    ("/health", Health),
    ("/-/lint", Lint),
    // Not so spelled.
    ("//metrics", Moved("/metrics")),
    ("///metrics", Moved("/metrics")),
    ("/./metrics", Moved("/metrics")),
    ("/x/../metrics", Moved("/metrics")),
    ("/../metrics", Moved("/metrics")),
    ("/../../../../metrics", Moved("/metrics")),
    ("/%2e%2e/metrics", Moved("/metrics")),
    ("/%2E/metrics", Moved("/metrics")),
    ("/x%2f..%2fmetrics", Moved("/metrics")),
    ("/%2fmetrics", Moved("/metrics")),
    ("/%2f%2fother.example/metrics", Moved("/other.example/metrics")),
    ("//other.example/metrics", Moved("/other.example/metrics")),
    ("/metrics/.", Moved("/metrics")),
    ("/metrics/..", Moved("/")),
    ("/-//ready", Moved("/-/ready")),
    ("/-/./lint", Moved("/-/lint")),
    ("/x/..%2f-/lint", Moved("/-/lint")),
    // Others.
    ("/metrics/", Pushes),
    ("/metrics%2f", Pushes),
    ("/Metrics", Pushes),
    ("/METRICS", Pushes),
    ("/metrics%00", Pushes),
    ("/metrics%20", Pushes),
    ("/metrics%0d%0aX:%20y", Pushes),
    ("/%20metrics", Pushes),
    ("/metrics;x=y", Pushes),
    ("/;/metrics", Pushes),
    ("/..;/metrics", Pushes),
    ("/metrics%3fx", Pushes),
    ("/metrics%23", Pushes),
    ("/metrics.json", Pushes),
    ("/metrics%5c", Pushes),
    ("/x%5c..%5cmetrics", Pushes),
    ("/%252e%252e/metrics", Pushes),
    ("/%25%36%64etrics", Pushes),
    ("/%c0%ae%c0%ae/metrics", Pushes),
    ("/%ef%bc%8fmetrics", Pushes),
    ("/...//metrics", Moved("/.../metrics")),
    ("/.../metrics", Pushes),
    ("/~/metrics", Pushes),
    ("/-/reload", Pushes),
    ("/-/quit", Pushes),
    ("/api/v1/admin", Pushes),
    // None at all.
    ("/%zz", Refused(400)),
    ("/%", Refused(400)),
    ("/%u0000", Refused(400)),
    ("*", Refused(400)),
    ("metrics", Moved("/")),
    ("\\metrics", Refused(400)),
    ("/metrics#x", Page),
    ("http:///metrics", Refused(400)),
];

/// What answers a GET of a path, as it is written.
fn there(server: &Server, path: &str) -> Result<There, String> {
    let mut client = Client::connect(server.http);
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    client.send(request.as_bytes()).expect("it is sent");
    let reply = client.reply().ok_or("no answer")?;
    let is_page = reply.text().contains("pushprom_panics_total");
    match (reply.status, is_page) {
        (200, true) => Ok(Page),
        (200, false) if reply.text() == "ok" => Ok(Health),
        (200, false) => Ok(Lint),
        (301, false) => {
            let location = reply.header("location").ok_or("no location")?.to_owned();
            let known = PATHS.iter().filter_map(|(_, there)| match there {
                Moved(location) => Some(*location),
                Page | Health | Lint | Pushes | Refused(_) => None,
            });
            known.into_iter().find(|known| *known == location).map(Moved).ok_or(location)
        }
        (405, false) if reply.header("allow") == Some("POST") => Ok(Pushes),
        (status, false) => Ok(Refused(status)),
        (status, true) => Err(format!("a page with {status}")),
    }
}

#[test]
fn a_path_leads_to_one_place() {
    let server = Server::start(&["-lint.warn"]);
    let wrong: Vec<String> = PATHS
        .iter()
        .filter_map(|(path, want)| {
            let got = there(&server, path);
            (got != Ok(*want)).then(|| format!("{path}: {got:?}, not {want:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_path_has_a_length() {
    super::withstand("paths of up to 10 MB", &[], 60, |server| {
        for (length, want) in [(1_000, 405), (50_000, 405), (70_000, 414), (10_000_000, 414)] {
            let path = format!("/{}", "x".repeat(length));
            let mut client = Client::connect(server.http);
            // It may be closed while it is sent.
            client.send(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).ok();
            let status = client.reply().map(|reply| reply.status);
            // What is sent on after the answer may have it lost.
            let fits = status == Some(want) || status == Some(431) || length > 1_000_000;
            assert!(fits, "{length}: {status:?}");
        }
        let dots = format!("/{}metrics", "../".repeat(15_000));
        let slashes = format!("{}metrics", "/".repeat(50_000));
        let escapes = format!("/{}", "%41".repeat(15_000));
        for (path, want) in [(dots, 301), (slashes, 301), (escapes, 405)] {
            assert_eq!(server.request("GET", &path, None).status, want);
        }
    });
}

/// A redirect leads nowhere but to this server, and is no header of somebody's choice.
#[test]
fn a_redirect_stays_here() {
    let server = Server::start(&[]);
    for path in ["//evil.example/%0d%0aX-Forged:%20y", "/%2f/evil.example", "/\\..//evil.example"] {
        let mut client = Client::connect(server.http);
        let reply = client.request("POST", path, &[], Some(inc("m").as_bytes()));
        let reply = reply.expect("an answer");
        assert!(reply.header("x-forged").is_none(), "{:?}", reply.headers);
        if let Some(location) = reply.header("location") {
            assert!(location.starts_with('/') && !location.starts_with("//"), "{location}");
        }
    }
    assert_eq!(server.scrape().value("m"), None);
}
