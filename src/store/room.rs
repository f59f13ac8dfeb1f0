//! Room for what is appended: in memory, where full memtables wait to be sealed, and on the disk.
//! Who appends faster than can be sealed is delayed a little, by the bytes appended, and then held
//! until a memtable is sealed; who meets a full disk is refused, or held if the options say so. Only
//! the leader of a commit comes here, and never waits with the writer's lock.

use std::time::Duration;
use std::time::Instant;

use parking_lot::MutexGuard;

use super::Shared;
use super::Store;
use super::Writer;
use crate::error::Result;
use crate::options::OnFull;

/// What each mebibyte is delayed by while one full memtable waits and the next one is about to be
/// full; half as much where it is full by three quarters, nothing up to the half. A memtable of 32 MiB
/// then takes as long to fill from its half as it takes to seal one, about.
const DELAY_A_MIB: Duration = Duration::from_millis(64);
/// Shorter delays are added up: to sleep for less takes longer than what was asked for.
const DELAY_MIN: Duration = Duration::from_millis(1);
/// How often a full disk, or a memtable that waits, is looked at again.
const RETRY_AFTER: Duration = Duration::from_millis(20);

/// What keeps appends waiting, and how often and how long something has, since the store was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pressure {
    /// What does at this moment.
    pub level: PressureLevel,
    /// Bytes of events in memory that are in no segment yet.
    pub unsealed_bytes: usize,
    /// Delays of appends while memory filled up.
    pub delays: u64,
    /// How long they took together.
    pub delayed: Duration,
    /// Waits until a full memtable was sealed.
    pub blocks: u64,
    /// How long they took together.
    pub blocked: Duration,
    /// Waits for room on the disk.
    pub full_waits: u64,
    /// How long they took together.
    pub full_waited: Duration,
}

/// What keeps appends waiting at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum PressureLevel {
    /// Nothing but their sync.
    #[default]
    None,
    /// A full memtable is being sealed and the next one fills up: each append is delayed by its bytes.
    Delayed,
    /// More is unsealed than the memory budget allows: appends wait until a memtable is sealed.
    Blocked,
    /// The disk has no room, and appends wait for it ([`OnFull::Block`]).
    Full,
}

impl Store {
    /// Whether appends come faster than the store can put them away, and how often that was so.
    /// Costs no read and waits for nobody.
    ///
    /// ```
    /// use auditdb::{Event, Options, PressureLevel, Store};
    /// # let folder = std::env::temp_dir().join(format!("auditdb-doc-pressure-{}", std::process::id()));
    ///
    /// let store = Store::open(&folder, Options::default())?;
    /// store.append(&Event::new("user.created"))?;
    /// assert_eq!(store.pressure().level, PressureLevel::None);
    /// # store.close()?;
    /// # std::fs::remove_dir_all(&folder).ok();
    /// # Ok::<(), auditdb::Error>(())
    /// ```
    #[must_use]
    pub fn pressure(&self) -> Pressure {
        let tables = self.shared.version.read().memtables.clone();
        let bytes = tables.iter().map(|table| table.bytes());
        let active = tables.last().map_or(0, |table| table.bytes());
        let delay = self.shared.delay_a_mib(tables.len(), active);
        let known = *self.shared.pressure.lock();
        let level = match delay.is_zero() {
            true => known.level,
            false => known.level.max(PressureLevel::Delayed),
        };
        Pressure {
            level,
            unsealed_bytes: bytes.sum(),
            ..known
        }
    }
}

impl Shared {
    /// Makes sure that the active memtable can take `bytes` more, and slows down or waits while
    /// others are not sealed yet.
    pub(super) fn make_room(
        &self,
        writer: &mut MutexGuard<'_, Writer>,
        bytes: usize,
    ) -> Result<()> {
        if writer.table.bytes() >= self.budget.memtable_bytes {
            self.rotate(writer)?;
            self.wake_background();
        }
        // Also where it was not this append that filled the last one: one that could not wait for a
        // seal on a full disk was refused, and leaves the next no more room than it had.
        if writer.tables.len() <= self.budget.waiting_max + 1 {
            self.delay(writer, bytes);
            return Ok(());
        }
        let attempt = self.attempts_to_seal();
        self.hold(PressureLevel::Blocked, || {
            while writer.tables.len() > self.budget.waiting_max + 1 {
                MutexGuard::unlocked(writer, || self.wait_for_background(attempt, RETRY_AFTER))?;
                self.check_open()?;
            }
            Ok(())
        })
    }

    fn delay(&self, writer: &mut MutexGuard<'_, Writer>, bytes: usize) {
        let each = self.delay_a_mib(writer.tables.len(), writer.table.bytes());
        if each.is_zero() {
            writer.delay_owed = Duration::ZERO;
            return;
        }
        writer.delay_owed += each.mul_f64(bytes as f64 / f64::from(1 << 20));
        if writer.delay_owed >= DELAY_MIN {
            let owed = core::mem::take(&mut writer.delay_owed);
            self.hold(PressureLevel::Delayed, || {
                MutexGuard::unlocked(writer, || self.wait_a_little(owed));
            });
        }
    }

    /// What a mebibyte is delayed by with so many memtables, of which the active one holds so much.
    fn delay_a_mib(&self, tables: usize, active: usize) -> Duration {
        let half = self.budget.memtable_bytes / 2;
        if tables <= self.budget.waiting_max || active <= half {
            return Duration::ZERO;
        }
        DELAY_A_MIB.mul_f64(((active - half) as f64 / half as f64).min(1.0))
    }

    /// Does what needs room on the disk. Where there is none, tries again as long as the options
    /// allow, with the writer's lock free in between: a seal may be what makes room.
    pub(super) fn with_room(
        &self,
        writer: &mut MutexGuard<'_, Writer>,
        mut attempt: impl FnMut(&mut MutexGuard<'_, Writer>) -> Result<()>,
    ) -> Result<()> {
        let tried = attempt(writer);
        let OnFull::Block(patience) = self.options.on_full else {
            return tried;
        };
        let Err(mut error) = tried else { return Ok(()) };
        let begun = Instant::now();
        if !error.is_full() {
            return Err(error);
        }
        self.hold(PressureLevel::Full, || {
            while error.is_full() && begun.elapsed() < patience {
                let left = patience.saturating_sub(begun.elapsed()).min(RETRY_AFTER);
                MutexGuard::unlocked(writer, || self.wait_a_little(left));
                self.check_open()?;
                error = match attempt(writer) {
                    Err(error) => error,
                    Ok(()) => return Ok(()),
                };
            }
            Err(error)
        })
    }

    /// Waits, and says meanwhile and ever after that it did.
    fn hold<T>(&self, level: PressureLevel, wait: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let before = core::mem::replace(&mut self.pressure.lock().level, level);
        let waited = wait();
        let mut pressure = self.pressure.lock();
        pressure.level = before;
        let pressure = &mut *pressure;
        let (count, time) = match level {
            PressureLevel::Full => (&mut pressure.full_waits, &mut pressure.full_waited),
            PressureLevel::Blocked => (&mut pressure.blocks, &mut pressure.blocked),
            _ => (&mut pressure.delays, &mut pressure.delayed),
        };
        *count += 1;
        *time += begun.elapsed();
        waited
    }
}
