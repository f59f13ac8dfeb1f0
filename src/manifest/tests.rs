//! Proofs of the manifest: what was committed is the state of every later open, also over crashes
//! and failures at every operation; in a closed store every changed byte of it and of `CURRENT` is
//! damage; what the rules forbid is refused.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that panics has failed, which is what it should do"
)]

use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use super::Current;
use super::Edit;
use super::Ends;
use super::Manifest;
use super::Phase;
use super::SegmentEntry;
use super::State;
use super::format::Record;
use super::view;
use super::view_live;
use crate::codec::frame::Extent;
use crate::codec::frame::tests::dump;
use crate::codec::frame::tests::is_damage;
use crate::codec::frame::tests::shows;
use crate::disk::Disk;
use crate::disk::ReadDisk;
use crate::disk::durable;
use crate::disk::names;
use crate::disk::names::Folder;
use crate::disk::sim::Fault;
use crate::disk::sim::Operation;
use crate::disk::sim::SimDisk;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::ManifestId;
use crate::id::Position;
use crate::id::SegmentId;
use crate::id::Sequence;
use crate::id::StoreId;
use crate::id::WalId;
use crate::options::Partition;
use crate::time::Time;

mod edges;

const STORE: StoreId = StoreId(*b"0123456789abcdef");

fn disk(seed: u64) -> SimDisk {
    let disk = SimDisk::new(seed);
    durable::create_dir(&disk, names::draft_dir()).unwrap();
    disk
}

fn time() -> Time {
    "2026-05-17T08:00:00Z".parse().unwrap()
}

fn ends(wal: u64, events: u64) -> Ends {
    Ends {
        wal: WalId(wal),
        wal_end: 512,
        events,
    }
}

fn create(disk: &SimDisk) -> Result<Manifest> {
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    Manifest::create(disk, STORE, time(), Partition::Month, ends(1, 0))
}

fn open(disk: &SimDisk) -> Result<Manifest> {
    let mut opened = Manifest::open(Arc::new(disk.clone()))?;
    assert!(opened.tail.torn.is_none() || opened.current.phase == Phase::Open);
    opened.copy_torn(|_| Ok(()))?;
    opened.manifest.mark_open(opened.current.ends)?;
    Ok(opened.manifest)
}

fn entry(id: SegmentId) -> SegmentEntry {
    let earlier = Time::from_micros(time().as_micros() - 1_000_000).unwrap();
    let position = |occurred_at, seq| Position {
        occurred_at,
        seq: Sequence(seq),
    };
    SegmentEntry {
        id,
        level: 0,
        rows: 2,
        file_len: 4096,
        max: position(time(), 1),
        min: position(earlier, 0),
        seq_min: Sequence(0),
        seq_max: Sequence(1),
        recorded_min: time(),
        recorded_max: time(),
        content_hash: [0x11; 32],
        folder: Folder {
            year: 2026,
            month: 5,
            day: 0,
        },
    }
}

/// Adds one segment, and removes one in every third edit.
fn edit(manifest: &mut Manifest) -> Result<()> {
    let id = manifest.take_segment_id();
    let sealed = manifest.state().sealed_seq.0 + 2;
    let first = manifest.state().segments.keys().next().copied();
    manifest.commit(Edit {
        add: vec![entry(id)],
        remove: first
            .filter(|_| id.0.is_multiple_of(3))
            .into_iter()
            .collect(),
        sealed_seq: Some(Sequence(sealed)),
        wal_first: Some(WalId(sealed / 2 + 1)),
        recorded_at: Some(time()),
        clock_steps: None,
    })
}

fn manifests(disk: &SimDisk) -> Vec<u64> {
    let entries = disk.list(names::root()).unwrap();
    let ids = entries
        .iter()
        .filter_map(|entry| names::manifest_id(&entry.name));
    ids.map(|id| id.0).collect()
}

#[test]
fn what_was_committed_is_there_after_every_way_to_end() {
    let disk = disk(1);
    let mut manifest = create(&disk).unwrap();
    let mut lives = vec![(manifest.len(), manifest.state().clone())];
    for _ in 0..7 {
        edit(&mut manifest).unwrap();
        lives.push((manifest.len(), manifest.state().clone()));
    }
    for (end, state) in lives {
        assert_eq!(view_live(&disk, manifest.id(), end).unwrap().state, state);
    }
    for disk in [disk.kill(), disk.crash(7)] {
        let mut again = open(&disk).unwrap();
        assert_eq!(again.state(), manifest.state());
        assert_eq!((again.id(), manifests(&disk)), (ManifestId(2), vec![1, 2]));
        edit(&mut again).unwrap();
        again.mark_closed(ends(9, 16)).unwrap();
        assert_eq!(manifests(&disk), [2]);
        let seen = view(&disk).unwrap();
        assert_eq!(
            (&seen.state, seen.current.ends),
            (again.state(), ends(9, 16))
        );
        assert_eq!(seen.current.wal_extent(WalId(9), None), Extent::Closed(512));
        let error = edit(&mut again).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed);
        let mut third = open(&disk).unwrap();
        assert_eq!((third.id(), third.state()), (ManifestId(2), &seen.state));
        edit(&mut third).unwrap();
    }
    let none = Manifest::open(Arc::new(self::disk(2)));
    assert!(none.is_err_and(|error| error.kind() == ErrorKind::Missing));
}

