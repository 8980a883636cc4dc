//! What a scraper gets is what the long way finds, and what it would get if it asked for just that.

#![no_main]

use std::iter;

use libfuzzer_sys::fuzz_target;
use pushprom_core::expose::{Shape, negotiate};
use pushprom_fuzz::negotiation::{Answer, answer};

fuzz_target!(|input: &[u8]| {
    // Lines of `Accept`, a zero, and lines of `Accept-Encoding`. What is no text never comes this far.
    let text = String::from_utf8_lossy(input);
    let (accept, accept_encoding) = text.split_once('\0').unwrap_or((&text, ""));
    let [accept, accept_encoding] =
        [accept, accept_encoding].map(|lines| lines.split('\n').collect::<Vec<&str>>());
    let got = negotiate(accept.iter().copied(), accept_encoding.iter().copied());
    let Shape { format, escaping, coding } = got.shape;
    let shown = Answer {
        content_type: got.content_type.to_owned(),
        escaping: escaping.as_str(),
        coding: coding.as_str(),
    };
    assert_eq!(shown, answer(&accept, &accept_encoding), "{text:?}");
    assert!(
        [None, Some(escaping)]
            .into_iter()
            .any(|named| format.content_type(named) == got.content_type),
        "{got:?}"
    );
    assert_eq!(
        negotiate(iter::once(got.content_type), iter::once(coding.as_str())),
        got,
        "{text:?}"
    );
    let shared = got.shape.of_legacy_names();
    assert_eq!((shared.format, shared.coding, shared.of_legacy_names()), (format, coding, shared));
});
