//! What the recipes promise, at every operation that can fail and at every moment of a crash.

use std::collections::BTreeSet;
use std::io;
use std::io::Write;
use std::path::Path;

use crate::disk::Disk;
use crate::disk::ReadDisk;
use crate::disk::durable;
use crate::disk::durable::Draft;
use crate::disk::meddled::Meddled;
use crate::disk::names;
use crate::disk::real::RealDisk;
use crate::disk::sim::Fault;
use crate::disk::sim::Operation;
use crate::disk::sim::SimDisk;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::WalId;

const SEEDS: u64 = 40;

fn disk() -> Result<SimDisk> {
    let disk = SimDisk::new(1);
    durable::create_dir(&disk, names::draft_dir())?;
    durable::create_dir(&disk, names::wal_dir())?;
    Ok(disk)
}

fn read(disk: &SimDisk, path: &Path) -> Option<Vec<u8>> {
    durable::read(disk, path, 1 << 20).ok()
}

#[test]
fn a_replaced_file_is_the_old_or_the_new_one_whenever_the_power_fails() -> Result<()> {
    let (old, new) = (vec![1; 3000], vec![2; 5000]);
    let path = names::current();
    let mut seen = BTreeSet::new();
    for cut in 0.. {
        let disk = disk()?;
        durable::replace(&disk, path, &old)?;
        disk.fail(Fault::any_change(io::ErrorKind::Other).after(cut).sticky());
        let done = durable::replace(&disk, path, &new);
        for seed in 0..SEEDS {
            let found = read(&disk.crash(seed), path).expect("never neither");
            assert!(found == old || found == new, "cut {cut}, seed {seed}");
            assert!(done.is_err() || found == new, "cut {cut}, seed {seed}");
            seen.insert(found == new);
        }
        if done.is_ok() {
            assert!(cut > 3, "the loop went through all steps");
            break;
        }
    }
    assert_eq!(seen.len(), 2);
    Ok(())
}

#[test]
fn a_created_file_has_its_head_or_no_name_whenever_the_power_fails() -> Result<()> {
    let path = Path::new("wal/000001.wal");
    for cut in 0.. {
        let disk = disk()?;
        disk.fail(Fault::any_change(io::ErrorKind::Other).after(cut).sticky());
        let done = durable::create(&disk, path, &[7; 1024]);
        for seed in 0..SEEDS {
            match read(&disk.crash(seed), path) {
                Some(found) => assert_eq!(found, [7; 1024], "cut {cut}, seed {seed}"),
                None => assert!(done.is_err(), "cut {cut}, seed {seed}"),
            }
        }
        if let Ok(file) = done {
            disk.heal();
            file.write_at(1024, b"more")?;
            break;
        }
    }
    Ok(())
}

#[test]
fn a_draft_takes_writes_of_any_size_and_knows_its_offset() -> Result<()> {
    let disk = disk()?;
    let mut wanted = Vec::new();
    let mut draft = Draft::begin(&disk, Path::new("wal/x"))?;
    for len in [0, 1, 70_000, 200_000, 300_000, 5, 262_144, 1] {
        let bytes = vec![len as u8; len];
        draft.write_all(&bytes).expect("room");
        wanted.extend(bytes);
    }
    draft.publish_new()?;
    let error = durable::read(&disk, Path::new("wal/x"), wanted.len() - 1).expect_err("too long");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    let found = durable::read(&disk, Path::new("wal/x"), wanted.len())?;
    assert!(found == wanted);
    Ok(())
}

#[test]
fn a_draft_that_is_given_up_leaves_nothing() -> Result<()> {
    let disk = disk()?;
    let target = Path::new("wal/x");
    let mut draft = Draft::begin(&disk, target)?;
    draft.write(b"text")?;
    assert_eq!(disk.list(names::draft_dir())?.len(), 1);
    assert_eq!(
        disk.len(target)?,
        None,
        "nothing shows before it is published"
    );
    drop(draft);
    assert!(disk.list(names::draft_dir())?.is_empty());
    Ok(())
}

#[test]
fn publishing_as_new_never_takes_a_name_from_another_file() -> Result<()> {
    let disk = disk()?;
    let target = Path::new("wal/x");
    durable::replace(&disk, target, b"first")?;
    let mut draft = Draft::begin_beside(&disk, target)?;
    draft.write(b"second")?;
    let error = draft.publish_new().expect_err("the name is taken");
    assert_eq!(error.kind(), ErrorKind::Exists);
    assert_eq!(read(&disk, target).as_deref(), Some(&b"first"[..]));
    assert_eq!(
        disk.list(names::wal_dir())?.len(),
        1,
        "and the draft is gone"
    );
    Ok(())
}

#[test]
fn left_over_drafts_are_swept_and_written_anew() -> Result<()> {
    let disk = disk()?;
    let target = &names::wal(WalId(7));
    disk.create_new(&names::draft(target))?;
    durable::replace(&disk, target, b"text")?;
    disk.create_new(&names::draft(target))?;
    durable::remove_drafts(&disk)?;
    assert!(disk.list(names::draft_dir())?.is_empty());
    Ok(())
}

/// Others that make the same file at this moment have drafts of their own numbers, which stay.
#[test]
fn a_draft_beside_its_target_takes_the_next_number_that_is_free() -> Result<()> {
    let disk = disk()?;
    let target = Path::new("wal/x");
    let own = u64::from(std::process::id());
    let others = [own, own + 1].map(|number| names::draft_beside(target, number));
    for other in &others {
        disk.create_new(other)?;
    }
    let draft = Draft::begin_beside(&disk, target)?;
    assert_eq!(draft.path(), names::draft_beside(target, own + 2));
    drop(draft);
    assert_eq!(disk.list(names::wal_dir())?.len(), others.len());
    Ok(())
}

