//! SQLite as people set it up for this job: columns, WAL, `synchronous=FULL`, 8 KiB pages, a cache
//! of 512 MiB, mapped reads, six indexes.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::path::Path;

use auditdb::Event;
use auditdb::EventId;
use auditdb::Position;
use auditdb::Sequence;
use auditdb::StoredEvent;
use auditdb::Time;
use rusqlite::Connection;
use rusqlite::Row;
use rusqlite::types::Value;

use crate::ask::Ask;
use crate::contender::Contender;
use crate::contender::Form;
use crate::contender::Mark;
use crate::record::COLUMNS;
use crate::record::Record;

pub struct Sqlite {
    connection: Connection,
    next_seq: i64,
}

const TABLE: &str = "
    CREATE TABLE event (
        seq INTEGER PRIMARY KEY, ts INTEGER NOT NULL, external_id TEXT, request_id TEXT, type TEXT,
        sub_type TEXT, org TEXT, source TEXT, outcome TEXT, reason TEXT, performer_kind TEXT,
        performer_id TEXT, performer_label TEXT, performer_email TEXT, on_behalf_of TEXT,
        subject_kind TEXT, subject_id TEXT, subject_label TEXT, targets TEXT, ip TEXT,
        user_agent TEXT, entity TEXT, metadata TEXT, changes TEXT, data TEXT
    ) STRICT";

const INDEXES: &str = "
    CREATE INDEX event_ts ON event (ts);
    CREATE INDEX event_subject ON event (subject_kind, subject_id, ts);
    CREATE INDEX event_type ON event (type, ts);
    CREATE INDEX event_performer ON event (performer_kind, performer_id, ts);
    CREATE INDEX event_both ON event (type, performer_kind, performer_id, ts);
    CREATE INDEX event_entity ON event (entity, ts);";

impl Sqlite {
    pub fn open(folder: &Path) -> Sqlite {
        std::fs::create_dir_all(folder).expect("a folder for the database");
        let connection = Connection::open(folder.join("events.db")).expect("a database");
        connection
            .execute_batch(
                "PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
                 PRAGMA cache_size=-524288; PRAGMA mmap_size=17179869184; PRAGMA temp_store=MEMORY;",
            )
            .expect("settings");
        connection.set_prepared_statement_cache_capacity(64);
        let count = "SELECT coalesce(max(seq) + 1, 0) FROM event";
        let next_seq = connection
            .query_row(count, [], |row| row.get(0))
            .unwrap_or(0);
        Sqlite {
            connection,
            next_seq,
        }
    }

    fn insert(&mut self, event: &Event) {
        let occurred_at = event.occurred_at.value().copied().unwrap_or(Time::MIN);
        let seq = Sequence(self.next_seq as u64);
        let record = Record::from_stored(StoredEvent {
            id: EventId::new(Position { occurred_at, seq }),
            seq,
            occurred_at,
            recorded_at: occurred_at,
            event: event.clone(),
        });
        let places = vec!["?"; COLUMNS.split(',').count()].join(",");
        let sql = format!("INSERT INTO event ({COLUMNS}) VALUES ({places})");
        let mut statement = self.connection.prepare_cached(&sql).expect("a statement");
        let r = record;
        statement
            .execute(rusqlite::params_from_iter([
                Value::from(r.seq),
                r.ts.into(),
                r.external_id.into(),
                r.request_id.into(),
                r.event_type.into(),
                r.sub_type.into(),
                r.org.into(),
                r.source.into(),
                r.outcome.into(),
                r.reason.into(),
                r.performer_kind.into(),
                r.performer_id.into(),
                r.performer_label.into(),
                r.performer_email.into(),
                r.on_behalf_of.into(),
                r.subject_kind.into(),
                r.subject_id.into(),
                r.subject_label.into(),
                r.targets.into(),
                r.ip.into(),
                r.user_agent.into(),
                r.entity.into(),
                r.metadata.into(),
                r.changes.into(),
                r.data.into(),
            ]))
            .expect("an insert");
        self.next_seq += 1;
    }

    fn commit(&mut self, events: &[Event]) {
        self.connection
            .execute_batch("BEGIN IMMEDIATE")
            .expect("a transaction");
        events.iter().for_each(|event| self.insert(event));
        self.connection.execute_batch("COMMIT").expect("a commit");
    }

