//! The one place that knows what a store's files are called. A name is made from a number and read
//! back to it, and only the exact spelling that would be made is read: `1.wal` is no log, so two
//! names never mean one file. All paths are relative to the store's folder.

mod beside;

use std::path::Path;
use std::path::PathBuf;

pub(crate) use beside::draft_beside;
pub(crate) use beside::is_draft_beside;

use crate::id::ExportId;
use crate::id::ManifestId;
use crate::id::SegmentId;
use crate::id::WalId;
use crate::options::Partition;
use crate::time::Time;

/// The folder of one time partition: `2026`, `2026-05` or `2026-05-17`, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Folder {
    /// The calendar year.
    pub(crate) year: i32,
    /// The month from 1, or 0 for a whole year.
    pub(crate) month: u8,
    /// The day from 1, or 0 for a whole month or year.
    pub(crate) day: u8,
}

const MANIFEST: &str = "MANIFEST-";
const WAL: &str = ".wal";
const SEGMENT: &str = ".seg";
const PRESENCE: &str = ".flt";
const PART: &str = ".part";
const QUERY: &str = ".query";
const JOB: &str = ".job";
const EVENT: &str = ".event";

/// The store's own folder.
pub(crate) fn root() -> &'static Path {
    Path::new("")
}

/// The file that names the manifest in force.
pub(crate) fn current() -> &'static Path {
    Path::new("CURRENT")
}

/// The file a writer locks.
pub(crate) fn lock() -> &'static Path {
    Path::new("LOCK")
}

/// The folder of the write-ahead logs.
pub(crate) fn wal_dir() -> &'static Path {
    Path::new("wal")
}

/// The folder of the partitions' folders.
pub(crate) fn segment_dir() -> &'static Path {
    Path::new("seg")
}

/// The folder of files not yet complete; the writer removes its drafts when it opens the store.
pub(crate) fn draft_dir() -> &'static Path {
    Path::new("tmp")
}

/// `MANIFEST-000123`.
pub(crate) fn manifest(id: ManifestId) -> PathBuf {
    PathBuf::from(format!("{MANIFEST}{:06}", id.0))
}

/// The manifest of this name.
pub(crate) fn manifest_id(name: &str) -> Option<ManifestId> {
    decimal(name.strip_prefix(MANIFEST)?).map(ManifestId)
}

/// `wal/000042.wal`.
pub(crate) fn wal(id: WalId) -> PathBuf {
    wal_dir().join(format!("{:06}{WAL}", id.0))
}

/// The log of this name in [`wal_dir`].
pub(crate) fn wal_id(name: &str) -> Option<WalId> {
    decimal(name.strip_suffix(WAL)?).map(WalId)
}

/// The folder of this name in [`segment_dir`].
pub(crate) fn folder(name: &str) -> Option<Folder> {
    let mut numbers = name.split('-');
    let folder = Folder {
        year: numbers.next()?.parse().ok()?,
        month: numbers.next().map_or(Some(0), |month| month.parse().ok())?,
        day: numbers.next().map_or(Some(0), |day| day.parse().ok())?,
    };
    (folder.path() == segment_dir().join(name)).then_some(folder)
}

/// `seg/2026-05/00000000000002a3.seg`.
pub(crate) fn segment(folder: Folder, id: SegmentId) -> PathBuf {
    folder.path().join(format!("{:016x}{SEGMENT}", id.0))
}

/// The segment of this name in a [`Folder`].
pub(crate) fn segment_id(name: &str) -> Option<SegmentId> {
    let digits = name.strip_suffix(SEGMENT)?;
    let id = u64::from_str_radix(digits, 16).ok()?;
    (digits == format!("{id:016x}")).then_some(SegmentId(id))
}

/// The folder of the filters that tell which segments may hold a term.
pub(crate) fn presence_dir() -> &'static Path {
    Path::new("flt")
}

/// `flt/000007.flt`.
pub(crate) fn presence(number: u64) -> PathBuf {
    presence_dir().join(format!("{number:06}{PRESENCE}"))
}

