//! The API of operators, asked over HTTP.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Client, Reply, Server, inc, read, repository, succeed, wait_for};

/// Turns it on.
const ADMIN: &str = "-web.enable-admin-api";

/// The data of an answer.
#[track_caller]
fn data(reply: &Reply) -> Value {
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")));
    let value: Value = serde_json::from_slice(&reply.body).expect("JSON");
    assert_eq!(value["status"], "success", "{value}");
    value["data"].clone()
}

#[track_caller]
fn get(server: &Server, path: &str) -> Value {
    data(&server.request("GET", path, None))
}

/// The status, the sort and the text of a failure.
#[track_caller]
fn failure(reply: &Reply) -> (u16, String, String) {
    assert_eq!(reply.header("content-type"), Some("application/json"), "{}", reply.text());
    let value: Value = serde_json::from_slice(&reply.body).expect("JSON");
    assert_eq!(value["status"], "error", "{value}");
    let text = |name: &str| value[name].as_str().expect("a text").to_owned();
    (reply.status, text("errorType"), text("error"))
}

#[track_caller]
fn check_failure(server: &Server, request: &str, status: u16, sort: &str, text: &str) {
    let (method, path) = request.split_once(' ').expect("METHOD PATH");
    let reply = server.request(method, path, None);
    assert_eq!(failure(&reply), (status, sort.to_owned(), text.to_owned()), "{request}");
}

/// A series of each kind.
fn each_kind() -> String {
    json!([
        {"type": "counter", "name": "orders_total", "help": "Orders.", "method": "add", "value": 2.5, "labels": {"shop": "a\n\"b\""}},
        {"type": "counter", "name": "orders_total", "method": "inc", "labels": {"shop": "c"}},
        {"type": "gauge", "name": "depth", "method": "set", "value": -0.5},
        {"type": "histogram", "name": "took_seconds", "method": "observe", "value": [0.1, 2, 30], "buckets": [1, 10]},
        {"type": "histogram", "name": "native_seconds", "method": "observe", "value": [0, 1], "buckets": [1], "native": {"schema": 0}},
        {"type": "summary", "name": "size_bytes", "method": "observe", "value": [1, 2, 3], "objectives": {"0.5": 0.01}},
    ])
    .to_string()
}

