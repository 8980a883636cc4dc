//! The original's PHP client: the bytes it sends, sent by PHP.

use std::process::Command;

use crate::support::{Server, read, repository, succeed};

/// What `php-client-bytes.txt` holds: messages over HTTP and over UDP, in order.
fn recorded() -> (Vec<String>, Vec<String>) {
    let text = read("tests/conformance/php-client-bytes.txt");
    let (mut http, mut udp) = (Vec::new(), Vec::new());
    for part in text.split("--- ").filter(|part| !part.is_empty()) {
        let (head, message) = part.split_once('\n').expect("a head line");
        let message = message.strip_suffix('\n').unwrap_or(message);
        if head.starts_with("HTTP") {
            let body = message.split_once("\n\n").map_or("", |(_, body)| body);
            http.push(body.to_owned());
        } else {
            udp.push(message.to_owned());
        }
    }
    (http, udp)
}

#[test]
fn what_php_sends_over_curl_and_udp_is_counted() {
    let (http, udp) = recorded();
    assert!(http.len() > 20 && udp.len() > 10, "{} and {}", http.len(), udp.len());
    let server = Server::start(&["-schema.conflicts=reject"]);
    let script = repository("tests/php/send.php");
    let messages = serde_json::json!({"http": http, "udp": udp}).to_string();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("messages.json");
    std::fs::write(&file, messages).expect("the file can be written");
    let answers = succeed(
        Command::new("php")
            .arg(script)
            .arg(file)
            .arg(server.http.to_string())
            .arg(server.udp.to_string()),
    );
    let page = server.catch_up();
    let answers: Vec<&str> = answers.lines().collect();
    assert_eq!(answers.len(), http.len());
    let ok = answers.iter().filter(|answer| **answer == "ok").count();
    let count = |count: usize| f64::from(u32::try_from(count).expect("it is small"));
    let applied = |transport: &str| {
        page.sum(|sample| {
            sample.starts_with("pushprom_deltas_applied_total{") && sample.contains(transport)
        })
    };
    let rejected = |transport: &str| {
        page.sum(|sample| {
            sample.starts_with("pushprom_deltas_rejected_total{") && sample.contains(transport)
        })
    };
    assert_eq!((applied("http"), rejected("http")), (count(ok), count(http.len() - ok)));
    // The mark of the test itself is one more.
    assert_eq!(applied("udp") + rejected("udp"), count(udp.len() + 1));
    for (sample, total) in [
        ("e2e_http_gophers", 6.5),
        ("e2e_http_http_response{status=\"200\"}", 1.0),
        ("e2e_http_plain", 1e25),
        ("e2e_http_list", 0.0),
        ("e2e_udp_gophers", 6.5),
        ("e2e_udp_plain", 1e25),
    ] {
        assert_eq!(page.value(sample).unwrap_or(0.0).to_bits(), f64::to_bits(total), "{sample}");
    }
}
