//! Rules as data: what they make of a delta.

use super::*;

fn pattern(text: &str) -> Pattern {
    Pattern::new(text).unwrap()
}

fn step(action: Action) -> Relabel {
    Relabel {
        source_labels: Vec::new(),
        separator: ";".to_owned(),
        regex: pattern("(.*)"),
        target_label: String::new(),
        replacement: "$1".to_owned(),
        action,
    }
}

fn from(labels: &[&str], relabel: Relabel) -> Relabel {
    Relabel { source_labels: labels.iter().map(|&label| label.to_owned()).collect(), ..relabel }
}

fn to(target: &str, relabel: Relabel) -> Relabel {
    Relabel { target_label: target.to_owned(), ..relabel }
}

fn where_fits(regex: &str, relabel: Relabel) -> Relabel {
    Relabel { regex: pattern(regex), ..relabel }
}

fn with(replacement: &str, relabel: Relabel) -> Relabel {
    Relabel { replacement: replacement.to_owned(), ..relabel }
}

/// What steps make of `m{a="1",b="Two",env="prod"}`.
#[track_caller]
fn check(relabel: Vec<Relabel>, want: &str) {
    let rule = Rule::new(pattern("m|n"), Vec::new(), Settings::default(), relabel).unwrap();
    let rules = Rules { list: vec![rule], ..Rules::default() };
    let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let labels = vec![label("a", "1"), label("b", "Two"), label("env", "prod")];
    let mut draft = Draft { name: "m".to_owned(), labels };
    let got = match rules.relabeled(&mut draft) {
        Relabeled::Dropped => "dropped".to_owned(),
        Relabeled::Kept => {
            let labels: Vec<String> =
                draft.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("{} {}", draft.name, labels.join(","))
        }
    };
    assert_eq!(got, want);
}

#[test]
fn steps_do_what_those_of_prometheus_do() {
    let all = "m a=1,b=Two,env=prod";
    check(vec![to("c", from(&["a", "b"], step(Action::Replace)))], &format!("{all},c=1;Two"));
    check(vec![to("a", from(&["none"], step(Action::Replace)))], "m b=Two,env=prod");
    let swap = where_fits("(.*);(.*)", with("$2-${1}x", from(&["a", "b"], step(Action::Replace))));
    check(vec![to("a", swap)], "m a=Two-1x,b=Two,env=prod");
    let rename = with("new_$0", from(&["__name__"], step(Action::Replace)));
    check(vec![to("__name__", rename)], "new_m a=1,b=Two,env=prod");
    let by_value = with("x", from(&["b"], step(Action::Replace)));
    check(vec![to("${1}_of", by_value)], &format!("{all},Two_of=x"));
    let unfit = where_fits("[0-9]+", from(&["b"], step(Action::Replace)));
    check(vec![to("a", unfit)], all);
    check(vec![to("b", from(&["b"], step(Action::Lowercase)))], "m a=1,b=two,env=prod");
    check(vec![to("b", from(&["b"], step(Action::Uppercase)))], "m a=1,b=TWO,env=prod");
    check(vec![where_fits("prod", from(&["env"], step(Action::Keep)))], all);
    check(vec![where_fits("pro", from(&["env"], step(Action::Keep)))], "dropped");
    check(vec![where_fits("m;1", from(&["__name__", "a"], step(Action::Drop)))], "dropped");
    check(vec![to("a", from(&["b"], step(Action::KeepEqual)))], "dropped");
    check(vec![to("a", from(&["a"], step(Action::DropEqual)))], "dropped");
    check(vec![to("a", from(&["b"], step(Action::DropEqual)))], all);
    check(vec![where_fits("a|b", step(Action::LabelDrop))], "m env=prod");
    check(vec![where_fits("a|b", step(Action::LabelKeep))], "m a=1,b=Two");
    check(
        vec![where_fits("(.)", with("x_$1", step(Action::LabelMap)))],
        &format!("{all},x_a=1,x_b=Two"),
    );
    let both = where_fits("a|b", with("env", step(Action::LabelMap)));
    check(vec![both], "m a=1,b=Two,env=Two");
    let name = where_fits("__(name)__", step(Action::LabelMap));
    check(vec![name], &format!("{all},name=m"));
    let no_name = where_fits("(.*)", with("x", from(&["none"], step(Action::Replace))));
    check(vec![to("a$1-", no_name)], all);
    let pass = to("__tmp", from(&["a"], step(Action::Replace)));
    check(vec![pass.clone()], all);
    check(vec![pass, to("b", from(&["__tmp"], step(Action::Replace)))], "m a=1,b=1,env=prod");
}

