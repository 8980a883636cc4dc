//! The header `Idempotency-Key`, as draft-ietf-httpapi-idempotency-key-header has it: a string of RFC 8941, in double
//! quotes. Without quotes it is taken too, as many clients send it.

use std::borrow::Cow;

use hyper::{HeaderMap, header::HeaderName};
use pushprom_core::model::{Key, KeyError, Quoted};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Why a request has no key, though it says so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum HeaderError {
    /// It has several.
    #[error("header Idempotency-Key comes more than once: send one")]
    Several,
    /// A quoted string that is none.
    #[error(
        "header Idempotency-Key {0} is no quoted string: end it with a double quote, and escape inside it \
         double quotes and backslashes alone"
    )]
    Quotes(Quoted),
    /// The key is none.
    #[error("header Idempotency-Key: {0}")]
    Key(#[from] KeyError),
}

/// The key of a request, if it has one.
pub(super) fn of(headers: &HeaderMap) -> Result<Option<Key<'static>>, HeaderError> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(HeaderError::Several);
    }
    let value = String::from_utf8_lossy(value.as_bytes());
    let text = match value.strip_prefix('"') {
        None => value,
        Some(quoted) => {
            let unquoted = unquote(quoted);
            Cow::Owned(unquoted.ok_or_else(|| HeaderError::Quotes(Quoted::new(&value)))?)
        }
    };
    Ok(Some(Key::new(text)?.into_owned()))
}

/// What stands in a quoted string, from after its first quote.
fn unquote(quoted: &str) -> Option<String> {
    let mut text = String::new();
    let mut characters = quoted.chars();
    loop {
        match characters.next()? {
            '"' => return characters.next().is_none().then_some(text),
            '\\' => text.push(characters.next().filter(|it| matches!(it, '"' | '\\'))?),
            other => text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[track_caller]
    fn check(values: &[&str], want: &str) {
        let mut headers = HeaderMap::new();
        for value in values {
            let value = HeaderValue::from_bytes(value.as_bytes()).expect("a value");
            headers.append(IDEMPOTENCY_KEY, value);
        }
        let got = match of(&headers) {
            Ok(key) => key.map_or_else(|| "none".to_owned(), |key| key.to_string()),
            Err(error) => error.to_string(),
        };
        assert_eq!(got, want, "{values:?}");
    }

    #[test]
    fn a_key_is_quoted_or_bare() {
        check(&[], "none");
        check(&[r#""8e03978e-40d5""#], "8e03978e-40d5");
        check(&["8e03978e-40d5"], "8e03978e-40d5");
        check(&[r#""a\"b\\c""#], r#"a"b\c"#);
        check(&[r#"a"b\c"#], r#"a"b\c"#);
        check(&["a", "a"], "header Idempotency-Key comes more than once: send one");
    }

    #[test]
    fn a_key_that_is_none_is_told_why() {
        for bad in [r#"""#, r#""a"#, r#""a"b"#, r#""a";b"#, r#""a\""#, r#""a\b""#] {
            let quoted = Quoted::new(bad);
            let want = format!(
                "header Idempotency-Key {quoted} is no quoted string: end it with a double quote, and escape \
                 inside it double quotes and backslashes alone"
            );
            check(&[bad], &want);
        }
        let range = "use 1 to 255 visible ASCII characters";
        for empty in ["", r#""""#] {
            let want = format!("header Idempotency-Key: an idempotency key is empty: {range}");
            check(&[empty], &want);
        }
        for (bad, shown) in [("a b", "a b"), (r#""a b""#, "a b"), ("\u{e4}", "\u{e4}")] {
            let want =
                format!("header Idempotency-Key: idempotency key \"{shown}\" is invalid: {range}");
            check(&[bad], &want);
        }
    }
}
