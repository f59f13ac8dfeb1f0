//! What a job exports, as its record keeps it, and back.

use super::ExportJob;
use super::ExportJobOptions;
use super::ExportJobs;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::export::Compression;
use crate::export::Export;
use crate::export::Format;
use crate::filter::Filter;
use crate::id::ExportId;
use crate::id::Sequence;
use crate::jobs::Asked;
use crate::jobs::Record;
use crate::layout::CsvSafety;
use crate::layout::Layout;
use crate::query::Order;
use crate::query::Query;

impl ExportJobs<'_> {
    /// Starts a job that exports what `query` asks of the store as it is now, by its filter, order and
    /// `since_seq`. Nothing is made yet: [`ExportJobs::run`] does the work, in this process or another,
    /// now or after a restart. Under a key that was used before this gives the job that there is.
    ///
    /// # Errors
    /// As [`Export::validate`] and [`crate::Snapshot::scan`]; [`ErrorKind::OutOfRange`] for a JSON
    /// array, which cannot be made in steps, and for a cursor, since a job begins at the top;
    /// [`ErrorKind::KeyConflict`] where the key was used for another export.
    pub fn start(
        &self,
        export: &Export,
        query: &Query,
        options: &ExportJobOptions,
    ) -> Result<ExportJob> {
        export.validate()?;
        export.refuse_pieces()?;
        let refuse = |what: &str| Err(Error::new(ErrorKind::OutOfRange, what));
        if export.format == Format::Json {
            return refuse("format: one JSON array cannot be made in steps; take ndjson");
        }
        if export.format == Format::Pdf {
            return refuse(
                "format: a pdf is laid out whole and cannot be made in steps; export it without a job",
            );
        }
        if query.cursor.is_some() {
            return refuse("cursor: a job begins at the top");
        }
        self.folder().make()?;
        let snapshot = self.snapshot()?;
        let now = self.clock.now();
        let asked = Asked {
            format: export.format.as_str().to_owned(),
            layout: export.layout.as_str().to_owned(),
            csv_safety: export.csv_safety.as_str().to_owned(),
            compression: export.compression.as_str().to_owned(),
            header: export.header,
            limit: export.limit,
            filter: query.filter.fixed(now)?.to_json(),
            oldest_first: query.order == Order::OldestFirst,
            since_seq: query.since_seq.map(|seq| seq.0),
        };
        let performer = serde_json::to_value(&options.performer).map_err(|error| {
            Error::new(ErrorKind::Invalid, "performer: cannot be written down").with_source(error)
        })?;
        let id = match &options.key {
            Some(key) => ExportId::of_key(key),
            None => ExportId::from_random(self.disk.store_id().0),
        };
        let mut record = Record::new(&id.to_string(), asked, performer);
        record.store = snapshot.store_id().to_string();
        record.key.clone_from(&options.key);
        record.snapshot_seq = snapshot.seq_count();
        record.complete_through = snapshot.complete_through().map(|time| time.to_string());
        record.created_at = now.to_string();
        record.keep_seconds = options.keep.as_secs();
        if asked_export(&record)? != *export {
            return refuse(
                "audience: a job is of an export in UTC, in English, with the built-in names of types",
            );
        }
        record.rows_in_range = snapshot.rows_passed(&asked_query(&record)?, None)?;
        match self.folder().add(id, &record) {
            Err(error) if error.kind() == ErrorKind::Exists => self.same(id, &record, query),
            added => added.and_then(|()| self.status(id)),
        }
    }

    /// The job that was started under this key, if it is of the same export.
    fn same(&self, id: ExportId, record: &Record, query: &Query) -> Result<ExportJob> {
        let there = self.folder().read(id)?;
        // Relative times were fixed when the job was started.
        let then = super::time(Some(&there.created_at)).unwrap_or_else(|| self.clock.now());
        let asked = Asked {
            filter: query.filter.fixed(then)?.to_json(),
            ..record.asked.clone()
        };
        if there.asked != asked {
            let what = format!("key: job {id} was started under it, for another export");
            return Err(Error::new(ErrorKind::KeyConflict, what));
        }
        self.tell(id, &there)
    }
}

/// The export that a record asks for.
pub(super) fn asked_export(record: &Record) -> Result<Export> {
    let asked = &record.asked;
    let format = [Format::Csv, Format::Ndjson];
    let layout = [
        Layout::Native,
        Layout::Entries,
        Layout::Trail,
        Layout::Sentinel,
    ];
    let safety = [CsvSafety::Guard, CsvSafety::Raw];
    let packing = [Compression::None, Compression::Zstd, Compression::Gzip];
    Ok(Export {
        format: known("format", &asked.format, format, Format::as_str)?,
        layout: known("layout", &asked.layout, layout, Layout::as_str)?,
        csv_safety: known("csv_safety", &asked.csv_safety, safety, CsvSafety::as_str)?,
        compression: known(
            "compression",
            &asked.compression,
            packing,
            Compression::as_str,
        )?,
        limit: asked.limit,
        header: asked.header,
        ..Export::default()
    })
}

/// The query that a record asks for.
pub(super) fn asked_query(record: &Record) -> Result<Query> {
    let asked = &record.asked;
    Ok(Query {
        filter: Filter::from_json(&asked.filter)?,
        order: match asked.oldest_first {
            true => Order::OldestFirst,
            false => Order::NewestFirst,
        },
        since_seq: asked.since_seq.map(Sequence),
        ..Query::default()
    })
}

/// The value whose word a record has.
fn known<T: Copy, const N: usize>(
    field: &str,
    word: &str,
    all: [T; N],
    as_str: fn(T) -> &'static str,
) -> Result<T> {
    let found = all.into_iter().find(|value| as_str(*value) == word);
    found.ok_or_else(|| {
        let what = format!("{field}: {word:?} of a job is not known to this version");
        Error::new(ErrorKind::Unsupported, what)
    })
}
