//! The fuzz targets as plain functions over the files of `fuzz/seeds/`: what a fuzzer found once is
//! looked for in every test run, with checksums that are compared.

use std::path::Path;

/// In the place of the fuzzer's own: makes a target's closure a function of bytes.
#[macro_export]
macro_rules! fuzz_target {
    (|$data:ident: &str| $body:expr) => {
        pub(super) fn run(bytes: &[u8]) {
            if let Ok($data) = core::str::from_utf8(bytes) {
                $body
            }
        }
    };
    (|$data:ident: &[u8]| $body:expr) => {
        pub(super) fn run($data: &[u8]) {
            $body
        }
    };
}

/// Declares each target as a module, and a test that runs its seeds.
macro_rules! targets {
    ($($target:ident $path:literal,)+) => {$(
        #[path = $path]
        #[expect(unused_attributes, reason = "of the target's own crate")]
        mod $target;

        #[test]
        fn $target() {
            seeds(stringify!($target), $target::run);
        }
    )+};
}

targets! {
    cursor "../../fuzz/fuzz_targets/cursor.rs",
    escaping "../../fuzz/fuzz_targets/escaping.rs",
    event_line "../../fuzz/fuzz_targets/event_line.rs",
    filter_text "../../fuzz/fuzz_targets/filter_text.rs",
    frames "../../fuzz/fuzz_targets/frames.rs",
    import_line "../../fuzz/fuzz_targets/import_line.rs",
    inbox "../../fuzz/fuzz_targets/inbox.rs",
    job "../../fuzz/fuzz_targets/job.rs",
    life "../../fuzz/fuzz_targets/life.rs",
    manifest "../../fuzz/fuzz_targets/manifest.rs",
    mapping "../../fuzz/fuzz_targets/mapping.rs",
    names "../../fuzz/fuzz_targets/names.rs",
    pack "../../fuzz/fuzz_targets/pack.rs",
    presence "../../fuzz/fuzz_targets/presence.rs",
    row "../../fuzz/fuzz_targets/row.rs",
    saved_query "../../fuzz/fuzz_targets/saved_query.rs",
    segment "../../fuzz/fuzz_targets/segment.rs",
    wal "../../fuzz/fuzz_targets/wal.rs",
}

/// Runs a target on nothing, and on each of its seeds.
fn seeds(target: &str, run: fn(&[u8])) {
    run(&[]);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/seeds")
        .join(target);
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        run(&std::fs::read(entry.path()).expect("a seed"));
    }
}
