//! Which plots the page has: latency against size, bytes by field and part, exports by format.

use std::path::Path;

use super::plot::Bar;
use super::plot::Line;
use super::plot::bars;
use super::plot::lines;
use super::results::Cost;
use super::table::Table;
use super::targets::title;
use crate::contenders::ALL;

const LATENCY: [(&str, &str); 6] = [
    ("Q1 newest 50, in segments", "Q1 newest"),
    ("Q2 hot subject", "Q2 hot"),
    ("Q2 middle subject", "Q2 middle"),
    ("Q2 absent subject", "Q2 absent"),
    ("Q3 type AND performer, common", "Q3 common"),
    ("Q3 type AND performer, rare", "Q3 rare"),
];

/// Draws what there are figures for, and gives the files' names and what they show.
pub fn draw(table: &Table, costs: &[Cost], folder: &Path) -> Vec<(&'static str, &'static str)> {
    std::fs::create_dir_all(folder).expect("a folder for the plots");
    let mut drawn = Vec::new();
    let mut keep = |file: &'static str, about: &'static str, drawing: Option<String>| {
        if let Some(drawing) = drawing {
            std::fs::write(folder.join(file), drawing).expect("a plot");
            drawn.push((file, about));
        }
    };
    keep(
        "latency.svg",
        "Time of a page against the size of the store",
        latency(table),
    );
    keep(
        "bytes.svg",
        "Bytes an event by part of the segments",
        parts(costs),
    );
    keep("fields.svg", "Bytes an event by field", fields(costs));
    keep(
        "exports.svg",
        "Events a second of an export by format",
        exports(table),
    );
    drawn
}

/// auditdb's pages, and SQLite's beside them as broken lines.
fn latency(table: &Table) -> Option<String> {
    let sizes = table.sizes();
    let line = |work: &str, contender: &str| -> Vec<(f64, f64)> {
        let point = |size: &u64| Some((*size as f64, table.cell(*size, work, contender)?.median));
        sizes.iter().filter_map(point).collect()
    };
    let mut drawn = Vec::new();
    for (work, name) in LATENCY {
        drawn.push(Line {
            name: name.to_owned(),
            points: line(work, "auditdb"),
            is_dashed: false,
        });
    }
    for (work, name) in [LATENCY[0], LATENCY[2], LATENCY[4]] {
        drawn.push(Line {
            name: format!("{name}, SQLite"),
            points: line(work, "sqlite"),
            is_dashed: true,
        });
    }
    drawn.retain(|line| !line.points.is_empty());
    (!drawn.is_empty()).then(|| {
        let about = "A page of 50, warm, against the size of the store";
        lines(about, "events in the store", "µs", &drawn)
    })
}

/// What the plot of parts leaves out: sums and other files.
const NO_PARTS: [&str; 4] = ["all", "lines", "zstd -3", "zstd -19"];

fn parts(costs: &[Cost]) -> Option<String> {
    let mut drawn: Vec<Bar> = Vec::new();
    for cost in costs {
        if cost.part.starts_with("field ") || NO_PARTS.contains(&cost.part.as_str()) {
            continue;
        }
        let piece = (cost.part.clone(), cost.bytes as f64 / cost.events as f64);
        match drawn.iter_mut().find(|bar| bar.name == cost.log) {
            Some(bar) => bar.pieces.push(piece),
            None => drawn.push(Bar {
                name: cost.log.clone(),
                pieces: vec![piece],
            }),
        }
    }
    // Hostile events are a hundred times as large as others, and of few events most is the fixed
    // part of a segment: both would hide the rest.
    let few = |name: &str| {
        costs
            .iter()
            .any(|cost| cost.log == name && cost.events < 1_000)
    };
    drawn.retain(|bar| bar.name != "hostile" && !few(&bar.name));
    (!drawn.is_empty()).then(|| {
        let about = "Bytes an event, by part of the segments";
        bars(about, "bytes an event", &drawn)
    })
}

fn fields(costs: &[Cost]) -> Option<String> {
    let mut drawn: Vec<Bar> = costs
        .iter()
        .filter_map(|cost| {
            let name = cost.part.strip_prefix("field ")?;
            let each = cost.bytes as f64 / cost.events as f64;
            Some(Bar {
                name: name.to_owned(),
                pieces: vec![("bytes".to_owned(), each)],
            })
        })
        .collect();
    drawn.sort_by(|a, b| b.pieces[0].1.total_cmp(&a.pieces[0].1));
    (!drawn.is_empty()).then(|| {
        let about = "Bytes an event that a field costs, indexes included";
        bars(about, "bytes an event", &drawn)
    })
}

fn exports(table: &Table) -> Option<String> {
    let mut drawn = Vec::new();
    for (work, form) in [
        ("E2 everything as CSV", "CSV"),
        ("E2 everything as NDJSON", "NDJSON"),
        ("E2z everything as NDJSON, zstd", "NDJSON, zstd"),
    ] {
        let size = table.size_for(work, "auditdb", 1_000_000)?;
        for name in ALL {
            let whose = match name.starts_with("auditdb") {
                true => "auditdb",
                false => "others",
            };
            if let Some(cell) = table.cell(size, work, name) {
                drawn.push(Bar {
                    name: format!("{form}, {}", title(name)),
                    pieces: vec![(whose.to_owned(), cell.median / 1e3)],
                });
            }
        }
    }
    let about = "Thousand events a second of an export of everything";
    (!drawn.is_empty()).then(|| bars(about, "thousand events a second", &drawn))
}
