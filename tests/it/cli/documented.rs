//! Every command that the pages for users and the examples of `--help` show is run, in the order in
//! which it stands there, in a folder of its own for each page. One that does not work, or that this
//! cannot run, is a failure that names its line; where a page shows what a command prints, it is that.

use std::path::Path;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;

use super::Place;
use super::run;

/// A line of shell, where it stands, and what the page shows below it, if it does.
#[derive(Debug)]
struct Line {
    place: String,
    command: String,
    shown: Option<String>,
}

/// The mark above a block that is not run, with its reason behind it.
const NOT_RUN: &str = "<!-- not run: ";

/// What a page of Markdown shows as commands: of blocks of `sh` every line, of `console` those behind
/// `$ `. What looks like a command and stands elsewhere is found wanting.
fn of_page(name: &str, page: &str) -> (Vec<Line>, Vec<String>) {
    let (mut lines, mut wanting) = (Vec::<Line>::new(), Vec::new());
    let (mut fence, mut above) = (None::<(&str, bool)>, "");
    for (index, line) in page.lines().enumerate() {
        let place = format!("{name}:{}", index + 1);
        match (fence, line.strip_prefix("```")) {
            (None, Some(language)) => fence = Some((language, above.starts_with(NOT_RUN))),
            (Some(_), Some(_)) => fence = None,
            (Some((_, true)), None) => {}
            (Some(("console", _)), None) if !line.starts_with("$ ") => {
                let shown = lines
                    .last_mut()
                    .map(|last| last.shown.get_or_insert_default());
                shown
                    .expect("a command above what it prints")
                    .push_str(line);
                let shown = lines.last_mut().and_then(|last| last.shown.as_mut());
                shown.expect("it was just written to").push('\n');
            }
            (Some(("sh" | "console", _)), None) if line.trim().is_empty() => {}
            (Some(("sh" | "console", _)), None) => {
                let command = line.strip_prefix("$ ").unwrap_or(line).to_owned();
                match lines.last_mut().filter(|last| last.command.ends_with('\\')) {
                    Some(last) => last.command = format!("{}\n{command}", last.command),
                    None => lines.push(Line {
                        place,
                        command,
                        shown: None,
                    }),
                }
            }
            (Some(("" | "text" | "bash" | "shell", _)), None)
                if line.trim_start_matches("$ ").starts_with("auditdb ") =>
            {
                wanting.push(format!(
                    "{place}: a command in a block that is not run: {line}"
                ));
            }
            _ => {}
        }
        if !line.trim().is_empty() {
            above = line;
        }
    }
    (lines, wanting)
}

/// The examples that the help of a command shows; what an example is for stands behind three blanks.
fn of_help(command: &str) -> Vec<Line> {
    let help = run(&["help", command], b"").done().text();
    let examples = help.lines().skip_while(|line| *line != "Examples:").skip(1);
    let examples = examples.take_while(|line| line.starts_with("  "));
    let lines = examples.enumerate().map(|(index, line)| Line {
        place: format!("auditdb help {command}, example {}", index + 1),
        command: line
            .trim()
            .split("   ")
            .next()
            .unwrap_or_default()
            .to_owned(),
        shown: None,
    });
    lines.collect()
}

/// The commands of the program, as its own help lists them.
fn commands() -> Vec<String> {
    let help = run(&["--help"], b"").done().text();
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let list = list.take_while(|line| !line.is_empty());
    let names = list.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let names = names.filter(|name| !name.is_empty() && *name != "help");
    names.map(str::to_owned).collect()
}

/// A folder in which lines of shell find the program by its name.
struct Stage {
    place: Place,
}

