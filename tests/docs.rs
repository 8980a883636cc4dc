//! The pages say what is true.

use std::collections::BTreeMap;

use pushprom_core::model::Kind;

use crate::support::{Server, inc, read};

#[test]
fn every_flag_is_documented() {
    let page = read("docs/configuration.md");
    let begin = page.find("<!-- flags: generated").expect("the table begins");
    let table = page[begin..].split_once("-->").expect("a comment ends").1;
    let table = table.split("<!-- end of flags -->").next().expect("a first part").trim();
    assert_eq!(table, pushprom::config::markdown_table().trim());
}

/// `docs/metrics.md` lists the families of a scrape: no more, no fewer, with type and labels.
#[test]
fn every_metric_is_documented() {
    let server = Server::start(&[]);
    // Some families appear with their first request only.
    server.push_ok(inc("mine"));
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
