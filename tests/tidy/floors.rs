//! The floors of `docs/ARCHITECTURE.md` as a table, and the rules that keep them: imports go down
//! only, folders of one floor do not know each other, faces use root names, only the disk's floor
//! touches the file system, `verify` shares nothing with what it checks but formats and readers.

use crate::source::Finding;
use crate::source::Source;
use crate::source::is_word;
use crate::source::word_at;

/// How the modules of one floor may see each other.
#[derive(Clone, Copy, PartialEq)]
enum Within {
    /// Each sees those written before it.
    Chain,
    /// None sees another.
    Apart,
}

/// The library's modules, lowest floor first. The binary and other faces stand above them all.
const FLOORS: [(Within, &[&str]); 7] = [
    (
        Within::Chain,
        &[
            "planted", "time", "limits", "error", "id", "event", "registry", "options",
        ],
    ),
    (Within::Chain, &["codec", "filter", "layout"]),
    (Within::Apart, &["disk"]),
    (
        Within::Apart,
        &[
            "wal", "memtable", "segment", "presence", "manifest", "jobs", "inbox", "saved",
        ],
    ),
    (Within::Chain, &["snapshot", "query"]),
    (Within::Apart, &["store", "verify"]),
    (Within::Apart, &["export", "import", "generate"]),
];

/// What fuzz targets and benches may reach, in one file: it may name every floor, none may name it.
const INTERNALS: &str = "internals";

/// Floors below the transfer that must not know of files; the disk's own is left out.
const WITHOUT_FILES: [usize; 5] = [0, 1, 3, 4, 5];

/// What belongs to writing, which `verify` must not share.
const WRITERS: [&str; 4] = ["writer", "Writer", "merge", "Merge"];

/// A module's floor and its place in it.
fn place(module: &str) -> Option<(usize, usize)> {
    FLOORS.iter().enumerate().find_map(|(floor, (_, modules))| {
        Some((floor, modules.iter().position(|known| *known == module)?))
    })
}

/// Why `from` may not import `to`, if it may not.
fn refusal(from: &str, to: &str) -> Option<String> {
    if from == to {
        return None;
    }
    let Some((to_floor, to_place)) = place(to) else {
        return Some(format!(
            "`crate::{to}` is on no floor: name the module that defines it"
        ));
    };
    if from == INTERNALS {
        return None;
    }
    let Some((from_floor, from_place)) = place(from) else {
        return Some(format!(
            "module `{from}` is on no floor: add it to tests/tidy/floors.rs"
        ));
    };
    let within = FLOORS.get(from_floor).map(|(within, _)| *within);
    if to_floor > from_floor {
        return Some(format!(
            "`{from}` (floor {from_floor}) imports up: `{to}` (floor {to_floor})"
        ));
    }
    if to_floor == from_floor && (within == Some(Within::Apart) || to_place > from_place) {
        return Some(format!(
            "`{from}` imports `{to}` of its own floor {from_floor}"
        ));
    }
    None
}

/// The module below `src/` that a file belongs to; none for the crate's root and the binary.
fn module_of(path: &str) -> Option<&str> {
    let inside = path.strip_prefix("src/")?;
    if inside == "lib.rs" || inside.starts_with("bin/") {
        return None;
    }
    let first = inside.split('/').next()?;
    Some(first.strip_suffix(".rs").unwrap_or(first))
}

/// The library's modules that have files, each once.
pub(crate) fn modules(sources: &[Source]) -> Vec<&str> {
    let mut found: Vec<&str> = sources
        .iter()
        .filter_map(|source| module_of(&source.path))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// How many modules deep a file of the library stands: `src/wal/mod.rs` 1, `src/wal/writer.rs` 2.
fn depth_of(path: &str) -> usize {
    let inside = path.strip_prefix("src/").unwrap_or(path);
    inside
        .split('/')
        .filter(|part| !matches!(*part, "mod.rs" | "lib.rs"))
        .count()
}

/// All rules about what sees what, for one file. `roots` are the names that `src/lib.rs` offers.
pub(crate) fn check(source: &Source, roots: &[String]) -> Vec<Finding> {
    if !source.path.starts_with("src/") || !source.is_rust() {
        return Vec::new();
    }
    let mut found = spelling(source);
    if source.path.starts_with("src/bin/") {
        found.extend(face(source, roots));
    } else {
        found.extend(climbing(source));
    }
    if let Some(module) = module_of(&source.path) {
        found.extend(core(source, module));
    }
    found
}

/// Imports are written so that a reader and this test see every layer.
fn spelling(source: &Source) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut refuse = |offset, what: &str| found.push(source.finding(source.line_at(offset), what));
    for group in [
        "crate::{",
        "super::{",
        "self::{",
        "auditdb::{",
        "crate::*",
        "auditdb::*",
    ] {
        for offset in source.places(group) {
            refuse(offset, "one item per `use` line");
        }
    }
    for offset in source.places("super::super") {
        refuse(offset, "`super::super`: write the path from `crate`");
    }
    for offset in source.places("use crate::") {
        let line = source.after(offset).lines().next().unwrap_or_default();
        if !line.ends_with(';') || line.contains(['{', '*', ',']) {
            refuse(offset, "one item per `use` line");
        }
    }
    found
}

