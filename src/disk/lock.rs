//! `LOCK`: one writer at a time, who it is, and how far its log is durable. Other processes read
//! the *durable point* here and never the log's end, so nobody sees an event that a crash could
//! take back. The kernel drops the lock with its process; the bytes of the file are only words.
//!
//! ```text
//!    0  512  holder: lines `pid N`, `host NAME`, `since TIME`, then zeros
//!  512   60  slot 0 ┐ boot u64 · counter u64 · wal u64 · wal end u64 · events u64 ·
//! 1024   60  slot 1 ┘ manifest u64 · manifest end u64 · CRC-32 of these 56 bytes u32
//! ```
//!
//! Point number `n` goes to slot `n % 2`, so the newest whole point is never written over. Nothing
//! here is synced: a point is of use only until the machine boots again.

use core::fmt;
use std::path::Path;
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;

use crate::codec::checksum::crc32;
use crate::codec::varint::Bytes;
use crate::disk::Disk;
use crate::disk::File;
use crate::disk::ReadDisk;
use crate::disk::names;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::ManifestId;
use crate::id::WalId;
use crate::time::Time;

/// The lock of the one writer, held until it is dropped.
pub(crate) struct Lock {
    file: Box<dyn File>,
    boot: u64,
    counter: Mutex<u64>,
    inherited: Option<DurablePoint>,
}

/// How much of a store is durable, as its writer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DurablePoint {
    /// The newest log with anything durable in it.
    pub(crate) wal: WalId,
    /// Where the durable part of that log ends.
    pub(crate) wal_end: u64,
    /// The events that are durable and visible: all with a `seq` below this.
    pub(crate) events: u64,
    /// The manifest in force.
    pub(crate) manifest: ManifestId,
    /// Where the durable part of that manifest ends.
    pub(crate) manifest_end: u64,
}

/// What another process may take for durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durable {
    /// All up to this point; the writer that published it may be gone.
    UpTo(DurablePoint),
    /// A writer is opening the store and has published nothing yet: what the manifest names.
    Unpublished,
    /// No writer has been here since the machine booted: everything that the files hold.
    Everything,
}

/// What [`status`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    /// The writer at work, or `None` if there is none.
    pub(crate) holder: Option<Holder>,
    /// What may be shown.
    pub(crate) durable: Durable,
}

/// Who holds a lock, as far as the file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Holder {
    pid: Option<u32>,
    host: Option<String>,
    since: Option<Time>,
}

enum Slot {
    Empty,
    Torn,
    Whole {
        boot: u64,
        counter: u64,
        point: DurablePoint,
    },
}

const SECTOR: usize = 512;
const SLOT_BODY: usize = 56;
/// The slots, one behind the other.
pub(super) const SLOTS: usize = 2 * SECTOR;
/// Where they begin.
pub(super) const SLOTS_AT: u64 = SECTOR as u64;
/// The file, once a writer has made it as long as it will be.
pub(super) const FILE_LEN: u64 = SLOTS_AT + SLOTS as u64;
const HOST_BYTES: usize = 64;
/// Somebody who only looks whether the lock is held can stand in a writer's way for microseconds.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(5);
/// A torn slot is being written right now, or for ever: its writer ended in the middle of it.
const READS: u32 = 80;
const READS_HASTY: u32 = 64;
const READS_PAUSE: Duration = Duration::from_millis(1);

impl Lock {
    /// Takes the lock. `now` is only for the words that others are told.
    ///
    /// [`ErrorKind::Locked`] if another process, or another handle of this one, holds it.
    pub(crate) fn acquire(disk: &dyn Disk, now: Time) -> Result<Lock> {
        let mut tries = 1;
        let file = loop {
            match disk.lock(names::lock())? {
                Some(file) if file.is_in_place()? => break file,
                // Somebody removed it after it was opened: it keeps nobody else out.
                Some(_) if tries < TRIES => tries += 1,
                Some(file) => return Err(replaced(file.path())),
                None if tries == TRIES => return Err(held(disk)),
                None => {
                    tries += 1;
                    thread::sleep(PAUSE);
                }
            }
        };
        if file.len()? < FILE_LEN {
            file.set_len(FILE_LEN)?;
        }
        file.write_at(0, &Holder::here(now).to_sector())?;
        // A point of an earlier boot says nothing any more; one of this boot stays true.
        // Nobody else writes any more, so that a slot which is torn now stays torn.
        let (boot, (newest, _)) = (disk.boot(), newest(&*file, 1)?);
        let (counter, inherited) = match newest {
            Some((of, counter, point)) if Some(of) == boot => (counter, Some(point)),
            _ => {
                file.write_at(SLOTS_AT, &[0; SLOTS])?;
                (0, None)
            }
        };
        Ok(Lock {
            file,
            boot: boot.unwrap_or(0),
            counter: Mutex::new(counter),
            inherited,
        })
    }

