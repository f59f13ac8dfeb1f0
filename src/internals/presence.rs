//! A presence run for its fuzz target: written of three segments, and read from any bytes.

use std::path::Path;
use std::sync::Arc;

use super::STORE;
use super::bytes_of;
use super::disk_with;
use super::sample_disk;
use crate::disk::ReadDisk;
use crate::disk::blob::Blob;
use crate::disk::durable;
use crate::disk::names;
use crate::error::Result;
use crate::id::SegmentId;
use crate::options::ReadMode;
use crate::presence;
use crate::presence::Column;
use crate::presence::Found;
use crate::presence::Run;

/// A run of three segments with prints of their own and some that they share.
///
/// # Errors
/// What the simulated disk says; it says nothing.
pub fn sample_presence() -> Result<Vec<u8>> {
    let disk = sample_disk()?;
    durable::create_dir(&disk, names::presence_dir())?;
    let mut runs = Vec::new();
    for segment in 0..3 {
        let column = Column::new(SegmentId(segment), [segment as u8; 32]);
        let prints = (0..60_u32).map(|number| {
            let own = u32::from(number.is_multiple_of(3)) * segment as u32;
            (number + own * 1000).wrapping_mul(0x9e37_79b9)
        });
        let mut tell = |print: &mut dyn FnMut(u32)| {
            prints.clone().for_each(&mut *print);
            Ok(())
        };
        presence::writer::write(&disk, segment, STORE, column, 60, &mut tell)?;
        let len = disk.len(&names::presence(segment))?.unwrap_or(0);
        let run = Run::open(&disk, segment, len, Some(STORE), ReadMode::Positional)?;
        runs.push(Arc::new(run));
    }
    presence::merge::merge(&disk, 9, STORE, &runs, &|_| true)?;
    bytes_of(&disk, &names::presence(9))
}

/// Opens any bytes as a run, asks it for prints everywhere, checks it and merges it with itself;
/// what that gives tells of no print less.
///
/// # Errors
/// What the first unreadable part says.
pub fn read_presence(bytes: &[u8]) -> Result<u64> {
    let path = Path::new("any.flt");
    let disk = disk_with(path, bytes)?;
    let blob = Blob::open(&disk, path, bytes.len() as u64, ReadMode::Positional)?;
    let run = Arc::new(Run::open_blob(1, blob, None)?);
    // What the sample has, of each segment, and as much that it has not.
    let asked = || {
        let numbers = [0, 1000, 2000].map(|first| first..first + 120_u32);
        let numbers = numbers.into_iter().flatten();
        numbers.map(|number| number.wrapping_mul(0x9e37_79b9))
    };
    let found: Vec<Found> = asked().map(|print| run.find(print)).collect();
    let prints = run.check()?;
    for folder in [names::draft_dir(), names::presence_dir()] {
        durable::create_dir(&disk, folder)?;
    }
    presence::merge::merge(&disk, 2, STORE, &[Arc::clone(&run)], &|_| true)?;
    let len = disk.len(&names::presence(2))?.unwrap_or(0);
    let merged = Run::open(&disk, 2, len, Some(STORE), ReadMode::Positional)?;
    for (print, found) in asked().zip(found) {
        let known = !run.is_damaged() && found != Found::Anywhere;
        // What was not known of one bucket is not known of a larger one either.
        let again = merged.find(print);
        let same = again == found || again == Found::Anywhere;
        assert!(!known || same, "print {print:x}");
    }
    Ok(prints)
}
