//! Limits of series, and series that expire: what an operator sees of them.

use std::os::unix::net::UnixDatagram;

use crate::support::{Client, Server, promtool, wait_for};

/// A delta to the series of `family` of a user.
fn of_user(kind: &str, family: &str, method: &str, user: usize) -> String {
    format!(
        r#"{{"type":"{kind}","name":"{family}","help":"h","method":"{method}","value":2,"labels":{{"env":"e{}","user":"{user}"}}}}"#,
        user % 3
    )
}

fn many(kind: &str, family: &str, method: &str) -> String {
    (0..50).map(|user| of_user(kind, family, method, user)).collect()
}

#[test]
fn a_label_of_a_user_id_costs_no_total() {
    let server = Server::start(&["-series.limit-per-family=10"]);
    server.push_ok(many("counter", "requests_made_total", "add"));
    server.send(many("counter", "requests_made_total", "add"));
    server.push_ok(many("histogram", "request_seconds", "observe"));
    let page = server.catch_up();
    assert_eq!(page.value(r#"requests_made_total{pushprom_overflow="true"}"#), Some(160.0));
    assert!((page.sum(|sample| sample.starts_with("requests_made_total")) - 200.0).abs() < 1e-9);
    assert!((page.sum(|sample| sample.starts_with("request_seconds_count")) - 50.0).abs() < 1e-9);
    assert_eq!(page.value("pushprom_deltas_overflowed_total"), Some(120.0));
    let suffix = "zz_mark counter metrics should have \"_total\" suffix\n";
    assert_eq!(promtool(&page), suffix, "of the mark alone");
    // It is named: in the log, and on the page.
    let event = server.wait_for_log("the label to blame", |event| {
        event["family"] == "requests_made_total" && event["label"] == "user"
    });
    assert!(event["series"] == 11 && event["values"].as_u64() > Some(10), "{event}");
    let sample =
        r#"pushprom_family_overflowed_deltas_total{family="requests_made_total",label="user"}"#;
    assert_eq!(server.scrape().value(sample), Some(80.0));
}

#[test]
fn a_gauge_too_many_is_refused() {
    let server = Server::start(&["-series.limit-per-family=10"]);
    let reply = server.push(many("gauge", "depth", "set"));
    let answer: serde_json::Value = serde_json::from_slice(&reply.body).expect("it is JSON");
    assert_eq!((reply.status, &answer["applied"]), (400, &10.into()));
    let error = answer["rejected"][0]["error"].as_str().expect("there is a first");
    assert!(error.contains("the limit of 10 for its family: "), "{error}");
    assert_eq!(server.scrape().rejected_for("family_limit", "http"), 40.0);
}

/// Whoever sends over unix sockets is one client, whichever socket and connection it is.
#[test]
fn unix_sockets_have_the_limit_of_a_client() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (http, push) = (folder.path().join("http.sock"), folder.path().join("push.sock"));
    let server = Server::start(&[
        "-series.limit-per-client=3",
        &format!("-http-listen-address=127.0.0.1:0,{}", http.display()),
        &format!("-unix-listen-address={}", push.display()),
    ]);
    let delta = |user| of_user("counter", "c", "add", user);
    for user in 0..4 {
        let body = delta(user);
        let reply = Client::connect_unix(&http).request("POST", "/", &[], Some(body.as_bytes()));
        assert_eq!(reply.expect("an answer").text(), "ok");
    }
    let socket = UnixDatagram::unbound().expect("a socket");
    socket.send_to(delta(4).as_bytes(), &push).expect("there is room");
    for user in 5..8 {
        server.push_ok(delta(user));
    }
    let overflow = r#"c{pushprom_overflow="true"}"#;
    let page = wait_for("what is too many", || {
        let page = server.scrape();
        (page.value(overflow) == Some(4.0)).then_some(page)
    });
    // Three each of the unix sockets and of the one address.
    assert_eq!(page.value("pushprom_series"), Some(7.0));
}

#[test]
fn bytes_are_limited_whatever_a_series_is() {
    let server = Server::start(&["-series.max-bytes=10000000"]);
    // A megabyte of labels each.
    let value = "x".repeat(30_000);
    let labels: Vec<String> = (0..30).map(|n| format!(r#""l{n}":"{value}""#)).collect();
    let labels = labels.join(",");
    for user in 0..40 {
        server.push_ok(format!(
            r#"{{"type":"counter","name":"c","method":"inc","labels":{{{labels},"user":"{user}"}}}}"#
        ));
    }
    let page = server.scrape();
    assert!((page.sum(|sample| sample.starts_with("c{")) - 40.0).abs() < 1e-9);
    let (held, limit) =
        (page.value("pushprom_series_bytes"), page.value("pushprom_series_bytes_limit"));
    assert!(held > Some(7e6) && held <= Some(10e6) && limit == Some(10e6), "{held:?} {limit:?}");
    let gauge = format!(r#"{{"type":"gauge","name":"g","method":"set","labels":{{{labels}}}}}"#);
    let refused = server.push(gauge);
    assert!(refused.text().contains("fits into 10000000 bytes: "), "{}", refused.text());
    assert!(server.scrape().rejected_for("bytes_limit", "http") > 0.0);
}

#[test]
fn a_series_expires_and_comes_back_as_another() {
    let server = Server::start(&["-series.expire-after=1s", "-openmetrics.created"]);
    let births = || {
        let accept = [("Accept", "application/openmetrics-text; version=1.0.0")];
        let mut client = Client::connect(server.http);
        let page = client.request("GET", "/metrics", &accept, None).expect("an answer").text();
        let line = page.lines().find_map(|line| line.strip_prefix("gone_created ")?.parse().ok());
        line.unwrap_or(0.0_f64)
    };
    let delta = r#"{"type":"counter","name":"gone_total","method":"add","value":5}"#;
    server.push_ok(delta);
    let born = births();
    assert!(born > 0.0);
    // Counted last of all: then it has left the page, the table and its family.
    let page = wait_for("the series to expire", || {
        let page = server.scrape();
        (page.value("pushprom_series_expired_total") == Some(1.0)).then_some(page)
    });
    assert_eq!(page.value("gone_total"), None);
    assert_eq!(
        (page.value("pushprom_series"), page.value("pushprom_families")),
        (Some(0.0), Some(0.0))
    );
    // The same text as before, which the intake remembered.
    server.push_ok(delta);
    assert_eq!(server.scrape().value("gone_total"), Some(5.0));
    assert!(births() > born);
}
