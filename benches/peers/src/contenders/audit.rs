//! auditdb, through its public interface and with its default options.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use auditdb::Compression;
use auditdb::Condition;
use auditdb::Event;
use auditdb::Export;
use auditdb::Filter;
use auditdb::FilterField;
use auditdb::Format;
use auditdb::Import;
use auditdb::ImportOptions;
use auditdb::OnRefusal;
use auditdb::Options;
use auditdb::Pattern;
use auditdb::Query;
use auditdb::ReadMode;
use auditdb::Reader;
use auditdb::Snapshot;
use auditdb::Store;
use auditdb::Time;

use super::Batches;
use super::Contender;
use super::Form;
use super::Mark;
use super::Rows;
use crate::ask::Ask;
use crate::record::Record;

/// The store; `LINES` says that pages are wanted as text.
pub struct Audit<const LINES: bool> {
    handle: Handle,
}

enum Handle {
    Writer(Store),
    Reader(Reader),
}

impl<const LINES: bool> Audit<LINES> {
    fn store(&self) -> &Store {
        match &self.handle {
            Handle::Writer(store) => store,
            Handle::Reader(_) => panic!("a reader does not write"),
        }
    }

    fn store_mut(&mut self) -> &mut Store {
        match &mut self.handle {
            Handle::Writer(store) => store,
            Handle::Reader(_) => panic!("a reader does not write"),
        }
    }

    fn snapshot(&self) -> Snapshot {
        match &self.handle {
            Handle::Writer(store) => store.snapshot(),
            Handle::Reader(reader) => reader.snapshot().expect("a snapshot"),
        }
    }

    /// A page as text: the lines are never made events of.
    fn lines(&self, query: &Query, limit: usize) -> (Rows, Mark) {
        let mut scan = self.snapshot().scan(query).expect("a scan");
        let mut lines = Vec::new();
        for _ in 0..limit {
            if !scan.next_line(&mut lines).expect("a line") {
                return (Rows::Lines(lines), Mark::End);
            }
        }
        let mark = scan.cursor().map_or(Mark::End, Mark::Cursor);
        (Rows::Lines(lines), mark)
    }
}

fn filter(ask: &Ask) -> Filter {
    let mut filter = Filter::new();
    if let Some(event_type) = &ask.event_type {
        filter = filter.is(FilterField::Type, event_type);
    }
    let entity =
        |field, (kind, id): &(String, String)| Condition::Field(field, Pattern::entity(kind, id));
    if let Some(subject) = &ask.subject {
        filter = filter.and(entity(FilterField::Subject, subject));
    }
    if let Some(performer) = &ask.performer {
        filter = filter.and(entity(FilterField::Performer, performer));
    }
    if let Some(org) = &ask.org {
        filter = filter.is(FilterField::Org, org);
    }
    if let Some(entity) = &ask.entity {
        filter = filter.is(FilterField::Meta("entity_id".to_owned()), entity);
    }
    if let Some((from, before)) = ask.between {
        let time = Time::saturating_from_micros;
        filter = filter.since(time(from)).before(time(before));
    }
    filter
}

fn query(ask: &Ask, from: &Mark) -> Query {
    Query {
        filter: filter(ask),
        cursor: match from {
            Mark::Cursor(cursor) => Some(*cursor),
            _ => None,
        },
        ..Query::default()
    }
}

fn export(form: Form, limit: usize) -> Export {
    Export {
        format: match form {
            Form::Csv => Format::Csv,
            Form::Ndjson => Format::Ndjson,
        },
        limit: Some(limit as u64),
        ..Export::default()
    }
}

impl<const LINES: bool> Contender for Audit<LINES> {
    fn open(folder: &Path) -> Audit<LINES> {
        let store = Store::open(folder, Options::default()).expect("a store");
        let handle = Handle::Writer(store);
        Audit { handle }
    }

    fn open_reader(folder: &Path) -> Audit<LINES> {
        let reader = Reader::open(folder, ReadMode::default()).expect("a reader");
        let handle = Handle::Reader(reader);
        Audit { handle }
    }

    fn close(self) {
        if let Handle::Writer(store) = self.handle {
            store.close().expect("a clean close");
        }
    }

    fn load(&mut self, batches: &mut Batches<'_>) {
        let mut bulk = self.store_mut().bulk().expect("a load");
        for batch in batches {
            for event in batch.iter() {
                bulk.append(event).expect("a place");
            }
        }
        bulk.finish().expect("a commit");
        self.store().compact().expect("a merge");
    }

    /// The events have their keys by now.
    fn load_keyed(&mut self, batches: &mut Batches<'_>) {
        self.load(batches);
    }

    fn load_lines(&mut self, lines: &Path) {
        let mut bulk = self.store_mut().bulk().expect("a load");
        let mut import = Import::new(&mut bulk, ImportOptions::default(), OnRefusal::Stop);
        let lines = File::open(lines).expect("a file of lines");
        import.read("lines", lines).expect("an import");
        drop(import);
        bulk.finish().expect("a commit");
        self.store().compact().expect("a merge");
    }

    fn append(&self, event: &Event) {
        self.store().append(event).expect("an append");
    }

    fn append_batch(&self, events: &[Event]) {
        self.store().append_batch(events).expect("a batch");
    }

    fn page(&self, ask: &Ask, limit: usize, from: &Mark) -> (Rows, Mark) {
        let mut query = query(ask, from);
        if LINES {
            return self.lines(&query, limit);
        }
        let mut records = Vec::with_capacity(limit);
        // A page can end because its work is spent; whoever wants all rows goes on.
        loop {
            query.limit = limit - records.len();
            let snapshot = self.snapshot();
            let page = snapshot.page_with(&query, |view| records.push(Record::from_view(view)));
            let page = page.expect("a page");
            query.cursor = page.next_cursor;
            if records.len() == limit || page.complete {
                let mark = query.cursor.map_or(Mark::End, Mark::Cursor);
                return (Rows::Records(records), mark);
            }
        }
    }

    fn export(&self, ask: &Ask, limit: usize, form: Form, out: &mut dyn Write) -> u64 {
        let query = query(ask, &Mark::Top);
        let report = export(form, limit).run(&self.snapshot(), &query, out);
        report.expect("an export").rows
    }

    fn export_packed(&self, out: File) -> u64 {
        let export = Export {
            compression: Compression::Zstd,
            ..export(Form::Ndjson, usize::MAX)
        };
        let report = export.run(&self.snapshot(), &Query::default(), out);
        report.expect("an export").rows
    }
}
