//! Rules for families as flags have them: `PATTERN=SETTING`, separated by spaces.

use pushprom_core::{
    model::{Objectives, Resolution},
    rules::{Histograms, Pattern, Rule, Settings},
};

/// How histograms are laid out.
pub(super) fn parse_histograms(text: &str) -> Result<Vec<Rule>, String> {
    parse(text, |setting| {
        Ok(Settings { native: Some(parse_native(setting)?), ..Settings::default() })
    })
}

/// `classic`, or `beside` or `instead` with a resolution.
pub(super) fn parse_native(setting: &str) -> Result<Histograms, String> {
    let (word, resolution) = setting.split_once(':').unwrap_or((setting, ""));
    let resolution = parse_resolution(resolution);
    match word {
        "classic" if setting == word => Ok(Histograms::Classic),
        "beside" => Ok(Histograms::Beside(resolution?)),
        "instead" => Ok(Histograms::Instead(resolution?)),
        _ => Err(format!(
            "{setting:?} is no setting: use classic, beside or instead, such as instead:3:160"
        )),
    }
}

/// Which quantiles summaries show.
pub(super) fn parse_summaries(text: &str) -> Result<Vec<Rule>, String> {
    parse(text, |setting| {
        let mut listed = Vec::new();
        for objective in setting.split(',') {
            let (quantile, error) = objective.split_once(':').unwrap_or((objective, "0"));
            let error: f64 =
                error.parse().map_err(|_| format!("{error:?} is no number in {objective:?}"))?;
            listed.push((quantile, error));
        }
        let objectives = Objectives::new(listed).map_err(|error| error.to_string())?;
        let problem = "there are no objectives: use some such as 0.5:0.05";
        let objectives = objectives.ok_or_else(|| problem.to_owned())?;
        Ok(Settings { objectives: Some(objectives), ..Settings::default() })
    })
}

/// `SCHEMA:MAX_BUCKETS`, or less.
fn parse_resolution(text: &str) -> Result<Resolution, String> {
    let (schema, buckets_max) = text.split_once(':').unwrap_or((text, ""));
    let number = |text: &str| match text {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| format!("{text:?} is no number")),
    };
    Resolution::new(number(schema)?, number(buckets_max)?).map_err(|error| error.to_string())
}

fn parse(
    text: &str,
    settings: impl Fn(&str) -> Result<Settings, String>,
) -> Result<Vec<Rule>, String> {
    let rules = text.split_whitespace().map(|rule| {
        let (pattern, value) = rule.rsplit_once('=').unwrap_or((".*", rule));
        Ok(Rule::of_families(Pattern::new(pattern)?, settings(value)?))
    });
    rules.collect()
}

#[cfg(test)]
mod tests {
    use pushprom_core::{
        model::{Bounds, Layout},
        rules::Rules,
    };

    use super::*;

    /// Classic buckets; schema and buckets at most of native ones.
    type Shown = (usize, Option<(i8, usize)>);

    /// The layout of histogram `name`, whose client asks for the default.
    #[track_caller]
    fn check_histogram(rules: &str, name: &str, want: Result<Shown, &str>) {
        let got = parse_histograms(rules).map(|list| {
            let layout = Rules { list, ..Rules::default() }.layout(name, &Layout::default());
            let native = layout.native.map(|native| (native.schema(), native.buckets_max()));
            (layout.bounds.buckets(), native)
        });
        assert_eq!(got, want.map_err(str::to_owned), "{rules} {name}");
    }

    #[track_caller]
    fn check_summary(rules: &str, name: &str, want: Result<&[f64], &str>) {
        let got = parse_summaries(rules).map(|list| {
            let objectives = Rules { list, ..Rules::default() }.objectives(name, None);
            objectives.map(|objectives| objectives.quantiles().to_vec()).unwrap_or_default()
        });
        assert_eq!(got, want.map(<[f64]>::to_vec).map_err(str::to_owned), "{rules} {name}");
    }

    #[test]
    fn the_first_rule_that_fits_a_whole_name_holds() {
        check_histogram("", "a", Ok((12, None)));
        check_histogram("instead", "a", Ok((1, Some((3, 160)))));
        check_histogram("beside:5", "a", Ok((12, Some((5, 160)))));
        check_histogram("classic", "a", Ok((12, None)));
        let rules = "job_.*=classic  job|http_.*=instead:-1:10\n.*=beside::20";
        check_histogram(rules, "job_x", Ok((12, None)));
        check_histogram(rules, "job", Ok((1, Some((-1, 10)))));
        check_histogram(rules, "jobs", Ok((12, Some((3, 20)))));
        check_histogram(rules, "http_x", Ok((1, Some((-1, 10)))));
        let words = "use classic, beside or instead, such as instead:3:160";
        for bad in ["native", "a=", "classic:3", "a=b=c"] {
            let setting = bad.rsplit('=').next().unwrap();
            check_histogram(bad, "a", Err(&format!("{setting:?} is no setting: {words}")));
        }
        check_histogram("instead:x", "a", Err("\"x\" is no number"));
    }

    #[test]
    fn a_client_decides_where_no_rule_does() {
        let native = Layout { bounds: Bounds::none(), native: Some(Resolution::DEFAULT) };
        let rules = |text| Rules { list: parse_histograms(text).unwrap(), ..Rules::default() };
        assert_eq!(rules("").layout("a", &native), native);
        assert_eq!(rules("instead:8").layout("a", &native), native, "its own resolution");
        assert_eq!(rules("classic").layout("a", &native), Layout::default());
        let own = Objectives::new([("0.9", 0.1)]).unwrap();
        let rules = Rules { list: parse_summaries("0.5").unwrap(), ..Rules::default() };
        assert_eq!(rules.objectives("a", own.as_ref()), own);
    }

    #[test]
    fn quantiles_by_rule() {
        check_summary("", "a", Ok(&[]));
        check_summary("0.5:0.05,0.99:0.001", "a", Ok(&[0.5, 0.99]));
        check_summary("a.=0.5 .*=0.9", "ab", Ok(&[0.5]));
        check_summary("a.=0.5 .*=0.9", "abc", Ok(&[0.9]));
        check_summary("0.5:x", "a", Err("\"x\" is no number in \"0.5:x\""));
        let range = "objective \"2\" is no quantile: use a number from 0 to 1";
        check_summary("2:0", "a", Err(range));
        for broken in ["(=0.5", ".*)|(.*=0.5"] {
            let problem = parse_summaries(broken).unwrap_err();
            assert!(!problem.contains('\n'), "{problem}");
        }
        let broken = parse_summaries("(=0.5").unwrap_err();
        assert!(broken.starts_with("\"(\" is no regular expression: "), "{broken}");
    }
}
