//! HTTP/2: the deadlines and bounds of HTTP/1.1 hold for it too.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream as StdTcpStream},
    sync::Arc,
    time::Instant,
};

use bytes::Bytes;
use h2::{
    Reason,
    client::{self, SendRequest},
};
use hyper::{Request, StatusCode};
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use tokio::{net::TcpStream, task::JoinHandle, time::timeout};
use tokio_rustls::TlsConnector;

use crate::support::{PATIENCE, Server, Site, inc};

const TLS: &str = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n";

/// What no test waits for.
const LONG: [&str; 3] = ["-web.header-timeout=1h", "-web.body-timeout=1h", "-web.write-timeout=1h"];

/// A server with one deadline that is short.
fn start(site: &Site, short: &str) -> Server {
    let name = short.split('=').next().expect("a flag");
    let mut flags: Vec<&str> = LONG.into_iter().filter(|flag| !flag.starts_with(name)).collect();
    flags.push(short);
    site.start(TLS, &flags)
}

fn config(site: &Site) -> Arc<ClientConfig> {
    let mut config = ClientConfig::clone(&site.client_config());
    config.alpn_protocols = vec![b"h2".to_vec()];
    Arc::new(config)
}

/// A connection that ends when its client is gone, or when the server ends it.
async fn connect(
    site: &Site,
    address: SocketAddr,
    builder: &client::Builder,
) -> (SendRequest<Bytes>, JoinHandle<Result<(), h2::Error>>) {
    let socket = TcpStream::connect(address).await.expect("the server accepts");
    let name = "localhost".try_into().expect("a name");
    let stream = TlsConnector::from(config(site)).connect(name, socket).await.expect("a handshake");
    let (sender, connection) = builder.handshake(stream).await.expect("it speaks HTTP/2");
    (sender, tokio::spawn(connection))
}

fn request(method: &str, path: &str) -> Request<()> {
    let uri = format!("https://localhost{path}");
    Request::builder().method(method).uri(uri).body(()).expect("it is well-formed")
}

/// The end of a connection, in time.
async fn ended(connection: JoinHandle<Result<(), h2::Error>>) {
    let ended = timeout(PATIENCE, connection).await;
    drop(ended.expect("the server ends the connection").expect("no panic"));
}

#[tokio::test]
async fn a_body_has_a_deadline() {
    let site = Site::new();
    let server = start(&site, "-web.body-timeout=200ms");
    let (sender, _connection) = connect(&site, server.http, &client::Builder::new()).await;
    let mut sender = sender.ready().await.expect("it is open");
    let (answer, mut body) = sender.send_request(request("POST", "/"), false).expect("it is sent");
    body.send_data("{\"type\"".into(), false).expect("it is sent");
    // Others go on meanwhile.
    let mut sender = sender.ready().await.expect("it is open");
    let (other, _) = sender.send_request(request("GET", "/health"), true).expect("it is sent");
    assert_eq!(other.await.expect("an answer").status(), StatusCode::OK);
    assert_eq!(answer.await.expect("an answer").status(), StatusCode::REQUEST_TIMEOUT);
}

#[tokio::test]
async fn a_silent_connection_has_a_deadline() {
    let site = Site::new();
    let server = start(&site, "-web.header-timeout=200ms");
    let (sender, connection) = connect(&site, server.http, &client::Builder::new()).await;
    let mut sender = sender.ready().await.expect("it is open");
    let (answer, _) = sender.send_request(request("GET", "/health"), true).expect("it is sent");
    assert_eq!(answer.await.expect("an answer").status(), StatusCode::OK);
    ended(connection).await;
    // And so does one that has not said hello.
    let mut silent = StdTcpStream::connect(server.http).expect("the server accepts");
    silent.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
    assert_eq!(silent.read(&mut [0]).expect("it is closed"), 0);
    let page = site.curl(&server, "/metrics", &[]).text;
    let count = "pushprom_tls_handshake_failures_total{reason=\"timeout\"} 1\n";
    assert!(page.contains(count), "{page}");
}

#[tokio::test]
async fn pings_do_not_keep_a_connection_open() {
    let site = Site::new();
    let server = start(&site, "-web.header-timeout=300ms");
    let socket = TcpStream::connect(server.http).await.expect("the server accepts");
    let name = "localhost".try_into().expect("a name");
    let stream = TlsConnector::from(config(&site)).connect(name, socket).await;
    let begun = client::handshake(stream.expect("a handshake")).await;
    let (_sender, mut connection) = begun.expect("it speaks HTTP/2");
    let mut pings = connection.ping_pong().expect("nobody has taken it");
    let connection = tokio::spawn(connection);
    let begun = Instant::now();
    while pings.ping(h2::Ping::opaque()).await.is_ok() {
        assert!(begun.elapsed() < PATIENCE, "it stays open");
    }
    ended(connection).await;
}

#[tokio::test]
async fn a_page_that_is_not_taken_has_a_deadline() {
    let site = Site::new();
    let server = start(&site, "-web.write-timeout=300ms");
    let mut builder = client::Builder::new();
    builder.initial_window_size(0);
    let (sender, connection) = connect(&site, server.http, &builder).await;
    let mut sender = sender.ready().await.expect("it is open");
    let (answer, _) = sender.send_request(request("GET", "/metrics"), true).expect("it is sent");
    // Were it dropped, its page would be cancelled.
    let answer = answer.await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    ended(connection).await;
}

