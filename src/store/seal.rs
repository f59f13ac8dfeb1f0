//! From a full memtable to segments. The order is: segment files written and synced, renamed into
//! place, their folders synced, then the manifest's edit, which alone makes them count, and only
//! then are the logs removed that held the same rows. A crash before the edit leaves orphans, which
//! the next open removes; one after it leaves logs that nobody needs.

use core::ops::Range;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use super::Shared;
use super::Writer;
use super::commit::indeterminate;
use super::cut::Cut;
use super::sweep::remove_logs_before;
use crate::disk::File;
use crate::disk::durable;
use crate::disk::names;
use crate::error::Result;
use crate::id::Position;
use crate::id::SegmentId;
use crate::id::Sequence;
use crate::id::WalId;
use crate::manifest::Edit;
use crate::manifest::SegmentEntry;
use crate::memtable::Entry;
use crate::memtable::Memtable;
use crate::planted::Bug;
use crate::planted::planted;
use crate::planted::unless;
use crate::segment;
use crate::segment::Summary;
use crate::segment::writer::Printed;
use crate::snapshot::Lineup;
use crate::snapshot::Pinned;
use crate::snapshot::Version;
use crate::wal;

/// The file of a segment that is not in its place yet.
pub(super) struct DraftSegment {
    pub(super) id: SegmentId,
    path: PathBuf,
    pub(super) file: Arc<dyn File>,
}

impl Shared {
    /// Begins a new log and memtable, so that the full one can be sealed, which whoever calls asks for.
    /// Syncs first: a sealed memtable holds nothing that could still be lost.
    pub(super) fn rotate(&self, writer: &mut Writer) -> Result<()> {
        self.sync_log(writer)?;
        self.end_log(writer)?;
        let wal_id = WalId(writer.wal_id.0 + 1);
        let next_seq = Sequence(writer.next_seq);
        let spare = writer.spare.take();
        let successor = writer.wal.successor(&*self.disk, wal_id, next_seq, spare);
        writer.wal = successor.inspect_err(|error| {
            // The new log says where this one ends. If it may come into being after all, this one
            // must not grow any more.
            if !matches!(self.disk.len(&names::wal(wal_id)), Ok(None)) {
                self.poison(error);
            }
        })?;
        writer.wal_id = wal_id;
        writer.table = Arc::new(Memtable::new(next_seq));
        writer.tables.push_back((Arc::clone(&writer.table), wal_id));
        self.version
            .write()
            .memtables
            .push(Arc::clone(&writer.table));
        self.publish(writer);
        Ok(())
    }

    /// Leaves nothing in the log's file but what is synced of the log.
    pub(super) fn end_log(&self, writer: &mut Writer) -> Result<()> {
        let ended = writer.wal.end_here();
        ended.inspect_err(|error| {
            if writer.wal.is_broken() {
                self.poison(error);
            }
        })
    }

    /// Seals the oldest memtable if it takes no more rows. `false` if there is nothing to seal.
    pub(super) fn seal_oldest(&self) -> Result<bool> {
        let (table, next_wal, clock_steps) = {
            let writer = self.writer.lock();
            let Some((_, next_wal)) = writer.tables.get(1) else {
                return Ok(false);
            };
            let Some((table, _)) = writer.tables.front() else {
                return Ok(false);
            };
            (Arc::clone(table), *next_wal, writer.clock_steps)
        };
        let len = table.len();
        let view = table.view(len - usize::from(planted(Bug::OffByOneAtSeal)));
        let positions: Vec<Position> = (0..len as u32)
            .filter_map(|row| view.position(row))
            .collect();
        let mut recorded_at = None;
        let cut = Cut {
            width: self.partition,
            segment_rows: self.budget.segment_rows(len as u64, 0),
        };
        let pieces = cut.pieces(&positions);
        let added = self.write_segments(pieces, &cut, |piece, file, id| {
            let entries: Vec<Entry> = piece
                .filter_map(|row| table.entry(view.number(row as u32)?))
                .collect();
            let rows = entries.iter().map(|entry| entry.row());
            recorded_at = recorded_at.max(rows.map(|row| row.recorded_at).max());
            let rows = entries.iter().map(|entry| Printed {
                row: entry.row(),
                fingerprints: Some(entry.fingerprints()),
            });
            segment::writer::write(file, self.base.store, id, rows)
        })?;
        let sealed = len as u64 - u64::from(planted(Bug::SealedSeqShort));
        planted(Bug::UnlinkBeforeManifest).then(|| self.keep_spare(WalId(next_wal.0 - 1)));
        let edit = Edit {
            sealed_seq: Some(Sequence(table.first_seq().0 + sealed)),
            wal_first: Some(next_wal),
            recorded_at,
            clock_steps: Some(clock_steps),
            ..Edit::default()
        };
        self.put_in_force(added, Vec::new(), edit, Some(&table))?;
        self.writer.lock().tables.pop_front();
        // Where others are led to the logs they stay until the next seal.
        if self.check_told().is_ok() {
            let needless = next_wal.0 - u64::from(!planted(Bug::RecycleNeededLog));
            self.keep_spare(WalId(needless))?;
            remove_logs_before(&*self.disk, next_wal)?;
        }
        Ok(true)
    }

