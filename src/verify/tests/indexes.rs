//! What is stored beside the rows, held against the rows.

use std::path::Path;
use std::path::PathBuf;

use super::STORE;
use crate::codec::fingerprint;
use crate::codec::row::Body;
use crate::codec::row::Fingerprints;
use crate::codec::row::Row;
use crate::disk::Disk;
use crate::disk::blob::Blob;
use crate::disk::sim::SimDisk;
use crate::error::Result;
use crate::id::Position;
use crate::id::SegmentId;
use crate::options::ReadMode;
use crate::segment::format::REQUIRED;
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
    }
    Ok(())
}

/// Of what stands twice in a segment only salvage reads the second; a check reads all.
#[test]
fn p4_what_nothing_else_reads_is_read_by_a_check() -> Result<()> {
    let (disk, path) = (SimDisk::new(1), PathBuf::from("any.seg"));
    let file = disk.create_new(&path)?;
    write(&*file, STORE, SegmentId(1), [ROW])?;
    let blob = Blob::open(&disk, &path, file.len()?, ReadMode::Positional)?;
    let reader = Reader::open_any(blob)?;
    let twins = reader.directory().iter();
    let twins = twins.filter(|section| section.flags & REQUIRED == 0 && section.len > 0);
    assert!(twins.clone().count() >= 2, "{:?}", reader.directory());
    for section in twins {
        let (at, mut byte) = (section.offset + section.len / 2, [0]);
        file.read_at(at, &mut byte)?;
        file.write_at(at, &byte.map(|byte| byte ^ 1))?;
        assert!(!checked(&disk, &path).is_empty(), "{section:?}");
        file.write_at(at, &byte)?;
    }
    assert_eq!(checked(&disk, &path), []);
    Ok(())
}