#[tokio::test]
async fn at_the_end_requests_in_flight_are_answered() {
    let site = Site::new();
    let mut server = start(&site, "-shutdown.timeout=20s");
    let (sender, connection) = connect(&site, server.http, &client::Builder::new()).await;
    let mut sender = sender.ready().await.expect("it is open");
    let (answer, mut body) = sender.send_request(request("POST", "/"), false).expect("it is sent");
    let text = inc("in_flight");
    body.send_data(Bytes::copy_from_slice(&text.as_bytes()[..9]), false).expect("it is sent");
    let mut sender = sender.ready().await.expect("it is open");
    let (other, _) = sender.send_request(request("GET", "/health"), true).expect("it is sent");
    assert_eq!(other.await.expect("an answer").status(), StatusCode::OK);
    server.signal("TERM");
    server.wait_for_log("the end begins", |event| event["message"] == "shutting down");
    body.send_data(Bytes::copy_from_slice(&text.as_bytes()[9..]), true).expect("it is sent");
    let answer = timeout(PATIENCE, answer).await.expect("in time").expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    drop((sender, answer, body));
    ended(connection).await;
    assert!(server.wait().success());
}

/// Which page asked is told by the target, where there is no header with the host.
#[test]
fn pages_of_other_sites_change_nothing() {
    let site = Site::new();
    let mut server = site.start(TLS, &["-web.enable-lifecycle", "-web.enable-admin-api"]);
    let own = format!("Origin: https://{}", server.http);
    for (path, origin, status) in [
        ("/-/reload", "Origin: https://evil.example", 403),
        ("/-/quit", "Origin: https://evil.example", 403),
        ("/-/quit", "Origin: null", 403),
        ("/api/v1/admin/wipe", "Origin: https://evil.example", 403),
        ("/api/v1/admin/wipe", &own, 200),
        ("/-/quit", &own, 200),
    ] {
        let got = site.curl(&server, path, &["--http2", "-X", "POST", "-H", origin]);
        assert_eq!((got.status, &*got.version), (status, "2"), "{path} {origin} {got:?}");
    }
    assert!(server.wait().success());
}

/// What the server may hold while it is under attack.
const RESIDENT_BYTES_MAX: u64 = 200 * 1024 * 1024;

/// Others are served, and memory is bounded.
#[track_caller]
fn assert_served(site: &Site, server: &Server) {
    let got = site.curl(server, "/", &["-d", &inc("well_behaved")]);
    assert_eq!(got.status, 200, "{got:?}");
    let resident = server.resident_bytes();
    assert!(resident < RESIDENT_BYTES_MAX, "{resident} bytes");
}

/// Requests that are begun and broken off, as fast as they can be (CVE-2023-44487): each is over when it is
/// broken off, and leaves nothing behind.
#[tokio::test]
async fn rapid_resets_do_no_harm() {
    let site = Site::new();
    let server = site.start(TLS, &[]);
    let (mut sender, connection) = connect(&site, server.http, &client::Builder::new()).await;
    'attack: for _ in 0..20 {
        for _ in 0..5000 {
            let Ok(ready) = sender.clone().ready().await else { break 'attack };
            sender = ready;
            let Ok((_, mut body)) = sender.send_request(request("POST", "/"), false) else {
                break 'attack;
            };
            body.send_reset(Reason::CANCEL);
        }
        assert_served(&site, &server);
    }
    assert_served(&site, &server);
    drop(sender);
    drop(connection);
}

/// A header without an end (CVE-2024-27316), in frames that are all well-formed.
#[test]
fn a_header_without_an_end_ends_a_connection() {
    let site = Site::new();
    let server = site.start(TLS, &[]);
    let socket = StdTcpStream::connect(server.http).expect("the server accepts");
    let name = "localhost".try_into().expect("a name");
    let session = ClientConnection::new(config(&site), name).expect("a session");
    let mut stream = StreamOwned::new(session, socket);
    let frame = |kind: u8, stream: u8, payload: &[u8]| {
        let length = u32::try_from(payload.len()).expect("it is short").to_be_bytes();
        let head = [length[1], length[2], length[3], kind, 0, 0, 0, 0, stream];
        [&head[..], payload].concat()
    };
    let mut begin = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    begin.extend(frame(4, 0, b""));
    // GET https / and then no end: fields of a kilobyte that are not to be remembered.
    begin.extend(frame(1, 1, &[0x82, 0x87, 0x84]));
    stream.write_all(&begin).expect("it is sent");
    // Its name is `a`, and its value 1,000 bytes: 127, and the rest seven bits at a time.
    let mut field = vec![0x00, 0x01, b'a', 0x7f, 0xe9, 0x06];
    field.resize(field.len() + 1000, b'x');
    let field = frame(9, 1, &field);
    let sent = (0..100_000).take_while(|_| stream.write_all(&field).is_ok()).count();
    assert!(sent < 100_000, "100 MB of a header were taken");
    assert_served(&site, &server);
}
