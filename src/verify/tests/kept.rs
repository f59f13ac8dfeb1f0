//! What lies beside the events and is checked with them: presence runs, files of exports, saved queries,
//! records that wait for the writer. What somebody takes away while the check runs is no damage.

use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::Value;
use sha2::Digest;
use sha2::Sha256;

use super::Beside;
use super::Happens;
use super::STORE;
use super::Writer;
use super::append;
use super::records::sealed;
use super::verified;
use crate::codec::digits::hex;
use crate::disk::Disk;
use crate::disk::ReadDisk;
use crate::disk::durable;
use crate::disk::names;
use crate::disk::sim::SimDisk;
use crate::error::Result;
use crate::event::Event;
use crate::event::Field;
use crate::id::ExportId;
use crate::id::SegmentId;
use crate::id::Sequence;
use crate::id::WalId;
use crate::inbox;
use crate::inbox::Inbox;
use crate::jobs::Asked;
use crate::jobs::Folder;
use crate::jobs::Reached;
use crate::jobs::Record;
use crate::jobs::State;
use crate::presence;
use crate::presence::Column;
use crate::saved;
use crate::saved::SavedQuery;
use crate::time::Time;
use crate::verify::plan::files;
use crate::verify::verify_on;
use crate::wal;

fn store() -> Result<SimDisk> {
    Ok(Writer::new(false)?.disk)
}

/// A job that made `bytes`, and where they lie.
fn job(disk: &SimDisk, state: State, bytes: &[u8]) -> Result<(ExportId, Record)> {
    let id = ExportId::of_key("monthly");
    let asked = Asked {
        format: "csv".to_owned(),
        layout: "entries".to_owned(),
        csv_safety: "none".to_owned(),
        compression: "none".to_owned(),
        header: true,
        limit: None,
        filter: Value::Null,
        oldest_first: false,
        since_seq: None,
        audience: None,
        zip: None,
        view: None,
    };
    let mut record = Record::new(&id.to_string(), asked, Value::Null);
    record.state = state;
    record.reached = Reached {
        bytes: bytes.len() as u64,
        sha256: hex(&Sha256::digest(bytes)),
        ..Reached::default()
    };
    Folder(disk).make()?;
    Folder(disk).add(id, &record)?;
    Ok((id, record))
}

fn leave(disk: &SimDisk, key: &str) -> Result<()> {
    let event = Event {
        key: Field::Value(key.to_owned()),
        occurred_at: Field::Value(Time::MIN),
        ..Event::new("audit.exported")
    };
    Inbox(disk).leave(STORE, &event)
}

fn save(disk: &SimDisk) -> Result<()> {
    let query = SavedQuery {
        flags: Vec::new(),
        zone: "UTC".to_owned(),
    };
    durable::create_dir(disk, names::queries_dir())?;
    let text = saved::encode(&query)?;
    durable::create(disk, &names::saved_query("mine"), text.as_bytes()).map(drop)
}

/// The files that are said to be wrong; no other may be among those that mean nothing.
fn wrong(disk: &SimDisk, path: &Path) -> Result<bool> {
    let found = verify_on(disk, &mut |_, _| ())?;
    let file = disk.place(path);
    assert!(!found.scratch.contains(&file), "{:?}", found.scratch);
    let named = found.damages.iter().all(|damage| damage.file == file);
    assert!(named, "{:?}", found.damages);
    Ok(!found.is_clean())
}

#[test]
fn p4_the_file_of_a_job_is_held_against_its_record() -> Result<()> {
    let disk = store()?;
    // More than is read at once, so that the second piece is looked at, too.
    let bytes: Vec<u8> = (0..(1 << 20) + 100_u32).map(|at| at as u8).collect();
    let (id, _) = job(&disk, State::Ready, &bytes)?;
    let path = names::export(id, "csv");
    let file = durable::create(&disk, &path, &bytes)?;
    assert!(!wrong(&disk, &path)? && !wrong(&disk, &names::job(id))?);
    for at in [0, bytes.len() as u64 - 1] {
        let whole = bytes.get(at as usize).copied().unwrap_or_default();
        file.write_at(at, &[whole ^ 1])?;
        assert!(wrong(&disk, &path)?, "byte {at}");
        file.write_at(at, &[whole])?;
    }
    assert!(!wrong(&disk, &path)?);
    file.set_len(bytes.len() as u64 - 1)?;
    assert!(wrong(&disk, &path)?, "a byte is gone");
    disk.unlink(&path)?;
    assert!(wrong(&disk, &path)?, "all of it is gone");
    Ok(())
}

