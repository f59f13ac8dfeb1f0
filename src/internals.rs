//! The one door through which fuzz targets reach what is not public. It exists with the feature
//! `internals` only, is hidden from the documentation and promises nothing: a target hands bytes
//! in, everything that could break is called, and what must agree is asserted here.

mod life;
mod presence;
mod reading;
mod records;
mod sealed;
#[cfg(test)]
mod seeds;

use std::path::Path;
use std::sync::Arc;

pub use self::life::live;
pub use self::presence::read_presence;
pub use self::presence::sample_presence;
pub use self::reading::Reading;
pub use self::reading::content;
pub use self::reading::content_of_text;
use self::reading::reads_alike;
pub use self::records::inbox_of_bytes;
pub use self::records::job_of_bytes;
pub use self::records::saved_query_of_bytes;
pub use self::sealed::Sealed;

use crate::codec::canonical;
use crate::codec::frame;
use crate::codec::row::Body;
use crate::codec::row::Row;
use crate::codec::varint::Bytes;
use crate::disk::Disk;
use crate::disk::blob::Blob;
use crate::disk::durable;
use crate::disk::names;
use crate::disk::names::Folder;
use crate::disk::sim::SimDisk;
use crate::error::Error;
use crate::error::Result;
use crate::event::Event;
use crate::event::StoredEvent;
use crate::filter::Filter;
use crate::filter::expression::Expression;
use crate::filter::expression::Leaf;
use crate::filter::term;
use crate::filter::text;
use crate::generate::Generator;
use crate::generate::Profile;
use crate::id::ManifestId;
use crate::id::Position;
use crate::id::SegmentId;
use crate::id::Sequence;
use crate::id::StoreId;
use crate::id::WalId;
use crate::manifest;
use crate::manifest::Edit;
use crate::manifest::Ends;
use crate::manifest::Manifest;
use crate::manifest::SegmentEntry;
use crate::options::Partition;
use crate::options::ReadMode;
use crate::segment;
use crate::segment::postings::Direction;
use crate::segment::reader::Loaded;
use crate::segment::reader::Reader;
use crate::time::Time;
use crate::wal;

/// The store and the events that samples are made of.
const STORE: StoreId = StoreId([0xa5; 16]);
const SAMPLE_EVENTS: u64 = 40;
/// Hostile events among them, on top.
const SAMPLE_HOSTILE: u64 = 4;
/// Where the row of a target's only event stands.
const POSITION: Position = Position {
    occurred_at: Time::MIN,
    seq: Sequence(7),
};

/// Stores a native line's event as a row and gives back the row's line and event, as readers get
/// them. `None` for what no store takes.
#[must_use]
pub fn row_of_line(line: &str) -> Option<(Event, String, StoredEvent)> {
    let event = Event::from_native_line(line).ok()?;
    event.validate().ok()?;
    let occurred_at = event.occurred_at.value().copied();
    let body = Body {
        time_given: occurred_at.is_some(),
        import: None,
        content: &canonical::content(&event),
    };
    let mut stored = Vec::new();
    body.encode(&mut stored);
    assert_eq!(Body::decode(&stored), Some(body));
    let row = Row {
        position: Position {
            occurred_at: occurred_at.unwrap_or(Time::MIN),
            ..POSITION
        },
        recorded_at: Time::MAX,
        body,
    };
    let mut line = Vec::new();
    row.write_line(&mut line);
    let line = String::from_utf8(line).expect("a line is text");
    let back = row.to_event().expect("what was an event stays one");
    assert_eq!(row.application_event().as_ref(), Some(&event));
    reads_alike(&row);
    Some((event, line, back))
}

/// Reads any bytes as a stored row and calls all that readers call.
pub fn row_of_bytes(bytes: &[u8]) {
    let mut cursor = Bytes::new(bytes);
    while let Some(body) = Body::decode_from(&mut cursor) {
        let mut again = Vec::new();
        body.encode(&mut again);
        assert_eq!(Body::decode(&again), Some(body));
        let row = Row {
            position: POSITION,
            recorded_at: Time::MAX,
            body,
        };
        row.write_line(&mut again);
        reads_alike(&row);
    }
}

