//! Whether a request was sent by a page of another site, in a browser that can reach us and whose user knows
//! nothing of it.

use hyper::{
    HeaderMap,
    header::{HOST, ORIGIN},
};

/// Whether a browser says so. Clients that are none send neither header.
pub(super) fn is_cross_site(headers: &HeaderMap) -> bool {
    // It cannot be set by a page, and says more than the origin does.
    let sites = headers.get_all("sec-fetch-site");
    if sites.iter().any(|site| !matches!(site.as_bytes(), b"same-origin" | b"none")) {
        return true;
    }
    let host = headers.get(HOST).map(|host| host.as_bytes().to_ascii_lowercase());
    let is_own = |origin: &[u8]| {
        let origin = origin.to_ascii_lowercase();
        let own = [&b"http://"[..], b"https://"];
        own.iter().any(|scheme| origin.strip_prefix(*scheme) == host.as_deref())
    };
    headers.get_all(ORIGIN).iter().any(|origin| !is_own(origin.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let mut headers = HeaderMap::new();
            headers.insert(HOST, "a:9091".parse().expect("a header"));
            for (name, value) in lines {
                headers.append(*name, value.parse().expect("a header"));
            }
            assert_eq!(is_cross_site(&headers), want, "{lines:?}");
        }
    }
}
