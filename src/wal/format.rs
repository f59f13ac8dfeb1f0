//! What a log's header and frames hold. Every value has one encoding, and decoding is total: a
//! frame's checksum finds accidents, this finds what no writer could have written.
//!
//! ```text
//! own fields of the header   first seq · end of the log before, or 0 · log the file was before, or 0 · where that ended
//! payload of a frame         first seq u64 · recorded_at i64 · rows u32 · row…
//! row                        occurred_at as zigzag varint from the row before (from recorded_at) · body
//! ```

use crate::codec::frame::Frame;
use crate::codec::frame::Header;
use crate::codec::row::Body;
use crate::codec::row::Row;
use crate::codec::varint;
use crate::codec::varint::Bytes;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::Position;
use crate::id::Sequence;
use crate::id::StoreId;
use crate::id::WalId;
use crate::time::Time;

/// The first bytes of every log.
pub(super) const MAGIC: [u8; 8] = *b"auditwal";
/// Where the number of rows stands in a payload.
const COUNT_AT: usize = 16;
/// Bytes before the first row.
const HEAD: usize = COUNT_AT + 4;

/// What was committed as one: rows of consecutive sequence numbers, recorded at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group<'a> {
    /// The sequence number of the first row.
    pub(crate) first_seq: Sequence,
    /// When the store accepted the rows.
    pub(crate) recorded_at: Time,
    /// How many rows there are, at least one.
    pub(crate) count: u32,
    rows: Bytes<'a>,
    frame: Frame<'a>,
}

/// The rows of a group, in commit order. After an error it is exhausted.
pub(crate) struct Rows<'a> {
    group: Group<'a>,
    bytes: Bytes<'a>,
    left: u32,
    seq: u64,
    occurred_at: Time,
}

/// The header of a log.
pub(super) fn header(store: StoreId, id: WalId, own: [u64; 4]) -> Header {
    Header::new(MAGIC, store, id.0, own)
}

/// Replaces `out` by the payload of a group.
pub(super) fn encode<'b>(
    first_seq: Sequence,
    recorded_at: Time,
    rows: impl IntoIterator<Item = (Time, Body<'b>)>,
    out: &mut Vec<u8>,
) -> Result<()> {
    out.clear();
    out.extend_from_slice(&first_seq.0.to_le_bytes());
    out.extend_from_slice(&recorded_at.as_micros().to_le_bytes());
    out.extend_from_slice(&[0; HEAD - COUNT_AT]);
    let mut count = 0_u32;
    let mut before = recorded_at;
    for (occurred_at, body) in rows {
        varint::put_i64(out, occurred_at.as_micros() - before.as_micros());
        body.encode(out);
        before = occurred_at;
        count += 1;
    }
    if count == 0 {
        return Err(Error::new(ErrorKind::OutOfRange, "a group without rows"));
    }
    for (place, byte) in out.iter_mut().skip(COUNT_AT).zip(count.to_le_bytes()) {
        *place = byte;
    }
    Ok(())
}

impl<'a> Group<'a> {
    /// Reads the head of a group; the rows are checked as they are taken.
    pub(super) fn decode(frame: Frame<'a>) -> Result<Group<'a>> {
        let damaged = |what: &str| Err(Error::corrupt(frame.path, frame.offset, what));
        let mut bytes = Bytes::new(frame.payload);
        let fields = (bytes.u64(), bytes.i64(), bytes.u32());
        let (Some(first_seq), Some(recorded_at), Some(count)) = fields else {
            return damaged("a group's head is cut short");
        };
        let recorded_at = Time::from_micros(recorded_at);
        let (Some(recorded_at), 1.., Some(_)) =
            (recorded_at, count, first_seq.checked_add(count.into()))
        else {
            return damaged("a group without rows, or with an impossible time or number");
        };
        Ok(Group {
            first_seq: Sequence(first_seq),
            recorded_at,
            count,
            rows: bytes,
            frame,
        })
    }

    /// The sequence number behind the last row.
    pub(crate) fn next_seq(&self) -> Sequence {
        Sequence(self.first_seq.0.saturating_add(self.count.into()))
    }

    /// Where the group begins in its log.
    pub(crate) const fn offset(&self) -> u64 {
        self.frame.offset
    }

    /// The rows, in commit order.
    pub(crate) fn rows(&self) -> Rows<'a> {
        Rows {
            group: *self,
            bytes: self.rows,
            left: self.count,
            seq: self.first_seq.0,
            occurred_at: self.recorded_at,
        }
    }
}

impl<'a> Rows<'a> {
    fn row(&mut self) -> Option<Row<'a>> {
        let delta = self.bytes.signed_varint()?;
        let micros = self.occurred_at.as_micros().checked_add(delta)?;
        let occurred_at = Time::from_micros(micros)?;
        let body = Body::decode_from(&mut self.bytes)?;
        let seq = Sequence(self.seq);
        self.seq += 1;
        self.left -= 1;
        self.occurred_at = occurred_at;
        if self.left == 0 && !self.bytes.is_empty() {
            return None;
        }
        Some(Row {
            position: Position { occurred_at, seq },
            recorded_at: self.group.recorded_at,
            body,
        })
    }
}

impl<'a> Iterator for Rows<'a> {
    type Item = Result<Row<'a>>;

    fn next(&mut self) -> Option<Result<Row<'a>>> {
        if self.left == 0 {
            return None;
        }
        let seq = self.seq;
        Some(self.row().ok_or_else(|| {
            self.left = 0;
            let what = format!("the event with sequence number {seq} is no event");
            Error::corrupt(self.group.frame.path, self.group.frame.offset, what)
        }))
    }
}