/// Checks that a filter means the same to the planner, which sees terms, as on the event itself.
pub fn filter_agrees(filter: &Filter, events: &[StoredEvent]) {
    let now = Time::MAX;
    let (Ok(range), Ok(expression)) = (filter.range(now), filter.expression()) else {
        return;
    };
    assert_eq!(filter.digest().ok(), filter.clone().digest().ok());
    for event in events {
        let mut terms = Vec::new();
        term::terms(&event.event, |term| terms.push(term.to_vec()));
        let found = range.contains(event.occurred_at) && fulfils(&expression, event, &terms);
        assert_eq!(found, filter.matches(event, range), "{}", filter.explain());
    }
}

fn fulfils(expression: &Expression, event: &StoredEvent, terms: &[Vec<u8>]) -> bool {
    match expression {
        Expression::All => true,
        Expression::And(members) => members.iter().all(|m| fulfils(m, event, terms)),
        Expression::Or(members) => members.iter().any(|m| fulfils(m, event, terms)),
        Expression::Not(member) => !fulfils(member, event, terms),
        Expression::Leaf(Leaf::Term(term)) => terms.contains(term),
        Expression::Leaf(Leaf::Terms { from, to }) => {
            terms.iter().any(|term| from <= term && term < to)
        }
        Expression::Leaf(Leaf::Id(position)) => event.position() == *position,
        Expression::Leaf(Leaf::Origin(id)) => {
            let origin = event.event.origin.value();
            origin.is_some_and(|origin| origin.id.as_deref() == Some(id))
        }
        Expression::Text(word) => text::holds(&event.event, word),
        Expression::Leaf(Leaf::Key(key)) => event.event.key.as_deref() == Some(key),
    }
}

/// Reads any bytes as a stamped log, in each of the ways a log can have ended.
pub fn frames(bytes: &[u8]) {
    let len = bytes.len() as u64;
    let path = Path::new("log");
    let read = |offset: u64, buffer: &mut [u8]| {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let found = bytes.get(start..).and_then(|rest| rest.get(..buffer.len()));
        let found = found.ok_or_else(|| Error::corrupt(path, offset, "no such bytes"))?;
        buffer.copy_from_slice(found);
        Ok(())
    };
    let magic = bytes.first_chunk::<8>().copied().unwrap_or_default();
    for extent in [
        frame::Extent::Closed(len),
        frame::Extent::Live(len),
        frame::Extent::Unclean { durable: 0 },
        frame::Extent::Unclean { durable: len / 2 },
    ] {
        let Ok(mut log) = frame::Reader::open(read, path, len, magic, extent) else {
            continue;
        };
        let mut payloads = 0;
        while let Ok(Some(frame)) = log.next() {
            payloads += frame.payload.len();
        }
        assert!(payloads <= bytes.len());
        let _ = log.copy_torn(|_| Ok(()));
    }
}

/// `sample` with bytes changed: five bytes a change, where (modulo the length) and by what.
#[must_use]
pub fn patched(sample: &[u8], patches: &[u8]) -> Vec<u8> {
    let mut bytes = sample.to_vec();
    for patch in patches.chunks_exact(5) {
        let (place, by) = patch.split_at(4);
        let place = place
            .iter()
            .fold(0_usize, |place, byte| place << 8 | usize::from(*byte));
        let place = place % bytes.len().max(1);
        if let (Some(byte), Some(by)) = (bytes.get_mut(place), by.first()) {
            *byte ^= by;
        }
    }
    bytes
}

/// Events of both profiles as rows' contents, in commit order.
fn sample_contents() -> Vec<(Time, String)> {
    let tidy = Generator::new(3, Profile::realistic(SAMPLE_EVENTS));
    let hostile = Generator::new(4, Profile::hostile(SAMPLE_HOSTILE));
    tidy.chain(hostile)
        .map(|event| {
            let occurred_at = event.occurred_at.value().copied().unwrap_or(Time::MIN);
            (occurred_at, canonical::content(&event))
        })
        .collect()
}