/// A face uses root names only, each of them one that `src/lib.rs` offers.
fn face(source: &Source, roots: &[String]) -> Vec<Finding> {
    let mut found = Vec::new();
    for offset in source.places("auditdb::") {
        let rest = source.after(offset + "auditdb::".len());
        let name = word_at(rest);
        let deeper = rest.get(name.len()..).unwrap_or_default().starts_with("::");
        let what = if deeper && name.starts_with(char::is_lowercase) {
            format!("`auditdb::{name}::…`: a face uses root names only")
        } else if !roots.iter().any(|root| root == name) {
            format!("`auditdb::{name}` is no root name of the library")
        } else {
            continue;
        };
        found.push(source.finding(source.line_at(offset), what));
    }
    for offset in source.places("use auditdb") {
        let rest = source.after(offset + "use auditdb".len());
        if rest.starts_with([';', ' ']) {
            found.push(source.finding(source.line_at(offset), "import names, not the library"));
        }
    }
    found
}

/// `super::` must not be a way out of a module, past the floors.
fn climbing(source: &Source) -> Vec<Finding> {
    let depth = depth_of(&source.path);
    source
        .places("super::")
        .into_iter()
        .filter(|offset| depth + source.modules_at(*offset).len() < 2)
        .map(|offset| {
            source.finding(
                source.line_at(offset),
                "`super::` leaves the module: write `crate::`",
            )
        })
        .collect()
}

/// The floors themselves, and what only some of them may do.
fn core(source: &Source, module: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    for offset in source.places("crate::") {
        let path = segments(source.after(offset + "crate::".len()));
        let Some(to) = path.first() else { continue };
        let writes = path.iter().any(|segment| WRITERS.contains(segment));
        let what = match refusal(module, to) {
            Some(what) => what,
            None if module == "verify" && writes && !source.is_test_at(offset) => {
                format!(
                    "`verify` uses `{}` of the writers it checks",
                    path.join("::")
                )
            }
            None => continue,
        };
        found.push(source.finding(source.line_at(offset), what));
    }
    for offset in source.places("auditdb::") {
        found.push(source.finding(source.line_at(offset), "the library names itself `crate`"));
    }
    let floor = place(module).map(|(floor, _)| floor);
    if floor.is_some_and(|floor| WITHOUT_FILES.contains(&floor)) {
        for offset in source.places("std::fs") {
            if !source.is_test_at(offset) {
                found.push(source.finding(
                    source.line_at(offset),
                    format!("`{module}` touches the file system; only disk/ does"),
                ));
            }
        }
    }
    if floor.is_none() && module != INTERNALS {
        found.push(source.finding(1, format!("module `{module}` is on no floor")));
    }
    found
}

/// The segments of a path that `text` begins with.
fn segments(text: &str) -> Vec<&str> {
    let end = text
        .find(|letter| !is_word(letter) && letter != ':')
        .unwrap_or(text.len());
    text.get(..end)
        .unwrap_or_default()
        .split("::")
        .filter(|part| !part.is_empty())
        .collect()
}

/// The names `src/lib.rs` offers, and what is wrong with how it offers them.
pub(crate) fn roots(library: &Source) -> (Vec<String>, Vec<Finding>) {
    let mut names = Vec::new();
    let mut found = Vec::new();
    for (index, line) in library.code.lines().enumerate() {
        let line = line.trim();
        if let Some(path) = line.strip_prefix("pub use ") {
            let path = path.trim_end_matches(';');
            if path.contains(['{', '*']) {
                found.push(library.finding(index + 1, "one root name per line"));
            }
            names.extend(path.rsplit([':', ' ']).next().map(str::to_owned));
        }
        if line.starts_with("pub mod ") && !line.contains(INTERNALS) {
            found.push(library.finding(index + 1, "modules are private; offer the name instead"));
        }
    }
    (names, found)
}
