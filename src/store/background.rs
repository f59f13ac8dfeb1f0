//! The threads of a store. One seals full memtables, with another beside it while small segments are
//! merged, so that both go on; one more syncs what was accepted without a caller that waits for it.
//! All end with the store. Back-pressure is a wait, never a growing queue.

use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;

use parking_lot::MutexGuard;
use rustix::process::setpriority_process;
use rustix::thread::gettid;

use super::Shared;
use super::house::LOOK_EVERY;
use super::merge::Aim;
use super::merge::Due;
use super::sweep::remove_empty_folders;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

/// How long accepted events may wait for a sync that nobody asked for.
const SYNC_AFTER: Duration = Duration::from_millis(20);
/// How long the sealing thread waits before it tries again after an error such as a full disk.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// The thread that seals and starts merges.
const SEAL: &str = "auditdb-seal";
/// Its niceness: a third of the processor where others want it, all of it where nobody does.
const SEAL_NICENESS: i32 = 5;
/// With so many small segments, memtables wait for the merge that is under way. A seal adds three at
/// most.
const SMALL_MAX: usize = 56;

/// What the sealing thread is told and tells.
#[derive(Default)]
pub(super) struct Background {
    wanted: bool,
    busy: bool,
    stop: bool,
    /// Somebody waits for as few small segments as can be had.
    compact: bool,
    /// A memtable became full that the sealing thread has not looked for yet.
    full: bool,
    /// The merge that was under way has ended.
    merged: bool,
    /// Something was accepted, or handed in, that no caller waits for.
    unsynced: bool,
    /// So much of it that it is worth a sync.
    urgent: bool,
    /// How many attempts to seal and merge were begun.
    begun: u64,
    /// Which attempt failed last and why, until one succeeds.
    error: Option<(u64, Error)>,
}

impl Background {
    /// Asks for an attempt. Those up to the number given back say nothing about it: they may have met
    /// what has gone since, such as a full disk.
    fn ask(&mut self) -> u64 {
        self.wanted = true;
        self.begun
    }

    fn begin(&mut self) -> Aim {
        self.wanted = false;
        self.busy = true;
        self.begun += 1;
        match core::mem::take(&mut self.compact) {
            true => Aim::Compact,
            false => Aim::Bound,
        }
    }

    fn end(&mut self, worked: Result<()>) {
        self.busy = false;
        self.error = worked.err().map(|error| (self.begun, error));
    }

    /// Why an attempt that began after the one numbered `before` failed.
    fn error_after(&self, before: u64) -> Option<Error> {
        let (attempt, error) = self.error.as_ref()?;
        (*attempt > before).then(|| error.again())
    }

    /// How it went that was asked for after the attempt numbered `before`, once that is known.
    fn answer(&self, before: u64) -> Option<Result<()>> {
        let error = self.error_after(before).map(Err);
        error.or_else(|| (!self.wanted && !self.busy).then_some(Ok(())))
    }
}

/// Starts the threads of a store.
pub(super) fn start(shared: &Arc<Shared>) -> Result<Vec<JoinHandle<()>>> {
    type Work = fn(&Shared);
    let threads: [(&str, Work); 2] = [(SEAL, seal_and_merge), ("auditdb-sync", sync)];
    threads
        .into_iter()
        .map(|(name, work)| {
            let shared = Arc::clone(shared);
            let guarded = move || {
                lower_priority(name);
                if catch_unwind(AssertUnwindSafe(|| work(&shared))).is_err() {
                    let what = "a background thread panicked; reading goes on";
                    shared.poison(&Error::new(ErrorKind::Poisoned, what));
                    // With the lock, or a waiter could look before and wait after.
                    let _background = shared.background.lock();
                    shared.background_moved.notify_all();
                }
            };
            let spawned = std::thread::Builder::new()
                .name(name.to_owned())
                .spawn(guarded);
            spawned.map_err(|error| Error::io("start a thread", Path::new(name), error))
        })
        .collect()
}

/// Puts the thread that seals, and those it starts, behind everybody who waits for an answer.
fn lower_priority(name: &str) {
    if name == SEAL {
        // Where it is not allowed, threads are as they were.
        let _ = setpriority_process(Some(gettid()), SEAL_NICENESS);
    }
}

