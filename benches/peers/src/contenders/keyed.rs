//! Events in an ordered map of bytes, as people build it on a key-value store: one table of rows by
//! `(ts, seq)` and one of index keys, with the same five keys as the tables of SQL have indexes.

use std::collections::HashSet;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;

use auditdb::Event;

use super::Batches;
use super::Contender;
use super::Form;
use super::Mark;
use super::Rows;
use super::events_of;
use super::write_records;
use crate::ask::Ask;
use crate::record::Record;
use crate::record::TEXTS;

/// Rows and index keys to be written as one commit.
#[derive(Default)]
pub struct Entries {
    pub rows: Vec<([u8; 16], Vec<u8>)>,
    pub index: Vec<Vec<u8>>,
    /// Those of the index keys that must be new.
    pub keys: HashSet<Vec<u8>>,
}

/// What a key-value store has to offer.
pub trait Map: Sync + Sized {
    type View<'a>: View
    where
        Self: 'a;

    fn open(folder: &Path) -> Self;

    /// Writes everything as one commit, durable when it returns.
    fn write(&self, entries: &Entries);

    /// Writes a part of a load in the quickest way, which may be durable with [`Map::settle`] only.
    fn load(&self, entries: &Entries);

    /// Brings a load to its final, synced state.
    fn settle(&self);

    fn view(&self) -> Self::View<'_>;
}

/// A consistent view of both tables.
pub trait View {
    /// Calls `each` with the rows of `from..to`, greatest first, until it says no.
    fn rows_down(&self, from: &[u8], to: &[u8], each: &mut dyn FnMut(&[u8], &[u8]) -> bool);

    /// Calls `each` with the index keys of `from..to`, greatest first, until it says no.
    fn index_down(&self, from: &[u8], to: &[u8], each: &mut dyn FnMut(&[u8]) -> bool);

    /// Calls `each` with the row of this key.
    fn row(&self, key: &[u8], each: &mut dyn FnMut(&[u8]));
}

/// Batches of a load that are sorted and written together: 100,000 events.
const LOADED_AT_ONCE: usize = 10;

/// The contender on top of a map.
pub struct Keyed<M> {
    map: M,
    next_seq: AtomicI64,
    /// External ids are looked for and entered.
    with_keys: bool,
}

fn place(ts: i64, seq: i64) -> [u8; 16] {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&ts.to_be_bytes());
    key[8..].copy_from_slice(&seq.to_be_bytes());
    key
}

fn placed(key: &[u8]) -> (i64, i64) {
    let part = |bytes: &[u8]| i64::from_be_bytes(bytes.try_into().expect("eight bytes"));
    let tail = &key[key.len() - 16..];
    (part(&tail[..8]), part(&tail[8..]))
}

/// An index key up to its place: which index, and the texts it is of, each ended by a zero.
fn prefix(index: u8, texts: &[&str]) -> Vec<u8> {
    let mut key = vec![index];
    for text in texts {
        key.extend_from_slice(text.as_bytes());
        key.push(0);
    }
    key
}

fn put_length(length: usize, out: &mut Vec<u8>) {
    let mut left = length;
    while left >= 0x80 {
        out.push(left as u8 | 0x80);
        left >>= 7;
    }
    out.push(left as u8);
}

fn take_length(bytes: &mut &[u8]) -> usize {
    let (mut length, mut shift) = (0, 0);
    loop {
        let (byte, rest) = bytes.split_first().expect("a length");
        *bytes = rest;
        length |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if *byte < 0x80 {
            return length;
        }
    }
}

/// A row: each text behind its length and one, 0 for an absent one.
fn encode(record: &Record) -> Vec<u8> {
    let mut row = Vec::with_capacity(640);
    for text in record.texts() {
        put_length(text.map_or(0, |text| text.len() + 1), &mut row);
        row.extend_from_slice(text.unwrap_or_default().as_bytes());
    }
    row
}

fn decode(mut row: &[u8]) -> [Option<&str>; TEXTS] {
    std::array::from_fn(|_| {
        let length = take_length(&mut row).checked_sub(1)?;
        let (text, rest) = row.split_at(length);
        row = rest;
        Some(std::str::from_utf8(text).expect("text"))
    })
}

fn fits(ask: &Ask, ts: i64, texts: &[Option<&str>; TEXTS]) -> bool {
    let same = |place: usize, wanted: &str| texts[place] == Some(wanted);
    let pair = |place: usize, pair: &Option<(String, String)>| {
        pair.as_ref()
            .is_none_or(|(kind, id)| same(place, kind) && same(place + 1, id))
    };
    pair(13, &ask.subject)
        && pair(8, &ask.performer)
        && ask.event_type.as_deref().is_none_or(|text| same(2, text))
        && ask.org.as_deref().is_none_or(|text| same(4, text))
        && ask.entity.as_deref().is_none_or(|text| same(19, text))
        && ask
            .between
            .is_none_or(|(from, before)| (from..before).contains(&ts))
}

fn record((ts, seq): (i64, i64), texts: [Option<&str>; TEXTS]) -> Record {
    let mut texts = texts.into_iter().map(|text| text.map(str::to_owned));
    let mut may = || texts.next().flatten();
    Record {
        seq,
        ts,
        external_id: may().unwrap_or_default(),
        request_id: may().unwrap_or_default(),
        event_type: may().unwrap_or_default(),
        sub_type: may(),
        org: may().unwrap_or_default(),
        source: may().unwrap_or_default(),
        outcome: may().unwrap_or_default(),
        reason: may(),
        performer_kind: may().unwrap_or_default(),
        performer_id: may().unwrap_or_default(),
        performer_label: may(),
        performer_email: may(),
        on_behalf_of: may(),
        subject_kind: may().unwrap_or_default(),
        subject_id: may().unwrap_or_default(),
        subject_label: may().unwrap_or_default(),
        targets: may(),
        ip: may().unwrap_or_default(),
        user_agent: may().unwrap_or_default(),
        entity: may().unwrap_or_default(),
        metadata: may().unwrap_or_default(),
        changes: may(),
        data: may(),
    }
}

