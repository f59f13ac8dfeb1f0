//! The records beside a store, for their fuzz targets: export jobs, saved queries and what is left for
//! the writer, read from any bytes.

use std::path::Path;

use crate::filter::Filter;
use crate::filter::Utc;
use crate::id::StoreId;
use crate::inbox::format as inbox;
use crate::jobs::Record;
use crate::saved;

/// Reads any bytes as the record of an export job; what is read is written and read again alike, and
/// so is its filter.
pub fn job_of_bytes(bytes: &[u8]) {
    let path = Path::new("any.job");
    let Ok(record) = Record::decode(path, bytes) else {
        return;
    };
    // A record on the edge of what a file may hold can be longer by the blanks it lacked.
    if let Ok(again) = record.encode() {
        assert_eq!(Record::decode(path, &again).ok(), Some(record.clone()));
    }
    if let Ok(filter) = Filter::from_json(&record.asked.filter) {
        let written = filter.to_json();
        let again = Filter::from_json(&written).map(|filter| filter.to_json());
        assert_eq!(again.ok(), Some(written));
        drop(filter.digest());
    }
}

/// Reads any bytes as the file of a saved query; what is read is written and read again alike, and
/// its words are a filter or are refused.
pub fn saved_query_of_bytes(bytes: &[u8]) {
    let path = Path::new("any.query");
    let Ok(query) = saved::decode(bytes, path) else {
        return;
    };
    let again = saved::encode(&query).expect("what was read can be written");
    let again = saved::decode(again.as_bytes(), path).expect("and read");
    assert_eq!((&again.flags, &again.zone), (&query.flags, &query.zone));
    if let Err(error) = Filter::from_flags(query.words(), &Utc) {
        assert!(!error.to_string().is_empty());
    }
}

/// Reads any bytes as a record of the inbox; what is read is written and read again alike, under its name.
pub fn inbox_of_bytes(bytes: &[u8]) {
    let (path, store) = (Path::new("any.event"), StoreId([0x11; 16]));
    let Ok((name, event)) = inbox::read(path, store, bytes) else {
        return;
    };
    // A record on the edge of what a file may hold can be longer by the blanks it lacked.
    if let Ok(again) = inbox::encode(store, &event) {
        assert_eq!(inbox::decode(path, &name, store, &again).ok(), Some(event));
    }
}