fn body(content: &str) -> Body<'_> {
    Body {
        time_given: true,
        import: None,
        content,
    }
}

/// Rows of these contents in the order of a segment, their seqs in the order given.
fn rows(contents: &[(Time, String)]) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = (0..)
        .zip(contents)
        .map(|(seq, (occurred_at, content))| Row {
            position: Position {
                occurred_at: *occurred_at,
                seq: Sequence(seq),
            },
            recorded_at: Time::MAX,
            body: body(content),
        })
        .collect();
    rows.sort_by_key(|row| core::cmp::Reverse(row.position));
    rows
}

/// An empty disk with the folders that files of a store are made in.
fn sample_disk() -> Result<SimDisk> {
    let disk = SimDisk::new(1);
    disk.create_dir(names::draft_dir())?;
    disk.create_dir(names::wal_dir())?;
    Ok(disk)
}

/// A disk that holds `bytes` as its only file.
fn disk_with(path: &Path, bytes: &[u8]) -> Result<SimDisk> {
    let disk = sample_disk()?;
    disk.create_new(path)?.write_at(0, bytes)?;
    Ok(disk)
}

/// All bytes of a file.
fn bytes_of(disk: &dyn Disk, path: &Path) -> Result<Vec<u8>> {
    let file = disk.open_read(path)?;
    let mut bytes = vec![0; usize::try_from(file.len()?).unwrap_or(0)];
    file.read_at(0, &mut bytes)?;
    Ok(bytes)
}

/// A segment of [`SAMPLE_EVENTS`] events and some hostile ones.
///
/// # Errors
/// What the simulated disk says; it says nothing.
pub fn sample_segment() -> Result<Vec<u8>> {
    let path = Path::new("sample.seg");
    bytes_of(&sealed_at(path, &sample_contents())?, path)
}

/// A disk with a segment of these contents.
fn sealed_at(path: &Path, contents: &[(Time, String)]) -> Result<SimDisk> {
    let disk = sample_disk()?;
    let file = disk.create_new(path)?;
    segment::writer::write(&*file, STORE, SegmentId(1), rows(contents))?;
    Ok(disk)
}

/// Opens any bytes as a segment and calls every accessor; gives the rows that could be read.
///
/// # Errors
/// What the first unreadable part says.
pub fn read_segment(bytes: &[u8]) -> Result<u32> {
    let path = Path::new("any.seg");
    let disk = disk_with(path, bytes)?;
    let blob = Blob::open(&disk, path, bytes.len() as u64, ReadMode::Positional)?;
    let reader = Reader::open_any(blob)?;
    let mut loaded = Loaded::default();
    let mut line = Vec::new();
    let (mut read, mut failure) = (0, None);
    for row in 0..reader.rows().min(100_000) {
        match reader.row(row, &mut loaded) {
            Ok(found) => {
                line.clear();
                found.write_line(&mut line);
                let position = found.position;
                let _ = found.to_event();
                // One look-up in sixteen is enough to break.
                if row % 16 == 0 {
                    let _ = reader.lower_bound(position, &mut Loaded::default());
                }
                read += 1;
            }
            Err(error) => failure = Some(error),
        }
    }
    let mut number = 0_u32;
    let mut terms = reader.terms(&[]);
    while terms.advance()? {
        let mut postings = terms.postings();
        let mut next = 0;
        while let Some(row) = postings.seek(next, Direction::Up)? {
            assert!(row >= next);
            next = row + 1;
        }
        let _ = postings.seek(next / 2, Direction::Down)?;
        number += 1;
        if number.is_multiple_of(16) {
            let _ = reader.postings(terms.term())?;
        }
    }
    for (fingerprint, _) in reader.fingerprints()?.into_iter().step_by(16) {
        let _ = reader.fingerprint(fingerprint << 40)?;
    }
    let mut pairs = reader.by_seq(Sequence(0), Sequence(u64::MAX));
    while pairs.next()?.is_some() {}
    failure.map_or(Ok(read), Err)
}

