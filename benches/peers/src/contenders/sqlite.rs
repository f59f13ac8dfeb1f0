//! SQLite as people set it up for this job: WAL, `synchronous=FULL`, 8 KiB pages, a cache of
//! 512 MiB, mapped reads, six indexes; with a column for each field, or with the columns that are
//! looked for and the whole event as its line.

use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;

use auditdb::Event;
use rusqlite::Connection;
use rusqlite::Row;
use rusqlite::ToSql;
use rusqlite::types::Value;

use super::Batches;
use super::Contender;
use super::Form;
use super::Mark;
use super::Rows;
use super::events_of;
use super::write_records;
use crate::ask::Ask;
use crate::record::COLUMNS;
use crate::record::Record;

/// The database; `LINES` says that it keeps lines.
pub struct Sqlite<const LINES: bool> {
    inner: Mutex<Inner>,
}

struct Inner {
    connection: Connection,
    next_seq: i64,
    insert: String,
}

const TABLE: &str = "
    CREATE TABLE event (
        seq INTEGER PRIMARY KEY, ts INTEGER NOT NULL, external_id TEXT, request_id TEXT, type TEXT,
        sub_type TEXT, org TEXT, source TEXT, outcome TEXT, reason TEXT, performer_kind TEXT,
        performer_id TEXT, performer_label TEXT, performer_email TEXT, on_behalf_of TEXT,
        subject_kind TEXT, subject_id TEXT, subject_label TEXT, targets TEXT, ip TEXT,
        user_agent TEXT, entity TEXT, metadata TEXT, changes TEXT, data TEXT
    ) STRICT";

const LINES_TABLE: &str = "
    CREATE TABLE event (
        seq INTEGER PRIMARY KEY, ts INTEGER NOT NULL, type TEXT, org TEXT, performer_kind TEXT,
        performer_id TEXT, subject_kind TEXT, subject_id TEXT, entity TEXT, line TEXT
    ) STRICT";

const LINES_COLUMNS: &str =
    "seq, ts, type, org, performer_kind, performer_id, subject_kind, subject_id, entity, line";

const INDEXES: &str = "
    CREATE INDEX event_ts ON event (ts);
    CREATE INDEX event_subject ON event (subject_kind, subject_id, ts);
    CREATE INDEX event_type ON event (type, ts);
    CREATE INDEX event_performer ON event (performer_kind, performer_id, ts);
    CREATE INDEX event_both ON event (type, performer_kind, performer_id, ts);
    CREATE INDEX event_entity ON event (entity, ts);";

impl Inner {
    /// Inserts events as one transaction.
    fn commit(&mut self, events: &[Event], lines: bool) {
        let transaction = self.connection.transaction().expect("a transaction");
        let mut statement = transaction
            .prepare_cached(&self.insert)
            .expect("a statement");
        for event in events {
            let record = Record::from_event(event, self.next_seq);
            let line = match lines {
                true => serde_json::to_string(event).expect("an event is JSON"),
                false => String::new(),
            };
            let mut values: Vec<&dyn ToSql> = vec![&record.seq, &record.ts];
            let texts = record.texts();
            if lines {
                values.extend([
                    &record.event_type as &dyn ToSql,
                    &record.org,
                    &record.performer_kind,
                    &record.performer_id,
                    &record.subject_kind,
                    &record.subject_id,
                    &record.entity,
                    &line,
                ]);
            } else {
                values.extend(texts.iter().map(|text| text as &dyn ToSql));
            }
            statement
                .execute(rusqlite::params_from_iter(values))
                .expect("an insert");
            self.next_seq += 1;
        }
        drop(statement);
        transaction.commit().expect("a commit");
    }

