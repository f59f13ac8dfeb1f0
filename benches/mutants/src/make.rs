//! Makes the copy: all files of the repository, the named modules with all their mutants, and built
//! tests. What does not compile is dropped, by what the compiler says about its text, until all of
//! the rest does.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;

use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;

use crate::find;
use crate::site::Rendered;
use crate::site::Site;
use crate::site::render;
use crate::state::Key;
use crate::state::Made;
use crate::state::State;
use crate::state::write;

/// The modules, and the files or folders below `src` that are theirs; the first that fits counts.
pub const MODULES: [(&str, &[&str]); 8] = [
    ("cursor", &["query/cursor.rs", "query/facets/cursor.rs"]),
    ("wal", &["wal/"]),
    ("manifest", &["manifest/"]),
    ("verify", &["verify/"]),
    ("codec", &["codec/"]),
    ("disk", &["disk/"]),
    ("query", &["query/"]),
    ("segment", &["segment/"]),
];

/// What the unit tests put in the place of a disk: no part of the product.
const LEFT_OUT: [&str; 2] = ["src/disk/sim.rs", "src/disk/sim/"];

/// A built test binary, by the name of its target.
#[derive(Clone, Serialize, Deserialize)]
pub struct Binary {
    pub name: String,
    pub path: String,
}

struct File {
    path: String,
    module: &'static str,
    text: String,
    sites: Vec<Site>,
}

pub fn make(state: &State, with_it: bool) {
    let paths = paths();
    let tree = state.tree();
    for path in &paths {
        let mut bytes = fs::read(path).expect("a file of the repository");
        if path == "Cargo.toml" {
            let text = String::from_utf8(bytes).expect("a text");
            bytes = text.split("\n[lints").next().unwrap_or(&text).into();
        } else if path == "src/lib.rs" {
            let head = b"#![allow(warnings, arithmetic_overflow, unconditional_panic)]\n";
            bytes = [head, &*bytes, b"\n#[doc(hidden)]\npub mod mutants;\n"].concat();
        }
        let is_mutated = module(path).is_some();
        if !is_mutated {
            write(&tree.join(path), &bytes);
        }
    }
    write(&tree.join("src/mutants.rs"), include_bytes!("copied.rs"));
    let files = files(&paths);
    let mutants = |dropped: &BTreeSet<u32>| listed(&files, dropped);
    let known: BTreeSet<Key> = state
        .mutants()
        .into_iter()
        .filter(|made| !made.builds)
        .map(|made| made.key)
        .collect();
    let before = mutants(&BTreeSet::new()).into_iter();
    let mut dropped: BTreeSet<u32> = before
        .filter(|made| known.contains(&made.key))
        .map(|made| made.number)
        .collect();
    loop {
        let rendered: BTreeMap<String, Rendered> = files
            .iter()
            .map(|file| (file.path.clone(), render(&file.text, &file.sites, &dropped)))
            .collect();
        for (path, rendered) in &rendered {
            write(&tree.join(path), rendered.text.as_bytes());
        }
        let (binaries, errors) = build(state, with_it);
        let before = dropped.len();
        for error in &errors {
            let culprits = culprits(error, &rendered);
            if culprits.is_empty() {
                println!("nobody's error: {}", error["rendered"]);
            }
            dropped.extend(culprits);
        }
        println!(
            "{} errors, {} mutants dropped",
            errors.len(),
            dropped.len() - before
        );
        if state.replace("mutants.ndjson", &mutants(&dropped)) {
            let _ = fs::remove_file(state.path("tests.ndjson"));
        }
        if errors.is_empty() {
            assert!(!binaries.is_empty(), "nothing was built");
            state.replace("binaries.ndjson", &binaries);
            return;
        }
        assert!(dropped.len() > before, "errors that no mutant makes");
    }
}

/// All files of the repository, also those that are not committed yet.
fn paths() -> Vec<String> {
    let list = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .output()
        .expect("git");
    let list = String::from_utf8(list.stdout).expect("paths");
    list.lines()
        .filter(|path| Path::new(path).is_file())
        .map(str::to_owned)
        .collect()
}

fn module(path: &str) -> Option<&'static str> {
    let inside = path.strip_prefix("src/")?;
    let is_test =
        inside.ends_with("tests.rs") || inside.contains("/tests/") || inside.contains("/tests_");
    if is_test
        || !inside.ends_with(".rs")
        || LEFT_OUT.iter().any(|left_out| path.starts_with(left_out))
    {
        return None;
    }
    let fits = |(_, parts): &&(_, &[&str])| parts.iter().any(|part| inside.starts_with(part));
    MODULES.iter().find(fits).map(|(module, _)| *module)
}

/// The files with mutants, in the order of the modules, so that a module's numbers are together.
fn files(paths: &[String]) -> Vec<File> {
    let tested = tested(paths);
    let mut next = 1;
    let mut files = Vec::new();
    for (name, _) in MODULES {
        for path in paths.iter().filter(|path| module(path) == Some(name)) {
            let text = fs::read_to_string(path).expect("a source");
            let sites = match tested.contains(path) {
                true => find::sites(path, &text, next).expect("a source that compiles"),
                false => Vec::new(),
            };
            next += sites
                .iter()
                .map(|site| site.mutants.len() as u32)
                .sum::<u32>();
            files.push(File {
                path: path.clone(),
                module: name,
                text,
                sites,
            });
        }
    }
    files
}

