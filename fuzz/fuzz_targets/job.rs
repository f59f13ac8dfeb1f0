//! Any bytes as the record of an export job, the checksum passing under the fuzzer: refused, or a
//! record that is written down and read again alike, as is the filter in it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| auditdb::internals::job_of_bytes(bytes));
