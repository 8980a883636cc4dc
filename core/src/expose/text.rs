//! The Prometheus text format: 0.0.4, and 1.0.0 where names are quoted.

use super::{
    escape::Families,
    family::Family,
    samples::{Beside, write_all, written_name},
};

/// Appends to `page`; `written` may look at it, and take what is there, after each series.
pub(super) fn encode(
    families: &Families<'_>,
    page: &mut Vec<u8>,
    mut written: impl FnMut(&mut Vec<u8>),
) {
    for family in families.iter() {
        write_header(&family, page);
        write_all(&family, Beside::default(), page, &mut written);
    }
}

fn write_header(family: &Family<'_>, page: &mut Vec<u8>) {
    let name = written_name(family.name, "");
    page.extend_from_slice(b"# HELP ");
    page.extend_from_slice(name.as_bytes());
    page.push(b' ');
    for byte in family.help.bytes() {
        match byte {
            b'\\' => page.extend_from_slice(br"\\"),
            b'\n' => page.extend_from_slice(br"\n"),
            plain => page.push(plain),
        }
    }
    page.extend_from_slice(b"\n# TYPE ");
    page.extend_from_slice(name.as_bytes());
    page.push(b' ');
    page.extend_from_slice(family.values.kind().as_str().as_bytes());
    page.push(b'\n');
}