    /// Keeps the file of a log that is needed no more for the next one, if none is kept yet.
    fn keep_spare(&self, log: WalId) -> Result<()> {
        // Only this thread puts one there.
        if self.writer.lock().spare.is_none() {
            let spare = wal::Spare::take(&*self.disk, log)?;
            self.writer.lock().spare = spare;
        }
        Ok(())
    }

    /// Writes the segment file of each piece and puts it in its place, durably; nothing refers to
    /// them yet. All are there or, as far as the disk allows, none.
    pub(super) fn write_segments(
        &self,
        pieces: Vec<Range<usize>>,
        cut: &Cut,
        mut write: impl FnMut(Range<usize>, &dyn File, SegmentId) -> Result<Summary>,
    ) -> Result<Vec<SegmentEntry>> {
        let mut added = Vec::with_capacity(pieces.len());
        for piece in pieces {
            match self.write_segment(cut, |file, id| write(piece, file, id)) {
                Ok(entry) => added.push(entry),
                Err(error) => {
                    self.discard(&added);
                    return Err(error);
                }
            }
        }
        Ok(added)
    }

    /// Makes segments count, in the manifest and then for new snapshots, in place of others.
    pub(super) fn put_in_force(
        &self,
        added: Vec<SegmentEntry>,
        removed: Vec<SegmentId>,
        edit: Edit,
        sealed: Option<&Arc<Memtable>>,
    ) -> Result<()> {
        let edit = Edit {
            add: added.clone(),
            remove: removed.clone(),
            ..edit
        };
        self.commit_edit(edit).inspect_err(|error| {
            // After any other error the edit may be in force when the store is reopened.
            if error.is_full() {
                self.discard(&added);
            }
        })?;
        self.install(&added, &removed, sealed);
        Ok(())
    }

    /// Removes segment files that nothing refers to. Repeated attempts on a full disk would
    /// otherwise leave it fuller each time.
    fn discard(&self, entries: &[SegmentEntry]) {
        for entry in entries {
            // What cannot be removed is an orphan, which the next open removes.
            drop(self.disk.unlink(&entry.path()));
        }
    }

    /// Writes one segment file and puts it in its place, durably; nothing refers to it yet.
    fn write_segment(
        &self,
        cut: &Cut,
        write: impl FnOnce(&dyn File, SegmentId) -> Result<Summary>,
    ) -> Result<SegmentEntry> {
        let draft = self.begin_segment()?;
        let written = write(&*draft.file, draft.id);
        self.place_segment(&draft, cut, written)
    }

    /// Makes the empty file of a new segment, under a passing name.
    pub(super) fn begin_segment(&self) -> Result<DraftSegment> {
        let id = self.manifest.lock().take_segment_id();
        let path = names::draft(Path::new(&format!("{:016x}.seg", id.0)));
        let file = Arc::from(self.disk.create_new(&path)?);
        Ok(DraftSegment { id, path, file })
    }

    /// Removes a segment file that is not in its place yet.
    pub(super) fn drop_segment(&self, draft: &DraftSegment) {
        // What cannot be removed is emptied out of tmp/ at the next open.
        drop(self.disk.unlink(&draft.path));
    }

