//! Origins of pages in browsers (RFC 6454), as `-web.cors.origins` lists them.

use std::str::FromStr;

/// Origins that may push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origins {
    /// These, each as a browser writes it; perhaps none.
    Listed(Vec<String>),
    /// Any.
    Any,
}

impl Origins {
    /// Whether there is none.
    pub fn is_none(&self) -> bool {
        matches!(self, Self::Listed(listed) if listed.is_empty())
    }

    /// Whether a page of this origin may push.
    pub fn allow(&self, origin: &[u8]) -> bool {
        match self {
            Self::Listed(listed) => listed.iter().any(|listed| listed.as_bytes() == origin),
            Self::Any => true,
        }
    }
}

impl FromStr for Origins {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "" => return Ok(Self::Listed(Vec::new())),
            "*" => return Ok(Self::Any),
            _ => {}
        }
        let origins = text.split(',').map(|origin| {
            let origin = origin.trim();
            if is_origin(origin) {
                return Ok(origin.to_owned());
            }
            Err(format!(
                "{origin:?} is no origin: use one as browsers write it, such as https://shop.example or \
                 http://localhost:8080"
            ))
        });
        origins.collect::<Result<_, _>>().map(Self::Listed)
    }
}

/// Whether a text is an origin to the byte: no path, no user, no capital letter, no port that is the default.
fn is_origin(text: &str) -> bool {
    let uri: Option<hyper::Uri> = text.parse().ok();
    let parts = uri.as_ref().and_then(|uri| Some((uri.scheme_str()?, uri.authority()?)));
    let Some((scheme, authority)) = parts else { return false };
    let default = match scheme {
        "https" => Some(443),
        "http" => Some(80),
        _ => None,
    };
    let is_plain = format!("{scheme}://{authority}") == text && !authority.as_str().contains('@');
    is_plain
        && text == text.to_ascii_lowercase()
        && (authority.port_u16().is_none() || authority.port_u16() != default)
        && authority.port().is_some() == authority.port_u16().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_what_browsers_send() {
        for good in ["https://shop.example", "http://localhost:8080", "http://[::1]:1", "app://x"] {
            let origins: Origins = good.parse().expect(good);
            assert!(origins.allow(good.as_bytes()) && !origins.allow(b"https://other"), "{good}");
        }
        for bad in [
            "shop.example",
            "https://shop.example/",
            "https://Shop.example",
            "https://shop.example:443",
            "https://user@shop.example",
            "https://shop.example/path",
            "https://a,*",
            "null",
            "https://",
            "a b",
            ",",
        ] {
            let problem = bad.parse::<Origins>().expect_err(bad);
            assert!(problem.contains(" is no origin: use one as browsers write it"), "{problem}");
        }
        let several: Origins = "https://a, https://b".parse().expect("two");
        assert!(several.allow(b"https://b") && !several.allow(b"https://a, https://b"));
        assert!("".parse::<Origins>().expect("none").is_none());
        assert!("*".parse::<Origins>().expect("any").allow(b"null"));
    }
}
