//! The checks checked: each rule finds what was planted against it, and leaves good code alone.
//! What is planted stands in literals, which the checks do not read in this file.

use crate::floors;
use crate::shape;
use crate::source::Source;

/// What the checks say about one file of the given text.
fn findings(path: &str, text: &str) -> Vec<String> {
    let roots = ["Store".to_owned(), "Event".to_owned()];
    let source = Source::new(path, text);
    let found = floors::check(&source, &roots)
        .into_iter()
        .chain(shape::check(&source));
    found
        .map(|finding| format!("{}: {}", finding.line, finding.what))
        .collect()
}

#[track_caller]
fn refused(path: &str, text: &str, part: &str) {
    let found = findings(path, text);
    assert!(
        found.iter().any(|what| what.contains(part)),
        "{path}: `{part}` not in {found:?}"
    );
}

#[track_caller]
fn accepted(path: &str, text: &str) {
    let found = findings(path, text);
    assert!(found.is_empty(), "{path}: {found:?}");
}

#[test]
fn an_upward_import_is_found() {
    refused(
        "src/codec/row.rs",
        "//! x\nuse crate::store::Store;\n",
        "2: `codec` (floor 1) imports up",
    );
    refused(
        "src/wal/mod.rs",
        "//! x\nfn f() { crate::query::plan() }\n",
        "imports up: `query`",
    );
    refused(
        "src/wal/mod.rs",
        "//! x\nmod tests {\nuse crate::store::Store;\n}\n",
        "imports up",
    );
    accepted(
        "src/store/mod.rs",
        "//! x\nuse crate::codec::row::Row;\nuse crate::limits;\n",
    );
}

#[test]
fn a_sideways_import_is_found() {
    refused(
        "src/wal/writer.rs",
        "//! x\nuse crate::segment::Reader;\n",
        "of its own floor 3",
    );
    refused(
        "src/export/csv.rs",
        "//! x\nuse crate::import::Mapping;\n",
        "of its own floor 6",
    );
    accepted(
        "src/wal/writer.rs",
        "//! x\nuse crate::wal::format::Group;\n",
    );
}

#[test]
fn a_chain_is_followed_in_one_direction() {
    refused(
        "src/error.rs",
        "//! x\nuse crate::event::Event;\n",
        "of its own floor 0",
    );
    refused(
        "src/snapshot/mod.rs",
        "//! x\nuse crate::query::Query;\n",
        "of its own floor 4",
    );
    accepted("src/event/mod.rs", "//! x\nuse crate::error::Error;\n");
    accepted(
        "src/query/page.rs",
        "//! x\nuse crate::snapshot::Snapshot;\n",
    );
}

#[test]
fn a_module_without_a_floor_is_found() {
    refused(
        "src/cloud/mod.rs",
        "//! x\n",
        "module `cloud` is on no floor",
    );
    refused(
        "src/wal/mod.rs",
        "//! x\nuse crate::Error;\n",
        "`crate::Error` is on no floor",
    );
}

#[test]
fn a_climb_out_of_a_module_is_found() {
    refused(
        "src/wal/mod.rs",
        "//! x\nuse super::store;\n",
        "leaves the module",
    );
    refused(
        "src/time.rs",
        "//! x\nuse super::error::Error;\n",
        "leaves the module",
    );
    refused(
        "src/wal/read/mod.rs",
        "//! x\nuse super::super::store;\n",
        "`super::super`",
    );
    accepted(
        "src/time.rs",
        "//! x\nmod tests {\n    use super::Time;\n}\n",
    );
    accepted("src/wal/writer.rs", "//! x\nuse super::format;\n");
}

#[test]
fn a_deep_import_in_a_face_is_found() {
    let main = "src/bin/auditdb/main.rs";
    refused(
        main,
        "//! x\nuse auditdb::store::Store;\n",
        "root names only",
    );
    refused(
        main,
        "//! x\nfn f() { auditdb::codec::row(); }\n",
        "root names only",
    );
    refused(main, "//! x\nuse auditdb::Segment;\n", "no root name");
    refused(main, "//! x\nuse auditdb as a;\n", "not the library");
    accepted(main, "//! x\nuse auditdb::Store;\nuse crate::args::Args;\n");
    accepted(main, "//! x\nfn f() { auditdb::Event::new(\"a\"); }\n");
}

