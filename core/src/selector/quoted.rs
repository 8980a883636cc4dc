//! Quoted texts, with the escapes of Go.

use std::fmt;

use super::Problem;
use crate::model::Quoted;

/// Reads the text behind an opening `quote`. Returns it, and how many bytes it took, the closing quote
/// included; or the byte at which it is wrong.
pub(super) fn read(rest: &str, quote: char) -> Result<(String, usize), (usize, Problem)> {
    let mut bytes = Vec::new();
    let mut at = 0;
    loop {
        let left = rest.get(at..).unwrap_or_default();
        let Some(character) = left.chars().next() else {
            return Err((at, Problem::Unclosed(quote)));
        };
        let length = character.len_utf8();
        match character {
            end if end == quote => {
                let text = String::from_utf8(bytes).map_err(|_| {
                    (0, Problem::NotUtf8(Quoted::new(rest.get(..at).unwrap_or_default())))
                })?;
                return Ok((text, at + length));
            }
            '\n' if quote != '`' => return Err((at, Problem::Unclosed(quote))),
            '\\' if quote != '`' => {
                let escape = left.get(1..).unwrap_or_default();
                let Some(length) = unescape(escape, quote, &mut bytes) else {
                    let shown: String = left.chars().take(2).collect();
                    return Err((at, Problem::Escape(Quoted::new(&shown))));
                };
                at += 1 + length;
                continue;
            }
            plain => bytes.extend_from_slice(plain.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        at += length;
    }
}

/// Appends what stands behind a backslash, and says how many bytes of it that was.
fn unescape(escape: &str, quote: char, bytes: &mut Vec<u8>) -> Option<usize> {
    let first = escape.chars().next()?;
    let control = match first {
        'a' => 0x07,
        'b' => 0x08,
        'f' => 0x0c,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 0x0b,
        '\\' => b'\\',
        same if same == quote => u8::try_from(quote).ok()?,
        '0'..='7' => {
            bytes.push(u8::try_from(digits(escape, 0, 3, 8)?).ok()?);
            return Some(3);
        }
        'x' => {
            bytes.push(u8::try_from(digits(escape, 1, 2, 16)?).ok()?);
            return Some(3);
        }
        'u' | 'U' => {
            let count = if first == 'u' { 4 } else { 8 };
            let character = char::from_u32(digits(escape, 1, count, 16)?)?;
            bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            return Some(1 + count);
        }
        _ => return None,
    };
    bytes.push(control);
    Some(1)
}

/// The number that `count` digits from a byte on make.
fn digits(text: &str, from: usize, count: usize, radix: u32) -> Option<u32> {
    let digits = text.get(from..from.checked_add(count)?)?;
    // A sign would be taken for part of a number.
    let all_digits = digits.chars().all(|digit| digit.is_digit(radix));
    all_digits.then(|| u32::from_str_radix(digits, radix).ok())?
}

/// Writes a text so that it reads back as itself, on one line.
pub(super) fn write(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("\"")?;
    for character in text.chars() {
        match character {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            control if control.is_control() => write!(f, "\\u{:04x}", u32::from(control))?,
            plain => write!(f, "{plain}")?,
        }
    }
    f.write_str("\"")
}
