//! Segments that a writer with a defect would leave: whole, with indexes that lead to other rows.

use super::indexing::Indexing;
use super::writer::Printed;
use super::writer::Writer;
use crate::codec::row::Row;
use crate::disk::File;
use crate::error::Result;
use crate::id::SegmentId;
use crate::id::StoreId;

/// Writes a segment whose terms and fingerprints are those of the rows in the opposite order.
pub(crate) fn write_misindexed(
    file: &dyn File,
    store: StoreId,
    segment: SegmentId,
    rows: &[Row<'_>],
) -> Result<()> {
    let mut writer = Writer::begin(file, store, segment)?;
    let contents: Vec<String> = rows.iter().map(|row| row.body.content.to_owned()).collect();
    writer.settle(&contents);
    let mut indexing = Indexing::default();
    for row in rows {
        writer.push(row)?;
        writer.index(&mut indexing, &Printed::from(*row))?;
    }
    let opposite: Vec<u32> = (0..rows.len() as u32).rev().collect();
    writer.finish_with(indexing, Some(&opposite)).map(drop)
}
