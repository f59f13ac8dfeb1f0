//! What a job exports, as its record keeps it, and back.

use std::sync::Arc;

use super::ExportJob;
use super::ExportJobOptions;
use super::ExportJobs;
use super::archive;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::export::Compression;
use crate::export::Export;
use crate::export::Format;
use crate::filter::Filter;
use crate::id::ExportId;
use crate::id::Sequence;
use crate::jobs;
use crate::jobs::Asked;
use crate::jobs::AskedAudience;
use crate::jobs::AskedZip;
use crate::jobs::Record;
use crate::layout::Audience;
use crate::layout::CsvSafety;
use crate::layout::Layout;
use crate::layout::LocalZone;
use crate::layout::Locale;
use crate::query::Order;
use crate::query::Query;
use crate::query::looked_at;
use crate::registry::Registry;
use crate::snapshot::Snapshot;

impl ExportJobs<'_> {
    /// Starts a job that exports what `query` asks of the store as it is now, by its filter, order and
    /// `since_seq`. Nothing is made yet: [`ExportJobs::run`] does the work, in this process or another,
    /// now or after a restart. Under a key that was used before this gives the job that there is.
    ///
    /// # Errors
    /// As [`Export::validate`] and [`crate::Snapshot::scan`]; [`ErrorKind::OutOfRange`] for a JSON
    /// array, which cannot be made in steps, for a PDF that is to be no archive, since it may come to
    /// several documents, for fonts, and for a cursor, since a job begins at the top;
    /// [`ErrorKind::KeyConflict`] where the key was used for another export.
    pub fn start(
        &self,
        export: &Export,
        query: &Query,
        options: &ExportJobOptions,
    ) -> Result<ExportJob> {
        export.validate()?;
        check_archive(export, options)?;
        let refuse = |what: &str| Err(Error::new(ErrorKind::OutOfRange, what));
        if export.format == Format::Json {
            return refuse("format: one JSON array cannot be made in steps; take ndjson");
        }
        if export.format == Format::Pdf && !options.zip {
            return refuse(
                "format: a pdf may come to several documents, and a job makes one file: ask for an \
                 archive of them, by zip",
            );
        }
        if !export.fonts.is_empty() {
            return refuse("fonts: a job keeps none; export without a job what needs them");
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
            audience: asked_audience(&export.audience),
            view: export.view.clone(),
            zip: options.zip.then_some(AskedZip {
                rows_per_file: options.rows_per_file,
            }),
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
        // Whoever goes on with the job must come to the same export.
        if self.asked_export(&record)? != *export {
            return refuse("audience: a job cannot be made for it");
        }
        record.rows_in_range = snapshot.rows_passed(&asked_query(&record)?, None)?;
        check_files(&record, &snapshot)?;
        match self.folder().add(id, &record) {
            Err(error) if error.kind() == ErrorKind::Exists => self.same(id, &record, query),
            added => added.and_then(|()| self.status(id)),
        }
    }

    /// The job that was started under this key, if it is of the same export.
    fn same(&self, id: ExportId, record: &Record, query: &Query) -> Result<ExportJob> {
        let there = jobs::read(&*self.disk, id)?;
        // Relative times were fixed when the job was started.
        let then = super::time(Some(&there.created_at)).unwrap_or_else(|| self.clock.now());
        let asked = Asked {
            filter: query.filter.fixed(then)?.to_json(),
            ..record.asked.clone()
        };
        if there.asked != asked {
            let what =
                format!("key: job {id} was started under it, for another export: take another key");
            return Err(Error::new(ErrorKind::KeyConflict, what));
        }
        self.tell(id, &there)
    }
}

impl ExportJobs<'_> {
    /// The export that a record asks for.
    pub(super) fn asked_export(&self, record: &Record) -> Result<Export> {
        let asked = &record.asked;
        let format = [Format::Csv, Format::Ndjson, Format::Pdf];
        let layout = [
            Layout::Native,
            Layout::Entries,
            Layout::Trail,
            Layout::Sentinel,
        ];
        let safety = [CsvSafety::Guard, CsvSafety::Raw, CsvSafety::Excel];
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
            audience: self.audience(asked.audience.as_ref())?,
            view: asked.view.clone(),
            fonts: Vec::new(),
        })
    }

    fn audience(&self, asked: Option<&AskedAudience>) -> Result<Audience> {
        let Some(asked) = asked else {
            return Ok(Audience::default());
        };
        let zone = match asked.zone.as_str() {
            "UTC" => Some(LocalZone::default()),
            name => (self.zones)(name),
        };
        let zone = zone.ok_or_else(|| {
            let what = format!(
                "zone: nothing is known here of {:?}; ExportJobs::zones says where zones are found",
                asked.zone
            );
            Error::new(ErrorKind::Unsupported, what)
        })?;
        let packs = asked.packs.iter().map(String::as_str);
        Ok(Audience {
            locale: asked.locale.as_deref().map(Locale::find).transpose()?,
            zone,
            registry: Arc::new(Registry::of_sources(packs)?),
        })
    }
}

/// Refuses an archive that cannot be made, and files without one.
fn check_archive(export: &Export, options: &ExportJobOptions) -> Result<()> {
    match (options.zip, options.rows_per_file) {
        (true, rows) => archive::validate(export, rows),
        (false, None) => Ok(()),
        (false, Some(_)) => {
            let what = "rows_per_file: a job makes one file; several go into an archive, by zip";
            Err(Error::new(ErrorKind::OutOfRange, what))
        }
    }
}

/// Refuses more files than the record has room for. Rows are counted only where their range leaves a
/// doubt.
fn check_files(record: &Record, snapshot: &Snapshot) -> Result<()> {
    let asked = &record.asked;
    let Some(each) = asked.zip.as_ref().and_then(|zip| zip.rows_per_file) else {
        return Ok(());
    };
    let most = record.chunks_max()?;
    let exported = |rows: u64| rows.min(asked.limit.unwrap_or(u64::MAX));
    if exported(record.rows_in_range).div_ceil(each) <= most {
        return Ok(());
    }
    let mut query = asked_query(record)?;
    if let Some(org) = &asked.view {
        (query.filter, _) = looked_at(&query.filter, org);
    }
    let rows = exported(snapshot.count(&query)?);
    if rows.div_ceil(each) <= most {
        return Ok(());
    }
    let what = format!(
        "rows_per_file: {each} rows make {} files, and the record of this job has room for {most}: \
         take {} or more, or export without a job",
        rows.div_ceil(each),
        rows.div_ceil(most.max(1))
    );
    Err(Error::new(ErrorKind::OutOfRange, what))
}

/// What a record says of whom an export is for; nothing where it is for everybody.
fn asked_audience(audience: &Audience) -> Option<AskedAudience> {
    (*audience != Audience::default()).then(|| AskedAudience {
        locale: audience.locale.map(|locale| locale.as_str().to_owned()),
        zone: audience.zone.name().to_owned(),
        packs: audience.registry.sources().map(str::to_owned).collect(),
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