#[test]
fn a_job_that_is_not_done_has_no_file_to_be_checked() -> Result<()> {
    for state in [
        State::Queued,
        State::Running,
        State::Failed,
        State::Cancelled,
        State::Expired,
    ] {
        let disk = store()?;
        let (id, _) = job(&disk, state, b"half")?;
        assert!(!wrong(&disk, &names::job(id))?, "{state:?}");
    }
    Ok(())
}

#[test]
fn p4_records_that_wait_are_counted_and_none_means_nothing() -> Result<()> {
    let disk = store()?;
    for key in ["a", "b", "c"] {
        leave(&disk, key)?;
    }
    let found = verify_on(&disk, &mut |_, _| ())?;
    assert!(found.is_clean() && found.waiting == 3, "{found:?}");
    for name in inbox::list(&disk)? {
        assert!(!wrong(&disk, &names::inbox(&name))?);
    }
    Ok(())
}

/// Before each operation of a check in turn, everything goes that somebody may take away.
#[test]
fn p5_what_is_taken_away_meanwhile_is_no_damage() -> Result<()> {
    for at in 0.. {
        let disk = store()?;
        let (id, mut record) = job(&disk, State::Ready, b"rows")?;
        durable::create(&disk, &names::export(id, "csv"), b"rows")?;
        leave(&disk, "a")?;
        save(&disk)?;
        record.state = State::Expired;
        let (shared, count) = (disk.clone(), Arc::new(Mutex::new(0)));
        let counted = Arc::clone(&count);
        let happens = move || {
            let mut number = counted.lock();
            *number += 1;
            if *number != at + 1 {
                return;
            }
            Folder(&shared).replace(id, &record).unwrap();
            shared.unlink(&names::export(id, "csv")).unwrap();
            for name in inbox::list(&shared).unwrap() {
                Inbox(&shared).remove(&name).unwrap();
            }
            shared.unlink(&names::saved_query("mine")).unwrap();
        };
        let happens: Happens = Arc::new(Mutex::new(happens));
        let found = verified(&Beside { disk, happens })?;
        assert!(found.is_clean(), "before {at}: {:?}", found.damages);
        if *count.lock() <= at {
            break;
        }
    }
    Ok(())
}

/// What happened in the life of a log that a recovery writes anew: it begins with all events of the
/// one before, and is there beside it when the recovery comes to no end.
#[test]
fn p7_a_log_that_repeats_the_one_before_is_no_damage() -> Result<()> {
    // Of a store that was closed, the log it was closed with is the last that counts.
    for (dies, logs) in [(true, 2), (false, 1)] {
        let mut writer = Writer::new(dies)?;
        writer.step()?;
        let disk = writer.disk.kill();
        let found = verify_on(&disk, &mut |_, _| ())?;
        assert!(found.is_clean(), "{:?}", found.damages);
        assert_eq!((found.events, found.logs), (writer.events, logs));
        assert!(found.events > 0);
    }
    Ok(())
}

#[test]
fn progress_ends_when_all_bytes_were_read() -> Result<()> {
    for (falsify, damaged) in [(false, false), (true, true)] {
        let disk = sealed(|_, _| ())?;
        if falsify {
            disk.unlink(names::current())?;
        }
        let mut told = (0, 0);
        let found = verify_on(&disk, &mut |done, total| told = (done, total))?;
        assert_eq!(found.is_clean(), !damaged, "{:?}", found.damages);
        let (done, total) = told;
        let segments = files(&disk, names::segment_dir()).into_iter();
        let mut wanted = segments.map(|(_, len)| len).sum();
        if !falsify {
            let logs = files(&disk, names::wal_dir()).into_iter();
            wanted += logs.map(|(_, len)| len).sum::<u64>();
        }
        assert_eq!((done, total), (wanted, wanted));
    }
    Ok(())
}

