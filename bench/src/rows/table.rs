//! Rows as a table for people and as JSON for programs.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Budget, Row, Unit};
use crate::{machine::Machine, numbers::with_commas};

impl Row {
    fn ratio(&self) -> Option<f64> {
        self.bare.as_ref().filter(|bare| bare.value > 0.0).map(|bare| self.pushprom / bare.value)
    }

    fn is_within_budget(&self) -> Option<bool> {
        match self.budget {
            Budget::None => None,
            Budget::Value(max) => Some(self.pushprom <= max),
            Budget::Ratio(max) => Some(self.ratio().is_some_and(|ratio| ratio <= max)),
        }
    }

    fn verdict(&self) -> &'static str {
        match self.is_within_budget() {
            None => "-",
            Some(true) => "met",
            Some(false) => "missed",
        }
    }

    fn budget_text(&self) -> String {
        match self.budget {
            Budget::None => "-".to_owned(),
            Budget::Value(max) => format!("<= {}", self.unit.text(max)),
            Budget::Ratio(max) => format!("<= {max}x"),
        }
    }
}

impl Unit {
    const fn name(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Bytes => "bytes",
            Self::Datagrams => "datagrams",
        }
    }

    fn text(self, value: f64) -> String {
        match self {
            Self::Seconds if value < 1e-3 => format!("{:.2} us", value * 1e6),
            Self::Seconds if value < 1.0 => format!("{:.1} ms", value * 1e3),
            Self::Seconds => format!("{value:.2} s"),
            Self::Bytes => format!("{} B", whole_with_commas(value)),
            Self::Datagrams => whole_with_commas(value),
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was a count")]
fn whole_with_commas(value: f64) -> String {
    with_commas(value.round() as u64)
}

/// The rows as a Markdown table.
pub(crate) fn to_markdown(rows: &[Row]) -> String {
    let mut table = "| what | pushprom | bare | ratio | budget | verdict |\n".to_owned();
    table.push_str("|---|---:|---:|---:|---:|---|\n");
    for row in rows {
        let bare = row.bare.as_ref().map_or_else(
            || "-".to_owned(),
            |bare| format!("{} {}", row.unit.text(bare.value), bare.yardstick),
        );
        let ratio = row.ratio().map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}x"));
        table.push_str(&format!(
            "| {}: {} | {} | {bare} | {ratio} | {} | {} |\n",
            row.workload,
            row.what,
            row.unit.text(row.pushprom),
            row.budget_text(),
            row.verdict(),
        ));
    }
    table
}

/// The rows as JSON, with what they depend on.
pub(crate) fn to_json(rows: &[Row], machine: &Machine, seconds: Duration) -> Value {
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "workload": row.workload,
                "what": row.what,
                "unit": row.unit.name(),
                "pushprom": row.pushprom,
                "bare": row.bare.as_ref().map(|bare| bare.value),
                "yardstick": row.bare.as_ref().map(|bare| bare.yardstick),
                "ratio": row.ratio(),
                "budget": match row.budget {
                    Budget::None => Value::Null,
                    Budget::Value(max) => json!({"value_max": max}),
                    Budget::Ratio(max) => json!({"ratio_max": max}),
                },
                "is_within_budget": row.is_within_budget(),
            })
        })
        .collect();
    json!({
        "machine": {
            "cpu": machine.cpu,
            "cores": machine.cores,
            "kernel": machine.kernel,
            "net.core.rmem_default": machine.receive_buffer.0,
            "net.core.rmem_max": machine.receive_buffer.1,
        },
        "seconds": seconds.as_secs(),
        "rows": rows,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::Bare;

    fn row(pushprom: f64, bare: Option<f64>, unit: Unit, budget: Budget) -> Row {
        let bare = bare.map(|value| Bare { value, yardstick: "stick" });
        Row { workload: "load", what: "thing".to_owned(), unit, pushprom, bare, budget }
    }

    #[test]
    fn a_row_is_judged_by_its_budget() {
        let table = to_markdown(&[
            row(1.5e-6, Some(1e-6), Unit::Seconds, Budget::Ratio(1.25)),
            row(0.0125, Some(0.01), Unit::Seconds, Budget::Ratio(1.3)),
            row(2.5, None, Unit::Seconds, Budget::None),
            row(0.0, Some(0.0), Unit::Datagrams, Budget::Value(0.0)),
            row(12345.6, Some(100.0), Unit::Bytes, Budget::Value(250.0)),
        ]);
        let rows: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(
            rows,
            [
                "| load: thing | 1.50 us | 1.00 us stick | 1.50x | <= 1.25x | missed |",
                "| load: thing | 12.5 ms | 10.0 ms stick | 1.25x | <= 1.3x | met |",
                "| load: thing | 2.50 s | - | - | - | - |",
                "| load: thing | 0 | 0 stick | - | <= 0 | met |",
                "| load: thing | 12,346 B | 100 B stick | 123.46x | <= 250 B | missed |",
            ]
        );
    }
}
