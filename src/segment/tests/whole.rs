//! What is written of the same rows is the same file to the last byte, on whatever way they come.

use std::collections::BTreeMap;
use std::path::Path;

use super::Folder;
use super::Model;
use super::STORE;
use crate::disk::Disk;
use crate::disk::ReadDisk;
use crate::filter::indexed;
use crate::id::SegmentId;
use crate::segment::Summary;
use crate::segment::fingerprints::Gathered;
use crate::segment::sample;
use crate::segment::term_writer::TermWriter;
use crate::segment::writer::Indexes;
use crate::segment::writer::Writer;
use crate::segment::writer::write;

/// Compares segment `id` with what is written of these rows, and with what an obvious index of
/// their terms makes of them.
pub(super) fn assert_written_alike(folder: &Folder, id: u64, found: &Summary, models: &[Model]) {
    let bytes = |name: &str| {
        let file = folder.disk.open_read(Path::new(name)).unwrap();
        let mut bytes = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
        file.read_at(0, &mut bytes).unwrap();
        bytes
    };
    let found = (*found, bytes(&id.to_string()));
    let rewritten = format!("{id} again");
    let file = folder.disk.create_new(Path::new(&rewritten)).unwrap();
    let rows = models.iter().map(Model::row);
    let summary = write(&*file, STORE, SegmentId(id), rows).unwrap();
    assert!((summary, bytes(&rewritten)) == found, "segment {id}");
    let modelled = format!("{id} by the model");
    let file = folder.disk.create_new(Path::new(&modelled)).unwrap();
    let mut writer = Writer::begin(&*file, STORE, SegmentId(id)).unwrap();
    let some = models.iter().step_by(models.len().div_ceil(sample::ROWS));
    let some = some.map(|model| model.row().body.content.to_owned());
    writer.settle(&some.collect::<Vec<String>>());
    let mut index: BTreeMap<Vec<u8>, Vec<u32>> = BTreeMap::new();
    let mut fingerprints = Gathered::default();
    for (number, model) in (0..).zip(models) {
        let row = model.row();
        writer.push(&row).unwrap();
        let content = fingerprints.look(&row, None, number, file.path()).unwrap();
        indexed::stored(&content, |term| {
            index.entry(term.to_vec()).or_default().push(number);
        });
    }
    let terms = TermWriter::of(models.len() as u32, file.path(), |take| {
        index.iter().try_for_each(|(term, rows)| take(term, rows))
    });
    let indexes = Indexes {
        fingerprints,
        terms: terms.unwrap(),
    };
    let summary = writer.finish(|| Ok(indexes)).unwrap();
    assert!((summary, bytes(&modelled)) == found, "segment {id}");
}