/// The number of the filter of this name in [`presence_dir`].
pub(crate) fn presence_number(name: &str) -> Option<u64> {
    decimal(name.strip_suffix(PRESENCE)?)
}

/// The folder of the records of export jobs.
pub(crate) fn job_dir() -> &'static Path {
    Path::new("jobs")
}

/// `jobs/exp_….job`.
pub(crate) fn job(id: ExportId) -> PathBuf {
    job_dir().join(format!("{id}{JOB}"))
}

/// The job of this name in [`job_dir`].
pub(crate) fn job_id(name: &str) -> Option<ExportId> {
    name.strip_suffix(JOB)?.parse().ok()
}

/// The note that a job is to be given up: `jobs/exp_….cancel`.
pub(crate) fn job_cancel(id: ExportId) -> PathBuf {
    job_dir().join(format!("{id}.cancel"))
}

/// The job whose record this file in [`job_dir`] was to become, by the name that [`draft_beside`] gives.
pub(crate) fn job_of_draft(name: &str) -> Option<ExportId> {
    let (target, _) = name
        .strip_prefix('.')?
        .strip_suffix(PART)?
        .rsplit_once('.')?;
    let id = job_id(target)?;
    is_draft_beside(&job(id), name).then_some(id)
}

/// The archive that a job is making of its file: `exports/exp_….zip.part`.
pub(crate) fn export_archive_part(id: ExportId) -> PathBuf {
    export_dir().join(format!("{id}.zip{PART}"))
}

/// The folder of the files that export jobs make.
pub(crate) fn export_dir() -> &'static Path {
    Path::new("exports")
}

/// The file of a job that is done: `exports/exp_….csv`.
pub(crate) fn export(id: ExportId, ending: &str) -> PathBuf {
    export_dir().join(format!("{id}.{ending}"))
}

/// The file of a job that is not: `exports/exp_….part`.
pub(crate) fn export_part(id: ExportId) -> PathBuf {
    export_dir().join(format!("{id}{PART}"))
}

/// The folder of what is left for the writer by processes beside it.
pub(crate) fn inbox_dir() -> &'static Path {
    Path::new("inbox")
}

/// `inbox/NAME.event`.
pub(crate) fn inbox(name: &str) -> PathBuf {
    inbox_dir().join(format!("{name}{EVENT}"))
}

/// The record in the file of this name in [`inbox_dir`]: 32 lower-case hexadecimal digits.
pub(crate) fn inbox_name(file: &str) -> Option<&str> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let name = file.strip_suffix(EVENT)?;
    (name.len() == 32 && name.bytes().all(is_digit)).then_some(name)
}

/// Whether this file in [`inbox_dir`] was to become a record, by the name that [`draft_beside`] gives.
pub(crate) fn is_inbox_draft(file: &str) -> bool {
    file.strip_prefix('.')
        .and_then(|file| file.strip_suffix(PART)?.rsplit_once('.'))
        .is_some_and(|(target, number)| {
            inbox_name(target).is_some() && number.bytes().all(|byte| byte.is_ascii_digit())
        })
}

/// The folder of the questions that people saved.
pub(crate) fn queries_dir() -> &'static Path {
    Path::new("queries")
}

/// `queries/NAME.query`.
pub(crate) fn saved_query(name: &str) -> PathBuf {
    queries_dir().join(format!("{name}{QUERY}"))
}

/// The name of the saved query in the file of this name in [`queries_dir`].
pub(crate) fn saved_query_name(file: &str) -> Option<&str> {
    file.strip_suffix(QUERY).filter(|name| is_query_name(name))
}

/// Whether a saved query may be called so: short, and the same file on every file system.
pub(crate) fn is_query_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=64).contains(&name.len())
        && name.bytes().next().is_some_and(plain)
        && name
            .bytes()
            .all(|byte| plain(byte) || matches!(byte, b'-' | b'_' | b'.'))
}

/// Where the writer makes the file that becomes `target`: `tmp/seg-2026-05-00000000000002a3.seg`.
pub(crate) fn draft(target: &Path) -> PathBuf {
    draft_dir().join(target.to_string_lossy().replace('/', "-"))
}