#[test]
fn grouped_imports_are_found() {
    refused(
        "src/wal/mod.rs",
        "//! x\nuse crate::{id, time};\n",
        "one item per `use` line",
    );
    refused(
        "src/wal/mod.rs",
        "//! x\nuse crate::id::{A, B};\n",
        "one item per `use` line",
    );
    refused(
        "src/wal/mod.rs",
        "//! x\nuse crate::id::*;\n",
        "one item per `use` line",
    );
    refused(
        "src/wal/read.rs",
        "//! x\nuse super::{A, B};\n",
        "one item per `use` line",
    );
}

#[test]
fn verify_shares_nothing_with_the_writers() {
    refused(
        "src/verify/mod.rs",
        "//! x\nuse crate::segment::writer::Section;\n",
        "writers it checks",
    );
    refused(
        "src/verify/wal.rs",
        "//! x\nuse crate::wal::Writer;\n",
        "writers it checks",
    );
    accepted(
        "src/verify/mod.rs",
        "//! x\nuse crate::segment::reader::Reader;\n",
    );
    accepted("src/verify/tests.rs", "//! x\nuse crate::wal::Writer;\n");
}

#[test]
fn files_are_touched_by_the_disk_floor_only() {
    refused(
        "src/store/open.rs",
        "//! x\nuse std::fs::File;\n",
        "touches the file system",
    );
    accepted("src/disk/real.rs", "//! x\nuse std::fs::File;\n");
    accepted(
        "src/store/open.rs",
        "//! x\nmod tests {\n    use std::fs::File;\n}\n",
    );
}

#[test]
fn form_is_checked() {
    refused(
        "src/wal/mod.rs",
        "use crate::id::WalId;\n",
        "opens with `//!`",
    );
    refused("tests/it/helpers.rs", "//! x\n", "says nothing");
    refused(
        "src/wal/mod.rs",
        concat!("//! x\n// FIX", "ME later\n"),
        "leftover mark",
    );
    refused(
        "README.md",
        concat!("see /ho", "me/ada/auditdb\n"),
        "a machine's own path",
    );
    refused(
        "src/wal/mod.rs",
        "//! x\n#[test]\nfn test_append() {}\n",
        "a test's name",
    );
    refused(
        "src/wal/mod.rs",
        "//! x\nfn f() { unsafe { g() } }\n",
        "unsafe code",
    );
    accepted(
        "src/wal/mod.rs",
        concat!("//! x, an e/ho", "me/ path\nfn f() {}\n"),
    );
}

#[test]
fn prose_and_literals_are_not_code() {
    accepted(
        "src/wal/mod.rs",
        "//! x\n/// See [`crate::store::Store`].\nfn f() {}\n",
    );
    accepted(
        "src/wal/mod.rs",
        "//! x\nconst A: &str = \"crate::store::B\";\n",
    );
    accepted(
        "src/wal/mod.rs",
        "//! x\nconst A: &str = r#\"\"crate::store::B\"#;\n",
    );
    accepted(
        "src/wal/mod.rs",
        "//! x\n/* a /* b */ crate::store::C */\nfn f() {}\n",
    );
    accepted(
        "src/wal/mod.rs",
        "//! x\nfn f<'a>(c: char) -> bool { c == '\"' || c == '\\'' }\n",
    );
    refused(
        "src/wal/mod.rs",
        "//! x\nfn f(c: char) { c == '\"'; crate::store::g(); }\n",
        "imports up",
    );
}

#[test]
fn long_functions_and_files_are_found() {
    let body = "    call(\"{\");\n".repeat(shape::FUNCTION_LINES);
    let text = format!("//! x\nfn short() {{}}\nfn tall(a: [u8; 4]) {{\n{body}}}\nfn last();\n");
    let found = shape::long(&Source::new("src/a.rs", &text));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        found.first().and_then(|long| long.function.as_deref()),
        Some("tall")
    );
    assert_eq!(
        found.first().map(|long| long.lines),
        Some(shape::FUNCTION_LINES + 2)
    );

    let text = "//! x\n".repeat(shape::FILE_LINES + 1);
    assert_eq!(shape::long(&Source::new("src/a.rs", &text)).len(), 1);
}

#[test]
fn root_names_are_read_from_the_library() {
    let text = "//! x\nmod error;\npub use error::Error;\npub use wal::{A, B};\npub mod wal;\n";
    let (names, found) = floors::roots(&Source::new("src/lib.rs", text));
    assert!(names.contains(&"Error".to_owned()));
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn links_are_read_from_pages() {
    let page = "[a](docs/a.md) and [b](https://b.example/c)\n[c](#here) [d](d.md#there)\n";
    assert_eq!(shape::links(page), [(1, "docs/a.md"), (2, "d.md")]);
}