#[test]
fn a_writer_at_work_is_seen_whatever_its_records_say() -> Result<()> {
    for is_live in [false, true] {
        let mut writer = Writer::new(false)?;
        if is_live {
            for _ in 0..5 {
                writer.step()?;
            }
        }
        writer.disk.unlink(names::current())?;
        let found = verify_on(&writer.disk, &mut |_, _| ())?;
        assert!(!found.is_clean() && found.live == is_live, "{found:?}");
    }
    Ok(())
}

/// A writer at work, killed or not, with an event in its log that it did not publish.
fn unpublished(is_killed: bool) -> Result<(Writer, SimDisk)> {
    let mut writer = Writer::new(false)?;
    for _ in 0..5 {
        writer.step()?;
    }
    let open = writer.open.as_mut().unwrap();
    append(&mut open.wal, writer.events, 1)?;
    let disk = match is_killed {
        true => writer.disk.kill(),
        false => writer.disk.clone(),
    };
    Ok((writer, disk))
}

#[test]
fn p2_what_a_writer_did_not_publish_counts_once_it_is_dead() -> Result<()> {
    for is_killed in [false, true] {
        let (writer, disk) = unpublished(is_killed)?;
        let found = verify_on(&disk, &mut |_, _| ())?;
        assert!(found.is_clean(), "{:?}", found.damages);
        assert_eq!(found.events, writer.events + u64::from(is_killed));
        assert_eq!(found.live, !is_killed);
    }
    Ok(())
}

/// Bytes of a group that never became whole are no damage, and are told.
#[test]
fn p4_the_bytes_of_a_torn_end_are_counted() -> Result<()> {
    let (mut writer, disk) = unpublished(true)?;
    let whole = verify_on(&disk, &mut |_, _| ())?;
    assert_eq!(whole.torn_bytes, 0);
    let end = writer.open.as_mut().unwrap().wal.end();
    let file = disk.open_write(&names::wal(writer.wal_id))?;
    file.write_at(end, &[0xab; 700])?;
    let torn = verify_on(&disk, &mut |_, _| ())?;
    assert!(torn.is_clean(), "{:?}", torn.damages);
    assert_eq!((torn.events, torn.torn_bytes), (whole.events, 700));
    Ok(())
}

#[test]
fn p4_a_log_cut_below_what_a_killed_writer_published_is_damage() -> Result<()> {
    let (writer, disk) = unpublished(true)?;
    let path = names::wal(writer.wal_id);
    let file = disk.open_write(&path)?;
    // The header is left, and the first group, which the writer found there when it came.
    file.set_len(1024 + 100)?;
    let told = verify_on(&disk, &mut |_, _| ())?.damages;
    let places: Vec<_> = told
        .iter()
        .map(|found| (&found.file, found.offset))
        .collect();
    assert_eq!(places, [(&disk.place(&path), Some(1124))], "{told:?}");
    Ok(())
}

/// Where the next log says where one ends, nothing that was published before says more.
#[test]
fn p4_a_log_cut_below_what_the_next_one_says_is_damage() -> Result<()> {
    let (mut writer, disk) = unpublished(true)?;
    let end = writer.open.as_mut().unwrap().wal.end();
    let next = WalId(writer.wal_id.0 + 1);
    wal::Writer::create(&disk, next, STORE, Sequence(writer.events + 1), end)?.sync()?;
    let path = names::wal(writer.wal_id);
    assert!(!wrong(&disk, &path)?);
    // Down to what was published.
    disk.open_write(&path)?.set_len(end - 512)?;
    let told = verify_on(&disk, &mut |_, _| ())?.damages;
    let places: Vec<_> = told
        .iter()
        .map(|found| (&found.file, found.offset))
        .collect();
    assert_eq!(places, [(&disk.place(&path), Some(end - 512))], "{told:?}");
    Ok(())
}

/// A store that was closed says where its log ends, whatever its last writer had published before.
#[test]
fn p4_what_stands_behind_the_end_of_a_closed_store_is_no_torn_end() -> Result<()> {
    let writer = Writer::new(false)?;
    let path = names::wal(writer.wal_id);
    // Its log is a header and room for more.
    let room = writer.disk.len(&path)?.unwrap();
    let file = writer.disk.open_write(&path)?;
    file.write_at(room, &[0xab; 700])?;
    let found = verify_on(&writer.disk, &mut |_, _| ())?;
    let told = found.damages.iter().map(|found| found.offset);
    assert_eq!(
        told.collect::<Vec<_>>(),
        [Some(1024)],
        "{:?}",
        found.damages
    );
    assert_eq!(found.torn_bytes, 0);
    Ok(())
}

