//! What is stored beside the rows, held against the rows.

use std::path::Path;
use std::path::PathBuf;

use sha2::Digest;
use sha2::Sha256;

use super::STORE;
use crate::codec::checksum::crc32;
use crate::codec::fingerprint;
use crate::codec::row::Body;
use crate::codec::row::Fingerprints;
use crate::codec::row::Row;
use crate::codec::varint::Bytes;
use crate::disk::Disk;
use crate::disk::ReadDisk;
use crate::disk::blob::Blob;
use crate::disk::sim::SimDisk;
use crate::error::Result;
use crate::id::Position;
use crate::id::SegmentId;
use crate::id::Sequence;
use crate::options::ReadMode;
use crate::segment::format::FOOTER_LEN;
use crate::segment::format::Footer;
use crate::segment::format::Kind;
use crate::segment::format::REQUIRED;
use crate::segment::format::Section;
use crate::segment::misindexed::write_misindexed;
use crate::segment::reader::Reader;
use crate::segment::writer::Printed;
use crate::segment::writer::write;
use crate::time::Time;
use crate::verify::Damage;
use crate::verify::Report;
use crate::verify::plan::Source;
use crate::verify::segment::check;

const ROW: Row<'_> = Row {
    position: Position::FIRST,
    recorded_at: Time::MIN,
    body: Body {
        time_given: true,
        import: None,
        content: r#"{"type":"a.b","key":"k"}"#,
    },
};

/// What a check says of the segment in a file.
fn checked(disk: &SimDisk, path: &Path) -> Vec<Damage> {
    let source = Source {
        id: SegmentId(1),
        path: path.to_owned(),
        entry: None,
    };
    let mut report = Report::silent();
    check(disk, Some(STORE), &source, &mut report);
    report.into_damages()
}

fn reader(disk: &SimDisk, path: &Path) -> Result<Reader> {
    let len = disk.len(path)?.unwrap_or(0);
    Reader::open_any(Blob::open(disk, path, len, ReadMode::Positional)?)
}

/// A writer with a defect leaves indexes that contradict the rows under checksums that are right.
#[test]
fn p4_what_is_stored_beside_the_rows_is_held_against_them() -> Result<()> {
    let own = Fingerprints {
        key: Some(fingerprint::proven_key("k").fingerprint),
        origin: None,
    };
    for (fingerprints, is_clean) in [(own, true), (Fingerprints::default(), false)] {
        let (disk, path) = (SimDisk::new(1), PathBuf::from("any.seg"));
        let fingerprints = Some(fingerprints);
        let printed = Printed {
            row: ROW,
            fingerprints,
        };
        let file = disk.create_new(&path)?;
        write(&*file, STORE, SegmentId(1), [printed])?;
        let damages = checked(&disk, &path);
        assert_eq!(damages.is_empty(), is_clean, "{damages:?}");
        // The place that is named is that of the index, not of the rows.
        let reader = reader(&disk, &path)?;
        let sections = reader.directory().iter();
        let mut found = sections.filter(|section| section.kind == Kind::Fingerprints as u16);
        let place = found.next().map(|section| section.offset);
        let told: Vec<_> = damages.iter().map(|damage| damage.offset).collect();
        assert_eq!(told, if is_clean { vec![] } else { vec![place] });
    }
    Ok(())
}

