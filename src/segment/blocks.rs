//! The row blocks of a segment under construction, by two threads where rows can be packed in any
//! order: each takes every other stretch of them, and one of the two puts all into the file in order.

use core::ops::Range;
use std::sync::mpsc::sync_channel;

use super::block;
use super::format;
use super::output::Output;
use super::packing::Packing;
use super::packing::RowPacker;
use super::stands::StandReader;
use super::writer::beside;
use super::zones::Zone;
use crate::codec::bits::BitWriter;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::time::Time;

/// Rows of a stretch, whole blocks.
const STRETCH_ROWS: usize = if cfg!(test) { 2 } else { 64 } * format::BLOCK_ROWS;
/// Stretches that wait to be put into the file.
const STRETCHES: usize = 2;

/// Blocks that follow each other; zones tell where each begins among them.
#[derive(Default)]
struct Blocks {
    bytes: Vec<u8>,
    zones: Vec<Zone>,
}

/// Packs rows into blocks.
struct Packer<'p> {
    packing: &'p Packing,
    rows: RowPacker,
    stands: StandReader,
    packed: BitWriter,
}

/// Writes all blocks and gives back what the index says of each.
pub(super) fn write(packing: &Packing, output: &mut Output<'_>) -> Result<Vec<Zone>> {
    let rows = packing.rows();
    let stretch = |first: usize| first..rows.min(first + STRETCH_ROWS);
    let stretches = (0..rows).step_by(STRETCH_ROWS).map(stretch);
    let mut zones = Vec::with_capacity(rows.div_ceil(format::BLOCK_ROWS));
    let start = output.offset();
    let mut put = |blocks: Blocks| {
        let before = output.offset() - start;
        zones.extend(blocks.zones.into_iter().map(|zone| Zone {
            offset: before + zone.offset,
            ..zone
        }));
        output.put(&blocks.bytes)
    };
    let mut here = Packer::new(packing);
    if !packing.any_order() || rows <= STRETCH_ROWS {
        stretches.map(|rows| here.pack(rows)).try_for_each(put)?;
        return Ok(zones);
    }
    let (full, packed) = sync_channel(STRETCHES);
    std::thread::scope(|scope| {
        let mut there = Packer::new(packing);
        let others = stretches.clone();
        let ended = beside(scope, "auditdb-rows", move || {
            for (number, rows) in others.enumerate() {
                match number % 2 {
                    0 => there.skip(rows),
                    // Who takes them has an error of its own where nobody does any more.
                    _ if full.send(there.pack(rows)).is_err() => break,
                    _ => {}
                }
            }
            Ok(())
        })?;
        for (number, rows) in stretches.enumerate() {
            if number % 2 == 0 {
                put(here.pack(rows))?;
                continue;
            }
            here.skip(rows);
            match packed.recv() {
                Ok(blocks) => put(blocks)?,
                Err(_) => break,
            }
        }
        drop(packed);
        ended()
    })?;
    match zones.len() * format::BLOCK_ROWS >= rows {
        true => Ok(zones),
        false => Err(Error::new(
            ErrorKind::Io,
            "a thread that packs rows is gone",
        )),
    }
}

impl<'p> Packer<'p> {
    fn new(packing: &'p Packing) -> Packer<'p> {
        Packer {
            packing,
            rows: packing.row_packer(),
            stands: StandReader::default(),
            packed: BitWriter::default(),
        }
    }

    /// Leaves rows to others.
    fn skip(&mut self, rows: Range<usize>) {
        self.rows.skip(rows.len());
        let stands = &self.packing.builder().stands;
        for _ in rows {
            stands.next(&mut self.stands);
        }
    }

    fn pack(&mut self, rows: Range<usize>) -> Blocks {
        let mut blocks = Blocks::default();
        let (mut bits, mut stands, mut ends) = (Vec::new(), Vec::new(), Vec::new());
        for first in rows.clone().step_by(format::BLOCK_ROWS) {
            bits.clear();
            stands.clear();
            ends.clear();
            for _ in first..rows.end.min(first + format::BLOCK_ROWS) {
                let stand = self.packing.builder().stands.next(&mut self.stands);
                let Some(stand) = stand else {
                    break;
                };
                stands.push(stand);
                let position = stand.position;
                self.packing
                    .write_row(&mut self.rows, position, &mut self.packed);
                self.packed.flush(&mut bits);
                ends.push(bits.len());
            }
            let seqs = stands.iter().map(|stand| stand.position.seq);
            let newest = stands.first().map(|stand| stand.position.occurred_at);
            blocks.zones.push(Zone {
                offset: blocks.bytes.len() as u64,
                newest: newest.unwrap_or(Time::MIN),
                seqs: (
                    seqs.clone().min().unwrap_or_default(),
                    seqs.max().unwrap_or_default(),
                ),
            });
            let recorded = &self.packing.schema.recorded;
            block::write(&stands, recorded, &ends, &bits, &mut blocks.bytes);
        }
        blocks
    }
}
