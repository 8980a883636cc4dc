//! Lists in answers, bounded in items and bytes.

use serde_json::Value;

/// Bytes of a list from which on it takes no further item. The last one may go beyond, by the bytes of one
/// series.
const BYTES_MAX: usize = 8 * 1024 * 1024;

/// A list that is written item by item.
pub(super) struct Listing {
    body: Vec<u8>,
    count: usize,
    limit: usize,
}

impl Listing {
    /// An empty one of this name, for so many items.
    pub(super) fn new(name: &str, limit: usize) -> Self {
        let body = format!("{{\"status\":\"success\",\"data\":{{\"{name}\":[").into_bytes();
        Self { body, count: 0, limit }
    }

    /// Appends an item.
    pub(super) fn push(&mut self, item: &Value) {
        if self.count > 0 {
            self.body.push(b',');
        }
        self.body.extend_from_slice(item.to_string().as_bytes());
        self.count += 1;
    }

    /// How many more items may come.
    pub(super) fn room(&self) -> usize {
        if self.body.len() < BYTES_MAX { self.limit.saturating_sub(self.count) } else { 0 }
    }

    /// The answer, with more members beside the list.
    pub(super) fn finish(mut self, members: &[(&str, Value)]) -> Vec<u8> {
        self.body.push(b']');
        for (name, value) in members {
            self.body.extend_from_slice(format!(",\"{name}\":{value}").as_bytes());
        }
        self.body.extend_from_slice(b"}}\n");
        self.body
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_has_an_end() {
        let mut list = Listing::new("x", 2);
        assert_eq!(list.room(), 2);
        list.push(&json!({"a": "\n"}));
        list.push(&json!(1));
        assert_eq!(list.room(), 0);
        let text = String::from_utf8(list.finish(&[("nextCursor", Value::Null)]));
        let want = r#"{"status":"success","data":{"x":[{"a":"\n"},1],"nextCursor":null}}"#;
        assert_eq!(text.as_deref(), Ok(&*format!("{want}\n")));
        let mut long = Listing::new("x", 2);
        long.push(&json!("x".repeat(BYTES_MAX)));
        assert_eq!(long.room(), 0);
    }
}
