//! Parameters of a query or a form.

use pushprom_core::{model::Quoted, selector::Selector};

use super::failure::Failure;

/// Items of a page, if nothing is said.
const LIMIT: usize = 100;

/// The most that a page may have.
const LIMIT_MAX: usize = 10_000;

/// Selectors of one request.
const SELECTORS_MAX: usize = 32;

/// Characters of a text that is searched for.
const SEARCH_CHARS_MAX: usize = 256;

/// Names and values, each name one that is known.
#[derive(Debug)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Of a query, and of the body of a form.
    pub(super) fn read(query: &str, form: &[u8], known: &[&str]) -> Result<Self, Failure> {
        let query = form_urlencoded::parse(query.as_bytes());
        let pairs = query.chain(form_urlencoded::parse(form));
        let pairs = pairs.map(|(name, value)| (name.into_owned(), value.into_owned()));
        let pairs: Vec<(String, String)> = pairs.collect();
        for (name, _) in &pairs {
            if !known.contains(&&**name) {
                let remedy = match known {
                    [] => "there are none here".to_owned(),
                    known => format!("use {}", known.join(", ")),
                };
                let name = Quoted::new(name);
                return Err(Failure::BadData(format!("unknown parameter {name}: {remedy}")));
            }
        }
        Ok(Self(pairs))
    }

    /// The value of a parameter that may come once.
    pub(super) fn one(&self, name: &str) -> Result<Option<&str>, Failure> {
        let mut values = self.0.iter().filter(|(other, _)| other == name);
        let first = values.next().map(|(_, value)| &**value);
        match values.next() {
            Some(_) => Err(invalid(name, "it is there more than once: send it once")),
            None => Ok(first),
        }
    }

    /// How many items a page may have.
    pub(super) fn limit(&self) -> Result<usize, Failure> {
        let Some(text) = self.one("limit")? else { return Ok(LIMIT) };
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(limit) if digits && (1..=LIMIT_MAX).contains(&limit) => Ok(limit),
            Ok(_) | Err(_) => {
                let text = Quoted::new(text);
                let problem = format!("{text} is no whole number from 1 to {LIMIT_MAX}: use one");
                Err(invalid("limit", &problem))
            }
        }
    }

    /// A text to look for, in lower case.
    pub(super) fn search(&self) -> Result<Option<String>, Failure> {
        let Some(text) = self.one("search")? else { return Ok(None) };
        if text.chars().count() > SEARCH_CHARS_MAX {
            let problem =
                format!("it is longer than the limit of {SEARCH_CHARS_MAX} characters: cut it");
            return Err(invalid("search", &problem));
        }
        Ok(Some(text.to_lowercase()))
    }

    /// The selectors, of which one has to match; none asks for nothing.
    pub(super) fn selectors(&self) -> Result<Vec<Selector>, Failure> {
        let texts = self.0.iter().filter(|(name, _)| name == "match[]").map(|(_, text)| text);
        if texts.clone().count() > SELECTORS_MAX {
            let problem =
                format!("more than {SELECTORS_MAX} selectors, which is the limit: use fewer");
            return Err(invalid("match[]", &problem));
        }
        let parse = |text: &String| {
            Selector::parse(text).map_err(|error| invalid("match[]", &error.to_string()))
        };
        texts.map(parse).collect()
    }
}

/// A parameter whose value cannot be followed.
pub(super) fn invalid(name: &str, problem: &str) -> Failure {
    Failure::BadData(format!("invalid parameter \"{name}\": {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["match[]", "limit", "search"];

    #[track_caller]
    fn check<T: std::fmt::Debug + PartialEq>(
        query: &str,
        read: impl Fn(&Parameters) -> Result<T, Failure>,
        want: Result<T, &str>,
    ) {
        let got = Parameters::read(query, b"", KNOWN).and_then(|parameters| read(&parameters));
        let got = got.map_err(|failure| failure.to_string());
        assert_eq!(got, want.map_err(str::to_owned), "{query}");
    }

    #[test]
    fn wrong_parameters_are_named() {
        let limit = |parameters: &Parameters| parameters.limit();
        check("", limit, Ok(100));
        check("limit=1", limit, Ok(1));
        check("limit=10000", limit, Ok(10_000));
        for text in ["0", "10001", "", "-1", "+1", "x", "1.0", "1e2"] {
            let want = format!(
                "invalid parameter \"limit\": \"{text}\" is no whole number from 1 to 10000: use one"
            );
            check(&format!("limit={}", text.replace('+', "%2B")), limit, Err(&want));
        }
        let twice = "invalid parameter \"limit\": it is there more than once: send it once";
        check("limit=1&limit=1", limit, Err(twice));
        let unknown = "unknown parameter \"a\\nb\": use match[], limit, search";
        check("a%0Ab=1", limit, Err(unknown));
        check("%6cimit=2&", limit, Ok(2));
        let search = |parameters: &Parameters| parameters.search();
        check("search=A+%c3%89", search, Ok(Some("a \u{e9}".to_owned())));
        check("search=", search, Ok(Some(String::new())));
        let long =
            "invalid parameter \"search\": it is longer than the limit of 256 characters: cut it";
        check(&format!("search={}", "x".repeat(257)), search, Err(long));
    }

    #[test]
    fn selectors_come_as_one_parameter_each() {
        let selectors = |parameters: &Parameters| {
            let selectors = parameters.selectors()?;
            Ok(selectors.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or "))
        };
        check("", selectors, Ok(String::new()));
        check(
            "match[]=a&match%5B%5D=b%7Bc%3D%22d%22%7D",
            selectors,
            Ok("a or b{c=\"d\"}".to_owned()),
        );
        let none = "invalid parameter \"match[]\": column 1: the end where the name of a metric or { \
                    should be, as in name{label=\"value\"}";
        check("match[]=", selectors, Err(none));
        let many =
            "invalid parameter \"match[]\": more than 32 selectors, which is the limit: use fewer";
        check(&"match[]=a&".repeat(33), selectors, Err(many));
    }

    #[test]
    fn a_form_is_read_behind_the_query() {
        let parameters = Parameters::read("match[]=a", b"match[]=b", KNOWN);
        let selectors = parameters.and_then(|parameters| parameters.selectors());
        assert_eq!(selectors.map(|selectors| selectors.len()).ok(), Some(2));
    }
}
