//! Who is who, and who may do what.

use super::*;
use crate::config::Named;

/// SHA-256 of `secret`.
const SECRET: [u8; 32] = [
    0x2b, 0xb8, 0x0d, 0x53, 0x7b, 0x1d, 0xa3, 0xe3, 0x8b, 0xd3, 0x03, 0x61, 0xaa, 0x85, 0x56, 0x86,
    0xbd, 0xe0, 0xea, 0xcd, 0x71, 0x62, 0xfe, 0xf6, 0xa2, 0x5f, 0xe9, 0x7b, 0xf5, 0x27, 0xa2, 0x5b,
];

/// SHA-256 of nothing.
const NOTHING: [u8; 32] = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

fn network(text: &str) -> Mark {
    Mark::Network(text.parse().expect("a network"))
}

fn granted(rights: &[Right]) -> Granted {
    Granted { rights: rights.iter().copied().collect(), ..Granted::default() }
}

fn access() -> Access {
    let named = [
        ("app", vec![Mark::Token(SECRET)], vec![Right::Push]),
        ("nobody", vec![Mark::Token(NOTHING)], vec![Right::Admin]),
        ("scraper", vec![Mark::Certificate("prom".to_owned())], vec![Right::Scrape]),
        ("lan", vec![network("10.0.0.0/8")], vec![Right::Push]),
        ("shop", vec![network("10.1.0.0/16"), network("fd00::/8"), Mark::Unix], vec![Right::Push]),
        ("one", vec![network("10.1.2.3/32")], vec![Right::Scrape]),
    ];
    let named = named.map(|(name, marks, rights)| Named {
        name: name.to_owned(),
        marks,
        granted: granted(&rights),
    });
    let principals = Principals { named: named.to_vec(), anonymous: granted(&[Right::Scrape]) };
    Access::new(Some(&principals), &Arc::default())
}

/// The names in a certificate, of which the first is the common one.
fn names(names: &[&str]) -> Option<Names> {
    let (common, others) = names.split_first()?;
    let alternative = others.iter().map(|name| (*name).to_owned()).collect();
    Some(Names { common_name: Some((*common).to_owned()), alternative })
}

#[track_caller]
fn check(authorization: Option<&str>, certificate: &[&str], want: Result<&str, Unknown>) {
    let names = names(certificate);
    let authorization = authorization.map(str::as_bytes);
    let access = access();
    let got = access.of_request(Shown { authorization, certificate: names.as_ref() });
    assert_eq!(got.map(ToString::to_string), want.map(str::to_owned), "{authorization:?}");
}

#[test]
fn a_request_is_of_who_it_shows() {
    check(None, &[], Ok("anonymous"));
    check(Some("Bearer secret"), &[], Ok("app"));
    check(Some("bEARER  secret "), &[], Ok("app"));
    check(Some("Bearer Secret"), &[], Err(Unknown));
    check(Some("Bearer"), &[], Err(Unknown));
    check(Some("Bearer "), &[], Err(Unknown));
    check(Some("Bearer   "), &[], Err(Unknown));
    check(Some("Bearersecret"), &[], Err(Unknown));
    check(Some(""), &[], Err(Unknown));
    check(Some("Digest x"), &[], Err(Unknown));
    check(None, &["x", "prom"], Ok("scraper"));
    check(None, &["prom", "x"], Ok("scraper"));
    check(None, &["x"], Ok("anonymous"));
    check(Some("Bearer secret"), &["prom"], Ok("app"));
    check(Some("Bearer wrong"), &["prom"], Err(Unknown));
}

#[test]
fn a_datagram_is_of_the_narrowest_network_it_comes_from() {
    let access = access();
    for (address, want) in [
        ("10.9.9.9", "lan"),
        ("10.1.9.9", "shop"),
        ("::ffff:10.1.9.9", "shop"),
        ("10.1.2.3", "one"),
        ("fdab::1", "shop"),
        ("192.0.2.1", "anonymous"),
        ("2001:db8::1", "anonymous"),
    ] {
        let address: IpAddr = address.parse().expect("an address");
        assert_eq!(access.of_address(address).to_string(), want, "{address}");
    }
    assert_eq!(access.of_unix().to_string(), "shop");
}

#[test]
fn rights_are_what_was_granted_and_no_more() {
    let access = access();
    for (authorization, certificate, want) in [
        (Some(&b"Bearer secret"[..]), &[][..], [true, false, false]),
        (None, &["prom"], [false, true, false]),
        (None, &[], [false, true, false]),
    ] {
        let names = names(certificate);
        let shown = Shown { authorization, certificate: names.as_ref() };
        let principal = access.of_request(shown).expect("it is known");
        assert_eq!(Right::ALL.map(|right| principal.may(right).is_ok()), want, "{principal}");
    }
    let app = access.of_request(Shown { authorization: Some(b"Bearer secret"), certificate: None });
    let refused = app.expect("it is known").may(Right::Admin).expect_err("it has no such right");
    let text = "\"app\" has no right to admin: ask whoever runs this server for it";
    assert_eq!(refused.to_string(), text);
}

#[test]
fn without_a_configuration_everybody_may_do_everything() {
    let access = Access::new(None, &Arc::default());
    let wrong = Shown { authorization: Some(b"Bearer wrong"), certificate: None };
    let everybody = access.of_request(wrong).expect("nobody is wrong");
    assert!(access.is_open() && Right::ALL.iter().all(|right| everybody.may(*right).is_ok()));
    assert!(Arc::ptr_eq(everybody, access.of_unix()));
}

#[test]
fn limits_count_by_principal_and_else_by_network() {
    let access = access();
    let source = |principal: &Arc<Principal>, address: &str| {
        let address = address.parse().expect("an address");
        format!("{:?}", principal.source(Place::Address(address)).client)
    };
    let lan = access.of_address([10, 0, 0, 1].into());
    assert_eq!(source(lan, "10.0.0.1"), "Principal(\"lan\")");
    let anonymous = access.anonymous();
    assert_eq!(source(anonymous, "10.0.0.1"), source(anonymous, "::ffff:10.0.0.1"));
    assert_ne!(source(anonymous, "10.0.0.1"), source(anonymous, "10.0.0.2"));
    assert_eq!(source(anonymous, "2001:db8::1"), source(anonymous, "2001:db8::2"));
    assert_ne!(source(anonymous, "2001:db8::1"), source(anonymous, "2001:db8:0:1::1"));
    for (place, want) in [
        (Place::Unix, Client::Unix),
        (Place::User("ann"), Client::User("ann")),
        (Place::Untold, Client::Unnamed),
    ] {
        assert_eq!(anonymous.source(place).client, want);
        assert_eq!(lan.source(place).client, Client::Principal("lan"));
    }
}
