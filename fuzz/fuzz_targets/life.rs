//! The life of a store as the bytes say: appends, seals, merges, failing disks, killed processes and
//! power cuts, and changed bytes at the end. What was acknowledged is there as long as no byte is
//! changed; after that every answer is right or an error.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| auditdb::internals::live(bytes));
