//! Paths as Go's `ServeMux` sees them: decoded, and cleaned of empty and dotted segments.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What stands unescaped in a path: what Go leaves so.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b',')
    .remove(b':')
    .remove(b';')
    .remove(b'=')
    .remove(b'@');

/// The characters that a path stands for; `None` if an escape is broken. Bytes that are no UTF-8 matter
/// to no route of ours and are replaced.
pub(super) fn decode(path: &str) -> Option<Cow<'_, str>> {
    if !path.contains('%') {
        return Some(Cow::Borrowed(path));
    }
    let is_escape = |after: &str| {
        after.len() >= 2 && after.bytes().take(2).all(|byte| byte.is_ascii_hexdigit())
    };
    let well_formed = path.split('%').skip(1).all(is_escape);
    well_formed.then(|| percent_decode_str(path).decode_utf8_lossy())
}

/// A decoded path as it may stand in a header.
pub(super) fn encode(path: &str) -> String {
    utf8_percent_encode(path, ESCAPED).to_string()
}

/// The path without empty, `.` and `..` segments; a slash at the end stays.
pub(super) fn clean(path: &str) -> Cow<'_, str> {
    if path.starts_with('/') && !path.contains("//") && !path.contains("/.") {
        return Cow::Borrowed(path);
    }
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            plain => segments.push(plain),
        }
    }
    let end = if path.ends_with('/') && !segments.is_empty() { "/" } else { "" };
    Cow::Owned(format!("/{}{end}", segments.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_as_in_go() {
        for (path, want) in [
            ("/", "/"),
            ("//", "/"),
            ("//x", "/x"),
            ("/../x", "/x"),
            ("/a/./b", "/a/b"),
            ("/x/..", "/"),
            ("/x/.", "/x"),
            ("/metrics//", "/metrics/"),
            ("/a/b/", "/a/b/"),
            ("", "/"),
        ] {
            assert_eq!(clean(path), want, "{path}");
        }
    }

    #[test]
    fn escapes_are_decoded_or_refused() {
        assert_eq!(decode("/%2e%2E/a%20b").as_deref(), Some("/../a b"));
        assert_eq!(decode("/%zz"), None);
        assert_eq!(decode("/%4"), None);
        assert_eq!(encode("/a b/\u{e9}\r\n"), "/a%20b/%C3%A9%0D%0A");
    }
}
