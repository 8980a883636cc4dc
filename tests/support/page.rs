//! A page of `/metrics`, looked at as text.

/// A page as it was scraped.
#[derive(Clone, Debug)]
pub(crate) struct Page(pub(crate) String);

impl Page {
    /// The value of the sample that is written `sample`, labels included.
    pub(crate) fn value(&self, sample: &str) -> Option<f64> {
        let line = self.0.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '))?;
        Some(line.replace("Inf", "inf").parse().unwrap_or_else(|_| panic!("{sample} {line}")))
    }

    /// The sum of all samples whose name and labels satisfy `wanted`.
    pub(crate) fn sum(&self, wanted: impl Fn(&str) -> bool) -> f64 {
        let samples = self.0.lines().filter(|line| !line.starts_with('#'));
        let samples = samples.filter_map(|line| line.rsplit_once(' '));
        samples.filter(|(sample, _)| wanted(sample)).map(|(_, value)| number(value)).sum()
    }

    /// Everything refused so far, over HTTP and UDP.
    pub(crate) fn rejected(&self) -> f64 {
        self.sum(|sample| sample.starts_with("pushprom_deltas_rejected_total{"))
    }

    /// What was refused for one reason.
    pub(crate) fn rejected_for(&self, reason: &str, transport: &str) -> f64 {
        let labels = format!("{{reason={reason:?},transport={transport:?}}}");
        let sample = format!("pushprom_deltas_rejected_total{labels}");
        self.value(&sample).unwrap_or_else(|| panic!("there is no {sample}"))
    }

    /// The families in order: a name, and its lines.
    pub(crate) fn families(&self) -> Vec<(&str, Vec<&str>)> {
        let mut families: Vec<(&str, Vec<&str>)> = Vec::new();
        for line in self.0.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let name = help.split(' ').next().unwrap_or_default();
                families.push((name, Vec::new()));
            }
            let (_, lines) = families.last_mut().expect("a page begins with a HELP line");
            lines.push(line);
        }
        families
    }
}

fn number(text: &str) -> f64 {
    text.replace("Inf", "inf").parse().unwrap_or_else(|_| panic!("{text} is no number"))
}
