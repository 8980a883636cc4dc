//! What the fast path takes, the exact path takes with the same result.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pushprom_core::{
    limits::Limits,
    wire::json::{decode, decode_exact, decode_fast},
};

fuzz_target!(|message: &[u8]| {
    let limits = Limits::default();
    let exact = decode_exact(message, &limits);
    if let Some(fast) = decode_fast(message, &limits) {
        assert_eq!(fast, exact);
    }
    assert_eq!(decode(message, &limits), exact);
});