fn seal_and_merge(shared: &Shared) {
    loop {
        let aim = {
            let mut background = shared.background.lock();
            while !background.wanted && !background.stop {
                shared.background_moved.wait(&mut background);
            }
            if background.stop {
                return;
            }
            background.begin()
        };
        let worked = shared.seal_and_merge_all(aim);
        let mut background = shared.background.lock();
        background.end(worked);
        shared.background_moved.notify_all();
        let can_retry = background.error.is_some() && shared.check_poison().is_ok();
        if can_retry && !background.wanted && !background.stop {
            shared
                .background_moved
                .wait_for(&mut background, RETRY_AFTER);
            background.wanted = true;
        }
    }
}

fn sync(shared: &Shared) {
    let mut look_at = Instant::now() + LOOK_EVERY;
    let mut background = shared.background.lock();
    while !background.stop {
        if look_at <= Instant::now() {
            MutexGuard::unlocked(&mut background, || shared.keep_house());
            look_at = Instant::now() + LOOK_EVERY;
            continue;
        }
        if !background.unsynced {
            shared.background_moved.wait_until(&mut background, look_at);
            continue;
        }
        let due = Instant::now() + SYNC_AFTER;
        while !background.stop
            && !core::mem::take(&mut background.urgent)
            && !shared
                .background_moved
                .wait_until(&mut background, due)
                .timed_out()
        {}
        background.unsynced = false;
        MutexGuard::unlocked(&mut background, || {
            if !shared.queue.is_empty() || shared.writer.lock().wal.unsynced_bytes() > 0 {
                // An error has poisoned the store, and the next append will say so.
                drop(shared.sync());
            }
        });
    }
}

impl Shared {
    fn seal_and_merge_all(&self, aim: Aim) -> Result<()> {
        loop {
            self.check_poison()?;
            let sealed = self.seal_oldest()?;
            self.background_moved.notify_all();
            let due = self.due(Aim::Bound);
            let merged = due.is_some();
            due.map_or(Ok(()), |due| self.merge_beside_sealing(&due))?;
            if sealed || merged {
                self.tell_presence(false);
                continue;
            }
            let due = self.due(aim).filter(|_| aim == Aim::Compact);
            let compacted = due.is_some();
            due.map_or(Ok(()), |due| self.merge_beside_sealing(&due))?;
            if !compacted && !self.tell_presence(true) {
                return Ok(());
            }
        }
    }

    /// Merges on a thread of its own and seals full memtables meanwhile, so that whoever appends
    /// does not wait for the end of a merge.
    fn merge_beside_sealing(&self, due: &Due) -> Result<()> {
        let sealed = std::thread::scope(|scope| {
            let name = "auditdb-merge".to_owned();
            let merge = || {
                let merged = catch_unwind(AssertUnwindSafe(|| self.merge(due)));
                // With the lock, or the sealing thread could look before and wait after.
                self.background.lock().merged = true;
                self.background_moved.notify_all();
                merged.unwrap_or_else(|panic| resume_unwind(panic))
            };
            let spawned = std::thread::Builder::new()
                .name(name.clone())
                .spawn_scoped(scope, merge)
                .map_err(|error| Error::io("start a thread", Path::new(&name), error))?;
            let sealed = self.seal_until_merged();
            let merged = spawned.join().unwrap_or_else(|panic| resume_unwind(panic));
            merged.and(sealed)
        });
        self.remove_empty_folders();
        sealed
    }

    /// Removes the folders that merges emptied. What readers still pin stays, and so does a folder
    /// that cannot be removed: until the next merge, or the next open.
    pub(super) fn remove_empty_folders(&self) {
        let _held = self.folders.lock();
        drop(remove_empty_folders(&*self.disk));
    }

    /// Seals full memtables until the merge beside it ends; but not those that would leave too many
    /// small segments.
    fn seal_until_merged(&self) -> Result<()> {
        let mut result = Ok(());
        let mut background = self.background.lock();
        background.full = true;
        while !core::mem::take(&mut background.merged) {
            let full = core::mem::take(&mut background.full);
            let may = full && result.is_ok();
            let sealed = MutexGuard::unlocked(&mut background, || {
                Ok(may && self.small_segments() < SMALL_MAX && self.seal_oldest()?)
            });
            match sealed {
                Ok(true) => {
                    background.full = true;
                    self.background_moved.notify_all();
                }
                Ok(false) if background.merged || background.full => {}
                Ok(false) => self.background_moved.wait(&mut background),
                Err(error) => result = Err(error),
            }
        }
        result
    }

