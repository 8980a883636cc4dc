//! What stands for the groups of an expression in a replacement, as Go reads it.

use regex::Captures;

/// Puts in groups for `$1`, `${1}`, `$name` and `${name}`; one that took nothing, or is not there, is empty. A
/// name goes as far as there are letters, digits and underscores; a dollar without one stands for itself, and
/// two for one.
pub(super) fn expand(template: &str, groups: &Captures<'_>) -> String {
    fill(template, |name| group(name, groups))
}

/// The same, with `text` for each group.
pub(super) fn expand_by(template: &str, text: &str) -> String {
    fill(template, |_| text)
}

fn fill<'a>(template: &str, group: impl Fn(&str) -> &'a str) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        text.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            text.push('$');
            rest = after;
        } else if let Some((name, after)) = reference(after) {
            text.push_str(group(name));
            rest = after;
        } else {
            text.push('$');
            rest = after;
        }
    }
    text.push_str(rest);
    text
}

/// The name that a reference begins with, after its dollar, and what comes behind it.
fn reference(text: &str) -> Option<(&str, &str)> {
    let braced = text.strip_prefix('{');
    let inner = braced.unwrap_or(text);
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    let end = inner.find(|character| !is_part(character)).unwrap_or(inner.len());
    let (name, after) = inner.split_at_checked(end).filter(|(name, _)| !name.is_empty())?;
    let after = if braced.is_some() { after.strip_prefix('}')? } else { after };
    Some((name, after))
}

fn group<'a>(name: &str, groups: &Captures<'a>) -> &'a str {
    // With a zero in front it is no number.
    let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
    let number =
        if is_number && (name == "0" || !name.starts_with('0')) { name.parse().ok() } else { None };
    let group = match number {
        Some(number) => groups.get(number),
        None => groups.name(name),
    };
    group.map_or("", |group| group.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Pattern;

    #[track_caller]
    fn check(template: &str, want: &str) {
        let pattern = Pattern::new("(?P<first>a)(b)(c)?").unwrap();
        assert_eq!(expand(template, &pattern.captures("ab").unwrap()), want, "{template}");
    }

    #[test]
    fn groups_stand_where_they_are_named() {
        check("$0 $1 $2 ${1}", "ab a b a");
        check("${first}x $first.", "ax a.");
        check("$3 $4 $none ${none}", "   ");
        check("$1x ${1}x $1_ $1é", " ax  ");
        check("$01 ${01} $00 $99999999999999999999", "   ");
    }

    #[test]
    fn a_dollar_without_a_name_stands_for_itself() {
        check("$$1 $$$1 $", "$1 $a $");
        check("$- ${} ${ $1-$ ${1-a}", "$- ${} ${ a-$ ${1-a}");
    }
}