    /// What the writer before had published, if the machine has not booted since.
    pub(crate) const fn inherited(&self) -> Option<DurablePoint> {
        self.inherited
    }

    /// Refuses if the file does not bear the name `LOCK` any more: another writer, which locks the
    /// file that does, may be at work. What was written before a check that succeeds is in the files
    /// that such a writer finds, so nothing is to be confirmed or removed before one.
    pub(crate) fn check(&self) -> Result<()> {
        match self.file.is_in_place()? {
            true => Ok(()),
            false => Err(replaced(self.file.path())),
        }
    }

    /// Tells other processes what is durable. Points must be published in the order in which they
    /// became true. One small write, no sync; a failure leaves the point before in force.
    pub(crate) fn publish(&self, point: DurablePoint) -> Result<()> {
        let mut counter = self.counter.lock();
        let next = counter.wrapping_add(1);
        let slot = point.encode(self.boot, next);
        self.file.write_at(slot_offset(next), &slot)?;
        *counter = next;
        Ok(())
    }
}

/// Looks at a store's lock without taking it. Works on read-only media; a store without the file
/// has no writer.
pub(crate) fn status(disk: &dyn ReadDisk) -> Result<Status> {
    let free = Status {
        holder: None,
        durable: Durable::Everything,
    };
    if disk.len(names::lock())?.is_none() {
        return Ok(free);
    }
    // First the holder, then the point: a writer that ends in between leaves its last point.
    let is_held = disk.is_locked(names::lock())?;
    let file = disk.open_read(names::lock())?;
    if file.len()? < FILE_LEN {
        let durable = match is_held {
            true => Durable::Unpublished,
            false => Durable::Everything,
        };
        let holder = is_held.then(Holder::default);
        return Ok(Status { holder, durable });
    }
    let holder = match is_held {
        true => Some(Holder::read(&*file)?),
        false => None,
    };
    let (boot, (newest, is_torn)) = (disk.boot(), newest(&*file, READS)?);
    if is_torn {
        return torn(&*file, holder);
    }
    // Where boots cannot be told apart, the writer has emptied the slots, so that a point found
    // beside a living writer is its own.
    let durable = match newest {
        Some((of, _, point)) if Some(of) == boot || (boot.is_none() && is_held) => {
            Durable::UpTo(point)
        }
        _ if is_held => Durable::Unpublished,
        _ => Durable::Everything,
    };
    Ok(Status { holder, durable })
}

/// Whether the file `LOCK`, where no store is, can have been made by an [`Lock::acquire`]: by its length,
/// since after a power cut the bytes can be those of any file that was removed before.
pub(crate) fn is_ours(disk: &dyn ReadDisk) -> Result<bool> {
    let len = disk.len(names::lock())?.unwrap_or(0);
    Ok(len == 0 || len == FILE_LEN)
}

/// What may be shown where a slot stays torn: the newest point may have been in it, and the other
/// one would hide what was acknowledged since. Without a writer the files tell; beside one nothing
/// does until it publishes again.
fn torn(file: &dyn File, holder: Option<Holder>) -> Result<Status> {
    match holder {
        None => Ok(Status {
            holder,
            durable: Durable::Everything,
        }),
        Some(_) => {
            let what = "what says how far the store is durable is damaged: read again once its \
                        writer has appended or ended";
            Err(Error::corrupt(file.path(), SLOTS_AT, what))
        }
    }
}

/// A point with its boot and its number.
type Published = (u64, u64, DurablePoint);

/// The newest whole point, and whether a slot stays torn for so many reads. Goes on while one is,
/// since the point before could otherwise be missed while its writer is two ahead.
fn newest(file: &dyn File, reads: u32) -> Result<(Option<Published>, bool)> {
    let mut best = None;
    let mut torn = false;
    for read in 1..=reads {
        let mut sectors = [0; SLOTS];
        file.read_at(SLOTS_AT, &mut sectors)?;
        let (first, second) = sectors.split_at(SECTOR);
        torn = false;
        let (mut lacks_one, mut highest) = (false, 0);
        for (parity, sector) in (0..).zip([first, second]) {
            match Slot::decode(sector) {
                Slot::Empty => lacks_one = true,
                Slot::Torn => torn = true,
                // Points take turns, so this one lies where another was.
                Slot::Whole { counter, .. } if counter % 2 != parity => torn = true,
                Slot::Whole {
                    boot,
                    counter,
                    point,
                } => {
                    highest = highest.max(counter);
                    if best.is_none_or(|(_, found, _)| counter >= found) {
                        best = Some((boot, counter, point));
                    }
                }
            }
        }
        // With the second point no slot is empty any more.
        torn |= lacks_one && highest > 1;
        if !torn || read == reads {
            break;
        }
        // Its writer may have lost the processor in the middle of it.
        match read < READS_HASTY {
            true => thread::yield_now(),
            false => thread::sleep(READS_PAUSE),
        }
    }
    Ok((best, torn))
}