    fn small_segments(&self) -> usize {
        let version = self.version.read();
        let segments = version.segments.iter();
        segments.filter(|pinned| pinned.entry.level == 0).count()
    }

    /// Has what was accepted or handed in synced before long, or at once.
    pub(super) fn sync_soon(&self, urgent: bool) {
        let mut background = self.background.lock();
        if !background.unsynced || (urgent && !background.urgent) {
            background.unsynced = true;
            background.urgent |= urgent;
            self.background_moved.notify_all();
        }
    }

    pub(super) fn wake_background(&self) {
        let mut background = self.background.lock();
        background.wanted = true;
        background.full = true;
        drop(background);
        self.background_moved.notify_all();
    }

    /// How many attempts to seal were begun: those say nothing about what is full only now.
    pub(super) fn attempts_to_seal(&self) -> u64 {
        self.background.lock().begun
    }

    /// Waits a moment for the sealing thread to get on, or says why it does not in an attempt after
    /// the one numbered `before`.
    pub(super) fn wait_for_background(&self, before: u64, moment: Duration) -> Result<()> {
        let mut background = self.background.lock();
        if let Some(error) = background.error_after(before) {
            return Err(error);
        }
        if background.error.is_some() && !background.wanted {
            background.wanted = true;
            self.background_moved.notify_all();
        }
        self.background_moved.wait_for(&mut background, moment);
        Ok(())
    }

    /// Waits for so long, or until the sealing thread has got on or the store goes.
    pub(super) fn wait_a_little(&self, moment: Duration) {
        let mut background = self.background.lock();
        if !background.stop {
            self.background_moved.wait_for(&mut background, moment);
        }
    }

    /// Seals everything and waits until there is nothing left to seal or merge, or nothing worth
    /// it for those who want few segments.
    pub(super) fn flush(&self, aim: Aim) -> Result<()> {
        self.sync()?;
        {
            let mut writer = self.writer.lock();
            self.check_open()?;
            if writer.table.len() > 0 {
                self.rotate(&mut writer)?;
            }
        }
        self.finish(aim)
    }

    /// Waits until there is nothing left to seal or merge.
    pub(super) fn drain(&self) -> Result<()> {
        self.finish(Aim::Bound)
    }

    fn finish(&self, aim: Aim) -> Result<()> {
        let mut background = self.background.lock();
        background.compact |= aim == Aim::Compact;
        background.full = true;
        let before = background.ask();
        self.background_moved.notify_all();
        loop {
            if let Some(answer) = background.answer(before) {
                return answer;
            }
            if let Some(error) = &*self.poison.lock() {
                return Err(error.again());
            }
            self.background_moved.wait(&mut background);
        }
    }

    /// The part of closing that needs the threads.
    pub(super) fn close(&self) -> Result<()> {
        const SEAL_ROWS_MIN: usize = 4096;
        self.sync()?;
        let many = self.writer.lock().table.len() >= SEAL_ROWS_MIN;
        if many {
            self.flush(Aim::Bound)?
        } else {
            self.drain()?
        }
        self.visible.lock().closed = true;
        self.visible_moved.notify_all();
        Ok(())
    }

    /// Ends the threads; whoever waits for them goes on.
    pub(super) fn stop(&self) {
        self.background.lock().stop = true;
        self.background_moved.notify_all();
        self.visible.lock().closed = true;
        self.visible_moved.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What happened: a flush that was asked for when the disk had room again was told of the attempt
    /// that was still under way and had met the full disk.
    #[test]
    fn p5_who_asks_is_not_told_of_the_attempt_before() {
        let full = || Err(Error::new(ErrorKind::Full, "no room"));
        let mut background = Background::default();
        let first = background.ask();
        background.begin();
        let second = background.ask();
        background.end(full());
        let answer = background.answer(first);
        assert!(answer.is_some_and(|answer| answer.is_err()), "its own");
        assert!(background.answer(second).is_none(), "its own is to come");
        background.begin();
        background.end(Ok(()));
        assert!(
            background
                .answer(second)
                .is_some_and(|answer| answer.is_ok())
        );
        let third = background.ask();
        background.begin();
        background.end(full());
        assert!(
            background
                .answer(third)
                .is_some_and(|answer| answer.is_err())
        );
    }
}
