//! A record's two lines: what is known of a job as a JSON object, and the checksum of that. Normative:
//! `docs/format/job.md`.

use std::path::Path;

use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;

use crate::codec::checked;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::limits;

/// What the first line begins with, of each version that is read: 1, and 2 for what 1 has no words for.
const HEADS: [&str; 2] = ["{\"auditdb_job\":1,", "{\"auditdb_job\":2,"];

/// Bytes that a file of an archive takes in the record, at most.
const CHUNK_BYTES: usize = 288;
/// Bytes by which a record grows besides, at most: how far it came, and why it failed.
const GROWTH_BYTES: usize = 32 << 10;

/// What is known of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The version.
    auditdb_job: u32,
    pub(crate) store: String,
    pub(crate) id: String,
    pub(crate) key: Option<String>,
    pub(crate) state: State,
    /// Why it failed.
    pub(crate) reason: Option<String>,
    pub(crate) performer: Value,
    pub(crate) asked: Asked,
    /// The snapshot: how many events, and when the last of them was recorded.
    pub(crate) snapshot_seq: u64,
    pub(crate) complete_through: Option<String>,
    pub(crate) created_at: String,
    pub(crate) ended_at: Option<String>,
    pub(crate) keep_seconds: u64,
    pub(crate) expires_at: Option<String>,
    /// Rows of the store, by the bounds of its segments, in the time that is asked for.
    pub(crate) rows_in_range: u64,
    pub(crate) audited: bool,
    pub(crate) reached: Reached,
}

/// What is exported, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Asked {
    pub(crate) format: String,
    pub(crate) layout: String,
    pub(crate) csv_safety: String,
    pub(crate) compression: String,
    pub(crate) header: bool,
    pub(crate) limit: Option<u64>,
    pub(crate) filter: Value,
    pub(crate) oldest_first: bool,
    pub(crate) since_seq: Option<u64>,
    /// Whom it is for, where that is not everybody. From version 2 on.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) audience: Option<AskedAudience>,
    /// The archive that the file becomes. From version 2 on.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) zip: Option<AskedZip>,
    /// The organisation that is shown it. From version 2 on.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) view: Option<String>,
}

/// In which words an export is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct AskedAudience {
    pub(crate) locale: Option<String>,
    pub(crate) zone: String,
    /// Names of packs that come with the library, and texts of others.
    pub(crate) packs: Vec<String>,
}

/// How an export is packed as an archive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct AskedZip {
    pub(crate) rows_per_file: Option<u64>,
}

/// One file of an archive, as it lies in the unfinished file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ChunkRecord {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// Where it began.
    pub(crate) cursor: Option<String>,
    pub(crate) first: Option<String>,
    pub(crate) last: Option<String>,
}

/// The archive that was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ArchiveRecord {
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

/// Characters that a PDF shows by their numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct MissingRecord {
    pub(crate) count: u64,
    /// Those that are listed, one behind the other.
    pub(crate) characters: String,
}

/// How far a job's file is durable.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Reached {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// Of those bytes; empty before the first.
    pub(crate) sha256: String,
    /// Where to go on; none at the beginning, and when nothing follows.
    pub(crate) cursor: Option<String>,
    /// Of the rows in the range, those that were passed.
    pub(crate) rows_passed: u64,
    pub(crate) first: Option<String>,
    pub(crate) last: Option<String>,
    /// The file holds all that it is to hold.
    pub(crate) whole: bool,
    /// The files of the archive that is to be, the last one perhaps not whole. From version 2 on.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(crate) chunks: Vec<ChunkRecord>,
    /// The archive, once it has its name. From version 2 on.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) archive: Option<ArchiveRecord>,
    /// What no font had, of a PDF. From version 2 on.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) missing_glyphs: Option<MissingRecord>,
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    Queued,
    Running,
    Ready,
    Failed,
    Cancelled,
    Expired,
}

impl Record {
    /// The record of a job that nothing was done for yet.
    pub(crate) fn new(id: &str, asked: Asked, performer: Value) -> Record {
        let for_everybody = asked.audience.is_none() && asked.view.is_none();
        let plain = for_everybody && asked.zip.is_none() && asked.csv_safety != "excel";
        Record {
            // As many versions as can do so read it.
            auditdb_job: if plain { 1 } else { 2 },
            store: String::new(),
            id: id.to_owned(),
            key: None,
            state: State::Queued,
            reason: None,
            performer,
            asked,
            snapshot_seq: 0,
            complete_through: None,
            created_at: String::new(),
            ended_at: None,
            keep_seconds: 0,
            expires_at: None,
            rows_in_range: 0,
            audited: false,
            reached: Reached::default(),
        }
    }

    /// How the job's file ends, after its format and packing.
    pub(crate) fn ending(&self) -> String {
        if self.asked.zip.is_some() {
            return "zip".to_owned();
        }
        let Asked {
            format,
            compression,
            ..
        } = &self.asked;
        match compression.as_str() {
            "zstd" => format!("{format}.zst"),
            "gzip" => format!("{format}.gz"),
            _ => format.clone(),
        }
    }

    /// The length and the SHA-256 of what the job made so far: of its archive once there is one.
    pub(crate) fn made(&self) -> (u64, &str) {
        match &self.reached.archive {
            Some(archive) => (archive.bytes, &archive.sha256),
            None => (self.reached.bytes, &self.reached.sha256),
        }
    }

