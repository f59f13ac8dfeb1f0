//! `docs/mission.md`: what the program was asked to do, row by row, with the tests that show each.
//! What a row promises stands in `tests/it/mission/rows.toml`; which tests show it is read from their
//! names, `mission_<row>…_<what holds>`, so the page cannot name a test that is not there, and a row
//! cannot lose its last one unseen. With `AUDITDB_BLESS` set, the page is written anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::source::Finding;
use crate::source::Source;

/// Where the promises stand, and the page that is made of them, from the repository's root.
const ROWS: &str = "tests/it/mission/rows.toml";
const PAGE: &str = "docs/mission.md";

/// The parts of the mission: what each of the three systems that are followed is about.
const PARTS: [(char, &str); 5] = [
    ('A', "A trail of what users did: view and export"),
    (
        'B',
        "The same trail: what it holds, and what to know before",
    ),
    ('C', "Its events and filters"),
    ('D', "An audit log: export"),
    ('E', "An endpoint that exports events"),
];

const HEAD: &str = "# The mission, row by row

What three audit trails that are in use do, with their limits and defects, was listed row by row \
before this program was written. This page says of each row what the program does, and names the \
tests that show it, through the library's interface or through the binary. It is made from those \
tests: `tests/tidy.rs` fails where a row has none, where a test names no row, and where this page \
differs from what they give (`AUDITDB_BLESS=1 cargo test --test tidy` writes it anew). The tests \
themselves run with all others: `cargo test mission_a22` runs those of row A22.
";

/// What is done about a row: a promise, what comes later and why, or both.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    does: Option<String>,
    later: Option<String>,
}

/// A row's name: the part, and the number in it.
type Name = (char, u32);

/// A test that shows rows: what holds, in words, and the file.
struct Shown {
    rows: Vec<Name>,
    what: String,
    path: String,
}

fn row_name(word: &str) -> Option<Name> {
    let mut letters = word.chars();
    let part = letters.next()?.to_ascii_uppercase();
    let digits = letters.as_str();
    let canonical = digits.starts_with(|first: char| ('1'..='9').contains(&first));
    let known = canonical && PARTS.iter().any(|(known, _)| *known == part);
    known
        .then(|| digits.parse().ok())?
        .map(|number| (part, number))
}

/// The tests of `sources` that show rows, and what is wrong with tests that seem to.
fn shown(sources: &[Source]) -> (Vec<Shown>, Vec<Finding>) {
    let (mut shown, mut wrong) = (Vec::new(), Vec::new());
    for source in sources.iter().filter(|source| source.is_rust()) {
        for function in source.functions() {
            let Some(rest) = function.name.strip_prefix("mission_") else {
                continue;
            };
            let mut refuse = |what: &str| {
                let what = format!("`{}`: {what}", function.name);
                wrong.push(source.finding(function.line, what));
            };
            let words: Vec<&str> = rest.split('_').collect();
            let rows: Vec<Name> = words.iter().map_while(|word| row_name(word)).collect();
            let what = words.get(rows.len()..).unwrap_or_default().join(" ");
            if rows.is_empty() || what.is_empty() {
                refuse("a test of the mission names its rows, and then what holds");
            } else if !function.is_test || source.code.contains("#[ignore") {
                refuse("it has to run: `#[test]` right above it, and nothing that leaves it out");
            } else if !is_built(source, sources) {
                refuse("no `mod` line names its file");
            } else {
                let path = source.path.clone();
                shown.push(Shown { rows, what, path });
            }
        }
    }
    (shown, wrong)
}

/// Whether some file of its tree takes this one in.
fn is_built(source: &Source, sources: &[Source]) -> bool {
    let path = Path::new(&source.path);
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let line = format!("mod {stem};");
    let tree = path.components().next();
    sources
        .iter()
        .filter(|other| Path::new(&other.path).components().next() == tree)
        .any(|other| other.code.lines().any(|code| code.trim() == line))
}

/// What rows and tests have that does not go together.
fn gaps(rows: &BTreeMap<Name, Row>, shown: &[Shown]) -> Vec<String> {
    let mut found = Vec::new();
    for (name, row) in rows {
        let tests = shown.iter().any(|one| one.rows.contains(name));
        match (&row.does, &row.later) {
            (None, None) => found.push(format!("{}: neither `does` nor `later`", text(*name))),
            (Some(_), _) if !tests => found.push(format!("{}: no test shows it", text(*name))),
            (None, _) if tests => found.push(format!("{}: shown, but not promised", text(*name))),
            _ => {}
        }
    }
    for one in shown {
        let unknown = one.rows.iter().filter(|name| !rows.contains_key(name));
        found.extend(unknown.map(|name| format!("{}: “{}” shows no row", text(*name), one.what)));
    }
    found
}