/// What examples of `--help` take for granted: events that their filters find, files they name.
const EVENTS: &str = r#"{"type":"user.updated","occurred_at":"2026-05-01T08:00:00Z","performer":{"kind":"user","id":"u1"},"metadata":{"ticket":"4711"}}
{"type":"user.updated","occurred_at":"2026-05-02T08:00:00Z","performer":{"kind":"user","id":"u1"},"metadata":{"ticket":"4711"}}
{"type":"user.updated","occurred_at":"2026-05-03T08:00:00Z","performer":{"kind":"user","id":"u1"},"metadata":{"ticket":"4711"}}
{"type":"user.removed","occurred_at":"2026-05-04T08:00:00Z","origin":{"store":"old","id":"7f9c2c1e-0d1b-4b52-8ac5-0bb1f3a1d2e4"}}
"#;
const PACK: &str = r#"{"name":"billing","types":[{"name":"invoice.sent","label":"Send Invoice"}]}"#;
const MAPPING: &str = r#"{"name":"app","event":{"occurred_at":["/at"],"type":"/what"}}"#;

/// What stands in examples for something that only a store knows, and how it is asked for.
const LOOKED_UP: [(&str, &str); 3] = [
    (
        "evt_01HY2Z0J80FM00000000000001",
        "auditdb query trail -n 1 -o ndjson | jq -r .id",
    ),
    ("exp_01…", "auditdb jobs trail list | jq -r .id | tail -n 1"),
    (
        "0000000000000001",
        "auditdb stats trail --json | jq -r '.segments[0].file' | xargs -n 1 basename -s .seg",
    ),
];

impl Stage {
    fn new() -> Stage {
        let place = Place::new();
        std::fs::create_dir(place.path("bin")).expect("a folder");
        std::os::unix::fs::symlink(super::program(), place.path("bin/auditdb")).expect("a link");
        Stage { place }
    }

    /// With the store `trail` and the files that examples name.
    fn set() -> Stage {
        let stage = Stage::new();
        let generated = run(&["generate", "--events", "300", "--ties", "20"], b"")
            .done()
            .out;
        let generated = String::from_utf8(generated).expect("lines");
        for (name, text) in [
            ("events.ndjson", format!("{generated}{EVENTS}")),
            ("cloudtrail.ndjson.zst", generated.clone()),
            ("k8s.ndjson.gz", EVENTS.to_owned()),
            (
                "app.log",
                r#"{"at":"2026-05-01T08:00:00Z","what":"a.b"}"#.to_owned(),
            ),
            ("app.json", MAPPING.to_owned()),
            ("billing.json", PACK.to_owned()),
        ] {
            stage.place.write(name, &text);
        }
        let trail = stage.place.name("trail");
        run(&["import", &trail, &stage.place.name("events.ndjson")], b"").done();
        stage
    }

    /// Runs a line as a person would. A follower waits for ever, so it is stopped after a moment.
    fn run(&self, line: &str) -> Output {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("timeout");
        let seconds = if line.contains("auditdb follow") {
            "1"
        } else {
            "60"
        };
        command.args([
            "-s",
            "INT",
            seconds,
            "bash",
            "-c",
            "set -o pipefail; eval \"$0\"",
            line,
        ]);
        command
            .current_dir(self.place.path(""))
            .stdin(Stdio::null());
        command.env("PATH", format!("{}:{path}", self.place.name("bin")));
        command.output().expect("a shell")
    }

    fn out(&self, line: &str) -> String {
        let out = self.run(line).stdout;
        String::from_utf8_lossy(&out).trim().to_owned()
    }

    /// The line with what stands in examples for something that only this store knows: a cursor of the
    /// same filter, an event, a job, a segment. Large numbers are made small.
    fn filled(&self, line: &str) -> String {
        let mut line = line.replace("--events 1000000", "--events 1000");
        line = line.replace("--events 100000", "--events 1000");
        if line.contains("--cursor TOKEN") {
            let filter = line.split("--cursor").next().unwrap_or_default();
            let filter = filter.replace("export trail -f csv --limit 50000", "query trail");
            let cursor = self.out(&format!("{filter} -n 1 -o json | jq -r .next_cursor"));
            line = line.replace("TOKEN", &cursor);
        }
        for (stands, asked) in LOOKED_UP {
            if line.contains(stands) {
                line = line.replace(stands, &self.out(asked));
            }
        }
        line
    }

