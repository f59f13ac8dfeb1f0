//! The parts of the page as Markdown: where it was measured, every figure, and the cost sheet.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::results::Cost;
use super::table::Table;
use super::table::number;
use super::targets;
use crate::contenders::ALL;
use crate::machine::About;
use crate::machine::date_of;

/// What stands in place of a fact that a run could not tell.
const UNKNOWN: &str = "not known";

/// What the latest run that knew this fact says of it.
fn latest<'r>(runs: &'r [About], fact: fn(&About) -> &str) -> Option<&'r str> {
    runs.iter().rev().map(fact).find(|text| !text.is_empty())
}

pub fn machine(runs: &[About]) -> String {
    let Some(last) = runs.last() else {
        return String::new();
    };
    let mut page = String::from("## Machine and versions\n\n| | |\n|---|---|\n");
    let mut row = |name: &str, value: &str| {
        let _ = writeln!(page, "| {name} | {value} |");
    };
    let cpu = latest(runs, |run| &run.cpu).unwrap_or(UNKNOWN);
    row("processor", &format!("{} cores of {cpu}", last.cores));
    row("memory", &format!("{} GiB", last.memory_gib));
    let file_system = latest(runs, |run| &run.file_system);
    let file_system = file_system.map_or_else(String::new, |name| format!(", {name}"));
    row("system", &format!("Linux {}{file_system}", last.kernel));
    row(
        "compiler",
        latest(runs, |run| &run.compiler).unwrap_or(UNKNOWN),
    );
    for (name, version) in &last.versions {
        row(name, version);
    }
    page.push_str(
        "\n| run | date (UTC) | events | commit | load before it |\n|---|---|---:|---|---|\n",
    );
    for run in runs {
        let events = number(run.events as f64);
        let commit = Some(run.commit.as_str()).filter(|commit| !commit.is_empty());
        let _ = writeln!(
            page,
            "| {} | {} | {events} | {} | {} |",
            run.run,
            date_of(&run.run),
            commit.unwrap_or(UNKNOWN),
            run.load
        );
    }
    page.push('\n');
    page
}

/// Every figure of one size.
pub fn figures(table: &Table, size: u64) -> String {
    let has = |name: &&str| {
        let told = |work: &String| table.cell(size, work, name).is_some();
        table.works().iter().any(told)
    };
    let names: Vec<&str> = ALL.into_iter().filter(has).collect();
    let mut page = format!("## {} events\n\n| work | unit |", number(size as f64));
    for name in &names {
        let _ = write!(page, " {} |", targets::title(name));
    }
    let _ = writeln!(page, "\n|---|---|{}", "---:|".repeat(names.len()));
    let mut works = table.works().to_vec();
    works.sort_by_key(|work| place(work));
    for work in &works {
        let cells: Vec<_> = names
            .iter()
            .map(|name| table.cell(size, work, name))
            .collect();
        let Some(unit) = cells.iter().flatten().next().map(|cell| &cell.unit) else {
            continue;
        };
        let _ = write!(page, "| {work} | {unit} |");
        for cell in cells {
            let text = cell.map_or_else(|| "–".to_owned(), |cell| cell.text());
            let _ = write!(page, " {text} |");
        }
        page.push('\n');
    }
    page.push('\n');
    page
}

/// Reading before writing, each work's memory behind it.
fn place(work: &str) -> (usize, String) {
    let order = [
        "bytes", "Q", "E1", "E2", "E3", "O1", "floor", "I1", "I2", "I3",
    ];
    let place = order.iter().position(|head| work.starts_with(head));
    (place.unwrap_or(order.len()), work.to_owned())
}

/// Bytes of each part, a table for each log of which parts were told.
pub fn costs(costs: &[Cost]) -> String {
    let mut logs: BTreeMap<&str, Vec<&Cost>> = BTreeMap::new();
    for cost in costs {
        let parts = logs.entry(&cost.log).or_default();
        // A sheet that was told again replaces the one before.
        parts.retain(|known| known.part != cost.part);
        parts.push(cost);
    }
    if logs.is_empty() {
        return String::new();
    }
    let mut page = String::from("## Where the bytes are\n\n");
    page += "Bytes an event, by part of the segments; a field's line says what the store would be \
        smaller without it, all its indexes included. Printed by `cargo bench --bench cost`.\n\n";
    let parts_of = |is_field: bool| {
        let mut parts: Vec<&str> = Vec::new();
        for cost in costs
            .iter()
            .filter(|cost| cost.part.starts_with("field ") == is_field)
        {
            if !parts.contains(&cost.part.as_str()) {
                parts.push(&cost.part);
            }
        }
        parts
    };
    let _ = write!(page, "| log | events |");
    let parts = parts_of(false);
    for part in &parts {
        let _ = write!(page, " {part} |");
    }
    let _ = writeln!(page, "\n|---|---:|{}", "---:|".repeat(parts.len()));
    for (log, costs) in &logs {
        let events = costs.first().map_or(1, |cost| cost.events);
        let _ = write!(page, "| {log} | {} |", number(events as f64));
        for part in &parts {
            let cost = costs.iter().find(|cost| cost.part == *part);
            let each = cost.map(|cost| format!("{:.2}", cost.bytes as f64 / events as f64));
            let _ = write!(page, " {} |", each.unwrap_or_default());
        }
        page.push('\n');
    }
    page.push('\n');
    for (log, costs) in &logs {
        let mut fields: Vec<_> = costs
            .iter()
            .filter_map(|cost| Some((cost.part.strip_prefix("field ")?, cost)))
            .collect();
        if fields.is_empty() {
            continue;
        }
        fields.sort_by_key(|(_, cost)| std::cmp::Reverse(cost.bytes));
        let _ = write!(page, "| field, {log} | bytes an event |\n|---|---:|\n");
        for (field, cost) in fields {
            let each = cost.bytes as f64 / cost.events as f64;
            let _ = writeln!(page, "| `{field}` | {each:.2} |");
        }
        page.push('\n');
    }
    page
}
