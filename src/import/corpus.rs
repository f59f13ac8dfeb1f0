//! The promises of an import on real logs: every file of the corpus that `AUDITDB_CORPUS` names,
//! every line of it. Without the variable there is nothing to do here; `.ci/run` says so then.

use std::collections::HashSet;
use std::io::BufRead;
use std::path::Path;
use std::path::PathBuf;

use super::Accepted;
use super::Import;
use super::ImportMark;
use super::ImportOptions;
use super::ImportOutcome;
use super::ImportSink;
use super::ImportedEvent;
use super::OnRefusal;
use crate::error::Result;
use crate::event::Event;
use crate::id::Sequence;

/// Stands for a store: knows what it was given, and compares each event with its source line.
#[derive(Default)]
struct Comparing<L> {
    /// The source's lines, if they are to be compared.
    lines: Option<L>,
    passed_over: u64,
    known: HashSet<(String, u64, u64)>,
}

fn digest(text: &str) -> u64 {
    use core::hash::Hasher;
    let mut hasher = std::hash::DefaultHasher::new();
    hasher.write(text.as_bytes());
    hasher.finish()
}

/// A JSON text without blanks outside strings, by a way of its own.
fn without_blanks(line: &str) -> String {
    let (mut inside, mut escaped) = (false, false);
    line.chars()
        .filter(|letter| {
            let kept = inside || !letter.is_ascii_whitespace();
            if !escaped && *letter == '"' {
                inside = !inside;
            }
            escaped = inside && !escaped && *letter == '\\';
            kept
        })
        .collect()
}

impl<L: Iterator<Item = String>> ImportSink for Comparing<L> {
    fn accept(&mut self, batch: Vec<ImportedEvent>) -> Result<Vec<Accepted>> {
        let mut accept = |(event, mark): (Event, Option<ImportMark>)| {
            let data = event.data.value().map_or("", |data| data.as_str());
            if let Some(lines) = &mut self.lines {
                loop {
                    let line = lines.next().expect("an event for which there is no line");
                    if without_blanks(&line) == data {
                        break;
                    }
                    self.passed_over += 1;
                }
            }
            assert!(
                event.occurred_at.value().is_some(),
                "an event without a time: {data}"
            );
            let mark = mark.expect("a source line has no key of its own");
            let place = self.known.len() as u64;
            if self
                .known
                .insert((mark.mapping.to_string(), mark.repeat, digest(data)))
            {
                Accepted::Stored(Sequence(place))
            } else {
                Accepted::Duplicate
            }
        };
        Ok(batch
            .into_iter()
            .map(ImportedEvent::into_parts)
            .map(&mut accept)
            .collect())
    }
}

fn files() -> Vec<PathBuf> {
    let Some(root) = std::env::var_os("AUDITDB_CORPUS") else {
        return Vec::new();
    };
    let mut folders = vec![PathBuf::from(root)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).expect("the corpus can be listed");
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(".ndjson.zst") {
                files.push(path);
            }
        }
    }
    files.sort();
    assert!(
        !files.is_empty(),
        "AUDITDB_CORPUS names a folder without any .ndjson.zst file"
    );
    files
}

fn lines(path: &Path) -> impl Iterator<Item = String> {
    let file = std::fs::File::open(path).expect("a file of the corpus");
    let decoder = zstd::stream::read::Decoder::new(file).expect("a zstd file");
    let lines = std::io::BufReader::new(decoder).lines();
    lines.map(|line| line.expect("a line of valid UTF-8"))
}

fn import<L: Iterator<Item = String>>(
    path: &Path,
    sink: &mut Comparing<L>,
    keep_repeats: bool,
) -> ImportOutcome {
    let options = ImportOptions {
        keep_repeats,
        ..ImportOptions::default()
    };
    let mut import = Import::new(sink, options, OnRefusal::Skip);
    let file = std::fs::File::open(path).expect("a file of the corpus");
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    import
        .read(&name, file)
        .expect("no failure besides refusals");
    import.outcome().clone()
}

/// Whether a line may be refused: vendors' samples were published without their time, and one
/// line of the audit daemon's says nothing but `type=UNKNOWN[1329] msg=?`.
fn may_lack_a_time(path: &Path) -> bool {
    let folders = ["saas-samples", "linux-auditd"];
    path.components()
        .any(|part| folders.iter().any(|folder| part.as_os_str() == *folder))
}

#[test]
fn every_line_of_the_corpus_is_imported_whole() {
    for path in files() {
        let count = lines(&path).count() as u64;
        let mut kept = Comparing {
            lines: Some(lines(&path)),
            passed_over: 0,
            known: HashSet::new(),
        };
        let outcome = import(&path, &mut kept, true);
        let left = kept.lines.take().map_or(0, Iterator::count) as u64;
        let shown = path.display();
        assert_eq!(outcome.read, count, "{shown}: lines");
        assert_eq!(
            outcome.imported + outcome.refused,
            count,
            "{shown}: {outcome:?}"
        );
        assert_eq!(
            outcome.duplicates, 0,
            "{shown}: kept repeats are no duplicates"
        );
        assert_eq!(
            kept.passed_over + left,
            outcome.refused,
            "{shown}: only refused lines are missing"
        );
        if may_lack_a_time(&path) {
            let of_time = |reason: &str| reason.starts_with("no time");
            assert!(
                outcome.refusals.iter().all(|one| of_time(&one.reason)),
                "{shown}: {outcome:?}"
            );
        } else {
            assert_eq!(outcome.refused, 0, "{shown}: {:?}", outcome.refusals);
        }
        let again = import(&path, &mut kept, true);
        assert_eq!(
            (again.imported, again.duplicates),
            (0, outcome.imported),
            "{shown}: again"
        );
        let once = import(
            &path,
            &mut Comparing::<std::vec::IntoIter<String>>::default(),
            false,
        );
        assert_eq!(
            once.imported + once.duplicates,
            outcome.imported,
            "{shown}: without repeats"
        );
    }
}

#[test]
fn sources_of_weight_have_a_mapping_of_their_own() {
    let expected = [
        ("windows-security/", &["windows", "winlogbeat"][..]),
        ("windows-host-mixed/", &["windows"]),
        ("windows-security-text/", &["windows-text"]),
        ("cloudtrail/", &["cloudtrail"]),
        ("aws-honeybucket/", &["honeybucket"]),
        ("k8s-audit/", &["kubernetes"]),
        ("splunk-audit/", &["splunk"]),
        ("linux-auditd/", &["auditd"]),
        ("hospital-billing", &["hospital-billing"]),
        ("traffic-fines", &["traffic-fines"]),
        ("wikipedia-edits/", &["wikipedia"]),
        ("github-events/", &["github"]),
    ];
    for path in files() {
        let shown = path.to_string_lossy().replace('\\', "/");
        let Some((_, names)) = expected.iter().find(|(part, _)| shown.contains(part)) else {
            continue;
        };
        let outcome = import(
            &path,
            &mut Comparing::<std::vec::IntoIter<String>>::default(),
            false,
        );
        for (mapping, count) in &outcome.mappings {
            assert!(
                names.contains(&&**mapping),
                "{shown}: {count} lines went to {mapping}"
            );
        }
    }
}
