//! What a manifest's frames hold, and the rules by which one follows another. The first frame is
//! the whole state; each further one is an edit. The rules are checked when a frame is written and
//! again when it is read, by the same function.
//!
//! ```text
//!  0  kind u8 (1 state, 2 edit) · partition u8 · 0 u16 · removed u32 · added u32 · 0 u32
//! 16  created_at i64 · next segment u64 · sealed seq u64 · first log u64 · recorded_at i64 · clock steps u64
//! 64  removed segment id u64… · added segment entry (124 bytes)…
//! ```

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::codec::varint::Bytes;
use crate::disk::names;
use crate::disk::names::Folder;
use crate::id::Position;
use crate::id::SegmentId;
use crate::id::Sequence;
use crate::id::StoreId;
use crate::id::WalId;
use crate::options::Partition;
use crate::time::Time;

/// The first bytes of every manifest.
pub(super) const MAGIC: [u8; 8] = *b"auditman";
/// Bytes of one segment's entry.
pub(super) const ENTRY: usize = 124;
/// Bytes of a frame's payload before the removed ids.
pub(super) const HEAD: usize = 64;
/// Written where nothing was recorded yet.
const NEVER: i64 = -1;

/// What the manifest knows of one segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SegmentEntry {
    /// The segment's number.
    pub(crate) id: SegmentId,
    /// How often its rows were merged.
    pub(crate) level: u8,
    /// Its rows, at least one.
    pub(crate) rows: u32,
    /// The exact length of its file.
    pub(crate) file_len: u64,
    /// The place of its newest row.
    pub(crate) max: Position,
    /// The place of its oldest row.
    pub(crate) min: Position,
    /// The lowest sequence number in it.
    pub(crate) seq_min: Sequence,
    /// The highest sequence number in it.
    pub(crate) seq_max: Sequence,
    /// The earliest moment one of its rows was recorded at.
    pub(crate) recorded_min: Time,
    /// The latest moment one of its rows was recorded at.
    pub(crate) recorded_max: Time,
    /// What its footer says its content hashes to.
    pub(crate) content_hash: [u8; 32],
    /// The partition's folder that it lies in.
    pub(crate) folder: Folder,
}

/// Everything a manifest says. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    /// The store.
    pub(crate) store: StoreId,
    /// When the store was made.
    pub(crate) created_at: Time,
    /// The width of its time partitions.
    pub(crate) partition: Partition,
    /// The number that the next segment gets; all before may have been used.
    pub(crate) next_segment: SegmentId,
    /// Every event below this is in a segment.
    pub(crate) sealed_seq: Sequence,
    /// The first log that holds rows that are in no segment.
    pub(crate) wal_first: WalId,
    /// The latest moment a sealed row was recorded at.
    pub(crate) recorded_at: Option<Time>,
    /// How often the clock was found behind what was recorded.
    pub(crate) clock_steps: u64,
    /// The segments in force.
    pub(crate) segments: Arc<BTreeMap<SegmentId, SegmentEntry>>,
}

/// A change of the state; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Edit {
    /// Segments that come into force.
    pub(crate) add: Vec<SegmentEntry>,
    /// Segments that they replace.
    pub(crate) remove: Vec<SegmentId>,
    /// The new [`State::sealed_seq`].
    pub(crate) sealed_seq: Option<Sequence>,
    /// The new [`State::wal_first`].
    pub(crate) wal_first: Option<WalId>,
    /// The new [`State::recorded_at`].
    pub(crate) recorded_at: Option<Time>,
    /// The new [`State::clock_steps`].
    pub(crate) clock_steps: Option<u64>,
}

/// One frame's payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    whole: bool,
    /// The state as it is afterwards, but for the segments: of them it holds the added ones.
    after: State,
    removed: Vec<SegmentId>,
}

impl SegmentEntry {
    /// The segment's file, from the store's folder.
    pub(crate) fn path(&self) -> PathBuf {
        names::segment(self.folder, self.id)
    }

