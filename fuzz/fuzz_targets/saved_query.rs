//! Any bytes as the file of a saved query, the checksum passing under the fuzzer: refused, or a
//! query that is written down and read again alike. Its words are a filter or are refused.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| auditdb::internals::saved_query_of_bytes(bytes));
