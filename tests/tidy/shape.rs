//! The rules of form: what every file opens with, how long it and its functions may be, which names
//! and marks are not used, and that nothing of one developer's machine is written down.

use crate::source::Finding;
use crate::source::Source;
use crate::source::is_word;

/// Lines of a file that read well in one sitting; longer ones are listed with their reason.
pub(crate) const FILE_LINES: usize = 500;
/// Lines of a function, signature and braces included; longer ones are listed with their reason.
pub(crate) const FUNCTION_LINES: usize = 70;

/// A thing that is longer than its floor: a function's name, or none for the file.
#[derive(Debug)]
pub(crate) struct Long {
    pub(crate) path: String,
    pub(crate) function: Option<String>,
    pub(crate) line: usize,
    pub(crate) lines: usize,
}

/// A thing with such a name has no owner.
const NAMELESS: [&str; 9] = [
    "util", "utils", "common", "helper", "helpers", "misc", "manager", "core", "shared",
];

/// Marks of unfinished work. Split, so that this file does not hold what it looks for.
const MARKS: [&str; 8] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("HA", "CK"),
    concat!("to", "do!"),
    concat!("db", "g!"),
    concat!("unimple", "mented!"),
    concat!("#[ig", "nore]"),
];

/// Folders that only a developer's machine has.
const MACHINES: [&str; 4] = [
    concat!("/wo", "rk/"),
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
];

/// The only file that may hold unsafe code.
const UNSAFE: &str = "src/disk/map.rs";

/// All rules of form but the lengths.
pub(crate) fn check(source: &Source) -> Vec<Finding> {
    let mut found = marks(source);
    if !source.is_rust() {
        return found;
    }
    if !source.text.starts_with("//! ") {
        found.push(source.finding(1, "a file opens with `//!`: what it is, what it keeps"));
    }
    if let Some(name) = source
        .path
        .split('/')
        .find(|part| NAMELESS.contains(&part.strip_suffix(".rs").unwrap_or(part)))
    {
        found.push(source.finding(1, format!("`{name}` says nothing: name the thing")));
    }
    for function in source
        .functions()
        .into_iter()
        .filter(|function| function.is_test)
    {
        let plain = function.name.starts_with("test_") || function.name.ends_with("_test");
        if plain || function.name == "it_works" || function.name == "test" {
            let what = format!("`{}`: a test's name says what holds", function.name);
            found.push(source.finding(function.line, what));
        }
    }
    if source.path != UNSAFE {
        for offset in source.places("unsafe ") {
            let what = format!("unsafe code outside {UNSAFE}");
            found.push(source.finding(source.line_at(offset), what));
        }
    }
    found
}

/// What is longer than its floor.
pub(crate) fn long(source: &Source) -> Vec<Long> {
    if !source.is_rust() {
        return Vec::new();
    }
    let lines = source.text.lines().count();
    let mut found = Vec::new();
    if lines > FILE_LINES {
        found.push(Long {
            path: source.path.clone(),
            function: None,
            line: 1,
            lines,
        });
    }
    for function in source.functions() {
        if function.lines > FUNCTION_LINES {
            found.push(Long {
                path: source.path.clone(),
                function: Some(function.name),
                line: function.line,
                lines: function.lines,
            });
        }
    }
    found
}

/// The files a page links to, with their lines: not other sites, not places within the page.
pub(crate) fn links(page: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (index, line) in page.lines().enumerate() {
        for rest in line.split("](").skip(1) {
            let link = rest.split([')', '#']).next().unwrap_or_default();
            if !link.is_empty() && !link.contains("://") {
                found.push((index + 1, link));
            }
        }
    }
    found
}

/// Leftover marks and a machine's own paths, in comments and text as well as in code.
fn marks(source: &Source) -> Vec<Finding> {
    let mut found = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        for mark in MARKS {
            if holds_word(line, mark) {
                found.push(source.finding(index + 1, format!("leftover mark `{mark}`")));
            }
        }
        for folder in MACHINES {
            if holds_word(line, folder) {
                found.push(source.finding(index + 1, format!("a machine's own path `{folder}…`")));
            }
        }
        if line.ends_with([' ', '\t']) && source.is_rust() {
            found.push(source.finding(index + 1, "blanks at the end of a line"));
        }
    }
    found
}

/// Whether `line` holds `word` and not as a part of a longer one.
fn holds_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(offset, _)| {
        let before = line.get(..offset).unwrap_or_default();
        let after = line.get(offset + word.len()..).unwrap_or_default();
        let open = word.ends_with(is_word) && after.starts_with(is_word);
        !before.ends_with(is_word) && !open
    })
}