    fn is_possible(&self) -> bool {
        let Folder { year, month, day } = self.folder;
        let folder = (1970..=9999).contains(&year) && month <= 12 && day <= 31;
        folder
            && (day == 0 || month > 0)
            && self.rows > 0
            && self.min <= self.max
            && self.seq_min <= self.seq_max
            && self.recorded_min <= self.recorded_max
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.id.0.to_le_bytes());
        out.extend_from_slice(&self.file_len.to_le_bytes());
        for position in [self.max, self.min] {
            out.extend_from_slice(&position.occurred_at.as_micros().to_le_bytes());
            out.extend_from_slice(&position.seq.0.to_le_bytes());
        }
        out.extend_from_slice(&self.seq_min.0.to_le_bytes());
        out.extend_from_slice(&self.seq_max.0.to_le_bytes());
        out.extend_from_slice(&self.recorded_min.as_micros().to_le_bytes());
        out.extend_from_slice(&self.recorded_max.as_micros().to_le_bytes());
        out.extend_from_slice(&self.content_hash);
        out.extend_from_slice(&self.rows.to_le_bytes());
        out.extend_from_slice(&self.folder.year.to_le_bytes());
        out.extend_from_slice(&[self.folder.month, self.folder.day, self.level, 0]);
    }

    fn decode(bytes: &mut Bytes<'_>) -> Option<SegmentEntry> {
        let (id, file_len) = (SegmentId(bytes.u64()?), bytes.u64()?);
        let (max, min) = (position(bytes)?, position(bytes)?);
        let (seq_min, seq_max) = (Sequence(bytes.u64()?), Sequence(bytes.u64()?));
        let (recorded_min, recorded_max) = (time(bytes)?, time(bytes)?);
        let content_hash = bytes.array()?;
        let rows = bytes.u32()?;
        let year = i32::from_le_bytes(bytes.array()?);
        let [month, day, level, zero] = bytes.array()?;
        let folder = Folder { year, month, day };
        (zero == 0).then_some(SegmentEntry {
            id,
            level,
            rows,
            file_len,
            max,
            min,
            seq_min,
            seq_max,
            recorded_min,
            recorded_max,
            content_hash,
            folder,
        })
    }
}

impl State {
    /// The state of a store without events.
    pub(super) fn new(store: StoreId, created_at: Time, partition: Partition) -> State {
        State {
            store,
            created_at,
            partition,
            next_segment: SegmentId(1),
            sealed_seq: Sequence(0),
            wal_first: WalId(1),
            recorded_at: None,
            clock_steps: 0,
            segments: Arc::default(),
        }
    }

    /// The record of the whole state.
    pub(super) fn record(&self) -> Record {
        Record {
            whole: true,
            after: self.clone(),
            removed: Vec::new(),
        }
    }

    /// The record of an edit of this state.
    pub(super) fn edited(&self, edit: Edit) -> Record {
        let added = edit.add.into_iter().map(|entry| (entry.id, entry));
        let after = State {
            sealed_seq: edit.sealed_seq.unwrap_or(self.sealed_seq),
            wal_first: edit.wal_first.unwrap_or(self.wal_first),
            recorded_at: edit.recorded_at.or(self.recorded_at),
            clock_steps: edit.clock_steps.unwrap_or(self.clock_steps),
            segments: Arc::new(added.collect()),
            ..*self
        };
        Record {
            whole: false,
            after,
            removed: edit.remove,
        }
    }

    /// Applies a record to the state before it, which is `None` at a manifest's beginning. Says
    /// which rule the record breaks.
    pub(super) fn apply(before: Option<State>, record: Record) -> Result<State, String> {
        let Record {
            whole,
            mut after,
            removed,
        } = record;
        let possible = after
            .segments
            .values()
            .all(|entry| entry.is_possible() && entry.id < after.next_segment);
        if !possible {
            return Err("a segment's entry contradicts itself".to_owned());
        }
        let Some(mut before) = before else {
            return if whole && removed.is_empty() {
                Ok(after)
            } else {
                Err("the first record is not a whole state".to_owned())
            };
        };
        let steady = before.created_at == after.created_at && before.partition == after.partition;
        if whole || !steady || !before.precedes(&after) {
            return Err("an edit takes back what was settled before".to_owned());
        }
        if removed.is_empty() && after.segments.is_empty() {
            after.segments = before.segments;
            return Ok(after);
        }
        let segments = Arc::make_mut(&mut before.segments);
        for id in removed {
            if segments.remove(&id).is_none() {
                return Err(format!(
                    "an edit removes segment {}, which is not there",
                    id.0
                ));
            }
        }
        for (id, entry) in &*after.segments {
            if segments.insert(*id, entry.clone()).is_some() {
                return Err(format!("an edit adds segment {} again", id.0));
            }
        }
        after.segments = before.segments;
        Ok(after)
    }

