//! Any bytes as stored rows: decoded or refused, never a panic, and what is decoded encodes to
//! bytes that decode alike.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| auditdb::internals::row_of_bytes(bytes));
