//! The figures of all results by size, work and contender: of several runs the latest counts.

use std::collections::BTreeMap;

use super::results::Told;
use crate::measure::middle;

/// A figure of one contender over all rounds of its latest run.
#[derive(Clone, Debug)]
pub struct Cell {
    pub run: String,
    pub unit: String,
    pub median: f64,
    pub low: f64,
    pub high: f64,
    values: Vec<f64>,
}

impl Cell {
    pub fn is_more_better(&self) -> bool {
        self.unit == "events/s"
    }

    fn add(&mut self, told: &Told) {
        self.values.push(told.outcome.figure.median);
        self.values.sort_by(f64::total_cmp);
        let last = self.values.len() - 1;
        self.median = middle(&self.values);
        // Of several rounds their medians spread, of one its own figures.
        (self.low, self.high) = match last {
            0 => (told.outcome.figure.low, told.outcome.figure.high),
            _ => (self.values[0], self.values[last]),
        };
    }

    /// The median, and the lowest and highest in brackets.
    pub fn text(&self) -> String {
        match self.low == self.high {
            true => number(self.median),
            false => format!(
                "{} ({}–{})",
                number(self.median),
                number(self.low),
                number(self.high)
            ),
        }
    }
}

/// A number with three digits that count, or all before the point.
pub fn number(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{value:.digits$}");
    if digits > 0 {
        return text;
    }
    let mut grouped = String::new();
    for (place, letter) in text.chars().enumerate() {
        if place > 0 && (text.len() - place) % 3 == 0 && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(letter);
    }
    grouped
}

/// All cells.
#[derive(Default)]
pub struct Table {
    cells: BTreeMap<u64, BTreeMap<String, BTreeMap<String, Cell>>>,
    /// Works in the order in which they were first told.
    works: Vec<String>,
}

impl Table {
    pub fn of(told: &[Told]) -> Table {
        let mut table = Table::default();
        for one in told {
            let work = &one.outcome.work;
            if !table.works.contains(work) {
                table.works.push(work.clone());
            }
            let size = table.cells.entry(one.events).or_default();
            let row = size.entry(work.clone()).or_default();
            let cell = row.entry(one.contender.clone());
            let new = || Cell {
                run: one.run.clone(),
                unit: one.outcome.unit.clone(),
                median: 0.0,
                low: 0.0,
                high: 0.0,
                values: Vec::new(),
            };
            let cell = cell.or_insert_with(new);
            if cell.run != one.run {
                *cell = new();
            }
            cell.add(one);
        }
        table
    }

    pub fn sizes(&self) -> Vec<u64> {
        self.cells.keys().copied().collect()
    }

    pub fn works(&self) -> &[String] {
        &self.works
    }

    pub fn cell(&self, events: u64, work: &str, contender: &str) -> Option<&Cell> {
        self.cells.get(&events)?.get(work)?.get(contender)
    }

    /// The largest size at which both have a figure, but of 1M and above 1M the one that is asked
    /// for: most targets are about one million events.
    pub fn size_for(&self, work: &str, contender: &str, wanted: u64) -> Option<u64> {
        let has = |events: &u64| self.cell(*events, work, contender).is_some();
        let sizes: Vec<u64> = self.sizes().into_iter().filter(has).collect();
        let up_to = sizes.iter().rev().find(|events| **events <= wanted);
        up_to.or(sizes.first()).copied()
    }

    /// The best of some contenders, and its name.
    pub fn best<'a>(
        &self,
        events: u64,
        work: &str,
        contenders: &[&'a str],
    ) -> Option<(&'a str, &Cell)> {
        let cells = contenders
            .iter()
            .filter_map(|name| Some((*name, self.cell(events, work, name)?)));
        cells.reduce(|best, other| {
            let is_more = other.1.median > best.1.median;
            match is_more == best.1.is_more_better() {
                true => other,
                false => best,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        for (value, text) in [
            (0.054, "0.05"),
            (12.34, "12.3"),
            (999.6, "1,000"),
            (1_234_567.0, "1,234,567"),
        ] {
            assert_eq!(number(value), text);
        }
    }
}