    /// Calls `each` with every row that fits, newest first.
    fn rows(
        &self,
        columns: &str,
        (ask, limit, from): (&Ask, usize, &Mark),
        mut each: impl FnMut(&Row<'_>),
    ) {
        let mut values: Vec<Value> = Vec::new();
        let mut sql = format!("SELECT {columns} FROM event");
        let mut and = " WHERE ";
        let mut fit = |condition: std::fmt::Arguments<'_>,
                       wanted: &mut dyn Iterator<Item = Value>| {
            let _ = write!(sql, "{and}{condition}");
            and = " AND ";
            values.extend(wanted);
        };
        let (subject, performer) = (ask.subject.as_ref(), ask.performer.as_ref());
        for (column, wanted) in [
            ("type", ask.event_type.as_ref()),
            ("subject_kind", subject.map(|pair| &pair.0)),
            ("subject_id", subject.map(|pair| &pair.1)),
            ("performer_kind", performer.map(|pair| &pair.0)),
            ("performer_id", performer.map(|pair| &pair.1)),
            ("org", ask.org.as_ref()),
            ("entity", ask.entity.as_ref()),
        ] {
            if let Some(wanted) = wanted {
                let wanted = Value::from(wanted.clone());
                fit(format_args!("{column} = ?"), &mut std::iter::once(wanted));
            }
        }
        if let Some((from, before)) = ask.between {
            let wanted = [Value::from(from), before.into()];
            fit(format_args!("ts >= ? AND ts < ?"), &mut wanted.into_iter());
        }
        if let Mark::Row(ts, seq) = *from {
            let wanted = [Value::from(ts), seq.into()];
            fit(format_args!("(ts, seq) < (?, ?)"), &mut wanted.into_iter());
        }
        sql.push_str(" ORDER BY ts DESC, seq DESC LIMIT ?");
        values.push(i64::try_from(limit).unwrap_or(i64::MAX).into());
        let mut statement = self.connection.prepare_cached(&sql).expect("a statement");
        let mut rows = statement
            .query(rusqlite::params_from_iter(values))
            .expect("a query");
        while let Some(row) = rows.next().expect("a row") {
            each(row);
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

impl<const LINES: bool> Sqlite<LINES> {
    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().expect("no thread failed")
    }

    /// Loads into a table that has this index from the beginning.
    fn fill(&mut self, batches: &mut Batches<'_>, index: &str) {
        let mut inner = self.inner();
        let table = if LINES { LINES_TABLE } else { TABLE };
        inner.connection.execute_batch(table).expect("a table");
        inner.connection.execute_batch(index).expect("an index");
        for batch in batches {
            inner.commit(&batch, LINES);
        }
        // Indexes built over the loaded table: several times quicker than kept up row by row.
        let last = [INDEXES, "ANALYZE; PRAGMA wal_checkpoint(TRUNCATE);"];
        for sql in last {
            inner.connection.execute_batch(sql).expect("indexes");
        }
    }
}

impl<const LINES: bool> Contender for Sqlite<LINES> {
    fn open(folder: &Path) -> Sqlite<LINES> {
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
        let columns = if LINES { LINES_COLUMNS } else { COLUMNS };
        let places = vec!["?"; columns.split(',').count()].join(",");
        let insert = format!("INSERT INTO event ({columns}) VALUES ({places})");
        let inner = Mutex::new(Inner {
            connection,
            next_seq,
            insert,
        });
        Sqlite { inner }
    }

    fn close(self) {
        let inner = self.inner.into_inner().expect("no thread failed");
        inner.connection.close().expect("a clean close");
    }

    fn load(&mut self, batches: &mut Batches<'_>) {
        self.fill(batches, "");
    }

    fn load_keyed(&mut self, batches: &mut Batches<'_>) {
        self.fill(
            batches,
            "CREATE UNIQUE INDEX event_key ON event (external_id)",
        );
    }

    fn load_lines(&mut self, lines: &Path) {
        self.load(&mut events_of(lines));
    }

    fn append(&self, event: &Event) {
        self.inner().commit(std::slice::from_ref(event), LINES);
    }

    fn append_batch(&self, events: &[Event]) {
        self.inner().commit(events, LINES);
    }

    fn page(&self, ask: &Ask, limit: usize, from: &Mark) -> (Rows, Mark) {
        let (mut records, mut lines, mut count) = (Vec::new(), Vec::new(), 0);
        let mut last = (0, 0);
        if LINES {
            self.inner()
                .rows("ts, seq, line", (ask, limit, from), |row| {
                    let line = row.get_ref(2).and_then(|line| Ok(line.as_bytes()?));
                    lines.extend_from_slice(line.expect("a line"));
                    lines.push(b'\n');
                    last = (row.get(0).expect("a time"), row.get(1).expect("a number"));
                    count += 1;
                });
        } else {
            records.reserve(limit);
            self.inner().rows(COLUMNS, (ask, limit, from), |row| {
                records.push(record(row).expect("a whole row"));
            });
            last = records.last().map_or(last, |last| (last.ts, last.seq));
            count = records.len();
        }
        let mark = match count < limit {
            true => Mark::End,
            false => Mark::Row(last.0, last.1),
        };
        let rows = match LINES {
            true => Rows::Lines(lines),
            false => Rows::Records(records),
        };
        (rows, mark)
    }

    fn export(&self, ask: &Ask, limit: usize, form: Form, out: &mut dyn Write) -> u64 {
        let whole = (ask, limit, &Mark::Top);
        if !LINES {
            return write_records(form, out, |each| {
                self.inner().rows(COLUMNS, whole, |row| {
                    each(record(row).expect("a whole row"));
                });
            });
        }
        assert!(form == Form::Ndjson, "lines are copied, not made cells of");
        let mut out = std::io::BufWriter::with_capacity(1 << 20, out);
        let mut count = 0;
        self.inner().rows("line", whole, |row| {
            let line = row.get_ref(0).and_then(|line| Ok(line.as_bytes()?));
            out.write_all(line.expect("a line")).expect("a line");
            out.write_all(b"\n").expect("a line");
            count += 1;
        });
        out.flush().expect("the rest");
        count
    }
}
