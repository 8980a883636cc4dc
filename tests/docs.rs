//! The pages say what is true.

use std::{collections::BTreeMap, process::Command};

use pushprom_core::model::Kind;

use crate::support::{BINARY, Server, inc, read, repository, succeed};

/// The table of flags is the generated one. With `UPDATE_DOCS=1` in the environment it is written anew.
#[test]
fn every_flag_is_documented() {
    let file = "docs/configuration.md";
    let page = read(file);
    let (before, rest) = page.split_once("<!-- flags: generated").expect("the table begins");
    let (origin, rest) = rest.split_once("-->").expect("a comment ends");
    let (table, after) = rest.split_once("<!-- end of flags -->").expect("the table ends");
    let generated = pushprom::config::markdown_table();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let page = format!(
            "{before}<!-- flags: generated{origin}-->\n\n{generated}\n<!-- end of flags -->{after}"
        );
        std::fs::write(repository(file), page).expect("the page can be written");
        return;
    }
    assert_eq!(table.trim(), generated.trim());
}

/// `docs/metrics.md` lists the families of a scrape: no more, no fewer, with type and labels.
#[test]
fn every_metric_is_documented() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("web.yml");
    std::fs::write(&file, "").expect("the file can be written");
    let config = format!("-web.config.file={}", file.display());
    let store = format!("-storage.path={}", folder.path().join("store").display());
    let server = Server::start(&[&*config, &*store, "-series.limit-per-family=1"]);
    // Some families appear with their first request only, or their first series too many.
    server.push_ok(inc("mine"));
    server.push_ok(r#"{"type":"counter","name":"mine","method":"inc","labels":{"a":"b"}}"#);
    let page = server.scrape();
    let mut scraped = BTreeMap::new();
    for (name, lines) in page.families() {
        if name == "mine" {
            continue;
        }
        let kind = lines[1].rsplit(' ').next().expect("a type");
        let sample = lines.last().expect("a sample");
        let labels = sample.split_once('{').map_or("", |(_, rest)| rest);
        let labels: Vec<&str> = labels
            .split(',')
            .filter_map(|label| label.split_once("=\""))
            .map(|(name, _)| name)
            .filter(|name| *name != "le")
            .collect();
        scraped.insert(name.to_owned(), format!("{kind} {}", labels.join(",")));
    }
    let documented: BTreeMap<String, String> = read("docs/metrics.md")
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
            let name = cells.next()?.strip_prefix('`')?.strip_suffix('`')?.to_owned();
            let kind = cells.next().filter(|kind| Kind::from_word(kind).is_some())?;
            Some((name, format!("{kind} {}", cells.next()?.replace(['`', ' '], ""))))
        })
        .collect();
    assert_eq!(scraped, documented, "what is scraped (left) and documented (right)");
}

/// Reasons are listed with their metric, or below if its row says so.
#[test]
fn every_reason_is_documented() {
    let documented = read("docs/metrics.md");
    let mut count = 0;
    for (name, lines) in Server::start(&[]).scrape().families() {
        let row = documented.lines().find(|line| line.starts_with(&format!("| `{name}` |")));
        let reasons = lines.iter().filter_map(|line| line.split_once("reason=\""));
        for reason in reasons.filter_map(|(_, rest)| rest.split('"').next()) {
            let row = row.expect("the metric is documented");
            let is_listed = if row.contains("The reasons are below") {
                documented.contains(&format!("\n| `{reason}` |"))
            } else {
                row.contains(&format!("`{reason}`"))
            };
            assert!(is_listed, "{name} {reason}");
            count += 1;
        }
    }
    assert!(count > 0, "some metrics have reasons");
}

/// Blocks marked `yaml` in the pages of the file are such files, and so is the example.
#[test]
fn files_in_the_pages_can_be_run_with() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("pushprom.yml");
    let mut texts = vec![read("docs/pushprom.yml")];
    for page in ["docs/access.md", "docs/configuration.md", "docs/rules.md"] {
        let page = read(page);
        let blocks = page.split("```yaml\n").skip(1);
        texts.extend(blocks.filter_map(|rest| Some(rest.split_once("```")?.0.to_owned())));
    }
    assert!(texts.len() >= 4, "{texts:?}");
    for text in texts {
        std::fs::write(&path, &text).expect("it can be written");
        let path = path.to_str().expect("a plain path");
        succeed(Command::new(BINARY).args(["check-config", path]));
    }
}
