//! Rows as a table for people and as JSON for programs.

use std::time::Duration;

use serde_json::{Value, json};

use super::row::{Budget, Row};
use crate::machine::Machine;

/// The rows as a Markdown table.
pub(crate) fn to_markdown(rows: &[Row]) -> String {
    let mut table =
        "| what | pushprom (median) | bare (median) | ratio (median) | spread | budget | verdict |\n\
         |---|---:|---:|---:|---:|---:|---|\n"
            .to_owned();
    for row in rows {
        let bare = row.bare.as_ref().zip(row.bare_value()).map_or_else(
            || "-".to_owned(),
            |(bare, value)| format!("{} {}", row.unit.text(value), bare.yardstick),
        );
        let ratio = row.ratio().map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}x"));
        table.push_str(&format!(
            "| {}: {} | {} | {bare} | {ratio} | {} | {} | {} |\n",
            row.workload,
            row.what,
            row.unit.text(row.value()),
            row.spread_text(),
            row.budget_text(),
            row.verdict(),
        ));
    }
    table
}

/// The rows as JSON, every round of them, with what they depend on.
pub(crate) fn to_json(rows: &[Row], machine: &Machine, seconds: Duration) -> Value {
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "workload": row.workload,
                "what": row.what,
                "unit": row.unit.name(),
                "pushprom": row.value(),
                "pushprom_rounds": row.pushprom,
                "bare": row.bare_value(),
                "bare_rounds": row.bare.as_ref().map(|bare| &bare.values),
                "yardstick": row.bare.as_ref().map(|bare| bare.yardstick),
                "ratio": row.ratio(),
                "ratio_rounds": row.ratios(),
                "budget": match row.budget {
                    Budget::None => Value::Null,
                    Budget::Value(max) => json!({"value_max": max}),
                    Budget::Ratio(max) => json!({"ratio_max": max}),
                    Budget::RatioAtLeast(min) => json!({"ratio_min": min}),
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
            "file_system": machine.file_system,
        },
        "seconds": seconds.as_secs(),
        "rows": rows,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::row::Unit;

    #[test]
    fn a_row_is_judged_by_its_budget() {
        let row = |unit, value: f64| Row::new("load", "thing", unit, [value]);
        let table = to_markdown(&[
            row(Unit::Seconds, 1.5e-6).beside("stick", [1e-6]).within(Budget::Ratio(1.25)),
            row(Unit::Seconds, 0.0125).beside("stick", [0.01]).within(Budget::Ratio(1.3)),
            row(Unit::Seconds, 2.5),
            row(Unit::Count, 0.0).beside("stick", [3.0]).within(Budget::Value(0.0)),
            row(Unit::Bytes, 12345.6).beside("stick", [100.0]).within(Budget::Value(250.0)),
            row(Unit::Rate, 9600.0).beside("stick", [10000.0]).within(Budget::RatioAtLeast(0.95)),
            row(Unit::Rate, 9400.0).beside("stick", [10000.0]).within(Budget::RatioAtLeast(0.95)),
        ]);
        let rows: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(
            rows,
            [
                "| load: thing | 1.50 us | 1.00 us stick | 1.50x | 1.50x..1.50x | <= 1.25x | missed |",
                "| load: thing | 12.5 ms | 10.0 ms stick | 1.25x | 1.25x..1.25x | <= 1.3x | met |",
                "| load: thing | 2.50 s | - | - | 2.50 s..2.50 s | - | - |",
                "| load: thing | 0 | 3 stick | - | 0..0 | <= 0 | met |",
                "| load: thing | 12,346 B | 100 B stick | 123.46x | 123.46x..123.46x | <= 250 B | missed |",
                "| load: thing | 9,600/s | 10,000/s stick | 0.96x | 0.96x..0.96x | >= 0.95x | met |",
                "| load: thing | 9,400/s | 10,000/s stick | 0.94x | 0.94x..0.94x | >= 0.95x | missed |",
            ]
        );
    }
}