    /// Calls `each` with every row that fits, newest first.
    fn rows(&self, ask: &Ask, limit: usize, after: Option<Mark>, mut each: impl FnMut(Record)) {
        let mut conditions = Vec::new();
        let mut values: Vec<Value> = Vec::new();
        let mut equal = |column: &str, value: &str| {
            conditions.push(format!("{column} = ?"));
            values.push(value.to_owned().into());
        };
        if let Some(event_type) = &ask.event_type {
            equal("type", event_type);
        }
        if let Some((kind, id)) = &ask.subject {
            equal("subject_kind", kind);
            equal("subject_id", id);
        }
        if let Some((kind, id)) = &ask.performer {
            equal("performer_kind", kind);
            equal("performer_id", id);
        }
        if let Some(org) = &ask.org {
            equal("org", org);
        }
        if let Some(entity) = &ask.entity {
            equal("entity", entity);
        }
        if let Some((from, before)) = ask.between {
            conditions.push("ts >= ? AND ts < ?".to_owned());
            values.extend([from.into(), before.into()]);
        }
        if let Some((ts, seq)) = after {
            conditions.push("(ts, seq) < (?, ?)".to_owned());
            values.extend([ts.into(), seq.into()]);
        }
        let conditions = match conditions.is_empty() {
            true => String::new(),
            false => format!("WHERE {}", conditions.join(" AND ")),
        };
        let sql =
            format!("SELECT {COLUMNS} FROM event {conditions} ORDER BY ts DESC, seq DESC LIMIT ?");
        values.push((limit as i64).into());
        let mut statement = self.connection.prepare_cached(&sql).expect("a statement");
        let mut rows = statement
            .query(rusqlite::params_from_iter(values))
            .expect("a query");
        while let Some(row) = rows.next().expect("a row") {
            each(record(row).expect("a whole row"));
        }
    }
}

fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record {
        seq: row.get(0)?,
        ts: row.get(1)?,
        external_id: row.get(2)?,
        request_id: row.get(3)?,
        event_type: row.get(4)?,
        sub_type: row.get(5)?,
        org: row.get(6)?,
        source: row.get(7)?,
        outcome: row.get(8)?,
        reason: row.get(9)?,
        performer_kind: row.get(10)?,
        performer_id: row.get(11)?,
        performer_label: row.get(12)?,
        performer_email: row.get(13)?,
        on_behalf_of: row.get(14)?,
        subject_kind: row.get(15)?,
        subject_id: row.get(16)?,
        subject_label: row.get(17)?,
        targets: row.get(18)?,
        ip: row.get(19)?,
        user_agent: row.get(20)?,
        entity: row.get(21)?,
        metadata: row.get(22)?,
        changes: row.get(23)?,
        data: row.get(24)?,
    })
}

impl Contender for Sqlite {
    fn load(&mut self, events: &mut dyn Iterator<Item = Event>) {
        self.connection.execute_batch(TABLE).expect("a table");
        loop {
            let batch: Vec<Event> = events.take(10_000).collect();
            if batch.is_empty() {
                break;
            }
            self.commit(&batch);
        }
        // Indexes built over the loaded table: several times quicker than kept up row by row.
        self.connection.execute_batch(INDEXES).expect("indexes");
        self.connection
            .execute_batch("ANALYZE; PRAGMA wal_checkpoint(TRUNCATE);")
            .expect("a checkpoint");
    }

    fn load_lines(&mut self, lines: &mut dyn Read) {
        let lines = BufReader::with_capacity(1 << 20, lines).lines();
        let event = |line: std::io::Result<String>| {
            Event::from_native_line(&line.expect("a line")).expect("an event")
        };
        self.load(&mut lines.map(event));
    }

    fn append(&mut self, event: &Event) {
        self.commit(std::slice::from_ref(event));
    }

    fn append_batch(&mut self, events: &[Event]) {
        self.commit(events);
    }

    fn page(&self, ask: &Ask, limit: usize) -> Vec<Record> {
        let mut page = Vec::with_capacity(limit);
        self.rows(ask, limit, None, |record| page.push(record));
        page
    }

    fn walk(&self, ask: &Ask, limit: usize, pages: usize, each: &mut dyn FnMut(Vec<Record>)) {
        let mut after = None;
        for _ in 0..pages {
            let mut page = Vec::with_capacity(limit);
            self.rows(ask, limit, after, |record| page.push(record));
            after = page.last().map(|last| (last.ts, last.seq));
            let done = page.len() < limit;
            each(page);
            if done {
                break;
            }
        }
    }

    fn export(&self, ask: &Ask, limit: usize, form: Form, out: &mut dyn Write) -> u64 {
        let mut count = 0;
        match form {
            Form::Csv => {
                let mut csv = csv::Writer::from_writer(out);
                self.rows(ask, limit, None, |record| {
                    csv.serialize(record).expect("a record");
                    count += 1;
                });
                csv.flush().expect("the rest");
            }
            Form::Ndjson => {
                let mut out = std::io::BufWriter::with_capacity(1 << 20, out);
                self.rows(ask, limit, None, |record| {
                    serde_json::to_writer(&mut out, &record).expect("a record");
                    out.write_all(b"\n").expect("a line");
                    count += 1;
                });
                out.flush().expect("the rest");
            }
        }
        count
    }
}