/// A log of a few groups.
///
/// # Errors
/// What the simulated disk says; it says nothing.
pub fn sample_wal() -> Result<Vec<u8>> {
    let disk = sample_disk()?;
    let mut writer = wal::Writer::create(&disk, WalId(1), STORE, Sequence(0), 0)?;
    let mut seq = 0;
    for group in sample_contents().chunks(10) {
        let rows = group.iter().map(|(time, content)| (*time, body(content)));
        writer.append(Sequence(seq), Time::MAX, rows)?;
        seq += group.len() as u64;
    }
    writer.sync()?;
    bytes_of(&disk, &names::wal(WalId(1)))
}

/// Reads any bytes as a write-ahead log, in each of the ways one can have ended; gives the rows of
/// the last.
///
/// # Errors
/// What the last way says.
pub fn read_wal(bytes: &[u8]) -> Result<u64> {
    let disk = disk_with(&names::wal(WalId(1)), bytes)?;
    let len = bytes.len() as u64;
    let mut outcome = Ok(0);
    for extent in [
        wal::Extent::Closed(len),
        wal::Extent::Live(len),
        wal::Extent::Unclean { durable: 0 },
    ] {
        outcome = rows_of_wal(&disk, extent);
    }
    outcome
}

fn rows_of_wal(disk: &SimDisk, extent: wal::Extent) -> Result<u64> {
    let mut reader = wal::Reader::open(disk, WalId(1), STORE, extent)?;
    let mut rows = 0;
    while let Some(group) = reader.next()? {
        for row in group.rows() {
            let _ = row?.to_event();
            rows += 1;
        }
    }
    reader.copy_torn(|_| Ok(()))?;
    Ok(rows)
}

/// The two files of a manifest of a few segments: `CURRENT` and the manifest it names.
///
/// # Errors
/// What the simulated disk says; it says nothing.
pub fn sample_manifest() -> Result<(Vec<u8>, Vec<u8>)> {
    let disk = sample_disk()?;
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    let mut manifest =
        Manifest::create(shared, STORE, Time::MIN, Partition::Month, Ends::default())?;
    for number in 1..6_u64 {
        let entry = SegmentEntry {
            id: manifest.take_segment_id(),
            level: 1,
            rows: 10,
            file_len: 4096,
            max: POSITION,
            min: POSITION,
            seq_min: Sequence(number * 10),
            seq_max: Sequence(number * 10 + 9),
            recorded_min: Time::MIN,
            recorded_max: Time::MAX,
            content_hash: [7; 32],
            folder: Folder::of(Time::MIN, Partition::Month),
        };
        manifest.commit(Edit {
            add: vec![entry],
            sealed_seq: Some(Sequence(number * 10 + 10)),
            ..Edit::default()
        })?;
    }
    manifest.mark_closed(Ends::default())?;
    let current = bytes_of(&disk, names::current())?;
    let named = manifest::Current::read(&disk)?.manifest;
    Ok((current, bytes_of(&disk, &names::manifest(named))?))
}

/// Reads any bytes as `CURRENT` and the manifest it may name; gives the number of segments.
///
/// # Errors
/// What the first unreadable part says.
pub fn read_manifest(current: &[u8], manifest: &[u8]) -> Result<usize> {
    let disk = disk_with(names::current(), current)?;
    let named = manifest::Current::read(&disk).map_or(ManifestId(1), |found| found.manifest);
    let path = names::manifest(named);
    durable::create(&disk, &path, manifest)?;
    Ok(manifest::view(&disk)?.state.segments.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A target whose sample cannot be read would find nothing.
    #[test]
    fn samples_are_read_whole() -> Result<()> {
        assert_eq!(
            u64::from(read_segment(&sample_segment()?)?),
            SAMPLE_EVENTS + SAMPLE_HOSTILE
        );
        let (current, manifest) = sample_manifest()?;
        assert_eq!(read_manifest(&current, &manifest)?, 5);
        let log = sample_wal()?;
        assert_eq!(read_wal(&log)?, SAMPLE_EVENTS + SAMPLE_HOSTILE);
        frames(&log);
        Ok(())
    }
}
