//! fjall: a log-structured tree, with a cache of 512 MiB as the other peers have.

use std::path::Path;

use fjall::Database;
use fjall::Keyspace;
use fjall::KeyspaceCreateOptions;
use fjall::PersistMode;
use fjall::Readable;
use fjall::Snapshot;

use super::keyed::Entries;
use super::keyed::Map;
use super::keyed::View;

pub struct Fjall {
    database: Database,
    rows: Keyspace,
    index: Keyspace,
}

pub struct Spaces<'a> {
    fjall: &'a Fjall,
    snapshot: Snapshot,
}

impl Map for Fjall {
    type View<'a> = Spaces<'a>;

    fn open(folder: &Path) -> Fjall {
        let database = Database::builder(folder)
            .cache_size(512 << 20)
            .open()
            .expect("a database");
        let space = |name| {
            database
                .keyspace(name, KeyspaceCreateOptions::default)
                .expect("a keyspace")
        };
        Fjall {
            rows: space("rows"),
            index: space("index"),
            database,
        }
    }

    fn write(&self, entries: &Entries) {
        let mut batch = self
            .database
            .batch()
            .durability(Some(PersistMode::SyncData));
        for (key, row) in &entries.rows {
            batch.insert(&self.rows, key.as_slice(), row.as_slice());
        }
        for key in &entries.index {
            batch.insert(&self.index, key.as_slice(), b"".as_slice());
        }
        batch.commit().expect("a commit");
    }

    /// Sorted runs become tables at once, past the journal, as its manual says.
    fn load(&self, entries: &Entries) {
        let mut rows = self.rows.start_ingestion().expect("an ingestion");
        for (key, row) in &entries.rows {
            rows.write(key.as_slice(), row.as_slice()).expect("a row");
        }
        rows.finish().expect("a table");
        let mut index = self.index.start_ingestion().expect("an ingestion");
        for key in &entries.index {
            index.write(key.as_slice(), b"".as_slice()).expect("a key");
        }
        index.finish().expect("a table");
    }

    fn settle(&self) {
        for space in [&self.rows, &self.index] {
            space.major_compact().expect("a compaction");
        }
        self.database.persist(PersistMode::SyncAll).expect("a sync");
    }

    fn view(&self) -> Spaces<'_> {
        Spaces {
            fjall: self,
            snapshot: self.database.snapshot(),
        }
    }
}

impl View for Spaces<'_> {
    fn rows_down(&self, from: &[u8], to: &[u8], each: &mut dyn FnMut(&[u8], &[u8]) -> bool) {
        for entry in self.snapshot.range(&self.fjall.rows, from..to).rev() {
            let (key, row) = entry.into_inner().expect("a row");
            if !each(&key, &row) {
                break;
            }
        }
    }

    fn index_down(&self, from: &[u8], to: &[u8], each: &mut dyn FnMut(&[u8]) -> bool) {
        for entry in self.snapshot.range(&self.fjall.index, from..to).rev() {
            if !each(&entry.key().expect("a key")) {
                break;
            }
        }
    }

    fn row(&self, key: &[u8], each: &mut dyn FnMut(&[u8])) {
        let row = self.snapshot.get(&self.fjall.rows, key);
        each(&row.expect("a look-up").expect("a row"));
    }
}