/// What happened: no test had a segment whose terms lead to other rows than those that have them, and a
/// check that never compared them would have passed all.
#[test]
fn p4_terms_that_lead_to_other_rows_are_damage() -> Result<()> {
    let (disk, path) = (SimDisk::new(1), PathBuf::from("any.seg"));
    let row = |content: &'static str, seq: u64| Row {
        position: Position {
            seq: Sequence(seq),
            ..Position::FIRST
        },
        body: Body {
            content,
            ..ROW.body
        },
        ..ROW
    };
    let rows = [row(r#"{"type":"a.b"}"#, 1), row(r#"{"type":"a.c"}"#, 0)];
    let file = disk.create_new(&path)?;
    write_misindexed(&*file, STORE, SegmentId(1), &rows)?;
    let damages = checked(&disk, &path);
    let told: Vec<_> = damages.iter().map(|damage| &*damage.reason).collect();
    assert_eq!(told, ["the terms are not those of the rows"]);
    Ok(())
}

/// A section of no bytes has no page whose checksum could tell of its own.
#[test]
fn p4_the_checksum_of_an_empty_section_is_that_of_nothing() -> Result<()> {
    let (disk, path) = (SimDisk::new(1), PathBuf::from("any.seg"));
    let file = disk.create_new(&path)?;
    write(&*file, STORE, SegmentId(1), [ROW])?;
    assert_eq!(checked(&disk, &path), []);
    let len = file.len()?;
    let read = |at: u64, len: u64| {
        let mut bytes = vec![0; len as usize];
        file.read_at(at, &mut bytes).map(|()| bytes)
    };
    let end = len - FOOTER_LEN as u64;
    let mut footer = Footer::decode(&read(end, FOOTER_LEN as u64)?).expect("a footer");
    let directory = read(footer.directory_offset, footer.directory_len.into())?;
    let (mut forged, mut left) = (Vec::new(), Bytes::new(&directory));
    while let Some(mut section) = Section::decode(&mut left) {
        section.crc ^= u32::from(section.len == 0);
        section.encode(&mut forged);
    }
    assert_ne!(directory, forged, "a section is empty");
    file.write_at(footer.directory_offset, &forged)?;
    footer.directory_crc = crc32(&forged);
    footer.content_hash = Sha256::digest(read(0, end)?).into();
    file.write_at(end, &footer.encode())?;
    let damages = checked(&disk, &path);
    let told: Vec<_> = damages.iter().map(|damage| &*damage.reason).collect();
    assert_eq!(
        told,
        ["an empty section has a checksum that is not one of nothing"]
    );
    Ok(())
}

/// Of what stands twice in a segment only salvage reads the second; a check reads all.
#[test]
fn p4_what_nothing_else_reads_is_read_by_a_check() -> Result<()> {
    let (disk, path) = (SimDisk::new(1), PathBuf::from("any.seg"));
    let file = disk.create_new(&path)?;
    write(&*file, STORE, SegmentId(1), [ROW])?;
    let reader = reader(&disk, &path)?;
    let twins = reader.directory().iter();
    let twins = twins.filter(|section| section.flags & REQUIRED == 0 && section.len > 0);
    assert!(twins.clone().count() >= 2, "{:?}", reader.directory());
    for section in twins {
        let (at, mut byte) = (section.offset + section.len / 2, [0]);
        file.read_at(at, &mut byte)?;
        file.write_at(at, &byte.map(|byte| byte ^ 1))?;
        let damages = checked(&disk, &path);
        let [damage] = damages.as_slice() else {
            panic!("a finding is told once: {damages:?}");
        };
        // The other one lies in a page that has a checksum of its own.
        if section.kind == Kind::PageSumsTwin as u16 {
            assert_eq!(damage.offset, Some(section.offset));
            assert!(damage.reason.contains("checksum of this section"));
        }
        file.write_at(at, &byte)?;
    }
    assert_eq!(checked(&disk, &path), []);
    Ok(())
}

/// Where a row cannot be read, the indexes differ from those that can, which says nothing new.
#[test]
fn p4_what_follows_from_a_damage_is_not_told_beside_it() -> Result<()> {
    let (disk, path) = (SimDisk::new(1), PathBuf::from("any.seg"));
    let file = disk.create_new(&path)?;
    write(&*file, STORE, SegmentId(1), [ROW])?;
    let reader = reader(&disk, &path)?;
    let sections = reader.directory().iter();
    let mut rows = sections.filter(|section| section.kind == Kind::Rows as u16);
    let rows = rows.next().copied().expect("a segment has rows");
    for at in rows.offset..rows.offset + rows.len {
        let mut byte = [0];
        file.read_at(at, &mut byte)?;
        file.write_at(at, &byte.map(|byte| byte ^ 1))?;
        let damages = checked(&disk, &path);
        assert_eq!(damages.len(), 1, "byte {at}: {damages:?}");
        file.write_at(at, &byte)?;
    }
    Ok(())
}
