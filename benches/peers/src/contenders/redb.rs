//! redb: a copy-on-write B-tree, with a cache of 512 MiB as the other peers have.

use std::path::Path;

use redb::Database;
use redb::Durability;
use redb::ReadOnlyTable;
use redb::ReadableDatabase;
use redb::TableDefinition;

use super::keyed::Entries;
use super::keyed::Map;
use super::keyed::View;

const ROWS: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("rows");
const INDEX: TableDefinition<'static, &[u8], ()> = TableDefinition::new("index");

pub struct Redb {
    database: Database,
}

pub struct Tables {
    rows: ReadOnlyTable<&'static [u8], &'static [u8]>,
    index: ReadOnlyTable<&'static [u8], ()>,
}

impl Redb {
    fn commit(&self, entries: &Entries, durability: Durability) {
        let mut transaction = self.database.begin_write().expect("a transaction");
        transaction.set_durability(durability).expect("a setting");
        {
            let mut rows = transaction.open_table(ROWS).expect("a table");
            for (key, row) in &entries.rows {
                rows.insert(key.as_slice(), row.as_slice()).expect("a row");
            }
            let mut index = transaction.open_table(INDEX).expect("a table");
            for key in &entries.index {
                index.insert(key.as_slice(), ()).expect("a key");
            }
        }
        transaction.commit().expect("a commit");
    }
}

impl Map for Redb {
    type View<'a> = Tables;

    fn open(folder: &Path) -> Redb {
        let path = folder.join("events.redb");
        let is_new = !path.exists();
        let database = Database::builder()
            .set_cache_size(512 << 20)
            .create(path)
            .expect("a database");
        let redb = Redb { database };
        if is_new {
            redb.commit(&Entries::default(), Durability::Immediate);
        }
        redb
    }

    fn write(&self, entries: &Entries) {
        self.commit(entries, Durability::Immediate);
    }

    fn load(&self, entries: &Entries) {
        self.commit(entries, Durability::None);
    }

    fn settle(&self) {
        self.commit(&Entries::default(), Durability::Immediate);
    }

    fn view(&self) -> Tables {
        let transaction = self.database.begin_read().expect("a transaction");
        Tables {
            rows: transaction.open_table(ROWS).expect("a table"),
            index: transaction.open_table(INDEX).expect("a table"),
        }
    }
}

impl View for Tables {
    fn rows_down(&self, from: &[u8], to: &[u8], each: &mut dyn FnMut(&[u8], &[u8]) -> bool) {
        let range = self.rows.range(from..to).expect("a range");
        for entry in range.rev() {
            let (key, row) = entry.expect("a row");
            if !each(key.value(), row.value()) {
                break;
            }
        }
    }

    fn index_down(&self, from: &[u8], to: &[u8], each: &mut dyn FnMut(&[u8]) -> bool) {
        let range = self.index.range(from..to).expect("a range");
        for entry in range.rev() {
            let (key, _) = entry.expect("a key");
            if !each(key.value()) {
                break;
            }
        }
    }

    fn row(&self, key: &[u8], each: &mut dyn FnMut(&[u8])) {
        let row = self.rows.get(key).expect("a look-up").expect("a row");
        each(row.value());
    }
}
