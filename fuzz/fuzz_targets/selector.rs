//! A selector that is taken prints as it is parsed, refuses what it should, and says one line about what it does
//! not take.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pushprom_core::{
    limits::{NameScheme, SELECTOR_BYTES_MAX},
    model::{LabelSet, Labels},
    selector::Selector,
};

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match Selector::parse(text) {
        Ok(selector) => {
            assert!(text.len() <= SELECTOR_BYTES_MAX);
            let printed = selector.to_string();
            assert!(!printed.chars().any(char::is_control), "{printed:?}");
            // Escapes make it longer than it was.
            if printed.len() <= SELECTOR_BYTES_MAX {
                assert_eq!(Selector::parse(&printed).as_ref(), Ok(&selector), "{text:?}");
            }
            let nothing = LabelSet::default();
            let means_all = selector.matches_name("") && selector.matches_labels(&nothing);
            assert!(!means_all, "{text:?} means what has no name and no labels");
            if selector.is_of_names_alone() {
                assert!(selector.matches_labels(&nothing));
            }
            if let Some((name, pairs)) = selector.exact() {
                let pairs = pairs.map(|(name, value)| (name.into(), value.into())).collect();
                if let Ok(labels) = Labels::new(pairs, NameScheme::Utf8) {
                    let labels = LabelSet::from(&labels);
                    let is_once = labels.names().count() == printed.matches("=\"").count();
                    let means = selector.matches_name(name) && selector.matches_labels(&labels);
                    assert!(means || !is_once, "{text:?} does not mean what it names");
                }
            }
        }
        Err(error) => {
            assert!(error.column <= text.chars().count() + 1, "{text:?}: {error}");
            let shown = error.to_string();
            assert!(!shown.chars().any(char::is_control), "{shown:?}");
            assert!(shown.len() < 2000, "{shown:?}");
        }
    }
});