#[test]
fn what_was_written_reaches_the_file_when_it_is_flushed_or_too_much() -> Result<()> {
    let disk = disk()?;
    let mut draft = Draft::begin(&disk, Path::new("wal/x"))?;
    let len = |draft: &Draft<'_>| disk.len(draft.path());
    let full = vec![1; durable::BUFFER_BYTES - 1];
    draft.write(&full)?;
    assert_eq!(len(&draft)?, Some(0));
    draft.write(&[1])?;
    assert_eq!(len(&draft)?, Some(0), "the buffer is full and no more");
    draft.write(&[1])?;
    assert_eq!(len(&draft)?, Some(durable::BUFFER_BYTES as u64));
    draft.flush().expect("room");
    assert_eq!(len(&draft)?, Some(durable::BUFFER_BYTES as u64 + 1));
    // What fills the buffer by itself is not copied into it.
    draft.write(&vec![2; durable::BUFFER_BYTES])?;
    assert_eq!(len(&draft)?, Some(2 * durable::BUFFER_BYTES as u64 + 1));
    Ok(())
}

/// A draft that is gone already was wanted gone; one that cannot be removed is told.
#[test]
fn p5_a_draft_that_cannot_be_removed_is_told() -> Result<()> {
    let disk = disk()?;
    let target = &names::wal(WalId(7));
    disk.create_new(&names::draft(target))?;
    disk.fail(Fault::new(
        Operation::Unlink,
        io::ErrorKind::PermissionDenied,
    ));
    let error = durable::remove_drafts(&disk).expect_err("it stays");
    assert_eq!(error.kind(), ErrorKind::Io);
    disk.fail(Fault::new(
        Operation::Unlink,
        io::ErrorKind::PermissionDenied,
    ));
    assert!(Draft::begin(&disk, target).is_err());
    durable::remove_drafts(&disk)?;
    assert!(disk.list(names::draft_dir())?.is_empty());
    Ok(())
}

#[test]
fn a_draft_is_dead_once_nobody_has_it_locked() -> Result<()> {
    let disk = disk()?;
    let draft = Draft::begin_beside(&disk, Path::new("wal/x"))?;
    let path = draft.path().to_owned();
    let remove = |disk: &SimDisk| {
        let is_draft = |name: &str| names::is_draft_beside(Path::new("wal/x"), name);
        durable::remove_dead_drafts(disk, names::wal_dir(), is_draft)
    };
    remove(&disk)?;
    assert!(disk.len(&path)?.is_some());
    let killed = disk.kill();
    remove(&killed)?;
    assert_eq!(killed.len(&path)?, None);
    remove(&killed)?;
    assert_eq!(
        killed.list(names::wal_dir())?,
        [],
        "one that is gone stays gone"
    );
    Ok(())
}

/// Somebody may take a draft for a dead one's before its maker has locked it: then another one is made.
#[test]
fn p5_a_draft_that_somebody_took_before_it_was_locked_is_given_up() -> Result<()> {
    for is_removed in [false, true] {
        let disk = SimDisk::new(1);
        let mut taken = Vec::new();
        let meddled = Meddled::new(&disk, move |disk, path| {
            match is_removed {
                true if taken.is_empty() => {
                    taken.push(None);
                    disk.unlink(path)?;
                }
                false if taken.is_empty() => taken.push(disk.lock(path)?),
                _ => {}
            }
            Ok(true)
        });
        let target = Path::new("target");
        let mut draft = Draft::begin_beside(&meddled, target)?;
        draft.write(b"whole")?;
        draft.publish()?;
        assert_eq!(read(&disk, target).as_deref(), Some(&b"whole"[..]));
    }
    Ok(())
}

/// A draft that is published right when it is found is dead no more, and its name may be another's.
#[test]
fn p5_a_draft_that_took_the_name_of_a_dead_one_stays() -> Result<()> {
    let disk = SimDisk::new(1);
    let draft = names::draft_beside(Path::new("target"), 17);
    disk.create_new(&draft)?.write_at(0, b"dead")?;
    let name = draft.clone();
    let meddled = Meddled::new(&disk, move |disk, path| {
        disk.rename(path, Path::new("target"))?;
        disk.create_new(&name)?.write_at(0, b"other")?;
        Ok(true)
    });
    let remove = |disk: &dyn Disk| {
        let is_draft = |name: &str| names::is_draft_beside(Path::new("target"), name);
        durable::remove_dead_drafts(disk, names::root(), is_draft)
    };
    remove(&meddled)?;
    assert_eq!(read(&disk, &draft).as_deref(), Some(&b"other"[..]));
    remove(&disk)?;
    assert_eq!(read(&disk, &draft), None);
    Ok(())
}

/// What happened: a folder or a link under the name of a draft ended `--save` and `jobs purge`, for good.
#[test]
fn p5_what_is_no_draft_under_a_drafts_name_is_in_nobodys_way() -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = RealDisk::open(folder.path())?;
    let [inner, link, dead] = [1, 2, 3].map(|number| names::draft_beside(Path::new("q"), number));
    disk.create_dir(&inner)?;
    std::os::unix::fs::symlink("nowhere", folder.path().join(&link)).expect("a link");
    drop(disk.create_new(&dead)?);
    let is_draft = |name: &str| names::is_draft_beside(Path::new("q"), name);
    durable::remove_dead_drafts(&disk, names::root(), is_draft)?;
    let left: Vec<_> = disk.list(names::root())?.into_iter().collect();
    let names = [&inner, &link].map(|path| path.to_str());
    assert_eq!(
        left.iter()
            .map(|entry| Some(&*entry.name))
            .collect::<Vec<_>>(),
        names
    );
    Ok(())
}
