//! Records that contradict the files they are of, under checksums that are right: what a writer with
//! a defect would leave.

use super::STORE;
use super::Writer;
use super::row;
use crate::disk::Disk;
use crate::disk::ReadDisk;
use crate::disk::blob::Blob;
use crate::disk::durable;
use crate::disk::names;
use crate::disk::names::Folder;
use crate::disk::sim::SimDisk;
use crate::error::Result;
use crate::id::Sequence;
use crate::manifest::Edit;
use crate::manifest::Ends;
use crate::manifest::SegmentEntry;
use crate::options::Partition;
use crate::options::ReadMode;
use crate::segment;
use crate::segment::format::Kind;
use crate::segment::reader::Reader;
use crate::time::Time;
use crate::verify::plan::files;
use crate::verify::salvage_on;
use crate::verify::verify_on;

/// What a check says of such a store.
fn edited(falsify: impl FnOnce(&mut Edit, &mut SegmentEntry)) -> Result<Vec<String>> {
    let found = verify_on(&sealed(falsify)?, &mut |_, _| ())?;
    Ok(found.damages.iter().map(ToString::to_string).collect())
}

/// A store left without a word, whose only event is in a segment and in the log, where `falsify` made
/// its edit of the true one.
pub(super) fn sealed(falsify: impl FnOnce(&mut Edit, &mut SegmentEntry)) -> Result<SimDisk> {
    let mut writer = Writer::new(false)?;
    for _ in 0..5 {
        writer.step()?;
    }
    let ends = writer.ends();
    let open = writer.open.as_mut().unwrap();
    let id = open.manifest.take_segment_id();
    let folder = Folder::of(Time::MIN, Partition::default());
    let path = names::segment(folder, id);
    durable::create_dir(&writer.disk, path.parent().unwrap())?;
    let file = writer.disk.create_new(&path)?;
    let summary = segment::writer::write(&*file, STORE, id, [row(0)])?;
    file.sync_data()?;
    let mut entry = SegmentEntry {
        id,
        level: 0,
        rows: summary.rows,
        file_len: summary.file_len,
        max: summary.newest,
        min: summary.oldest,
        seq_min: summary.seq_min,
        seq_max: summary.seq_max,
        recorded_min: summary.recorded_min,
        recorded_max: summary.recorded_max,
        content_hash: summary.content_hash,
        folder,
    };
    let mut edit = Edit {
        sealed_seq: Some(Sequence(1)),
        ..Edit::default()
    };
    falsify(&mut edit, &mut entry);
    edit.add.push(entry);
    open.manifest.commit(edit)?;
    open.publish(ends)?;
    Ok(writer.disk.kill())
}

#[test]
fn p4_an_entry_is_held_against_the_rows_of_its_segment() -> Result<()> {
    type Falsify = fn(&mut SegmentEntry);
    const LATER: Time = Time::saturating_from_micros(Time::MIN.as_micros() + 1_000_000);
    assert_eq!(edited(|_, _| ())?, [] as [&str; 0]);
    let lies: [Falsify; 4] = [
        |entry| entry.max.occurred_at = LATER,
        |entry| entry.seq_max = Sequence(1),
        |entry| entry.recorded_max = LATER,
        |entry| {
            entry.max.seq = Sequence(1);
            entry.seq_max = Sequence(1);
        },
    ];
    for (number, falsify) in lies.into_iter().enumerate() {
        let damages = edited(|_, entry| falsify(entry))?;
        let is_told = damages.iter().any(|told| {
            told.ends_with("the manifest is wrong about the times or seqs of this segment")
        });
        assert!(is_told, "lie {number}: {damages:?}");
    }
    Ok(())
}

/// A sealing thread once tried again what was done, and the rows stood in two places.
#[test]
fn p4_an_event_that_is_kept_twice_is_told() -> Result<()> {
    let damages = edited(|edit, _| edit.sealed_seq = None)?;
    let is_told =
        |told: &String| told.contains("/wal/") && told.ends_with("event 0 is in a segment too");
    assert!(damages.iter().any(is_told), "{damages:?}");
    Ok(())
}

#[test]
fn p4_a_closed_store_has_no_more_events_than_it_was_closed_with() -> Result<()> {
    let mut writer = Writer::new(false)?;
    for _ in 0..5 {
        writer.step()?;
    }
    let ends = writer.ends();
    let events = ends.events - 1;
    let open = writer.open.as_mut().unwrap();
    open.manifest.mark_closed(Ends { events, ..ends })?;
    drop(writer.open.take());
    let found = verify_on(&writer.disk.kill(), &mut |_, _| ())?;
    let is_told = |told: &String| told.ends_with("the store was closed with 1 events, and has 2");
    let damages: Vec<String> = found.damages.iter().map(ToString::to_string).collect();
    assert!(damages.iter().any(is_told), "{damages:?}");
    Ok(())
}

#[test]
fn p4_a_salvage_tells_why_rows_of_a_segment_cannot_be_read() -> Result<()> {
    let disk = sealed(|_, _| ())?;
    let (path, len) = files(&disk, names::segment_dir()).remove(0);
    let blob = Blob::open(&disk, &path, len, ReadMode::Positional)?;
    let directory = Reader::open_any(blob)?.directory().to_vec();
    let mut sections = directory.iter();
    let rows = sections.find(|section| section.kind == Kind::Rows as u16);
    let place = rows.unwrap().offset;
    disk.rot(&path, 8 * place as usize);
    let saved = salvage_on(&disk, &mut Vec::new())?;
    let told: Vec<_> = saved.damages.iter().map(|damage| &damage.file).collect();
    assert_eq!(told, [&disk.place(&path)]);
    Ok(())
}
