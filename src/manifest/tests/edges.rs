//! Each rule of the manifest with records that break it alone.

use std::io;
use std::sync::Arc;

use super::STORE;
use super::create;
use super::disk;
use super::edit;
use super::ends;
use super::entry;
use super::open;
use super::time;
use crate::disk::Disk;
use crate::disk::names;
use crate::disk::names::Folder;
use crate::disk::sim::Fault;
use crate::disk::sim::Operation;
use crate::id::ManifestId;
use crate::id::Position;
use crate::id::SegmentId;
use crate::id::Sequence;
use crate::id::WalId;
use crate::manifest::Edit;
use crate::manifest::Manifest;
use crate::manifest::SegmentEntry;
use crate::manifest::State;
use crate::manifest::format::Record;
use crate::manifest::is_blank;
use crate::options::Partition;
use crate::time::Time;

fn encoded(record: &Record) -> Vec<u8> {
    let mut bytes = Vec::new();
    record.encode(&mut bytes);
    bytes
}

/// A state with these segments, numbers up to `next` taken.
fn state(next: u64, entries: impl IntoIterator<Item = SegmentEntry>) -> State {
    let mut state = State::new(STORE, time(), Partition::Day);
    state.next_segment = SegmentId(next);
    let entries = entries.into_iter().map(|entry| (entry.id, entry));
    state.segments = Arc::new(entries.collect());
    state
}

#[test]
fn p4_an_entry_that_contradicts_itself_is_refused() {
    let good = entry(SegmentId(1));
    let folder = |year, month, day| SegmentEntry {
        folder: Folder { year, month, day },
        ..good.clone()
    };
    let later = |time: Time| Time::from_micros(time.as_micros() + 1).unwrap();
    let first = |entry: SegmentEntry| State::apply(None, state(2, [entry]).record());
    for possible in [
        good.clone(),
        folder(1970, 0, 0),
        folder(9999, 12, 0),
        folder(2026, 1, 31),
        SegmentEntry {
            rows: 1,
            min: good.max,
            seq_min: good.seq_max,
            ..good.clone()
        },
    ] {
        assert!(first(possible).is_ok());
    }
    for impossible in [
        folder(1969, 5, 1),
        folder(10_000, 5, 1),
        folder(2026, 13, 1),
        folder(2026, 5, 32),
        folder(2026, 0, 1),
        SegmentEntry {
            rows: 0,
            ..good.clone()
        },
        SegmentEntry {
            min: Position {
                seq: Sequence(good.max.seq.0 + 1),
                ..good.max
            },
            ..good.clone()
        },
        SegmentEntry {
            seq_min: Sequence(good.seq_max.0 + 1),
            ..good.clone()
        },
        SegmentEntry {
            recorded_min: later(good.recorded_max),
            ..good.clone()
        },
        entry(SegmentId(2)),
    ] {
        assert!(first(impossible.clone()).is_err(), "{impossible:?}");
    }
}

#[test]
fn p4_a_manifest_begins_with_a_whole_state_and_has_no_other() {
    let empty = state(2, []);
    let before = || Some(empty.clone());
    assert!(State::apply(None, empty.record()).is_ok());
    assert!(State::apply(before(), empty.record()).is_err());
    let edit = || empty.edited(Edit::default());
    assert!(State::apply(before(), edit()).is_ok());
    assert!(State::apply(None, edit()).is_err());
    // A whole state that says it removes something, as no writer makes it.
    let mut bytes = encoded(&empty.record());
    bytes[4] = 1;
    bytes.extend_from_slice(&1_u64.to_le_bytes());
    let removing = Record::decode(&bytes, STORE).unwrap();
    assert!(State::apply(None, removing).is_err());
}

#[test]
fn p4_an_edit_changes_neither_the_birth_of_a_store_nor_what_only_grows() {
    let before = State {
        sealed_seq: Sequence(5),
        wal_first: WalId(5),
        recorded_at: Some(time()),
        clock_steps: 5,
        ..state(5, [])
    };
    let earlier = Time::from_micros(time().as_micros() - 1).unwrap();
    let applied = |after: State| {
        let edit = after.edited(Edit::default());
        State::apply(Some(before.clone()), edit)
    };
    assert_eq!(applied(before.clone()).unwrap(), before);
    for change in [
        |state: &mut State, _| state.partition = Partition::Year,
        |state: &mut State, earlier| state.created_at = earlier,
        |state: &mut State, _| state.next_segment = SegmentId(4),
        |state: &mut State, _| state.sealed_seq = Sequence(4),
        |state: &mut State, _| state.wal_first = WalId(4),
        |state: &mut State, earlier| state.recorded_at = Some(earlier),
        |state: &mut State, _| state.recorded_at = None,
        |state: &mut State, _| state.clock_steps = 4,
    ] {
        let mut after = before.clone();
        change(&mut after, earlier);
        assert!(applied(after.clone()).is_err(), "{after:?}");
    }
}

