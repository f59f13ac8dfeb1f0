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

/// What the first line begins with, the version in it.
pub(crate) const HEAD: &str = "{\"auditdb_job\":1,";

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
        Record {
            auditdb_job: 1,
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

    /// The record as it stands in its file.
    pub(crate) fn encode(&self) -> Result<Vec<u8>> {
        let line = serde_json::to_vec(self).map_err(|error| {
            Error::new(ErrorKind::Invalid, "the job cannot be written down").with_source(error)
        })?;
        let bytes = checked::seal(line);
        if bytes.len() > limits::JOB_BYTES {
            let most = limits::JOB_BYTES;
            let what = format!("filter: the record of a job has up to {most} bytes");
            return Err(Error::new(ErrorKind::OutOfRange, what));
        }
        Ok(bytes)
    }

    /// The record in the bytes of `file`.
    pub(crate) fn decode(file: &Path, bytes: &[u8]) -> Result<Record> {
        let line = checked::open(bytes, file, "the record of a job")?;
        if !line.starts_with(HEAD.as_bytes()) {
            let what = "the record of a job is of an unknown version";
            return Err(Error::new(ErrorKind::Unsupported, what).in_file(file));
        }
        serde_json::from_slice(line)
            .map_err(|error| Error::corrupt(file, 0, format!("the record of a job: {error}")))
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

    #[test]
    fn the_page_shows_a_record_as_it_is_written() -> Result<()> {
        let shown = PAGE.split("```text\n").find(|text| text.starts_with(HEAD));
        let shown = shown.and_then(|text| text.split("```").next());
        let shown = shown.unwrap_or_default().as_bytes();
        let record = Record::decode(Path::new("job.md"), shown)?;
        assert_eq!((record.state, record.reached.bytes), (State::Ready, 3));
        assert_eq!(record.encode()?, shown);
        Ok(())
    }
}