#[test]
fn a_manifest_that_has_outgrown_its_state_is_written_anew() {
    let disk = disk(3);
    let mut manifest = create(&disk).unwrap();
    let mut before = manifest.id();
    while manifest.id().0 < 4 {
        edit(&mut manifest).unwrap();
        if manifest.id() != before {
            assert_eq!(manifests(&disk), [before.0, before.0 + 1]);
            before = manifest.id();
        }
        let end = manifest.len();
        let live = view_live(&disk, manifest.id(), end).unwrap();
        assert_eq!(&live.state, manifest.state());
    }
    assert_eq!(open(&disk.crash(1)).unwrap().state(), manifest.state());
}

#[test]
fn every_changed_byte_of_a_closed_store_is_damage() {
    let disk = disk(4);
    let mut manifest = create(&disk).unwrap();
    for _ in 0..4 {
        edit(&mut manifest).unwrap();
    }
    manifest.mark_closed(ends(1, 8)).unwrap();
    for path in [
        names::manifest(manifest.id()),
        PathBuf::from(names::current()),
    ] {
        let good = durable::read(&disk, &path, 1 << 20).unwrap();
        let file = disk.open_write(&path).unwrap();
        let damaged = |what: &str| {
            let error = view(&disk).unwrap_err();
            assert!(is_damage(&error), "{}: {what}: {error}", path.display());
            assert_eq!(error.place().unwrap().file, disk.place(&path));
        };
        for (at, byte) in good.iter().enumerate() {
            file.write_at(at as u64, &[byte ^ 1 << (at % 8)]).unwrap();
            damaged(&format!("byte {at}"));
            file.write_at(at as u64, &[*byte]).unwrap();
        }
        for len in (0..good.len()).rev() {
            file.set_len(len as u64).unwrap();
            damaged(&format!("cut to {len}"));
        }
        file.write_at(0, &[&good[..], &[1]].concat()).unwrap();
        damaged("a byte more");
        file.set_len(good.len() as u64).unwrap();
    }
    assert_eq!(&view(&disk).unwrap().state, manifest.state());
}

#[test]
fn an_unclosed_manifest_cut_anywhere_keeps_its_whole_edits() {
    let disk = disk(5);
    let mut manifest = create(&disk).unwrap();
    let mut states = vec![(manifest.len(), manifest.state().clone())];
    for _ in 0..3 {
        edit(&mut manifest).unwrap();
        states.push((manifest.len(), manifest.state().clone()));
    }
    let path = names::manifest(manifest.id());
    let file = disk.open_write(&path).unwrap();
    for len in (0..manifest.len()).rev() {
        file.set_len(len).unwrap();
        let seen = view(&disk);
        match states.iter().rfind(|(end, _)| *end <= len) {
            Some((_, state)) => {
                let seen = seen.unwrap();
                assert_eq!(&seen.state, state);
            }
            None => assert!(is_damage(&seen.unwrap_err()), "cut to {len}"),
        }
    }
}

/// The story of redb's torn slot turned into a sweep: whichever operation fails, and whatever a
/// crash then leaves, the state is the last confirmed one or the one that was under way.
#[test]
fn a_failure_of_any_operation_loses_nothing_confirmed() {
    for (error, sticky) in [
        (io::ErrorKind::Other, true),
        (io::ErrorKind::Other, false),
        (io::ErrorKind::StorageFull, false),
    ] {
        for skip in 0..60 {
            let disk = disk(skip);
            let mut manifest = create(&disk).unwrap();
            edit(&mut manifest).unwrap();
            let fault = Fault::any_change(error).after(skip);
            disk.fail(if sticky { fault.sticky() } else { fault });
            let mut confirmed = manifest.state().segments.clone();
            let mut under_way = None;
            for step in 0..12 {
                let done = match step {
                    5 => manifest.mark_closed(ends(1, 0)),
                    6 => open(&disk).map(|again| manifest = again),
                    9 => open(&disk.kill()).map(|again| manifest = again),
                    _ => edit(&mut manifest),
                };
                if step == 9 && done.is_ok() {
                    break;
                }
                if done.is_ok() {
                    confirmed = manifest.state().segments.clone();
                    continue;
                }
                let id = SegmentId(manifest.state().next_segment.0 - 1);
                under_way = Some(id);
                break;
            }
            for seed in 0..4 {
                let mut after = disk.crash(seed);
                for _ in 0..2 {
                    let seen = view(&after).unwrap().state.segments;
                    let more = seen.keys().filter(|id| !confirmed.contains_key(id));
                    let more: Vec<_> = more.copied().collect();
                    assert!(
                        seen == confirmed || under_way.is_some_and(|id| more == [id]),
                        "{error:?}, sticky {sticky}, skip {skip}, seed {seed}"
                    );
                    drop(open(&after).unwrap());
                    after = after.crash(!seed);
                }
            }
        }
    }
}