    /// Puts a segment file in its place, durably, if it could be written.
    pub(super) fn place_segment(
        &self,
        draft: &DraftSegment,
        cut: &Cut,
        written: Result<Summary>,
    ) -> Result<SegmentEntry> {
        let id = draft.id;
        let sync = || unless(Bug::EditBeforeSegmentSync, || draft.file.sync_all());
        let synced = written.and_then(|summary| sync().map(|()| summary));
        let placed = synced.and_then(|summary| {
            let folder = names::Folder::of(summary.newest.occurred_at, self.partition);
            let level = u8::from(summary.rows as usize >= cut.final_rows());
            let entry = SegmentEntry {
                id,
                level,
                rows: summary.rows,
                file_len: summary.file_len,
                max: summary.newest,
                min: summary.oldest,
                seq_min: summary.seq_min,
                seq_max: summary.seq_max,
                recorded_min: summary.recorded_min,
                recorded_max: summary.recorded_max,
                content_hash: summary.content_hash,
                folder,
            };
            let held = self.folders.lock();
            durable::create_dir(&*self.disk, &folder.path())?;
            self.disk.rename(&draft.path, &entry.path())?;
            drop(held);
            let sync = || self.disk.sync_dir(&folder.path());
            unless(Bug::SegmentFolderUnsynced, sync).inspect_err(|_| {
                self.discard(core::slice::from_ref(&entry));
            })?;
            Ok(entry)
        });
        if placed.is_err() {
            self.drop_segment(draft);
        }
        placed
    }

    /// Makes an edit durable, and known to other processes. The lock is checked again behind it,
    /// before anybody removes a file that the edit makes superfluous: a writer that took the store
    /// over before that may not have read the edit.
    pub(super) fn commit_edit(&self, edit: Edit) -> Result<()> {
        self.check_lock()?;
        let mut manifest = self.manifest.lock();
        // An edit that nobody here knows of may be in force, with the same rows.
        self.check_poison()?;
        if let Err(error) = manifest.commit(edit) {
            if !error.is_full() {
                self.poison(&error);
            }
            return Err(error);
        }
        let (id, len) = (manifest.id(), manifest.len());
        drop(manifest);
        // The edit is durable by now, and counts unless somebody else has taken the store.
        self.check_lock()
            .map_err(|error| indeterminate().because(error))?;
        // Another edit may have been told of meanwhile, by the other of a seal and a merge.
        self.tell_others(|point| {
            let known = (point.manifest, point.manifest_end);
            (point.manifest, point.manifest_end) = known.max((id, len));
        });
        Ok(())
    }

    /// Puts segments into the version that new snapshots see, and takes out what they replace.
    fn install(
        &self,
        added: &[SegmentEntry],
        removed: &[SegmentId],
        sealed: Option<&Arc<Memtable>>,
    ) {
        let mut version = self.version.write();
        let (gone, kept): (Vec<_>, Vec<_>) = version
            .segments
            .iter()
            .map(Arc::clone)
            .partition(|pinned| removed.contains(&pinned.entry.id));
        let added = added
            .iter()
            .map(|entry| Arc::new(Pinned::new(entry.clone(), Arc::clone(&self.disk))));
        let memtables = version
            .memtables
            .iter()
            .filter(|table| sealed.is_none_or(|sealed| !Arc::ptr_eq(table, sealed)));
        *version = Version {
            memtables: memtables.map(Arc::clone).collect(),
            segments: Arc::new(Lineup::following(
                &version.segments,
                kept.into_iter().chain(added),
                Arc::clone(version.segments.runs()),
            )),
        };
        drop(version);
        for pinned in &gone {
            // The space of a removed file is free only when nobody has it open.
            self.base.segments.forget(pinned.entry.id);
        }
        self.let_go(gone);
    }
}

/// The first and the last position of a piece of rows that are newest first.
pub(super) fn ends(positions: &[Position], piece: &Range<usize>) -> (Position, Position) {
    let rows = positions.get(piece.clone()).unwrap_or_default();
    (
        rows.last().copied().unwrap_or(Position::LAST),
        rows.first().copied().unwrap_or(Position::FIRST),
    )
}
