//! The page `docs/BENCHMARKS.md` and its plots, made from results.

mod page;
mod plot;
mod plots;
pub mod results;
mod table;
mod targets;

use std::path::Path;

pub use self::results::Line;

const PREFACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/preface.md");
const PLOTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/plots");

/// Prints the page of some files of results and draws its plots.
pub fn print(words: &[&str]) {
    let (mut preface, mut folder, mut files) = (PREFACE, PLOTS, Vec::new());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = || *words.next().expect("a value");
        match *word {
            "--preface" => preface = value(),
            "--plots" => folder = value(),
            file => files.push(file),
        }
    }
    assert!(!files.is_empty(), "no results are named");
    let (runs, told) = results::read(&files);
    let costs = results::costs(&files);
    let table = table::Table::of(&told);
    let drawn = plots::draw(&table, &costs, Path::new(folder));
    let preface = std::fs::read_to_string(preface).expect("the preface");
    print!("{}\n\n", preface.trim_end());
    print!("{}", page::machine(&runs));
    for size in table.sizes() {
        print!("{}", page::figures(&table, size));
    }
    for (file, title) in drawn {
        println!("![{title}](plots/{file})\n");
    }
    print!("{}", page::costs(&costs));
    println!("## Targets\n");
    println!("{}\n", include_str!("targets.md").trim_end());
    print!("{}", targets::tables(&table).trim_end());
    println!();
}