/// Whether a name in [`draft_dir`] is one that [`draft`] gives.
pub(crate) fn is_draft(name: &str) -> bool {
    let log = name.strip_prefix("wal-");
    let aside = name.strip_prefix("quarantine-");
    let filter = name.strip_prefix("flt-");
    let query = name.strip_prefix("queries-");
    let segment = name.rsplit('-').next().and_then(segment_id);
    Path::new(name) == current()
        || manifest_id(name).is_some()
        || segment.is_some()
        || log.and_then(wal_id).is_some()
        || filter.and_then(presence_number).is_some()
        || query.and_then(saved_query_name).is_some()
        || aside.is_some_and(is_quarantined)
}

/// The folder of what the writer found and did not understand; it removes nothing from there.
pub(crate) fn quarantine_dir() -> &'static Path {
    Path::new("quarantine")
}

/// The torn end of a log: `quarantine/wal-000042`.
pub(crate) fn torn_wal(id: WalId) -> PathBuf {
    quarantine_dir().join(format!("wal-{:06}", id.0))
}

/// The torn end of a manifest: `quarantine/manifest-000123`.
pub(crate) fn torn_manifest(id: ManifestId) -> PathBuf {
    quarantine_dir().join(format!("manifest-{:06}", id.0))
}

/// A segment that was put aside: `quarantine/00000000000002a3.seg`, with a number behind it if there
/// was one of that name before.
pub(crate) fn strange_segment(id: SegmentId, copy: u64) -> PathBuf {
    let name = format!("{:016x}{SEGMENT}", id.0);
    quarantine_dir().join(match copy {
        0 => name,
        _ => format!("{name}.{copy}"),
    })
}

fn is_quarantined(name: &str) -> bool {
    let number = name.strip_prefix("wal-");
    let number = number.or_else(|| name.strip_prefix("manifest-"));
    number.and_then(decimal).is_some()
}

impl Folder {
    /// The folder of the partition that a moment lies in.
    pub(crate) fn of(time: Time, width: Partition) -> Folder {
        let civil = time.to_civil();
        let month = u8::try_from(civil.month).unwrap_or(0);
        let day = u8::try_from(civil.day).unwrap_or(0);
        let (month, day) = match width {
            Partition::Year => (0, 0),
            Partition::Month => (month, 0),
            Partition::Day => (month, day),
        };
        Folder {
            year: civil.year,
            month,
            day,
        }
    }

    /// `seg/2026-05`.
    pub(crate) fn path(self) -> PathBuf {
        let Folder { year, month, day } = self;
        segment_dir().join(match (month, day) {
            (0, _) => format!("{year:04}"),
            (_, 0) => format!("{year:04}-{month:02}"),
            _ => format!("{year:04}-{month:02}-{day:02}"),
        })
    }
}