#[test]
fn series_are_listed_with_their_values() {
    let server = Server::start(&[ADMIN]);
    server.push_ok(each_kind());
    let list = get(&server, "/api/v1/series");
    assert_eq!(list["nextCursor"], Value::Null);
    let series = list["series"].as_array().expect("a list");
    let shown: Vec<Value> = series
        .iter()
        .map(|series| {
            let (birth, touch) = (&series["birth"], &series["lastTouch"]);
            let time = |time: &Value| time.as_str().is_some_and(|text| text.ends_with('Z'));
            assert!(time(birth) && time(touch), "{series}");
            let mut series = series.clone();
            let members = series.as_object_mut().expect("an object");
            members.retain(|name, _| !matches!(&**name, "birth" | "lastTouch"));
            series
        })
        .collect();
    let want = json!([
        {"name": "depth", "type": "gauge", "labels": {}, "value": "-0.5"},
        {"name": "native_seconds", "type": "histogram", "labels": {}, "value": {
            "count": "2", "sum": "1",
            "buckets": [{"le": "1", "count": "2"}, {"le": "+Inf", "count": "2"}],
            "native": {
                "schema": 0, "zeroThreshold": "2.938735877055719e-39", "zeroCount": "1",
                "negative": [], "positive": [{"index": 0, "count": "1"}],
            },
        }},
        {"name": "orders_total", "type": "counter", "labels": {"shop": "a\n\"b\""}, "value": "2.5"},
        {"name": "orders_total", "type": "counter", "labels": {"shop": "c"}, "value": "1"},
        {"name": "size_bytes", "type": "summary", "labels": {}, "value": {
            "count": "3", "sum": "6", "quantiles": [{"quantile": "0.5", "value": shown[4]["value"]["quantiles"][0]["value"]}],
        }},
        {"name": "took_seconds", "type": "histogram", "labels": {}, "value": {
            "count": "3", "sum": "32.1",
            "buckets": [{"le": "1", "count": "1"}, {"le": "10", "count": "2"}, {"le": "+Inf", "count": "3"}],
        }},
    ]);
    assert_eq!(Value::Array(shown), want);
    // A cursor is sent back as it came, whatever is in it.
    let first = get(&server, "/api/v1/series?limit=1&match[]={__name__=~%22o.*%22}");
    assert_eq!(first["nextCursor"], r#"orders_total{shop="a\n\"b\""}"#);
    let path = "/api/v1/series?limit=1&match[]={__name__=~%22o.*%22}\
                &cursor=orders_total%7Bshop%3D%22a%5Cn%5C%22b%5C%22%22%7D";
    let second = get(&server, path);
    assert_eq!(
        (&second["series"][0]["labels"], &second["nextCursor"]),
        (&json!({"shop": "c"}), &Value::Null)
    );
    // What is found by matchers alone.
    for (selector, want) in [
        ("{shop!=%22%22}", 2),
        ("{shop=%22%22,__name__=~%22[^_]%2B%22}", 1),
        ("orders_total{shop=~%22c%7Cd%22}", 1),
        ("orders_total&match[]=depth", 3),
        ("nothing", 0),
    ] {
        let found = get(&server, &format!("/api/v1/series?match[]={selector}"));
        assert_eq!(found["series"].as_array().map(Vec::len), Some(want), "{selector}");
    }
}

/// Pages end on any series, on one that takes what is too many too.
#[test]
fn each_series_is_on_one_page_while_there_are_too_many() {
    let server = Server::start(&[ADMIN, "-series.limit-per-family=2"]);
    for user in 0..5 {
        for family in ["a", "b"] {
            let labels = json!({"user": user.to_string()});
            let delta =
                json!({"type": "counter", "name": family, "method": "inc", "labels": labels});
            server.push_ok(delta.to_string());
        }
    }
    let (mut shown, mut path) = (Vec::new(), "/api/v1/series?limit=1".to_owned());
    loop {
        let page = get(&server, &path);
        let series = &page["series"][0];
        shown.push(format!("{}{} {}", series["name"], series["labels"], series["value"]));
        let Some(next) = page["nextCursor"].as_str() else { break };
        let mut cursor = form_urlencoded::Serializer::new(String::new());
        path = format!("/api/v1/series?limit=1&{}", cursor.append_pair("cursor", next).finish());
    }
    let of = |family: &str| {
        [
            format!(r#""{family}"{{"pushprom_overflow":"true"}} "3""#),
            format!(r#""{family}"{{"user":"0"}} "1""#),
            format!(r#""{family}"{{"user":"1"}} "1""#),
        ]
    };
    assert_eq!(shown, ["a", "b"].map(of).concat());
}

#[test]
fn families_and_their_labels_are_listed() {
    let server = Server::start(&[ADMIN]);
    server.push_ok(each_kind());
    let names = |path: &str| -> Vec<String> {
        let list = get(&server, path);
        let families = list["families"].as_array().expect("a list").iter();
        families.map(|family| family["name"].as_str().expect("a name").to_owned()).collect()
    };
    let all = ["depth", "native_seconds", "orders_total", "size_bytes", "took_seconds"];
    assert_eq!(names("/api/v1/families"), all);
    assert_eq!(names("/api/v1/families?limit=2&cursor=native_seconds"), all[2..4]);
    assert_eq!(names("/api/v1/families?search=ORDERS"), ["orders_total"]);
    assert_eq!(names("/api/v1/families?search=orders."), ["orders_total"], "by its help");
    assert_eq!(names("/api/v1/families?match[]={shop=%22c%22}"), ["orders_total"]);
    assert_eq!(names("/api/v1/top/families?limit=2"), ["orders_total", "depth"]);
    let top = get(&server, "/api/v1/top/labels");
    let want = json!({"labels": [{"name": "shop", "values": 2, "exact": true, "series": 2}], "complete": true});
    assert_eq!(top, want);
    assert_eq!(get(&server, "/api/v1/top/labels?match[]=depth")["labels"], json!([]));
    let family = &get(&server, "/api/v1/families?match[]=orders_total")["families"][0];
    assert_eq!(
        (&family["type"], &family["help"], &family["series"]),
        (&json!("counter"), &json!("Orders."), &json!(2))
    );
    assert_eq!((&family["overflowedDeltas"], &family["overflowLabel"]), (&json!(0), &Value::Null));
}

#[test]
fn the_busiest_family_is_first() {
    let server = Server::start(&[ADMIN]);
    let busy = wait_for("a rate", || {
        server.push_ok(format!("[{}]", vec![inc("busy"); 500].join(",")));
        server.push_ok(inc("idle"));
        let top = get(&server, "/api/v1/top/families?by=deltas");
        let busy = top["families"][0].clone();
        (busy["deltasPerSecond"].as_f64() > Some(0.0)).then_some(busy)
    });
    assert_eq!(busy["name"], "busy");
}

#[test]
fn who_fills_a_family_is_named() {
    let server = Server::start(&[ADMIN, "-series.limit-per-family=10"]);
    let deltas = (0..30).map(|user| {
        json!({"type": "counter", "name": "hits", "method": "inc", "labels": {"user": user.to_string()}})
    });
    server.push_ok(deltas.collect::<Value>().to_string());
    wait_for("the label", || {
        let list = get(&server, "/api/v1/families");
        let family = &list["families"][0];
        assert_eq!((&family["series"], &family["overflowedDeltas"]), (&json!(11), &json!(20)));
        (family["overflowLabel"] == "user").then_some(())
    });
}

#[test]
fn what_was_refused_is_remembered() {
    let server = Server::start(&[ADMIN]);
    assert_eq!(get(&server, "/api/v1/rejections"), json!({"rejections": [], "nextCursor": null}));
    server.send("{\"type\":\n");
    wait_for("the datagram", || (server.refusals() == 1).then_some(()));
    let bad = json!([inc("good"), {"type": "counter", "name": "b", "method": "sub", "value": 1}]);
    assert_eq!(server.push(bad.to_string()).status, 400);
    let list = get(&server, "/api/v1/rejections?limit=1");
    let newest = &list["rejections"][0];
    assert_eq!(
        (&newest["transport"], &newest["reason"]),
        (&json!("http"), &json!("unknown_method"))
    );
    assert!(newest["peer"].as_str().is_some_and(|peer| peer.starts_with("127.0.0.1:")), "{newest}");
    assert!(
        newest["sample"].as_str().is_some_and(|sample| sample.starts_with("[\\\"{")),
        "{newest}"
    );
    let cursor = list["nextCursor"].as_str().expect("there is another");
    let path = format!("/api/v1/rejections?limit=1000&cursor={cursor}");
    let oldest = get(&server, &path);
    let oldest = oldest["rejections"].as_array().and_then(|list| list.last()).expect("one");
    let want = ("udp", "syntax", "{\\\"type\\\":\\n");
    let text = |name: &str| oldest[name].as_str().expect("a text");
    assert_eq!((text("transport"), text("reason"), text("sample")), want);
    // A flood of them is sampled, and drives out nothing else.
    for _ in 0..50 {
        server.push("{");
    }
    let all = get(&server, "/api/v1/rejections?limit=10000");
    let all = all["rejections"].as_array().expect("a list");
    assert!(all.len() < 50, "{}", all.len());
    assert_eq!(all.last().map(|last| &last["id"]), Some(&json!(1)));
}

#[test]
fn series_are_deleted() {
    let server = Server::start(&[ADMIN]);
    server.push_ok(each_kind());
    let delete = "/api/v1/admin/series/delete";
    let form = [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")];
    let mut client = Client::connect(server.http);
    let reply =
        client.request("POST", delete, &form, Some(b"match[]=orders_total%7Bshop%3D%22c%22%7D"));
    assert_eq!(data(&reply.expect("an answer")), json!({"deleted": 1, "complete": true}));
    let page = server.scrape();
    assert_eq!(page.value(r#"orders_total{shop="c"}"#), None);
    assert_eq!(page.value("depth"), Some(-0.5));
    assert_eq!(page.value("pushprom_series"), Some(5.0));
    assert_eq!(page.value(r#"pushprom_series_deleted_total{action="delete"}"#), Some(1.0));
    // It may begin anew.
    server.push_ok(each_kind());
    assert_eq!(server.scrape().value(r#"orders_total{shop="c"}"#), Some(1.0));
    let reply = server.request("PUT", &format!("{delete}?match[]=depth&match[]=nothing"), None);
    assert_eq!(data(&reply), json!({"deleted": 1, "complete": true}));
    assert_eq!(
        data(&server.request("POST", "/api/v1/admin/wipe", Some(b""))),
        json!({"deleted": 5, "complete": true})
    );
    let page = server.scrape();
    assert_eq!(
        (page.value("pushprom_series"), page.value("pushprom_families")),
        (Some(0.0), Some(0.0))
    );
    assert_eq!(page.value(r#"pushprom_series_deleted_total{action="wipe"}"#), Some(5.0));
    let logged = wait_for("the log", || {
        let mut logged = server.events();
        logged.retain(|event| event["message"] == "series deleted");
        (logged.len() == 3).then_some(logged)
    });
    assert_eq!(logged[0]["selectors"], r#"orders_total{shop="c"}"#);
    assert!(logged[0]["peer"].as_str().is_some_and(|peer| peer.starts_with("127.0.0.1:")));
}

#[test]
fn pages_of_other_sites_delete_nothing() {
    let server = Server::start(&[ADMIN]);
    server.push_ok(inc("kept"));
    let site = "this was sent by a page of another site, which may not change anything here";
    for (header, value) in [
        ("Origin", "http://evil.example"),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
    ] {
        let mut client = Client::connect(server.http);
        let reply = client.request("POST", "/api/v1/admin/wipe", &[(header, value)], Some(b""));
        let got = failure(&reply.expect("an answer"));
        assert_eq!(got, (403, "forbidden".to_owned(), site.to_owned()), "{header}: {value}");
    }
    assert_eq!(server.scrape().value("kept"), Some(1.0));
    let mut client = Client::connect(server.http);
    let own = [("Origin", "http://localhost"), ("Sec-Fetch-Site", "same-origin")];
    let reply = client.request("POST", "/api/v1/admin/wipe", &own, Some(b""));
    assert_eq!(data(&reply.expect("an answer")), json!({"deleted": 1, "complete": true}));
}

#[test]
fn what_is_wrong_is_named() {
    let server = Server::start(&[ADMIN]);
    for (request, text) in [
        (
            "GET /api/v1/series?limit=0",
            "invalid parameter \"limit\": \"0\" is no whole number from 1 to 10000: use one",
        ),
        ("GET /api/v1/series?match=up", "unknown parameter \"match\": use match[], limit, cursor"),
        ("GET /api/v1/status/flags?x", "unknown parameter \"x\": there are none here"),
        (
            "GET /api/v1/series?match[]=up{",
            "invalid parameter \"match[]\": column 4: the end where the name of a label or } should be, as in name{label=\"value\"}",
        ),
        (
            "GET /api/v1/series?cursor=%7B",
            "invalid parameter \"cursor\": it is none: send the nextCursor of the page before",
        ),
        ("GET /api/v1/top/families?by=x", "invalid parameter \"by\": use series or deltas"),
        (
            "POST /api/v1/admin/series/delete",
            "invalid parameter \"match[]\": it is missing: say which series to delete",
        ),
    ] {
        check_failure(&server, request, 400, "bad_data", text);
    }
    let method = "DELETE is no method of this path: use one of GET, HEAD";
    check_failure(&server, "DELETE /api/v1/series", 405, "bad_data", method);
    let method = "GET is no method of this path: use one of POST, PUT";
    check_failure(&server, "GET /api/v1/admin/wipe", 405, "bad_data", method);
    let reply = server.request("GET", "/api/v1/admin/wipe", None);
    assert_eq!(reply.header("allow"), Some("POST, PUT"));
    let mut client = Client::connect(server.http);
    let form = [("Content-Type", "text/plain")];
    let reply = client.request("POST", "/api/v1/admin/series/delete", &form, Some(b"match[]=up"));
    assert_eq!(failure(&reply.expect("an answer")).0, 415);
    let long = vec![b'x'; 65 * 1024];
    let reply = server.request("POST", "/api/v1/admin/series/delete", Some(&long));
    assert_eq!(failure(&reply).0, 413);
}

#[test]
fn without_the_flag_there_is_the_status_alone() {
    let server = Server::start(&[]);
    let off = "admin APIs disabled: start with -web.enable-admin-api";
    for request in ["GET /api/v1/series", "HEAD /api/v1/rejections", "PUT /api/v1/admin/wipe"] {
        if request.starts_with("HEAD") {
            let (method, path) = request.split_once(' ').expect("METHOD PATH");
            assert_eq!(server.request(method, path, None).status, 403);
        } else {
            check_failure(&server, request, 403, "unavailable", off);
        }
    }
    // To any path that is not taken, a push goes as ever.
    for path in ["/api/v1/admin/wipe", "/api/v1/series", "/api/v1/whatever"] {
        let reply = server.request("POST", path, Some(inc("pushed").as_bytes()));
        assert_eq!((reply.status, &*reply.text()), (200, "ok"), "{path}");
    }
    let info = get(&server, "/api/v1/status/runtimeinfo");
    assert_eq!((&info["seriesCount"], &info["seriesLimit"]), (&json!(1), &json!(2_000_000)));
    let build = get(&server, "/api/v1/status/buildinfo");
    assert_eq!(build["version"], env!("CARGO_PKG_VERSION"));
    let flags = get(&server, "/api/v1/status/flags");
    let of = |flag: &str| flags[flag].as_str().map(ToOwned::to_owned);
    assert_eq!(of("web.enable-admin-api").as_deref(), Some("false"));
    assert_eq!(of("http-listen-address").as_deref(), Some("127.0.0.1:0"));
    assert_eq!(of("log.format").as_deref(), Some("json"));
    assert_eq!(of("version"), None);
    assert_eq!(get(&server, "/api/v1/status/config"), json!({"yaml": ""}));
    let openapi = server.request("GET", "/api/v1/openapi.yaml", None);
    assert_eq!(openapi.header("content-type"), Some("application/yaml"));
    assert_eq!(openapi.text(), read("docs/openapi.yaml"));
    assert_eq!(server.scrape().value(r#"pushprom_api_requests_total{code="403"}"#), Some(3.0));
}

/// A property-based client asks all that the `OpenAPI` file describes, and what it does not, and holds the
/// answers to it.
#[test]
fn it_is_as_its_openapi_file_says() {
    let server = Server::start(&[ADMIN, "-lint.warn"]);
    server.push_ok(each_kind());
    server.push("{");
    // It leaves files where it runs.
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |path| repository(path).canonicalize().expect("it is there");
    let mut client = Command::new(repository("target/venv/bin/schemathesis"));
    client
        .current_dir(folder.path())
        .arg("--config-file")
        .arg(path("tests/openapi/schemathesis.toml"))
        .arg("run")
        .arg(path("docs/openapi.yaml"))
        .args(["--url", &format!("http://{}", server.http)])
        .args(["--phases", "examples,coverage,fuzzing"])
        .args(["--max-examples", "20", "--seed", "1", "--continue-on-failure"])
        .args(["--generation-database", "none", "--no-color"])
        .env("SCHEMATHESIS_HOOKS", path("tests/openapi/hooks.py"))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    succeed(&mut client);
    assert_eq!(server.scrape().value("pushprom_panics_total"), Some(0.0));
}
