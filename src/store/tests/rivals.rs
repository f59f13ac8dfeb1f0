//! Two writers of one store, which is what a LOCK that was removed or replaced makes possible. The
//! one that lost its lock stops before it confirms or removes anything.

use std::path::Path;
use std::sync::Arc;
use std::sync::Once;

use parking_lot::Mutex;

use super::TestClock;
use super::append;
use super::count;
use super::event;
use super::open;
use super::open_buffered;
use super::small;
use crate::disk::Disk;
use crate::disk::names;
use crate::disk::sim::SimDisk;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::store::Store;
use crate::store::open::open_on;
use crate::time::Clock;
use crate::time::Time;

/// What happened: LOCK was removed while an import ran, as a stale lock that "must be left over". A
/// second writer locked a file of its own. Both confirmed events, under the same numbers; the import
/// ended with exit status 0, and the store could not be read any more.
#[test]
fn p1_a_writer_whose_lock_was_replaced_stops() -> Result<()> {
    for is_there in [false, true] {
        let disk = SimDisk::new(1);
        let first = open(&disk)?;
        append(&first, 0..3)?;
        disk.unlink(names::lock())?;
        if is_there {
            disk.create_new(names::lock())?;
        }
        let second = open(&disk)?;
        append(&second, 3..5)?;
        let error = append(&first, 3..9).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Poisoned, "{error:?}");
        assert!(error.to_string().starts_with("/sim/LOCK: "), "{error}");
        assert_eq!(first.sync().unwrap_err().kind(), ErrorKind::Poisoned);
        first.flush().unwrap_err();
        first.close().unwrap_err();
        append(&second, 5..40)?;
        second.flush()?;
        assert_eq!(count(&second)?, 40);
        second.close()?;
        assert_eq!(count(&open(&disk)?)?, 40);
    }
    Ok(())
}

/// Rows that were accepted and not synced are not confirmed, nor sealed, nor are files removed that
/// the other writer counts on.
#[test]
fn p1_a_writer_without_its_lock_confirms_and_removes_nothing() -> Result<()> {
    let disk = SimDisk::new(1);
    let first = open_buffered(&disk)?;
    append(&first, 0..3)?;
    first.sync()?;
    first.append(&event(3))?;
    disk.unlink(names::lock())?;
    let second = open(&disk)?;
    let held = count(&second)?;
    assert!((3..=4).contains(&held), "{held}");
    assert_eq!(first.sync().unwrap_err().kind(), ErrorKind::Poisoned);
    first.close().unwrap_err();
    append(&second, held..held + 1)?;
    drop(second);
    assert_eq!(count(&open(&disk)?)?, held + 1);
    Ok(())
}

/// A clock that plays the other process at the worst moment: the lock was just found to be in place,
/// the group is not written yet.
struct Usurper {
    disk: SimDisk,
    is_armed: Mutex<bool>,
    did: Once,
    store: Mutex<Option<Store>>,
}

impl Clock for Usurper {
    fn now(&self) -> Time {
        if *self.is_armed.lock() {
            self.did.call_once(|| {
                self.disk.unlink(names::lock()).unwrap();
                *self.store.lock() = Some(open(&self.disk).unwrap());
            });
        }
        TestClock::new().now()
    }
}

#[test]
fn p1_a_lock_lost_between_the_check_and_the_write_confirms_nothing() -> Result<()> {
    let disk = SimDisk::new(1);
    let clock = Arc::new(Usurper {
        disk: disk.clone(),
        is_armed: Mutex::new(false),
        did: Once::new(),
        store: Mutex::new(None),
    });
    let on: Arc<dyn Disk> = Arc::new(disk.clone());
    let first = open_on(
        on,
        Arc::<Usurper>::clone(&clock),
        Path::new("/sim"),
        small(),
    )?;
    append(&first, 0..3)?;
    *clock.is_armed.lock() = true;
    let error = append(&first, 3..4).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Indeterminate, "{error:?}");
    drop(first);
    let second = clock.store.lock().take().unwrap();
    assert_eq!(count(&second)?, 3);
    append(&second, 3..5)?;
    drop(second);
    assert_eq!(count(&open(&disk)?)?, 5);
    Ok(())
}