#[test]
fn a_step_has_what_its_action_needs() {
    for action in Action::ALL {
        assert_eq!(Action::parse(&action.as_str().to_uppercase()), Ok(action));
        let needs_target = !matches!(
            action,
            Action::Keep | Action::Drop | Action::LabelMap | Action::LabelDrop | Action::LabelKeep
        );
        assert_eq!(step(action).checked(NameScheme::Legacy).is_err(), needs_target, "{action:?}");
        assert!(to("a", from(&["a"], step(action))).checked(NameScheme::Legacy).is_ok());
    }
    assert_eq!(Action::parse("hashmod"), Err(RelabelError::HashMod));
    assert_eq!(Action::parse("x"), Err(RelabelError::Action("x".to_owned())));
}

/// Whether a step may be one under each of the schemes, legacy first.
#[track_caller]
fn check_labels(relabel: &Relabel, want: [bool; 2]) {
    let schemes = [NameScheme::Legacy, NameScheme::Utf8];
    let got = schemes.map(|names| relabel.clone().checked(names).is_ok());
    assert_eq!(got, want, "{relabel:?}");
}

#[test]
fn labels_are_some_that_there_may_be() {
    let replace = |target| to(target, step(Action::Replace));
    for target in ["a", "in_$1", "$1", "${1}9", "__tmp", "__name__"] {
        check_labels(&replace(target), [true, true]);
    }
    for target in ["a-b", "$1-b", "9$1", "a$$", "a$", "${1-a}"] {
        check_labels(&replace(target), [false, true]);
    }
    for action in [Action::Lowercase, Action::Uppercase, Action::KeepEqual, Action::DropEqual] {
        let step = |target| to(target, from(&["a"], step(action)));
        check_labels(&step("a"), [true, true]);
        check_labels(&step("$1"), [false, true]);
    }
    let map = |replacement| with(replacement, step(Action::LabelMap));
    check_labels(&map("x_$1"), [true, true]);
    check_labels(&map("x.$1"), [false, true]);
    check_labels(&map(""), [false, false]);
    check_labels(&from(&["a", "a.b"], step(Action::Keep)), [false, true]);
    check_labels(&from(&["", "a"], step(Action::Drop)), [false, false]);
    let error = replace("a-b").checked(NameScheme::Legacy).expect_err("it is none").to_string();
    let want = "target_label \"a-b\" is never the name of a label: use letters, digits and \
                underscores, no digit first";
    assert_eq!(error, want);
}

#[test]
fn of_each_setting_the_first_rule_that_has_it_holds() {
    let seconds = |seconds| NonZeroU32::new(seconds);
    let expiry = |after| Settings {
        expiry: Some(seconds(after).map_or(Expiry::Never, Expiry::After)),
        ..Settings::default()
    };
    let labels = vec![("env".to_owned(), pattern("dev|"))];
    let list = vec![
        Rule::new(pattern("a.*"), labels, expiry(5), Vec::new()).unwrap(),
        Rule::of_families(pattern("ab"), Settings { limit: Some(3), ..expiry(0) }),
        Rule::of_families(pattern("a.*"), Settings { limit: Some(4), ..expiry(7) }),
    ];
    let rules = Rules { list, expire_after: seconds(9), ..Rules::default() };
    let expire_after =
        |name, env| rules.expiries(name).after(|label| (label == "env").then_some(env));
    assert_eq!(expire_after("ax", "dev"), seconds(5));
    assert_eq!(expire_after("ax", "prod"), seconds(7));
    assert_eq!(expire_after("ab", "prod"), None);
    assert_eq!(expire_after("x", "dev"), seconds(9));
    assert_eq!(rules.expiries("ax").after(|_| None), seconds(5), "what is not there is empty");
    assert_eq!(
        (rules.expiries("x").of_all(), rules.expiries("ax").of_all()),
        (Some(seconds(9)), None)
    );
    assert_eq!((rules.shortest_expiry(), Rules::default().shortest_expiry()), (seconds(5), None));
    assert_eq!((rules.limit("ab"), rules.limit("ac"), rules.limit("b")), (Some(3), Some(4), None));
}

#[test]
fn what_a_family_shares_is_set_for_all_of_it() {
    let labels = || vec![("a".to_owned(), pattern("b"))];
    let settings = Settings { limit: Some(1), ..Settings::default() };
    let refused = Rule::new(pattern("m"), labels(), settings, Vec::new()).unwrap_err();
    assert_eq!(refused, SharedByFamily { setting: "limit" });
    let settings = Settings { expiry: Some(Expiry::Never), ..Settings::default() };
    assert!(Rule::new(pattern("m"), labels(), settings, Vec::new()).is_ok());
}

#[test]
fn a_pattern_fits_whole_texts() {
    assert!(pattern("a|b").is_match("b"));
    assert!(!pattern("a|b").is_match("ab"));
    assert!(pattern(".*").is_match("a\nb"));
    for broken in ["(", ".*)|(.*", "a{1000}{1000}"] {
        let problem = Pattern::new(broken).unwrap_err();
        assert!(!problem.contains('\n'), "{problem}");
    }
}
