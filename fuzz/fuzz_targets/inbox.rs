//! Any bytes as a record that was left for the store's writer, the checksum passing under the fuzzer:
//! refused, or an event that is written down and read again alike.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| auditdb::internals::inbox_of_bytes(bytes));