fn text((part, number): Name) -> String {
    format!("{part}{number}")
}

fn page(rows: &BTreeMap<Name, Row>, shown: &[Shown]) -> String {
    let mut page = HEAD.to_owned();
    for (part, title) in PARTS {
        let _ = write!(page, "\n## {part}. {title}\n\n");
        page.push_str("| row | what auditdb does | shown by |\n|---|---|---|\n");
        for (name, row) in rows.iter().filter(|(name, _)| name.0 == part) {
            let Some(does) = &row.does else { continue };
            let tests = shown.iter().filter(|one| one.rows.contains(name));
            let tests: Vec<String> = tests
                .map(|one| format!("[{}](../{})", one.what, one.path))
                .collect();
            let _ = writeln!(page, "| {} | {does} | {} |", text(*name), tests.join(" · "));
        }
    }
    page.push_str("\n## What is not there\n\n| row | why |\n|---|---|\n");
    for (name, row) in rows {
        if let Some(later) = &row.later {
            let part = if row.does.is_some() { ", in part" } else { "" };
            let _ = writeln!(page, "| {}{part} | {later} |", text(*name));
        }
    }
    page
}

#[test]
fn every_row_of_the_mission_is_shown_by_a_test_and_the_page_says_which() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap_or_default();
    let rows: BTreeMap<String, Row> = toml::from_str(&read(ROWS)).expect("rows");
    let rows: BTreeMap<Name, Row> = rows
        .into_iter()
        .map(|(name, row)| (row_name(&name).expect("a row's name"), row))
        .collect();
    let (mut shown, wrong) = shown(&crate::sources());
    crate::none(&wrong);
    shown.sort_by(|one, other| (&one.path, &one.what).cmp(&(&other.path, &other.what)));
    let gaps = gaps(&rows, &shown);
    assert!(gaps.is_empty(), "\n{}\n", gaps.join("\n"));
    let wanted = page(&rows, &shown);
    if std::env::var_os("AUDITDB_BLESS").is_some() {
        fs::write(root.join(PAGE), &wanted).expect("the page");
    }
    assert!(
        read(PAGE) == wanted,
        "{PAGE} differs from the tests: AUDITDB_BLESS=1 writes it anew"
    );
}

#[test]
fn what_does_not_go_together_is_found() {
    let source = |path: &str, text: &str| Source::new(path, text);
    let check = |name: &str, part: &str| {
        let text = format!("//! x\n{name}\n");
        let roots = "//! x\nmod rows;\n";
        let sources = [
            source("tests/it/rows.rs", &text),
            source("tests/it/main.rs", roots),
        ];
        let (shown, wrong) = shown(&sources);
        let promised = |does: bool| Row {
            does: does.then(|| "does".to_owned()),
            later: (!does).then(|| "later".to_owned()),
        };
        let rows = [(('A', 1), promised(true)), (('A', 2), promised(false))];
        let found = wrong.into_iter().map(|finding| finding.what);
        let found: Vec<String> = found.chain(gaps(&rows.into(), &shown)).collect();
        let expected = !part.is_empty();
        assert_eq!(
            found.iter().any(|what| what.contains(part)),
            expected,
            "{name}: {found:?}"
        );
        assert!(expected || found.is_empty(), "{name}: {found:?}");
    };
    check("#[test]\nfn mission_a1_x_holds() {}", "");
    check("", "A1: no test shows it");
    check(
        "#[test]\nfn mission_a1_a2_x() {}",
        "A2: shown, but not promised",
    );
    check("#[test]\nfn mission_a1_a3_x() {}", "A3: “x” shows no row");
    check("#[test]\nfn mission_a1() {}", "names its rows");
    check("#[test]\nfn mission_anything() {}", "names its rows");
    check("fn mission_a1_x() {}", "it has to run");
    let ignored = concat!("#[ign", "ore]\n#[test]\nfn mission_a1_x() {}");
    check(ignored, "it has to run");
}
