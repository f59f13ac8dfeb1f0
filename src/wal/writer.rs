//! Appends groups to one log. The invariant: the log ends where the last whole group ends, also
//! after a failed append; where that cannot be had any more the writer is broken and takes nothing.
//! The store's leader of commits is the only caller.

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
use crate::time::Time;

/// Buffers larger than this are given back after the group that needed them.
const BUFFER_KEPT: usize = 4 << 20;

/// A log open for appending.
pub(crate) struct Writer {
    file: Box<dyn File>,
    store: StoreId,
    chain: Chain,
    synced: u64,
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
        let header = Header::new(format::MAGIC, store, id.0, [first_seq.0, before, 0, 0]);
        let file = durable::create(disk, &names::wal(id), &header.encode())?;
        Ok(Writer {
            file,
            store,
            chain: header.chain(),
            synced: header.chain().offset(),
            broken: false,
            payload: Vec::new(),
            sectors: Vec::new(),
        })
    }

    /// Makes the log that follows this one, which must be synced and takes no more groups.
    pub(crate) fn successor(
        &self,
        disk: &dyn Disk,
        id: WalId,
        first_seq: Sequence,
    ) -> Result<Writer> {
        Writer::create(disk, id, self.store, first_seq, self.end())
    }

    /// Writes rows as one group, whose sequence numbers count up from `first_seq`. Not durable
    /// before [`Writer::sync`]. After an error the log is as it was, unless [`Writer::is_broken`].
    pub(crate) fn append<'b>(
        &mut self,
        first_seq: Sequence,
        recorded_at: Time,
        rows: impl IntoIterator<Item = (Time, Body<'b>)>,
    ) -> Result<()> {
        if self.broken {
            let what = "an earlier write to the log failed: reopen the store";
            return Err(Error::new(ErrorKind::Poisoned, what).in_file(self.file.path()));
        }
        format::encode(first_seq, recorded_at, rows, &mut self.payload)?;
        let next = self
            .chain
            .encode(&self.payload, self.synced, &mut self.sectors)?;
        if let Err(error) = self.file.write_at(self.chain.offset(), &self.sectors) {
            // Part of the group may be in the file. It is no whole frame, so even if cutting it off
            // is itself undone by a crash, a reader only finds a torn tail.
            self.broken = self.file.set_len(self.chain.offset()).is_err();
            return Err(error);
        }
        self.chain = next;
        self.payload.shrink_to(BUFFER_KEPT);
        self.sectors.shrink_to(BUFFER_KEPT);
        Ok(())
    }

    /// Makes every group appended so far durable. After an error it is not known what is, and the
    /// writer is broken.
    pub(crate) fn sync(&mut self) -> Result<()> {
        if self.broken {
            let what = "an earlier write to the log failed: reopen the store";
            return Err(Error::new(ErrorKind::Poisoned, what).in_file(self.file.path()));
        }
        if let Err(error) = self.file.sync_data() {
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