#[test]
fn p4_a_store_without_its_folder_of_logs_is_damaged_and_not_unreadable() -> Result<()> {
    let (_, disk) = unpublished(true)?;
    for (path, _) in files(&disk, names::wal_dir()) {
        disk.unlink(&path)?;
    }
    assert!(disk.remove_dir(names::wal_dir())?, "an empty folder");
    assert!(!verify_on(&disk, &mut |_, _| ())?.is_clean());
    Ok(())
}

/// A run whose every checksum is right can tell of too little, and would hide events from whoever asks.
#[test]
fn p4_a_whole_run_that_lacks_a_term_is_damage() -> Result<()> {
    let mut column = None;
    let disk = sealed(|_, entry| column = Some(Column::new(entry.id, entry.content_hash)))?;
    durable::create_dir(&disk, names::presence_dir())?;
    let path = names::presence(1);
    for (told, lacks) in [("user.created", false), ("user.removed", true)] {
        let term = [b"\x01\x01", told.as_bytes()].concat();
        let mut tell = |print: &mut dyn FnMut(u32)| {
            presence::told(&term, &mut *print);
            Ok(())
        };
        presence::writer::write(&disk, 1, STORE, column.unwrap(), 1, &mut tell)?;
        assert_eq!(wrong(&disk, &path)?, lacks, "told of {told}");
        disk.unlink(&path)?;
    }
    Ok(())
}

/// A writer at work takes runs away that it merged, between any two reads; nobody else does, and what
/// is wrong in one that is there is wrong beside a writer too.
#[test]
fn p5_a_run_that_a_writer_at_work_takes_away_is_no_damage() -> Result<()> {
    for (is_live, is_damaged) in [(true, false), (false, false), (true, true)] {
        let mut is_told = false;
        for at in 0.. {
            let mut writer = Writer::new(false)?;
            for _ in 0..if is_live { 5 } else { 0 } {
                writer.step()?;
            }
            let (disk, path) = (writer.disk.clone(), names::presence(1));
            durable::create_dir(&disk, names::presence_dir())?;
            let column = Column::new(SegmentId(1), [1; 32]);
            let mut tell = |print: &mut dyn FnMut(u32)| {
                presence::told(b"\x01\x01user.created", print);
                Ok(())
            };
            presence::writer::write(&disk, 1, STORE, column, 1, &mut tell)?;
            if is_damaged {
                disk.rot(&path, 0);
                is_told = wrong(&disk, &path)?;
                break;
            }
            let (other, gone) = (disk.clone(), path.clone());
            let reads = Arc::new(Mutex::new(0));
            let counted = Arc::clone(&reads);
            let happens: Happens = Arc::new(Mutex::new(move || {
                let mut number = counted.lock();
                if *number == at {
                    other.unlink(&gone).unwrap();
                }
                *number += 1;
            }));
            let file = disk.place(&path);
            let found = verified(&Beside { disk, happens })?;
            is_told |= found.damages.iter().any(|damage| damage.file == file);
            if *reads.lock() <= at {
                break;
            }
        }
        assert_eq!(is_told, !is_live || is_damaged, "{is_live}, {is_damaged}");
    }
    Ok(())
}

/// What happened: where `CURRENT` was gone, the manifest was called a file that means nothing.
#[test]
fn p4_only_what_is_no_part_of_a_store_is_called_meaningless() -> Result<()> {
    let disk = store()?;
    let told = || -> Result<Vec<String>> {
        let found = verify_on(&disk, &mut |_, _| ())?;
        let names = found.scratch.iter().filter_map(|path| path.file_name());
        Ok(names
            .map(|name| name.to_string_lossy().into_owned())
            .collect())
    };
    assert_eq!(told()?, ["LOCK"]);
    for name in ["MANIFEST-999999", "notes"] {
        disk.create_new(Path::new(name))?;
    }
    assert_eq!(told()?, ["LOCK", "MANIFEST-999999", "notes"]);
    // Each manifest may be the store's now.
    disk.unlink(names::current())?;
    assert_eq!(told()?, ["LOCK", "notes"]);
    Ok(())
}