    /// Whether nothing in `after` went back that may only grow.
    fn precedes(&self, after: &State) -> bool {
        self.next_segment <= after.next_segment
            && self.sealed_seq <= after.sealed_seq
            && self.wal_first <= after.wal_first
            && self.recorded_at <= after.recorded_at
            && self.clock_steps <= after.clock_steps
    }
}

impl Record {
    /// Replaces `out` by the record's bytes.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let State { segments, .. } = &self.after;
        out.clear();
        out.reserve(HEAD + self.removed.len() * 8 + segments.len() * ENTRY);
        let partition = match self.after.partition {
            Partition::Day => 1,
            Partition::Month => 2,
            Partition::Year => 3,
        };
        out.extend_from_slice(&[if self.whole { 1 } else { 2 }, partition, 0, 0]);
        for count in [self.removed.len(), segments.len(), 0] {
            // A count that does not fit makes a frame that is too large, which is refused.
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            out.extend_from_slice(&count.to_le_bytes());
        }
        let recorded_at = self.after.recorded_at.map_or(NEVER, Time::as_micros);
        out.extend_from_slice(&self.after.created_at.as_micros().to_le_bytes());
        out.extend_from_slice(&self.after.next_segment.0.to_le_bytes());
        out.extend_from_slice(&self.after.sealed_seq.0.to_le_bytes());
        out.extend_from_slice(&self.after.wal_first.0.to_le_bytes());
        out.extend_from_slice(&recorded_at.to_le_bytes());
        out.extend_from_slice(&self.after.clock_steps.to_le_bytes());
        for id in &self.removed {
            out.extend_from_slice(&id.0.to_le_bytes());
        }
        for entry in segments.values() {
            entry.encode(out);
        }
    }

    /// Reads the record that fills `payload`, of a manifest of `store`.
    pub(super) fn decode(payload: &[u8], store: StoreId) -> Option<Record> {
        let mut bytes = Bytes::new(payload);
        let [kind, partition, 0, 0] = bytes.array()? else {
            return None;
        };
        let whole = match kind {
            1 => true,
            2 => false,
            _ => return None,
        };
        let partition = match partition {
            1 => Partition::Day,
            2 => Partition::Month,
            3 => Partition::Year,
            _ => return None,
        };
        let (removed, added) = (bytes.u32()?, bytes.u32()?);
        if bytes.u32()? != 0 {
            return None;
        }
        let created_at = time(&mut bytes)?;
        let (next_segment, sealed_seq) = (SegmentId(bytes.u64()?), Sequence(bytes.u64()?));
        let wal_first = WalId(bytes.u64()?);
        let recorded_at = match bytes.i64()? {
            NEVER => None,
            micros => Some(Time::from_micros(micros)?),
        };
        let clock_steps = bytes.u64()?;
        let removed = (0..removed).map(|_| bytes.u64().map(SegmentId));
        let removed = removed.collect::<Option<Vec<_>>>()?;
        let mut segments = BTreeMap::new();
        let mut before = None;
        for _ in 0..added {
            let entry = SegmentEntry::decode(&mut bytes)?;
            if before.replace(entry.id) >= Some(entry.id) {
                return None;
            }
            segments.insert(entry.id, entry);
        }
        bytes.is_empty().then_some(Record {
            whole,
            after: State {
                store,
                created_at,
                partition,
                next_segment,
                sealed_seq,
                wal_first,
                recorded_at,
                clock_steps,
                segments: Arc::new(segments),
            },
            removed,
        })
    }
}

fn time(bytes: &mut Bytes<'_>) -> Option<Time> {
    Time::from_micros(bytes.i64()?)
}

fn position(bytes: &mut Bytes<'_>) -> Option<Position> {
    let (occurred_at, seq) = (time(bytes)?, Sequence(bytes.u64()?));
    Some(Position { occurred_at, seq })
}
