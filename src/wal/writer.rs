//! Appends groups to one log. The invariant: the log ends where the last whole group ends, also
//! after a failed append; where that cannot be had any more the writer is broken and takes nothing.
//! The store's leader of commits is the only caller.

use super::Spare;
use super::format;
use crate::codec::frame::Chain;
use crate::codec::frame::Header;
use crate::codec::row::Body;
use crate::disk::Disk;
use crate::disk::File;
use crate::disk::durable;
use crate::disk::names;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::Sequence;
use crate::id::StoreId;
use crate::id::WalId;
use crate::planted::Bug;
use crate::planted::again;
use crate::planted::planted;
use crate::time::Time;

/// Zeros are written this far ahead: as far as the log is long, within these bounds. A sync that only
/// writes over bytes took 150 us where one that also made the file longer took 210, in one minute on
/// one disk; a sync of the largest stretch took 500, once in two thousand single events.
const AHEAD_MIN: usize = 4 << 10;
const AHEAD_MAX: usize = 1 << 20;
/// Buffers larger than this are given back after the group that needed them.
const BUFFER_KEPT: usize = 4 << 20;

/// A log open for appending.
pub(crate) struct Writer {
    file: Box<dyn File>,
    store: StoreId,
    chain: Chain,
    synced: u64,
    /// The file is no longer than this; what lies behind the end is zeros, or of the log that it was.
    filled: u64,
    broken: bool,
    payload: Vec<u8>,
    sectors: Vec<u8>,
}

impl Writer {
    /// Makes the first log of a store, or the first one after the store was opened, durably.
    /// `before` is where the log with the number below ends, or 0 if there is none or it was torn.
    pub(crate) fn create(
        disk: &dyn Disk,
        id: WalId,
        store: StoreId,
        first_seq: Sequence,
        before: u64,
    ) -> Result<Writer> {
        let header = format::header(store, id, [first_seq.0, before, 0, 0]);
        let file = durable::create(disk, &names::wal(id), &header.encode())?;
        Ok(Writer::new(file, &header))
    }

    fn new(file: Box<dyn File>, header: &Header) -> Writer {
        let [.., former_end] = header.own;
        let chain = header.chain();
        Writer {
            file,
            store: header.store,
            chain,
            synced: chain.offset(),
            filled: former_end.max(chain.offset()),
            broken: false,
            payload: Vec::new(),
            sectors: Vec::new(),
        }
    }

    /// Makes the log that follows this one, which must be ended and takes no more groups, out of the
    /// file of an earlier one if there is one.
    pub(crate) fn successor(
        &self,
        disk: &dyn Disk,
        id: WalId,
        first_seq: Sequence,
        spare: Option<Spare>,
    ) -> Result<Writer> {
        let Some(spare) = spare else {
            return Writer::create(disk, id, self.store, first_seq, self.end());
        };
        let own = [first_seq.0, self.end(), spare.id.0, spare.end];
        let header = format::header(self.store, id, own);
        let file = spare
            .reuse(disk, id, &header.encode())
            .inspect_err(|_| drop(spare.remove(disk)))?;
        Ok(Writer::new(file, &header))
    }

    /// Syncs the log and cuts off, durably, what the file has behind its end: from now on any byte
    /// there is damage, and the file may become another log.
    pub(crate) fn end_here(&mut self) -> Result<()> {
        if self.unsynced_bytes() > 0 {
            self.sync()?;
        }
        if self.filled > self.end() {
            self.file.set_len(self.end())?;
            self.filled = self.end();
            self.file.sync_all().inspect_err(|_| self.broken = true)?;
        }
        Ok(())
    }

    /// Writes rows as one group, whose sequence numbers count up from `first_seq`. Not durable
    /// before [`Writer::sync`]. After an error the log is as it was, unless [`Writer::is_broken`].
    pub(crate) fn append<'b>(
        &mut self,
        first_seq: Sequence,
        recorded_at: Time,
        rows: impl IntoIterator<Item = (Time, Body<'b>)>,
    ) -> Result<()> {
        if self.broken && !planted(Bug::SkipPoison) {
            let what = "an earlier write to the log failed: reopen the store";
            return Err(Error::new(ErrorKind::Poisoned, what).in_file(self.file.path()));
        }
        format::encode(first_seq, recorded_at, rows, &mut self.payload)?;
        let next = self
            .chain
            .encode(&self.payload, self.synced, &mut self.sectors)?;
        self.fill_ahead(next.offset());
        if let Err(error) = self.file.write_at(self.end(), &self.sectors) {
            // Part of the group may be in the file. It is no whole frame, so a reader finds a torn tail,
            // as long as the file ends there: in the middle of a longer one it would be taken for
            // damage. So the cut is made durable before anything is written behind it.
            let cut = self.file.set_len(self.end());
            self.broken = cut.and_then(|()| self.file.sync_all()).is_err();
            self.filled = self.end();
            return Err(error);
        }
        self.filled = self.filled.max(next.offset());
        self.chain = next;
        self.payload.shrink_to(BUFFER_KEPT);
        self.sectors.shrink_to(BUFFER_KEPT);
        Ok(())
    }

    /// Puts zeros behind a small group that does not fit into the room the file has, so that those
    /// that follow write over bytes which are there: their syncs need not write the file's length.
    fn fill_ahead(&mut self, end: u64) {
        if end <= self.filled || self.sectors.len() > AHEAD_MAX / 16 {
            return;
        }
        let ahead = usize::try_from(end).map_or(AHEAD_MAX, |end| end.clamp(AHEAD_MIN, AHEAD_MAX));
        // Before the group, and by a write of its own: if it fails, on a full disk say, nothing is
        // lost but speed, and a group whose write fails is never whole. Some of the zeros may be in
        // the file all the same, for [`Writer::end_here`] to cut off.
        drop(self.file.write_at(end, &vec![0; ahead]));
        self.filled = end + ahead as u64;
    }

    /// Makes every group appended so far durable. After an error it is not known what is, and the
    /// writer is broken.
    pub(crate) fn sync(&mut self) -> Result<()> {
        if self.broken && !planted(Bug::SkipPoison) {
            let what = "an earlier write to the log failed: reopen the store";
            return Err(Error::new(ErrorKind::Poisoned, what).in_file(self.file.path()));
        }
        if let Err(error) = again(Bug::RetryFailedSync, || self.file.sync_data()) {
            self.broken = true;
            return Err(error);
        }
        self.synced = self.end();
        Ok(())
    }

    /// Where the log ends.
    pub(crate) fn end(&self) -> u64 {
        self.chain.offset()
    }

    /// Bytes appended since the last sync.
    pub(crate) fn unsynced_bytes(&self) -> u64 {
        self.end().saturating_sub(self.synced)
    }

    /// Whether the writer takes nothing more, because it is not known what the file holds.
    pub(crate) const fn is_broken(&self) -> bool {
        self.broken
    }
}
