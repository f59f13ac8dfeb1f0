//! The log of a device's writes in the format of Linux' dm-log-writes: a head in the first sector, then
//! entries of one sector each with what they write behind them.
//!
//! ```text
//! head    magic u64 · version u64 · entries u64 · bytes of a sector u32
//! entry   sector u64 · sectors u64 · flags u64 · bytes of data that is no device's u64
//! ```

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

const MAGIC: u64 = 0x006a_7366_7773_6872;
const FLUSH: u64 = 1;
const DISCARD: u64 = 4;
const MARK: u64 = 8;
/// The log was asked for sectors of this size.
const SECTOR: u64 = 512;

pub(crate) struct WriteLog {
    file: File,
    entries: Vec<Entry>,
}

/// One write, flush or discard.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    sector: u64,
    sectors: u64,
    flags: u64,
    /// Where what it writes lies in the log.
    data: u64,
}

impl WriteLog {
    pub(crate) fn open(path: &Path) -> Result<WriteLog, String> {
        let failed = |error: std::io::Error| format!("{}: {error}", path.display());
        let file = File::open(path).map_err(failed)?;
        let [magic, _, count, size] = words(&file, 0).map_err(failed)?;
        if magic != MAGIC || size & 0xffff_ffff != SECTOR {
            return Err(format!("{}: no log of writes", path.display()));
        }
        let (mut entries, mut place) = (Vec::new(), SECTOR);
        for _ in 0..count {
            let [sector, sectors, flags, _] = words(&file, place).map_err(failed)?;
            let data = place + SECTOR;
            let entry = Entry {
                sector,
                sectors,
                flags,
                data,
            };
            place = entry.end();
            entries.push(entry);
        }
        Ok(WriteLog { file, entries })
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// How long the log was when it had so many entries.
    pub(crate) fn end(&self, entries: usize) -> u64 {
        let last = entries
            .checked_sub(1)
            .and_then(|last| self.entries.get(last));
        last.map_or(0, Entry::end)
    }

    /// What an entry writes; a discarded range reads as zeros, a mark writes nothing.
    pub(crate) fn bytes(&self, entry: &Entry) -> Result<Option<Vec<u8>>, String> {
        if entry.sectors == 0 || entry.flags & MARK != 0 {
            return Ok(None);
        }
        let mut bytes = vec![0; (entry.sectors * SECTOR) as usize];
        if entry.flags & DISCARD == 0 {
            let read = self.file.read_exact_at(&mut bytes, entry.data);
            read.map_err(|error| format!("the log of writes: {error}"))?;
        }
        Ok(Some(bytes))
    }
}

impl Entry {
    pub(crate) fn is_flush(&self) -> bool {
        self.flags & FLUSH != 0
    }

    /// Where on the device it writes.
    pub(crate) fn offset(&self) -> u64 {
        self.sector * SECTOR
    }

    fn end(&self) -> u64 {
        match self.flags & DISCARD {
            0 => self.data + self.sectors * SECTOR,
            _ => self.data,
        }
    }
}

fn words(file: &File, place: u64) -> std::io::Result<[u64; 4]> {
    let mut bytes = [0; 32];
    file.read_exact_at(&mut bytes, place)?;
    let (words, _) = bytes.as_chunks::<8>();
    let mut words = words.iter().map(|word| u64::from_le_bytes(*word));
    Ok([0; 4].map(|_: u64| words.next().unwrap_or(0)))
}
