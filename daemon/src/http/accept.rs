//! Which coding a scraper gets its page in: a pure function of `Accept-Encoding` (RFC 9110, 12.5.3).

use hyper::{HeaderMap, header::ACCEPT_ENCODING};

use super::pages::Coding;

/// The weight of what is named without one.
const FULL: f32 = 1.0;

/// The weight of the page as it is where nobody speaks of it: below any that can be written, so that it
/// is what is left.
const UNSPOKEN: f32 = 0.0001;

/// The coding that the client gives the greatest weight. Where weights are equal the denser one is taken.
/// `*` is not taken for a name: clients that send it are people with curl, who want to read. A client that
/// takes nothing at all gets the page as it is.
pub(super) fn coding(headers: &HeaderMap) -> Coding {
    let mut best = (Coding::Identity, 0.0);
    for coding in [Coding::Zstd, Coding::Gzip, Coding::Identity] {
        let unnamed = match coding {
            Coding::Zstd | Coding::Gzip => 0.0,
            Coding::Identity => UNSPOKEN,
        };
        let weight = weight(headers, coding.as_str()).unwrap_or(unnamed);
        if weight > best.1 {
            best = (coding, weight);
        }
    }
    best.0
}

/// The weight that is given to a coding by its name; the greatest, if there are several.
fn weight(headers: &HeaderMap, coding: &str) -> Option<f32> {
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let items = values.flat_map(|value| value.split(','));
    let weights = items.filter_map(|item| {
        let mut parts = item.split(';').map(str::trim);
        let is_named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(coding));
        let weight = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
        // What is no weight is passed over.
        let weight = weight.and_then(|weight| weight.parse().ok());
        is_named.then_some(weight.filter(|weight| (0.0..=FULL).contains(weight)).unwrap_or(FULL))
    });
    weights.max_by(f32::total_cmp)
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[test]
    fn the_greatest_weight_wins_and_then_the_denser_coding() {
        use Coding::{Gzip, Identity, Zstd};
        for (accept, want) in [
            ("gzip", Gzip),
            ("zstd", Zstd),
            ("gzip, zstd", Zstd),
            ("zstd;q=0.5, gzip", Gzip),
            ("zstd;q=0.5, gzip;q=0.500", Zstd),
            ("gzip, deflate, br, zstd", Zstd),
            ("br;q=1.0, GZIP;q=0.8, *;q=0.1", Gzip),
            ("identity, gzip", Gzip),
            ("identity, gzip;q=0.9", Identity),
            ("identity;q=0.5, gzip;q=0.6", Gzip),
            ("identity;q=0, gzip;q=0.001", Gzip),
            ("gzip;q=0.001", Gzip),
            ("gzip;q=0", Identity),
            ("gzip; q=0.000", Identity),
            ("gzip ; Q=0", Identity),
            ("gzip;q=0, zstd;q=0", Identity),
            ("identity;q=0", Identity),
            ("gzip;q=0, gzip", Gzip),
            ("gzip;q=2", Gzip),
            ("gzip;q=nan", Gzip),
            ("gzip;q=", Gzip),
            ("gzip;level=1;q=0", Identity),
            ("deflate, br", Identity),
            ("identity", Identity),
            ("*", Identity),
            ("*;q=0", Identity),
            ("x-gzip", Identity),
            ("", Identity),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(accept));
            assert_eq!(coding(&headers), want, "{accept}");
        }
        assert_eq!(coding(&HeaderMap::new()), Identity);
        let mut headers = HeaderMap::new();
        headers.append(ACCEPT_ENCODING, HeaderValue::from_static("gzip;q=0.5"));
        headers.append(ACCEPT_ENCODING, HeaderValue::from_static("zstd;q=0.4"));
        assert_eq!(coding(&headers), Gzip, "of two lines");
    }
}