/// The index that serves `ask` best, if one does.
fn index_for(ask: &Ask) -> Option<Vec<u8>> {
    if let Some((kind, id)) = &ask.subject {
        return Some(prefix(1, &[kind, id]));
    }
    if let Some(entity) = &ask.entity {
        return Some(prefix(5, &[entity]));
    }
    match (&ask.event_type, &ask.performer) {
        (Some(event_type), Some((kind, id))) => Some(prefix(4, &[event_type, kind, id])),
        (None, Some((kind, id))) => Some(prefix(3, &[kind, id])),
        (Some(event_type), None) => Some(prefix(2, &[event_type])),
        (None, None) => None,
    }
}

impl<M: Map> Keyed<M> {
    /// Adds what is to be written of events.
    fn enter(&self, events: &[Event], entries: &mut Entries) {
        let count = events.len() as i64;
        let first = self.next_seq.fetch_add(count, Ordering::Relaxed);
        for (seq, event) in (first..).zip(events) {
            let record = Record::from_event(event, seq);
            let r = &record;
            let place = place(r.ts, seq);
            let (performer, subject) = (
                [r.performer_kind.as_str(), &r.performer_id],
                [r.subject_kind.as_str(), &r.subject_id],
            );
            for mut key in [
                prefix(1, &subject),
                prefix(2, &[&r.event_type]),
                prefix(3, &performer),
                prefix(4, &[&r.event_type, performer[0], performer[1]]),
                prefix(5, &[&r.entity]),
            ] {
                key.extend_from_slice(&place);
                entries.index.push(key);
            }
            if self.with_keys {
                let key = prefix(6, &[&r.external_id]);
                assert!(entries.keys.insert(key.clone()), "a key twice");
                entries.index.push(key);
            }
            entries.rows.push((place, encode(&record)));
        }
    }

    fn commit(&self, events: &[Event]) {
        let mut entries = Entries::default();
        self.enter(events, &mut entries);
        self.map.write(&entries);
    }

    fn each(&self, ask: &Ask, limit: usize, from: &Mark, each: &mut dyn FnMut(Record)) {
        let view = self.map.view();
        let (since, before) = ask.between.unwrap_or((0, i64::MAX));
        let low = place(since, 0);
        let high = match *from {
            Mark::Row(ts, seq) => place(ts, seq),
            _ => place(before, 0),
        };
        let mut left = limit;
        let mut take = |key: &[u8], row: &[u8]| {
            let (place, texts) = (placed(key), decode(row));
            if fits(ask, place.0, &texts) {
                each(record(place, texts));
                left -= 1;
            }
            left > 0
        };
        if let Some(prefix) = index_for(ask) {
            let bound = |place: &[u8]| [prefix.as_slice(), place].concat();
            view.index_down(&bound(&low), &bound(&high), &mut |key| {
                let mut more = true;
                let key = &key[key.len() - 16..];
                view.row(key, &mut |row| more = take(key, row));
                more
            });
        } else {
            view.rows_down(&low, &high, &mut take);
        }
    }
}

impl<M: Map> Contender for Keyed<M> {
    fn open(folder: &Path) -> Keyed<M> {
        std::fs::create_dir_all(folder).expect("a folder");
        let map = M::open(folder);
        let mut next_seq = 0;
        // Numbers need only differ: those of appended events begin far behind the loaded ones.
        map.view().rows_down(&[0; 16], &[0xff; 16], &mut |_, _| {
            next_seq = 1 << 40;
            false
        });
        let next_seq = AtomicI64::new(next_seq);
        Keyed {
            map,
            next_seq,
            with_keys: false,
        }
    }

    fn close(self) {
        drop(self);
    }

    fn load(&mut self, batches: &mut Batches<'_>) {
        loop {
            let mut entries = Entries::default();
            for batch in batches.take(LOADED_AT_ONCE) {
                self.enter(&batch, &mut entries);
            }
            if entries.rows.is_empty() {
                break;
            }
            let view = self.map.view();
            for key in &entries.keys {
                let behind = [key.as_slice(), &[0]].concat();
                view.index_down(key, &behind, &mut |_| panic!("a key twice"));
            }
            drop(view);
            // In the order of the keys, which is the quickest for either kind of tree.
            entries.rows.sort_unstable();
            entries.index.sort_unstable();
            self.map.load(&entries);
        }
        self.map.settle();
    }

    fn load_keyed(&mut self, batches: &mut Batches<'_>) {
        self.with_keys = true;
        self.load(batches);
    }

    fn load_lines(&mut self, lines: &Path) {
        self.load(&mut events_of(lines));
    }

    fn append(&self, event: &Event) {
        self.commit(std::slice::from_ref(event));
    }

    fn append_batch(&self, events: &[Event]) {
        self.commit(events);
    }

    fn page(&self, ask: &Ask, limit: usize, from: &Mark) -> (Rows, Mark) {
        let mut records = Vec::with_capacity(limit);
        self.each(ask, limit, from, &mut |record| records.push(record));
        let mark = match records.last() {
            Some(last) if records.len() == limit => Mark::Row(last.ts, last.seq),
            _ => Mark::End,
        };
        (Rows::Records(records), mark)
    }

    fn export(&self, ask: &Ask, limit: usize, form: Form, out: &mut dyn Write) -> u64 {
        write_records(form, out, |each| self.each(ask, limit, &Mark::Top, each))
    }
}
