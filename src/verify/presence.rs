//! Checks the presence runs: every byte of each, and that no segment has a term of which its run
//! does not tell. A run that is not there is no damage: nothing is lost with it, and the writer
//! makes it again.

use std::path::PathBuf;

use super::plan::Plan;
use super::plan::Source;
use super::plan::files;
use super::report::Report;
use super::segment;
use crate::disk::ReadDisk;
use crate::disk::names;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::options::ReadMode;
use crate::presence;
use crate::presence::Column;
use crate::presence::Found;
use crate::presence::Run;

/// The files that have a run's name, with their numbers and lengths.
pub(super) fn listed(disk: &dyn ReadDisk) -> Vec<(PathBuf, u64, u64)> {
    let listed = files(disk, names::presence_dir()).into_iter();
    let numbered = listed.filter_map(|(path, len)| {
        let number = names::presence_number(path.file_name()?.to_str()?)?;
        (names::presence(number) == path).then_some((path, number, len))
    });
    numbered.collect()
}

/// Opens a run as the plan's store has it.
pub(super) fn open(disk: &dyn ReadDisk, plan: &Plan, number: u64, len: u64) -> Result<Run> {
    Run::open(disk, number, len, plan.store(), ReadMode::Positional)
}

/// Checks every run of a store. A writer beside may take one away at any moment.
pub(super) fn check(disk: &dyn ReadDisk, plan: &Plan, report: &mut Report<'_>) {
    for (_, number, len) in listed(disk) {
        let checked =
            open(disk, plan, number, len).and_then(|run| check_run(disk, plan, &run, report));
        match checked {
            Err(error) if plan.is_live() && error.kind() == ErrorKind::Missing => {}
            Err(error) => report.error(&error),
            Ok(()) => {}
        }
        report.read(len);
    }
}

fn check_run(disk: &dyn ReadDisk, plan: &Plan, run: &Run, report: &mut Report<'_>) -> Result<()> {
    run.check()?;
    for (place, column) in run.columns().iter().enumerate() {
        let Some(source) = plan.segments().iter().find(|source| is_of(source, column)) else {
            continue;
        };
        // What is wrong with the segment itself is told where that is checked.
        let Ok(reader) = segment::open(disk, plan.store(), source) else {
            continue;
        };
        let mut terms = reader.terms(&[]);
        while let Ok(true) = terms.advance() {
            if !tells(run, place, terms.term()) {
                let what = format!(
                    "segment {:016x} has the term {}, of which the run does not tell",
                    column.segment.0,
                    terms.term().escape_ascii()
                );
                report.damage(run.path(), Some(0), what);
                break;
            }
        }
    }
    Ok(())
}

fn is_of(source: &Source, column: &Column) -> bool {
    let entry = source.entry.as_ref();
    entry.is_some_and(|entry| Column::new(entry.id, entry.content_hash) == *column)
}

/// Whether a run says that the segment of a column may have a term.
fn tells(run: &Run, column: usize, term: &[u8]) -> bool {
    let mut told = false;
    presence::asked(term, |print| {
        told |= match run.find(print) {
            Found::Nowhere => false,
            Found::Anywhere => true,
            Found::In(columns) => {
                let word = columns.get(column / 64);
                word.is_some_and(|word| word >> (column % 64) & 1 == 1)
            }
        };
    });
    told
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::disk::durable;
    use crate::disk::sim::SimDisk;
    use crate::id::SegmentId;
    use crate::id::StoreId;

    const STORE: StoreId = StoreId([7; 16]);

    /// More columns than one word has bits, each with a term of its own and all odd ones with another.
    #[test]
    fn a_run_tells_of_each_of_its_columns_by_itself() -> Result<()> {
        const COLUMNS: usize = 70;
        let disk = SimDisk::new(1);
        for folder in [names::draft_dir(), names::presence_dir()] {
            durable::create_dir(&disk, folder)?;
        }
        let term = |name: String| [b"\x01\x01", name.as_bytes()].concat();
        let run = |number: usize| {
            let path = names::presence(number as u64);
            let len = disk.len(&path)?.unwrap_or(0);
            Run::open(&disk, number as u64, len, Some(STORE), ReadMode::Positional)
        };
        let mut runs = Vec::new();
        for number in 0..COLUMNS {
            let column = Column::new(SegmentId(number as u64), [number as u8; 32]);
            let mut tell = |print: &mut dyn FnMut(u32)| {
                presence::told(&term(format!("own {number}")), &mut *print);
                if number % 2 == 1 {
                    presence::told(&term("odd".to_owned()), &mut *print);
                }
                Ok(())
            };
            presence::writer::write(&disk, number as u64, STORE, column, 2, &mut tell)?;
            runs.push(Arc::new(run(number)?));
        }
        presence::merge::merge(&disk, COLUMNS as u64, STORE, &runs, &|_| true)?;
        let merged = run(COLUMNS)?;
        assert_eq!(merged.columns().len(), COLUMNS);
        for column in 0..COLUMNS {
            assert_eq!(
                tells(&merged, column, &term("odd".to_owned())),
                column % 2 == 1
            );
            for number in 0..COLUMNS {
                let told = tells(&merged, column, &term(format!("own {number}")));
                assert_eq!(told, column == number, "{column}, term of {number}");
            }
        }
        assert!(!tells(&merged, COLUMNS, &term("odd".to_owned())));
        Ok(())
    }
}