#[test]
fn p4_every_partition_is_kept_and_a_segment_is_named_once() {
    for partition in [Partition::Day, Partition::Month, Partition::Year] {
        let state = State {
            partition,
            ..state(1, [])
        };
        let record = Record::decode(&encoded(&state.record()), STORE).unwrap();
        assert_eq!(State::apply(None, record).unwrap(), state);
    }
    let bytes = encoded(&state(3, [1, 2].map(|id| entry(SegmentId(id)))).record());
    assert!(Record::decode(&bytes, STORE).is_some());
    let (head, entries) = bytes.split_at(64);
    let (one, other) = entries.split_at(entries.len() / 2);
    for entries in [[one, one], [other, one]] {
        let bytes = [head, &entries.concat()].concat();
        assert!(Record::decode(&bytes, STORE).is_none());
    }
}

#[test]
fn p1_only_a_manifest_that_never_had_an_event_is_blank() {
    let disk = disk(20);
    let mut manifest = create(&disk).unwrap();
    let blank = |logs: &[u64]| {
        let logs: Vec<WalId> = logs.iter().map(|id| WalId(*id)).collect();
        is_blank(&disk, ManifestId(1), &logs).unwrap()
    };
    assert!(blank(&[1]) && blank(&[2, 1]));
    assert!(!blank(&[]) && !blank(&[2]), "its log may hold events");
    manifest
        .commit(Edit {
            sealed_seq: Some(Sequence(2)),
            ..Edit::default()
        })
        .unwrap();
    assert!(!blank(&[1]), "events were sealed, and merged away or lost");
    edit(&mut manifest).unwrap();
    assert!(!blank(&[1, 2, 3]), "there is a segment");
}

#[test]
fn p3_what_is_torn_behind_a_manifest_is_handed_out() {
    let disk = disk(21);
    let mut manifest = create(&disk).unwrap();
    let whole = manifest.len();
    edit(&mut manifest).unwrap();
    let file = disk.open_write(&names::manifest(manifest.id())).unwrap();
    file.set_len(manifest.len() - 12).unwrap();
    let mut opened = Manifest::open(Arc::new(disk.kill())).unwrap();
    let mut torn = 0;
    opened
        .copy_torn(|bytes| {
            torn += bytes.len() as u64;
            Ok(())
        })
        .unwrap();
    // Without the zeros at its end.
    assert!(torn > 0 && torn <= manifest.len() - 12 - whole);
}

/// Every edit takes a sector, so what all of them take is known, and the limit is met exactly.
#[test]
fn a_manifest_is_written_anew_when_its_edits_take_more_than_they_may() {
    let disk = disk(22);
    let mut manifest = create(&disk).unwrap();
    let (mut whole, mut anew) = (manifest.len(), 0);
    for number in 0..400 {
        if number == 50 {
            manifest.mark_closed(ends(1, 0)).unwrap();
            manifest = open(&disk).unwrap();
        }
        let (id, edits) = (manifest.id(), manifest.len() - whole + 512);
        edit(&mut manifest).unwrap();
        let grown = edits > whole.max(64 << 10);
        assert_eq!(manifest.id() != id, grown, "edit {number}");
        if grown {
            whole = manifest.len();
            anew += 1;
        } else {
            assert_eq!(manifest.len(), whole + edits);
        }
    }
    assert!(anew > 1);
}

#[test]
fn p5_an_edit_that_fails_for_more_than_room_is_the_last() {
    let full = Fault::new(Operation::Write, io::ErrorKind::StorageFull);
    let device = Fault::new(Operation::Write, io::ErrorKind::Other);
    let uncut = Fault::new(Operation::SetLen, io::ErrorKind::Other);
    for (faults, goes_on) in [
        (vec![full.clone()], true),
        (vec![full, uncut], false),
        (vec![device], false),
    ] {
        let disk = disk(23);
        let mut manifest = create(&disk).unwrap();
        for fault in &faults {
            disk.fail(fault.clone());
        }
        assert!(edit(&mut manifest).is_err());
        disk.heal();
        assert_eq!(edit(&mut manifest).is_ok(), goes_on, "{faults:?}");
    }
}

/// A draft of `CURRENT` that no room was left for is no harm while the old manifest is in force; after
/// any other failure it is not known which one is.
#[test]
fn p5_a_manifest_that_may_not_be_in_force_takes_no_more() {
    for (error, goes_on) in [
        (io::ErrorKind::StorageFull, true),
        (io::ErrorKind::Other, false),
    ] {
        let disk = disk(24);
        drop(create(&disk).unwrap());
        let disk = disk.kill();
        let mut manifest = Manifest::open(Arc::new(disk.clone())).unwrap().manifest;
        disk.fail(Fault::new(Operation::Write, error).within("CURRENT"));
        assert!(manifest.mark_open(ends(1, 0)).is_err());
        assert_eq!(manifest.mark_open(ends(1, 0)).is_ok(), goes_on, "{error:?}");
    }
}

#[test]
fn p5_a_manifest_that_cannot_be_removed_is_told() {
    let disk = disk(25);
    drop(create(&disk).unwrap());
    let disk = disk.kill();
    let mut manifest = open(&disk).unwrap();
    disk.fail(Fault::new(Operation::Unlink, io::ErrorKind::Other));
    assert!(manifest.mark_closed(ends(1, 0)).is_err());
    manifest.mark_closed(ends(1, 0)).unwrap();
}
