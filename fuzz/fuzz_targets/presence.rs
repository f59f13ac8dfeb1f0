//! A presence run with bytes changed: opened, asked, checked and merged, or refused. Checksums pass
//! under the fuzzer, so that what stands behind them is reached.
#![no_main]

use std::sync::LazyLock;

use auditdb::internals;

static SAMPLE: LazyLock<Vec<u8>> =
    LazyLock::new(|| internals::sample_presence().expect("a sample can be written"));

libfuzzer_sys::fuzz_target!(|patches: &[u8]| {
    let found = internals::read_presence(&internals::patched(&SAMPLE, patches));
    assert!(found.is_ok() || !patches.is_empty(), "{found:?}");
});
