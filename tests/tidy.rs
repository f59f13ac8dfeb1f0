//! The house rules as tests, because a rule that is no test is no rule: floors, form, lengths.
//! The rules stand in `tests/tidy/`; this file walks the repository and holds the list of what may
//! break a length for a reason. `planted` proves that each rule finds what it looks for.

use std::fs;
use std::path::Path;

#[path = "tidy/floors.rs"]
mod floors;
#[path = "tidy/mission.rs"]
mod mission;
#[path = "tidy/planted.rs"]
mod planted;
#[path = "tidy/shape.rs"]
mod shape;
#[path = "tidy/source.rs"]
mod source;

use source::Finding;
use source::Source;

/// What is longer than its floor, and why: path, function (empty: the file), lines, reason.
/// The list only shrinks: a number may go down, an entry that is no longer needed must go.
const LONG: &[(&str, &str, usize, &str)] = &[(
    "src/layout/tests.rs",
    "rebuild",
    94,
    "undoes every native column in turn: in pieces, a column that was forgotten would not show",
)];

/// Where the files lie that the rules are about.
const FOLDERS: [&str; 6] = ["src", "tests", "benches", "fuzz", "docs", ".ci"];

/// Folders that hold other people's bytes, or a machine's.
const LEFT_OUT: [&str; 6] = [
    "target",
    "corpus",
    "artifacts",
    "coverage",
    "fixtures",
    "golden",
];

/// Every text file of the repository that the rules are about.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in FOLDERS {
        walk(root, &root.join(folder), &mut found);
    }
    for name in ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "Cargo.toml"] {
        read(root, &root.join(name), &mut found);
    }
    assert!(
        found.len() > 10,
        "the walk found next to nothing below {}",
        root.display()
    );
    found
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<Source>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if path.is_dir() {
            if !LEFT_OUT.contains(&name) {
                walk(root, &path, found);
            }
        } else if name == "run"
            || [".rs", ".md", ".toml"]
                .iter()
                .any(|end| name.ends_with(end))
        {
            read(root, &path, found);
        }
    }
}

fn read(root: &Path, path: &Path, found: &mut Vec<Source>) {
    let inside = path.strip_prefix(root).unwrap_or(path);
    if let Ok(text) = fs::read_to_string(path) {
        found.push(Source::new(&inside.to_string_lossy(), &text));
    }
}

#[track_caller]
fn none(found: &[Finding]) {
    let lines: Vec<String> = found
        .iter()
        .map(|one| format!("{}:{}: {}", one.path, one.line, one.what))
        .collect();
    assert!(
        lines.is_empty(),
        "{} broken rules:\n{}\n",
        lines.len(),
        lines.join("\n")
    );
}

#[test]
fn imports_go_down_only() {
    let sources = sources();
    let mut found = Vec::new();
    let mut roots = Vec::new();
    if let Some(library) = sources.iter().find(|source| source.path == "src/lib.rs") {
        (roots, found) = floors::roots(library);
    }
    assert!(!roots.is_empty(), "src/lib.rs offers no names");
    found.extend(
        sources
            .iter()
            .flat_map(|source| floors::check(source, &roots)),
    );
    none(&found);
}

#[test]
fn files_keep_the_form() {
    let found: Vec<Finding> = sources().iter().flat_map(shape::check).collect();
    none(&found);
}

#[test]
fn files_and_functions_stay_short() {
    let mut found = Vec::new();
    let mut needed = vec![false; LONG.len()];
    for long in sources().iter().flat_map(shape::long) {
        let function = long.function.as_deref().unwrap_or_default();
        let entry = LONG
            .iter()
            .position(|(path, name, _, _)| *path == long.path && *name == function);
        if let Some(used) = entry.and_then(|entry| needed.get_mut(entry)) {
            *used = true;
        }
        let allowed = entry
            .and_then(|entry| LONG.get(entry))
            .map_or(0, |(_, _, lines, _)| *lines);
        if long.lines > allowed {
            let what = format!(
                "{} lines in {}",
                long.lines,
                if function.is_empty() {
                    "the file"
                } else {
                    function
                }
            );
            found.push(Finding {
                path: long.path,
                line: long.line,
                what,
            });
        }
    }
    for ((path, name, _, reason), used) in LONG.iter().zip(needed) {
        assert!(reason.len() > 20, "{path} {name}: say why it is one idea");
        if !used {
            let what = format!("`{name}` is short now: take it off the list");
            found.push(Finding {
                path: (*path).to_owned(),
                line: 1,
                what,
            });
        }
    }
    none(&found);
}

#[test]
fn locked_packages_come_from_the_public_registry() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let apart =
        ["fuzz", "benches/peers", "benches/models"].map(|folder| format!("{folder}/Cargo.lock"));
    for lock in apart.iter().map(String::as_str).chain(["Cargo.lock"]) {
        let Ok(text) = fs::read_to_string(root.join(lock)) else {
            continue;
        };
        for line in text.lines().filter(|line| line.starts_with("source = ")) {
            let known = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
            assert_eq!(line, known, "{lock}");
        }
    }
}

#[test]
fn the_architecture_page_names_every_module() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/ARCHITECTURE.md")).unwrap_or_default();
    let sources = sources();
    let modules = floors::modules(&sources);
    assert!(modules.len() > 6, "{modules:?}");
    for module in modules {
        assert!(
            page.contains(&format!("\n| `{module}` |")),
            "no line on `{module}`"
        );
    }
}

#[test]
fn links_between_pages_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for page in sources()
        .iter()
        .filter(|source| source.path.ends_with(".md"))
    {
        let folder = root.join(&page.path);
        for (line, link) in shape::links(&page.text) {
            let there = folder
                .parent()
                .is_some_and(|folder| folder.join(link).exists());
            if !there {
                found.push(page.finding(line, format!("`{link}` is not there")));
            }
        }
    }
    none(&found);
}
