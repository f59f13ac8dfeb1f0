//! Every kind of damage to a segment's file: it is noticed by what reads the damaged place.

mod resealed;

use std::path::Path;

use sha2::Digest;
use sha2::Sha256;

use super::Contents;
use super::Folder;
use super::STORE;
use super::assert_same;
use super::contents_of;
use super::models;
use super::read_all;
use crate::disk::Disk;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::SegmentId;
use crate::options::ReadMode;
use crate::segment::Summary;
use crate::segment::format;
use crate::segment::reader::Expected;
use crate::segment::reader::Reader;

/// Reads all of a file, its hash too, as `verify` does.
fn read_fully(folder: &Folder, id: u64, summary: &Summary, mode: ReadMode) -> Result<Contents> {
    let expected = Expected {
        store: STORE,
        segment: SegmentId(1),
        rows: summary.rows,
        content_hash: summary.content_hash,
    };
    let reader = Reader::open(folder.blob(id, summary.file_len, mode), &expected)?;
    read_all(&reader)
}

/// Where the parts lie that only salvage reads.
fn twins(reader: &Reader) -> Vec<core::ops::Range<usize>> {
    let sections = reader
        .directory()
        .iter()
        .filter(|section| section.flags == 0);
    let twins = sections.map(|section| section.offset as usize..section.end().unwrap() as usize);
    let mut twins: Vec<core::ops::Range<usize>> = twins.collect();
    let end = reader.footer_offset() as usize;
    let directory = reader.directory().len() * format::SECTION_LEN;
    let first = end - 2 * directory - format::FOOTER_LEN;
    twins.push(first..end - directory);
    twins
}

#[test]
fn every_flipped_bit_is_noticed_by_reading() {
    let seeds: Vec<(u16, u32)> = (0..30).map(|seed| (seed as u16 % 9, seed)).collect();
    let models = models(&seeds);
    let folder = Folder::new();
    let summary = folder.write(1, &models);
    let file = folder.disk.open_write(Path::new("1")).unwrap();
    let mut bytes = vec![0; summary.file_len as usize];
    file.read_at(0, &mut bytes).unwrap();
    let hashed = &bytes[..bytes.len() - format::FOOTER_LEN];
    assert_eq!(
        <[u8; 32]>::from(Sha256::digest(hashed)),
        summary.content_hash
    );
    let twins = twins(&folder.open(1, &summary, ReadMode::Mapped));
    for (offset, byte) in bytes.iter().enumerate() {
        let flipped = byte ^ (1 << (offset % 8));
        file.write_at(offset as u64, &[flipped]).unwrap();
        for mode in [ReadMode::Mapped, ReadMode::Positional] {
            let error = match read_fully(&folder, 1, &summary, mode) {
                Err(error) => error,
                Ok(found) => {
                    // What stands twice is read once; the hash of the whole file tells.
                    assert!(
                        twins.iter().any(|twin| twin.contains(&offset)),
                        "byte {offset}"
                    );
                    assert_eq!(found.lines, contents_of(&models).lines);
                    continue;
                }
            };
            let kinds = [ErrorKind::Corrupt, ErrorKind::Unsupported];
            assert!(kinds.contains(&error.kind()), "byte {offset}: {error:?}");
            assert!(
                error.place().is_some_and(|place| place.offset.is_some()),
                "{error:?}"
            );
        }
        file.write_at(offset as u64, &[*byte]).unwrap();
    }
    assert_same(
        &folder.open(1, &summary, ReadMode::Mapped),
        &contents_of(&models),
    );
}

/// Two copies of a store that went on apart have segments of one store, number and length.
#[test]
fn p4_another_segment_of_the_same_name_and_length_is_refused() {
    let write = |word: &str| {
        let folder = Folder::new();
        let mut model = models(&[(1, 1)]);
        model[0].content = format!(r#"{{"type":"user.login","reason":"{word}"}}"#);
        let summary = folder.write(1, &model);
        (folder, summary)
    };
    let (_folder, own) = write("one");
    // Compressed, not every word takes as many bytes.
    let words = ["two", "six", "ten", "eno", "neo", "noe"];
    let mut twins = words.into_iter().map(write);
    let twin = twins.find(|(_, twin)| twin.file_len == own.file_len);
    let (other, twin) = twin.unwrap();
    assert_ne!(own.content_hash, twin.content_hash);
    for mode in [ReadMode::Mapped, ReadMode::Positional] {
        assert!(read_fully(&other, 1, &twin, mode).is_ok());
        let error = read_fully(&other, 1, &own, mode).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
    }
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let models = models(&[(1, 1), (2, 2), (2, 3)]);
    let folder = Folder::new();
    let summary = folder.write(1, &models);
    let file = folder.disk.open_write(Path::new("1")).unwrap();
    for len in (0..summary.file_len).rev() {
        file.set_len(len).unwrap();
        let error = Reader::open_any(folder.blob(1, len, ReadMode::Positional))
            .err()
            .unwrap();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{len}");
    }
}