    /// Runs the lines; tells of each that did not end as it should or printed something else.
    fn check(&self, lines: &[Line]) -> Vec<String> {
        let mut wanting = Vec::new();
        for Line {
            place,
            command,
            shown,
        } in lines
        {
            // A machine without jq still runs everything else.
            if needs_jq(command) && !has_jq() {
                continue;
            }
            let ended = self.run(&self.filled(command));
            let expected = if command.contains("auditdb follow") {
                124
            } else {
                0
            };
            if ended.status.code() != Some(expected) {
                let error = String::from_utf8_lossy(&ended.stderr).into_owned();
                wanting.push(format!(
                    "{place}: {command}\n  {:?}: {error}",
                    ended.status.code()
                ));
            }
            let out = String::from_utf8_lossy(&ended.stdout);
            if shown.as_ref().is_some_and(|shown| *shown != out) {
                wanting.push(format!("{place}: {command}\n  prints\n{out}"));
            }
        }
        wanting
    }
}

/// Whether a line uses jq, or something stands in it that is looked up by it.
fn needs_jq(line: &str) -> bool {
    let looked_up = LOOKED_UP.iter().map(|(stands, _)| *stands);
    looked_up
        .chain(["jq ", "TOKEN"])
        .any(|word| line.contains(word))
}

fn has_jq() -> bool {
    Command::new("jq").arg("--version").output().is_ok()
}

#[track_caller]
fn none(wanting: &[String]) {
    assert!(wanting.is_empty(), "\n{}\n", wanting.join("\n"));
}

/// Runs what a page shows, as someone would who begins with the program and nothing else.
#[track_caller]
fn check(name: &str, commands_min: usize) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    let page = std::fs::read_to_string(path).expect("the page");
    let (lines, mut wanting) = of_page(name, &page);
    assert!(
        lines.len() >= commands_min,
        "{name}: {} commands",
        lines.len()
    );
    wanting.extend(Stage::new().check(&lines));
    none(&wanting);
}

#[test]
fn every_command_of_the_readme_runs() {
    check("README.md", 9);
}

#[test]
fn every_command_of_the_page_on_the_command_line_runs() {
    check("docs/cli.md", 6);
}

#[test]
fn every_command_of_the_cookbook_runs() {
    check("docs/cookbook.md", 25);
}

#[test]
fn every_example_of_help_runs() {
    let commands = commands();
    assert!(commands.len() > 15, "{commands:?}");
    let mut wanting = Vec::new();
    for command in &commands {
        let lines = of_help(command);
        if lines.is_empty() {
            wanting.push(format!("auditdb help {command} has no example"));
        }
        wanting.extend(Stage::set().check(&lines));
    }
    none(&wanting);
}

#[test]
fn a_page_is_read_as_its_reader_would() {
    let page = "```sh\necho a \\\n  b\n```\n```console\n$ echo c\nc\n```\n```text\nauditdb x\n```\n\
                <!-- not run: no reason -->\n```sh\nfalse\n```\n";
    let (lines, wanting) = of_page("page.md", page);
    let commands: Vec<&str> = lines.iter().map(|line| line.command.as_str()).collect();
    assert_eq!(commands, ["echo a \\\n  b", "echo c"]);
    assert_eq!(lines[1].shown.as_deref(), Some("c\n"));
    assert!(
        wanting.len() == 1 && wanting[0].starts_with("page.md:10:"),
        "{wanting:?}"
    );
    let told = |command: &str, shown: &str| {
        let (place, command) = ("here".to_owned(), command.to_owned());
        let shown = Some(shown.to_owned());
        Stage::new().check(&[Line {
            place,
            command,
            shown,
        }])
    };
    assert!(told("echo c", "c\n").is_empty());
    assert!(told("echo c", "d\n")[0].contains("here: echo c\n  prints\nc"));
    assert!(told("false", "")[0].contains("here: false\n  Some(1)"));
}