fn slot_offset(counter: u64) -> u64 {
    SECTOR as u64 * (1 + counter % 2)
}

fn replaced(path: &Path) -> Error {
    let what = "the file was removed or replaced while the store was open, so another process may \
                be writing it: see to it that nobody else does, and reopen the store";
    Error::new(ErrorKind::Poisoned, what).in_file(path)
}

fn held(disk: &dyn Disk) -> Error {
    let place = disk.place(names::lock());
    // A writer locks for itself alone. A lock that others can share says nothing of a writer, and
    // the words in the file are those of the last one.
    if matches!(disk.is_locked(names::lock()), Ok(false)) {
        let what = "a process that is no writer of the store keeps the file locked; it has to end \
                    or let go before anything can be written";
        return Error::new(ErrorKind::Locked, what).in_file(&place);
    }
    let holder = disk
        .open_read(names::lock())
        .and_then(|file| Holder::read(&*file));
    let what = format!(
        "the store is being written by {}; reading it is possible meanwhile",
        holder.unwrap_or_default()
    );
    Error::new(ErrorKind::Locked, what).in_file(&place)
}

impl DurablePoint {
    fn encode(&self, boot: u64, counter: u64) -> [u8; SLOT_BODY + 4] {
        let words = [
            boot,
            counter,
            self.wal.0,
            self.wal_end,
            self.events,
            self.manifest.0,
            self.manifest_end,
        ];
        let mut bytes = [0; SLOT_BODY + 4];
        let (body, crc) = bytes.split_at_mut(SLOT_BODY);
        for (place, word) in body.as_chunks_mut().0.iter_mut().zip(words) {
            *place = word.to_le_bytes();
        }
        crc.copy_from_slice(&crc32(body).to_le_bytes());
        bytes
    }
}

impl Slot {
    fn decode(sector: &[u8]) -> Slot {
        if sector.iter().all(|byte| *byte == 0) {
            return Slot::Empty;
        }
        Slot::whole(sector).unwrap_or(Slot::Torn)
    }

    fn whole(sector: &[u8]) -> Option<Slot> {
        let mut bytes = Bytes::new(sector);
        let mut body = Bytes::new(bytes.take(SLOT_BODY)?);
        if bytes.u32()? != crc32(body.rest()) {
            return None;
        }
        Some(Slot::Whole {
            boot: body.u64()?,
            counter: body.u64()?,
            point: DurablePoint {
                wal: WalId(body.u64()?),
                wal_end: body.u64()?,
                events: body.u64()?,
                manifest: ManifestId(body.u64()?),
                manifest_end: body.u64()?,
            },
        })
    }
}

impl Holder {
    fn here(now: Time) -> Holder {
        let system = rustix::system::uname();
        Holder {
            pid: Some(std::process::id()),
            host: Some(system.nodename().to_string_lossy().into_owned()),
            since: Some(now),
        }
    }

    fn to_sector(&self) -> [u8; SECTOR] {
        let mut text = String::new();
        if let Some(pid) = self.pid {
            text += &format!("pid {pid}\n");
        }
        if let Some(host) = &self.host {
            text += &format!("host {}\n", plain(host));
        }
        if let Some(since) = self.since {
            text += &format!("since {since}\n");
        }
        let mut sector = [0; SECTOR];
        for (place, byte) in sector.iter_mut().zip(text.bytes()) {
            *place = byte;
        }
        sector
    }

    /// Reads what is understood and leaves the rest out: the words may be another version's.
    fn read(file: &dyn File) -> Result<Holder> {
        let mut sector = [0; SECTOR];
        file.read_at(0, &mut sector)?;
        let mut holder = Holder::default();
        for line in String::from_utf8_lossy(&sector).lines() {
            match line.split_once(' ') {
                Some(("pid", value)) => holder.pid = value.parse().ok(),
                Some(("host", value)) => holder.host = Some(plain(value)),
                Some(("since", value)) => holder.since = value.parse().ok(),
                _ => {}
            }
        }
        Ok(holder)
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pid {
            None => formatter.write_str("another process")?,
            Some(pid) if pid == std::process::id() => {
                write!(formatter, "process {pid} (this one)")?;
            }
            Some(pid) => write!(formatter, "process {pid}")?,
        }
        if let Some(host) = &self.host {
            write!(formatter, " on {host}")?;
        }
        match self.since {
            Some(since) => write!(formatter, " since {since}"),
            None => Ok(()),
        }
    }
}

/// What may stand in a message and on one line: the file can hold anything.
fn plain(text: &str) -> String {
    text.chars()
        .filter(char::is_ascii_graphic)
        .take(HOST_BYTES)
        .collect()
}

#[cfg(test)]
mod tests;