    /// How many files the record has room for, if it is of a job for which nothing was done yet.
    ///
    /// # Errors
    /// As [`Record::encode`].
    pub(crate) fn chunks_max(&self) -> Result<u64> {
        let taken = self.encode()?.len() + GROWTH_BYTES;
        Ok((limits::JOB_BYTES.saturating_sub(taken) / CHUNK_BYTES) as u64)
    }

    /// The record as it stands in its file.
    pub(crate) fn encode(&self) -> Result<Vec<u8>> {
        let line = serde_json::to_vec(self).map_err(|error| {
            Error::new(ErrorKind::Invalid, "the job cannot be written down").with_source(error)
        })?;
        let bytes = checked::seal(line);
        if bytes.len() > limits::JOB_BYTES {
            let most = limits::JOB_BYTES;
            let (fields, advice) = match self.reached.chunks.len() {
                0 => ("filter, pack".to_owned(), ""),
                files => (
                    format!("zip, {files} files"),
                    "; export it in parts, by time",
                ),
            };
            let what = format!("{fields}: the record of a job has up to {most} bytes{advice}");
            return Err(Error::new(ErrorKind::OutOfRange, what));
        }
        Ok(bytes)
    }

    /// The record in the bytes of `file`.
    pub(crate) fn decode(file: &Path, bytes: &[u8]) -> Result<Record> {
        let line = checked::open(bytes, file, "the record of a job")?;
        if !HEADS.iter().any(|head| line.starts_with(head.as_bytes())) {
            let what = "the record of a job is of an unknown version";
            return Err(Error::new(ErrorKind::Unsupported, what).in_file(file));
        }
        let corrupt =
            |what: String| Error::corrupt(file, 0, format!("the record of a job: {what}"));
        let record: Record =
            serde_json::from_slice(line).map_err(|error| corrupt(error.to_string()))?;
        if !record.asked.is_known() {
            let what = "the record of a job asks for a format or packing that is not known";
            return Err(Error::new(ErrorKind::Unsupported, what).in_file(file));
        }
        let asked = record.asked.clone();
        match Record::new("", asked, Value::Null).auditdb_job > record.auditdb_job {
            true => Err(corrupt(
                "it asks for what its version has no words for".to_owned(),
            )),
            false => Ok(record),
        }
    }
}

impl Asked {
    /// Whether its words are among those that jobs are made with: a file's name ends with them.
    fn is_known(&self) -> bool {
        let formats = ["csv", "ndjson", "json", "pdf"];
        let packings = ["none", "zstd", "gzip"];
        formats.contains(&self.format.as_str()) && packings.contains(&self.compression.as_str())
    }
}

impl State {
    /// Whether work on the job is worth while.
    pub(crate) fn is_open(self) -> bool {
        matches!(self, State::Queued | State::Running | State::Failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../docs/format/job.md");

    fn shown(head: &str) -> &'static [u8] {
        let shown = PAGE.split("```text\n").find(|text| text.starts_with(head));
        let shown = shown.and_then(|text| text.split("```").next());
        shown.unwrap_or_default().as_bytes()
    }

    #[test]
    fn the_page_shows_a_record_of_each_version_as_it_is_written() -> Result<()> {
        for (head, bytes) in HEADS.into_iter().zip([3, 3]) {
            let record = Record::decode(Path::new("job.md"), shown(head))?;
            assert_eq!((record.state, record.reached.bytes), (State::Ready, bytes));
            assert_eq!(record.encode()?, shown(head));
        }
        Ok(())
    }

    #[test]
    fn a_record_has_room_for_the_files_it_says_it_has() -> Result<()> {
        let mut record = Record::decode(Path::new("job.md"), shown(HEADS[1]))?;
        record.reached = Reached::default();
        let most = record.chunks_max()?;
        assert!(most > 3000, "{most}");
        let id = format!("evt_{}", "z".repeat(26));
        let chunk = ChunkRecord {
            rows: u64::MAX,
            bytes: u64::MAX,
            cursor: Some("z".repeat(136)),
            first: Some(id.clone()),
            last: Some(id),
        };
        record.reached.chunks = vec![chunk; usize::try_from(most).unwrap_or(0)];
        assert!(record.encode()?.len() <= limits::JOB_BYTES - GROWTH_BYTES);
        Ok(())
    }

    /// What happened: a record said `d/../../../victim` for its format, and whoever opened the store
    /// removed that file.
    #[test]
    fn p4_a_record_leads_to_no_file_of_others() -> Result<()> {
        let record = Record::decode(Path::new("job.md"), shown(HEADS[0]))?;
        let mut paths = [record.clone(), record];
        paths[0].asked.format = "d/../../../victim".to_owned();
        paths[1].asked.compression = "../zstd".to_owned();
        for hostile in paths {
            let refused = Record::decode(Path::new("x"), &hostile.encode()?);
            assert!(refused.is_err_and(|error| error.kind() == ErrorKind::Unsupported));
        }
        Ok(())
    }

    #[test]
    fn a_record_of_version_1_has_no_words_of_version_2() -> Result<()> {
        let mut record = Record::decode(Path::new("job.md"), shown(HEADS[1]))?;
        record.auditdb_job = 1;
        let refused = Record::decode(Path::new("x"), &record.encode()?);
        assert!(refused.is_err_and(|error| error.is_corrupt()));
        Ok(())
    }
}
