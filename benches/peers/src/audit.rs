//! auditdb, through its public interface and with its default options.

use std::io::Read;
use std::io::Write;
use std::path::Path;

use auditdb::Condition;
use auditdb::Durability;
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
use auditdb::Store;
use auditdb::Time;

use crate::ask::Ask;
use crate::contender::Contender;
use crate::contender::Form;
use crate::record::Record;

pub struct Audit {
    store: Store,
}

impl Audit {
    pub fn open(folder: &Path) -> Audit {
        let store = Store::open(folder, Options::default()).expect("a store");
        Audit { store }
    }

    pub fn close(self) {
        self.store.close().expect("a clean close");
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

fn query(ask: &Ask, limit: usize) -> Query {
    Query {
        filter: filter(ask),
        limit,
        ..Query::default()
    }
}

impl Contender for Audit {
    fn load(&mut self, events: &mut dyn Iterator<Item = Event>) {
        loop {
            let batch: Vec<Event> = events.take(10_000).collect();
            if batch.is_empty() {
                break;
            }
            self.store
                .append_batch_with(&batch, Durability::Buffered)
                .expect("a batch");
        }
        self.store.sync().expect("a sync");
        self.store.flush().expect("a flush");
    }

    fn load_lines(&mut self, lines: &mut dyn Read) {
        let mut sink = &self.store;
        let mut import = Import::new(&mut sink, ImportOptions::default(), OnRefusal::Stop);
        import.read("lines", lines).expect("an import");
        drop(import);
        self.store.flush().expect("a flush");
    }

    fn append(&mut self, event: &Event) {
        self.store.append(event).expect("an append");
    }

    fn append_batch(&mut self, events: &[Event]) {
        self.store.append_batch(events).expect("a batch");
    }

    fn page(&self, ask: &Ask, limit: usize) -> Vec<Record> {
        let mut query = query(ask, limit);
        let mut records = Vec::new();
        // A page can end because its work is spent; whoever wants all rows goes on.
        loop {
            query.limit = limit - records.len();
            let page = self.store.page(&query).expect("a page");
            records.extend(page.events.into_iter().map(Record::from_stored));
            if records.len() == limit || page.complete {
                return records;
            }
            query.cursor = page.next_cursor;
        }
    }

    fn walk(&self, ask: &Ask, limit: usize, pages: usize, each: &mut dyn FnMut(Vec<Record>)) {
        let mut query = query(ask, limit);
        for _ in 0..pages {
            let page = self.store.page(&query).expect("a page");
            each(page.events.into_iter().map(Record::from_stored).collect());
            if page.complete {
                break;
            }
            query.cursor = page.next_cursor;
        }
    }

    fn export(&self, ask: &Ask, limit: usize, form: Form, out: &mut dyn Write) -> u64 {
        let format = match form {
            Form::Csv => Format::Csv,
            Form::Ndjson => Format::Ndjson,
        };
        let export = Export {
            format,
            limit: Some(limit as u64),
            ..Export::default()
        };
        let snapshot = self.store.snapshot();
        let report = export
            .run(&snapshot, &query(ask, 50), out)
            .expect("an export");
        report.rows
    }
}
