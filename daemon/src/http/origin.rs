//! Whether a request was sent by a page of another site, in a browser that can reach us and whose user knows
//! nothing of it.

use hyper::{
    HeaderMap, Uri,
    header::{HOST, HeaderValue, ORIGIN},
};

/// Whether a browser says so. Clients that are none send neither header.
pub(super) fn is_cross_site(uri: &Uri, headers: &HeaderMap) -> bool {
    // It cannot be set by a page, and says more than the origin does.
    let sites = headers.get_all("sec-fetch-site");
    if sites.iter().any(|site| !matches!(site.as_bytes(), b"same-origin" | b"none")) {
        return true;
    }
    // HTTP/2 has the host in the target. Where there is none at all, no origin is known to be our own.
    let host = headers.get(HOST).map(HeaderValue::as_bytes);
    let host = host.or_else(|| uri.authority().map(|host| host.as_str().as_bytes()));
    let host = host.map(<[u8]>::to_ascii_lowercase);
    let is_own = |origin: &[u8]| {
        let origin = origin.to_ascii_lowercase();
        let own = [&b"http://"[..], b"https://"];
        let named = own.iter().find_map(|scheme| origin.strip_prefix(*scheme));
        named.is_some() && named == host.as_deref()
    };
    headers.get_all(ORIGIN).iter().any(|origin| !is_own(origin.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(uri: &str, lines: &[(&'static str, &str)], want: bool) {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().expect("a header"));
        }
        let target = uri.parse().expect("a target");
        assert_eq!(is_cross_site(&target, &headers), want, "{uri} {lines:?}");
    }

    #[test]
    fn a_page_of_another_site_is_told_from_our_own() {
        for (lines, want) in [
            (&[][..], false),
            (&[("origin", "http://a:9091")], false),
            (&[("origin", "HTTPS://A:9091")], false),
            (&[("origin", "http://a")], true),
            (&[("origin", "http://b:9091")], true),
            (&[("origin", "http://a:9091.b")], true),
            (&[("origin", "null")], true),
            (&[("origin", "")], true),
            (&[("sec-fetch-site", "none")], false),
            (&[("sec-fetch-site", "same-origin"), ("origin", "http://a:9091")], false),
            (&[("sec-fetch-site", "same-site")], true),
            (&[("sec-fetch-site", "cross-site")], true),
            (&[("sec-fetch-site", "same-origin"), ("origin", "http://b")], true),
            (&[("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")], true),
        ] {
            // HTTP/1.1 has the host in a header, HTTP/2 in the target.
            check("/", &[&[("host", "a:9091")], lines].concat(), want);
            check("https://A:9091/", lines, want);
            // Without any host, no origin is our own.
            let names_any = lines.iter().any(|(name, _)| *name == "origin");
            check("/", lines, want || names_any);
        }
    }
}