/// The files that are no test's own and are in the build that is tested, by how they are declared.
fn tested(paths: &[String]) -> BTreeSet<String> {
    let mut tested = BTreeSet::new();
    let mut left = vec!["src/lib.rs".to_owned()];
    while let Some(path) = left.pop() {
        let text = fs::read_to_string(&path).expect("a source");
        let file = syn::parse_file(&text).expect("a source that compiles");
        let folder = match path
            .strip_suffix("/mod.rs")
            .or(path.strip_suffix("/lib.rs"))
        {
            Some(folder) => folder,
            None => path.trim_end_matches(".rs"),
        };
        for item in &file.items {
            let syn::Item::Mod(item) = item else { continue };
            if item.content.is_none() && !find::is_left_out(&item.attrs) {
                let names = [
                    format!("{folder}/{}.rs", item.ident),
                    format!("{folder}/{}/mod.rs", item.ident),
                ];
                left.extend(names.into_iter().filter(|name| paths.contains(name)));
            }
        }
        tested.insert(path);
    }
    tested
}

fn listed(files: &[File], dropped: &BTreeSet<u32>) -> Vec<Made> {
    let mut all = Vec::new();
    for file in files {
        let mut keys = BTreeSet::new();
        for site in &file.sites {
            let before = &file.text[..site.range.start];
            let line = before.matches('\n').count() + 1;
            let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1) + 1;
            for mutant in &site.mutants {
                let mut key = Key {
                    file: file.path.clone(),
                    line,
                    column,
                    change: mutant.change.clone(),
                    nth: 0,
                };
                while !keys.insert(key.clone()) {
                    key.nth += 1;
                }
                all.push(Made {
                    number: mutant.number,
                    place: site.mutants[0].number,
                    module: file.module.to_owned(),
                    function: site.function.clone(),
                    key,
                    builds: !dropped.contains(&mutant.number),
                });
            }
        }
    }
    all
}

/// The test binaries, or what the compiler has against them.
fn build(state: &State, with_it: bool) -> (Vec<Binary>, Vec<Value>) {
    let mut cargo = Command::new("cargo");
    cargo.args([
        "test",
        "--locked",
        "--no-run",
        "--features",
        "planted",
        "--lib",
    ]);
    if with_it {
        cargo.args(["--test", "it"]);
    }
    let output = cargo
        .args(["--message-format", "json"])
        .current_dir(state.tree())
        .env("CARGO_TARGET_DIR", state.path("target"))
        .env("CARGO_INCREMENTAL", "0")
        .stderr(Stdio::null())
        .output()
        .expect("cargo");
    let (mut binaries, mut errors) = (Vec::new(), Vec::new());
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Ok(mut line) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        let message = line["message"].take();
        if message["level"] == "error"
            && message["spans"]
                .as_array()
                .is_some_and(|spans| !spans.is_empty())
        {
            errors.push(message);
        }
        if let (Some(path), true) = (line["executable"].as_str(), line["profile"]["test"] == true) {
            let name = match line["target"]["kind"][0].as_str() {
                Some("test") => line["target"]["name"].as_str().unwrap_or_default(),
                _ => "lib",
            };
            binaries.push(Binary {
                name: name.to_owned(),
                path: path.to_owned(),
            });
        }
    }
    (binaries, errors)
}

/// The mutants that an error speaks of: the innermost at what it is about, else those at what it
/// mentions, else all on its line.
fn culprits(error: &Value, rendered: &BTreeMap<String, Rendered>) -> Vec<u32> {
    let spans = error["spans"].as_array().into_iter().flatten();
    let spans: Vec<(bool, &Rendered, Range<usize>)> = spans
        .filter_map(|span| {
            let rendered = rendered.get(span["file_name"].as_str()?)?;
            let [start, end] = ["byte_start", "byte_end"].map(|end| span[end].as_u64());
            let range = start? as usize..end? as usize;
            Some((span["is_primary"] == true, rendered, range))
        })
        .collect();
    for primary in [true, false] {
        let owned = spans
            .iter()
            .filter(|(is_primary, ..)| *is_primary == primary);
        let owned = owned.filter_map(|(_, rendered, range)| rendered.owner(range));
        let numbers: Vec<u32> = owned.flatten().copied().collect();
        if !numbers.is_empty() {
            return numbers;
        }
    }
    let on_line = spans.iter().flat_map(|(_, rendered, range)| {
        let start = rendered.text[..range.start]
            .rfind('\n')
            .map_or(0, |at| at + 1);
        let end = rendered.text[range.end..]
            .find('\n')
            .map_or(rendered.text.len(), |at| range.end + at);
        rendered.touching(&(start..end))
    });
    on_line.collect()
}