#[test]
fn a_full_disk_leaves_the_manifest_as_it_was() {
    let disk = disk(9);
    let mut manifest = create(&disk).unwrap();
    edit(&mut manifest).unwrap();
    let (before, len) = (manifest.state().segments.clone(), manifest.len());
    disk.fail(Fault::new(Operation::Write, io::ErrorKind::StorageFull));
    assert!(edit(&mut manifest).unwrap_err().is_full());
    assert_eq!((&manifest.state().segments, manifest.len()), (&before, len));
    edit(&mut manifest).unwrap();
    disk.fail(Fault::new(Operation::Sync, io::ErrorKind::StorageFull));
    let error = edit(&mut manifest).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Indeterminate);
    let error = edit(&mut manifest).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Poisoned);
    assert!(open(&disk.kill()).unwrap().state().segments.len() > before.len());
}

#[test]
fn what_takes_back_or_contradicts_is_refused() {
    let disk = disk(6);
    let mut manifest = create(&disk).unwrap();
    edit(&mut manifest).unwrap();
    let before = manifest.state().clone();
    let id = SegmentId(1);
    let unborn = Edit {
        add: vec![entry(SegmentId(9))],
        ..Edit::default()
    };
    let twice = Edit {
        add: vec![entry(id)],
        ..Edit::default()
    };
    let gone = Edit {
        remove: vec![SegmentId(7)],
        ..Edit::default()
    };
    let back = Edit {
        sealed_seq: Some(Sequence(1)),
        ..Edit::default()
    };
    let empty = Edit {
        add: vec![SegmentEntry {
            rows: 0,
            ..entry(id)
        }],
        remove: vec![id],
        ..Edit::default()
    };
    for edit in [unborn, twice, gone, back, empty] {
        assert!(manifest.commit(edit).is_err());
        assert_eq!(manifest.state(), &before);
    }
    edit(&mut manifest).unwrap();
}

#[test]
fn a_store_of_a_later_version_is_refused_with_advice() {
    let disk = disk(7);
    create(&disk).unwrap();
    let text = Current::read(&disk).unwrap().encode();
    let body = text[..text.len() - "crc 00000000\n".len()].replace("store 1", "store 2");
    let crc = crate::codec::checksum::crc32(body.as_bytes());
    let text = format!("{body}crc {crc:08x}\n");
    durable::replace(&disk, names::current(), text.as_bytes()).unwrap();
    assert_eq!(view(&disk).unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn the_page_shows_what_the_code_writes() {
    let page = include_str!("../../docs/format/manifest.md");
    let disk = disk(8);
    let mut manifest = create(&disk).unwrap();
    edit(&mut manifest).unwrap();
    manifest.mark_closed(ends(2, 2)).unwrap();
    let read = |path: &Path| durable::read(&disk, path, 1 << 20).unwrap();
    shows(page, &dump(&read(&names::manifest(ManifestId(1)))));
    shows(page, core::str::from_utf8(&read(names::current())).unwrap());
}

proptest::proptest! {
    #[test]
    fn a_record_has_one_encoding_and_hostile_ones_are_no_panic(
        wounds: Vec<(proptest::sample::Index, u8)>,
        count in 0_u64..4,
    ) {
        let mut state = State::new(STORE, time(), Partition::Day);
        state.next_segment = SegmentId(count + 1);
        for id in (1..=count).map(SegmentId) {
            Arc::make_mut(&mut state.segments).insert(id, entry(id));
        }
        let mut bytes = Vec::new();
        state.record().encode(&mut bytes);
        let decoded = Record::decode(&bytes, STORE).unwrap();
        proptest::prop_assert_eq!(State::apply(None, decoded).unwrap(), state);
        for (at, byte) in wounds {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(record) = Record::decode(&bytes, STORE) {
            let mut again = Vec::new();
            record.encode(&mut again);
            proptest::prop_assert_eq!(again, bytes);
            let _either = State::apply(None, record);
        }
    }
}
