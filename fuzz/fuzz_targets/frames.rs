//! Any bytes as a stamped log: frames, a torn tail or damage, in linear time and without a panic.
//! Checksums pass under the fuzzer, so that what stands behind them is reached.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| auditdb::internals::frames(bytes));
