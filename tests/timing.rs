//! What the time of a refused login tells: not whether there is such a user.
//!
//! A sign test on pairs. In each round a known and an unknown user, both with a password that nobody has
//! tried, are refused one after the other, in an order thrown by dice, and it is noted which of them took
//! longer. If nothing but chance decides that, the count of one side is binomial, and its distance from a
//! half, in standard deviations, is beyond `CRITICAL` in one of 100,000 runs. Load on the machine hits both
//! sides alike, and a sign does not care for how slow a slow login was.
//!
//! The power: were one side the slower one in 65 of 100 pairs, the test would tell with a probability of
//! 95 %. That this is no empty promise shows a control: the same number of pairs of a known user with
//! another known one, to whose times a twentieth of what a login takes is added, has to be told apart.

use std::time::{Duration, Instant};

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::support::{Client, Server, Site};

/// Pairs of logins.
const ROUNDS: u32 = 400;

/// Standard deviations.
const CRITICAL: f64 = 4.4;

/// How long a refused login takes.
fn refused(client: &mut Client, user: &str, password: u32) -> Duration {
    let login = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
    let begun = Instant::now();
    let reply = client.request("GET", "/metrics", &[("Authorization", &login)], None);
    let took = begun.elapsed();
    assert_eq!(reply.expect("an answer").status, 401);
    took
}

/// How far the count of pairs whose first is greater is from a half, in standard deviations.
fn distance(pairs: &[(Duration, Duration)]) -> f64 {
    let greater = pairs.iter().filter(|(a, b)| a > b).count();
    let less = pairs.iter().filter(|(a, b)| a < b).count();
    let count = |count: usize| f64::from(u32::try_from(count).expect("there are few"));
    (count(greater) - count(less)) / count(greater + less).sqrt()
}

#[test]
fn a_refused_login_does_not_tell_whether_there_is_such_a_user() {
    let site = Site::new();
    let hash = |name: &str| bcrypt::hash(name, 5).expect("it hashes");
    let users = format!("basic_auth_users:\n  alice: {}\n  bobby: {}\n", hash("a"), hash("b"));
    let server: Server = site.start(&users, &[]);
    let mut client = Client::connect(server.http);
    let (mut known_or_not, mut known_alike, mut usual) = (Vec::new(), Vec::new(), Vec::new());
    let mut dice = 0x9e37_79b9_7f4a_7c15_u64;
    for round in 0..ROUNDS {
        let unknown = format!("u{round:04}");
        let names = ["alice", &unknown, "bobby"];
        let mut took = [Duration::ZERO; 3];
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        // One of the six orders of three.
        let first = usize::try_from((dice >> 33) % 3).expect("it is small");
        let step = if (dice >> 40) & 1 == 0 { 1 } else { 2 };
        for place in 0..3 {
            let which = (first + step * place) % 3;
            took[which] = refused(&mut client, names[which], 3 * round + 1);
        }
        let [alice, nobody, bobby] = took;
        known_or_not.push((alice, nobody));
        known_alike.push((alice, bobby));
        usual.push(alice);
    }
    usual.sort_unstable();
    let planted = usual[usual.len() / 2] / 20;
    let slower: Vec<_> = known_alike.iter().map(|(a, b)| (*a, *b + planted)).collect();
    let (of_nobody, of_planted) = (distance(&known_or_not), distance(&slower));
    report(of_nobody, of_planted, planted);
    assert!(of_planted < -CRITICAL, "a difference of {planted:?} is not seen: {of_planted}");
    assert!(of_nobody.abs() < CRITICAL, "known and unknown users differ: {of_nobody}");
    assert!(distance(&known_alike).abs() < CRITICAL, "known users differ");
}

#[expect(clippy::print_stdout, reason = "figures for people")]
fn report(of_nobody: f64, of_planted: f64, planted: Duration) {
    println!(
        "refused logins: {of_nobody:.2} standard deviations for unknown users, {of_planted:.2} for {planted:?}"
    );
}