/// At least six digits, with leading zeros only to make up six.
fn decimal(digits: &str) -> Option<u64> {
    let number = digits.parse().ok()?;
    (digits == format!("{number:06}")).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file_name(path: &Path) -> &str {
        path.file_name()
            .and_then(|name| name.to_str())
            .unwrap_or("")
    }

    #[test]
    fn every_number_reads_back_from_its_name() {
        for number in [0, 1, 999_999, 1_000_000, u64::MAX] {
            let id = ManifestId(number);
            assert_eq!(manifest_id(file_name(&manifest(id))), Some(id));
            let id = WalId(number);
            assert_eq!(wal_id(file_name(&wal(id))), Some(id));
            let (id, folder) = (
                SegmentId(number),
                Folder::of(Time::MIN, Partition::default()),
            );
            assert_eq!(segment_id(file_name(&segment(folder, id))), Some(id));
            assert_eq!(presence_number(file_name(&presence(number))), Some(number));
        }
    }

    #[test]
    fn no_second_spelling_means_the_same_file() {
        for name in [
            "1.wal",
            "0000001.wal",
            "+00001.wal",
            "000001.WAL",
            "000001.wal~",
            "",
        ] {
            assert_eq!(wal_id(name), None, "{name}");
        }
        for name in [
            "2a3.seg",
            "00000000000002A3.seg",
            "+0000000000002a3.seg",
            ".seg",
        ] {
            assert_eq!(segment_id(name), None, "{name}");
        }
        assert_eq!(manifest_id("MANIFEST-1"), None);
        assert_eq!(manifest_id("manifest-000001"), None);
    }

    #[test]
    fn a_partition_of_each_width_has_its_folder() {
        let time = "2026-05-17T23:59:59Z".parse().unwrap_or(Time::MIN);
        for (width, path) in [
            (Partition::Year, "seg/2026"),
            (Partition::Month, "seg/2026-05"),
            (Partition::Day, "seg/2026-05-17"),
        ] {
            let folder = Folder::of(time, width);
            assert_eq!(folder.path(), Path::new(path));
            let read = super::folder(file_name(Path::new(path)));
            assert_eq!(read, Some(folder));
        }
        for name in [
            "26",
            "2026-5",
            "2026-05-017",
            "2026-05-17-1",
            "2026-00-01",
            "+2026",
            "",
        ] {
            assert_eq!(folder(name), None, "{name}");
        }
    }

    #[test]
    fn a_file_of_a_job_or_a_record_is_told_by_the_whole_of_its_name() {
        let id = ExportId::of_key("monthly");
        let draft = draft_beside(&job(id), 17);
        assert_eq!(job_of_draft(file_name(&draft)), Some(id));
        for name in [format!(".{id}{JOB}.017.part"), format!(".{id}{JOB}.x.part")] {
            assert_eq!(job_of_draft(&name), None, "{name}");
        }
        let name = "0123456789abcdef0123456789abcdef";
        let record = format!("{name}{EVENT}");
        assert_eq!(inbox_name(&record), Some(name));
        for other in [
            format!("{name}0{EVENT}"),
            format!("{}{EVENT}", &name[1..]),
            format!("{}{EVENT}", name.to_uppercase()),
        ] {
            assert_eq!(inbox_name(&other), None, "{other}");
        }
        assert!(is_inbox_draft(file_name(&draft_beside(&inbox(name), 17))));
        for other in [
            format!(".{record}.x7.part"),
            ".other.17.part".to_owned(),
            record,
        ] {
            assert!(!is_inbox_draft(&other), "{other}");
        }
    }

    #[test]
    fn a_saved_query_has_a_name_that_every_file_system_keeps() {
        let longest = "q".repeat(64);
        for name in ["a", "0", "monthly-review_2026.q2", &*longest] {
            assert!(is_query_name(name), "{name}");
            let path = saved_query(name);
            assert_eq!(path, Path::new("queries").join(format!("{name}.query")));
            assert_eq!(saved_query_name(file_name(&path)), Some(name));
        }
        let longer = format!("{longest}q");
        for name in ["", "-a", ".a", "_a", "a b", "A", "a/b", "ä", &*longer] {
            assert!(!is_query_name(name), "{name}");
            assert_eq!(saved_query_name(&format!("{name}.query")), None, "{name}");
        }
        assert_eq!(saved_query_name("a.txt"), None);
    }

    #[test]
    fn what_lies_in_tmp_is_a_draft_by_the_name_of_what_it_becomes() {
        let folder = Folder::of(Time::MIN, Partition::Month);
        for target in [
            current().to_owned(),
            manifest(ManifestId(3)),
            wal(WalId(3)),
            segment(folder, SegmentId(3)),
            presence(3),
            saved_query("mine"),
            torn_wal(WalId(3)),
            torn_manifest(ManifestId(3)),
        ] {
            assert!(is_draft(file_name(&draft(&target))), "{target:?}");
        }
        for name in ["notes", "wal-3.wal", "quarantine-notes", "queries-A.query"] {
            assert!(!is_draft(name), "{name}");
        }
    }

    #[test]
    fn drafts_of_different_files_have_different_names() {
        let folder = Folder::of(Time::MIN, Partition::Month);
        assert_eq!(
            draft(&segment(folder, SegmentId(1))),
            Path::new("tmp/seg-1970-01-0000000000000001.seg")
        );
    }
}
