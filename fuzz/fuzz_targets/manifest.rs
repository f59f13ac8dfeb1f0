//! `CURRENT` and a manifest with bytes changed: a list of segments, or a refusal. Checksums pass
//! under the fuzzer, so that what stands behind them is reached.
#![no_main]

use std::sync::LazyLock;

use auditdb::internals;

static SAMPLE: LazyLock<(Vec<u8>, Vec<u8>)> =
    LazyLock::new(|| internals::sample_manifest().expect("a sample can be written"));

libfuzzer_sys::fuzz_target!(|patches: (&[u8], &[u8])| {
    let current = internals::patched(&SAMPLE.0, patches.0);
    let manifest = internals::patched(&SAMPLE.1, patches.1);
    let found = internals::read_manifest(&current, &manifest);
    let untouched = patches.0.is_empty() && patches.1.is_empty();
    assert!(found.is_ok() || !untouched, "{found:?}");
});
