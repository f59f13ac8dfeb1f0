//! `CURRENT` and a manifest with bytes changed: a list of segments, or a refusal. Checksums pass
//! under the fuzzer, so that what stands behind them is reached.
#![no_main]

use std::sync::LazyLock;

use auditdb::internals;

static SAMPLE: LazyLock<(Vec<u8>, Vec<u8>)> =
    LazyLock::new(|| internals::sample_manifest().expect("a sample can be written"));

libfuzzer_sys::fuzz_target!(|patches: &[u8]| {
    let (first, second) = patches.split_at(patches.len() / 10 * 5);
    let current = internals::patched(&SAMPLE.0, first);
    let manifest = internals::patched(&SAMPLE.1, second);
    let found = internals::read_manifest(&current, &manifest);
    assert!(found.is_ok() || !patches.is_empty(), "{found:?}");
});
