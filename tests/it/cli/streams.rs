//! Streams: a reader that goes away ends a command quietly, and Ctrl-C ends it with 130 and says
//! how to go on.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use super::Place;
use super::auditdb;

fn spawn(words: &[&str]) -> Child {
    auditdb(words)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{words:?}: {error}"))
}

/// What a child that is to end says on stderr, and its code.
fn ends(mut child: Child) -> (String, Option<i32>) {
    let mut error = String::new();
    let read = child
        .stderr
        .take()
        .map(|mut stream| stream.read_to_string(&mut error));
    assert!(matches!(read, Some(Ok(_))));
    (error, child.wait().ok().and_then(|status| status.code()))
}

/// What happened: an input that the system could not read was told as wrong usage, with exit code 2.
#[test]
fn p5_an_input_that_cannot_be_read_is_no_wrong_usage() {
    let place = Place::new();
    let append = |stdin: Stdio| {
        let child = auditdb(&["append", &place.name("store")])
            .stdin(stdin)
            .stderr(Stdio::piped())
            .spawn();
        ends(child.expect("started"))
    };
    let folder = std::fs::File::open(place.path(".")).expect("a folder opens");
    let (error, code) = append(folder.into());
    assert_eq!(code, Some(1), "{error}");
    assert!(error.contains("stdin: cannot be read"), "{error}");
    std::fs::write(place.path("bytes"), b"{\"type\":\"\xff\"}").expect("written");
    let bytes = std::fs::File::open(place.path("bytes")).expect("it opens");
    let (error, code) = append(bytes.into());
    assert_eq!(code, Some(2), "{error}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let place = Place::with_events(2_000);
    let store = place.name("store");
    for words in [
        &["query", &store, "-n", "2000", "-o", "ndjson"][..],
        &["generate", "--events", "100000"],
        &["dump", &store, "wal"],
        &["export", &store, "-f", "csv"],
    ] {
        let mut child = spawn(words);
        let mut line = String::new();
        let stdout = child.stdout.take().map(BufReader::new);
        let read = stdout.map(|mut stdout| stdout.read_line(&mut line));
        assert!(matches!(read, Some(Ok(_))));
        let (error, code) = ends(child);
        assert_eq!(error, "", "{words:?}");
        // An export that nobody took to its end was not done.
        let expected = if words.contains(&"export") { 1 } else { 0 };
        assert_eq!(code, Some(expected), "{words:?}");
    }
}

#[test]
fn ctrl_c_ends_with_130_and_says_how_to_go_on() {
    let place = Place::with_events(30);
    let mut child = spawn(&["follow", &place.name("store"), "--from-seq", "10"]);
    let mut stdout = child.stdout.take().map(BufReader::new);
    for _ in 0..20 {
        let mut line = String::new();
        assert!(matches!(
            stdout.as_mut().map(|out| out.read_line(&mut line)),
            Some(Ok(1..))
        ));
    }
    let signal = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(signal.is_ok_and(|status| status.success()));
    let (error, code) = ends(child);
    assert_eq!(code, Some(130));
    assert!(error.contains("--from-seq 30"), "{error}");
}

#[test]
fn followers_see_what_is_appended() {
    let place = Place::with_events(5);
    let mut child = spawn(&["follow", &place.name("store"), "--new"]);
    // The follower has begun when the event it waits for arrives; until then it is given more.
    let mut stdout = child.stdout.take().map(BufReader::new);
    let appended = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let mut line = String::new();
            let read = stdout.as_mut().map(|out| out.read_line(&mut line));
            matches!(read, Some(Ok(1..))).then_some(line)
        });
        while !waiting.is_finished() {
            place.out(&["append", "DB", "--type", "late.event"]);
        }
        waiting.join().ok().flatten()
    });
    assert!(appended.is_some_and(|line| line.contains("late.event")));
    let signal = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(signal.is_ok());
    assert_eq!(ends(child).1, Some(130));
}

#[test]
fn stored_control_characters_are_escaped_in_tables() {
    let place = Place::new();
    let line = r#"{"type":"a.b","subject":{"kind":"k","id":"\u001b[31m\u202ex\n\u200b"},"reason":"\u009b2J"}"#;
    place.run(&["append", "DB"], line.as_bytes()).done();
    let table = place.out(&["query", "DB"]);
    assert!(
        table.contains(r"K with id \u001b[31m\u202ex\n\u200b"),
        "{table}"
    );
    let id = table
        .split_whitespace()
        .last()
        .unwrap_or_default()
        .to_owned();
    let shown = place.out(&["show", "DB", &id]);
    assert!(
        !shown.contains(['\u{1b}', '\u{202e}', '\u{9b}', '\u{200b}']),
        "{shown}"
    );
}

/// `dump` prints text for people, who read it through a pager: U+009B begins a control sequence
/// there, and U+202E turns the line around. It went into pipes as it was stored.
#[test]
fn a_dump_is_escaped_also_in_a_pipe() {
    let place = Place::new();
    let line = r#"{"type":"a.b","reason":"\u009b2J \u0085 \u202ex \u2066"}"#;
    place.run(&["append", "DB"], line.as_bytes()).done();
    let dumped = place.out(&["dump", "DB", "wal"]);
    assert!(
        dumped.contains(r"\u009b2J \u0085 \u202ex \u2066"),
        "{dumped}"
    );
    assert!(!dumped.contains(['\u{9b}', '\u{85}', '\u{202e}', '\u{2066}']));
}

/// An import that waits for a pipe nobody writes to looked at the flag that Ctrl-C sets only when
/// the next bytes came, so the first Ctrl-C did nothing.
#[test]
fn an_import_that_waits_for_its_input_ends_at_the_first_ctrl_c() {
    let place = Place::new();
    for words in [&["-"][..], &[], &["/dev/stdin"]] {
        let mut child = auditdb(&[&["import", &place.name("store"), "--json"], words].concat())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{words:?}: {error}"));
        let mut stdin = child.stdin.take();
        let line = b"{\"type\":\"a.b\",\"occurred_at\":\"2026-05-17T08:00:00Z\"}\n";
        let sent = stdin.as_mut().map(|stdin| stdin.write_all(line));
        assert!(matches!(sent, Some(Ok(()))));
        // The store is there before the input is read, and by then Ctrl-C is the command's own.
        std::thread::sleep(Duration::from_millis(1500));
        let signal = Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status();
        assert!(signal.is_ok_and(|status| status.success()));
        let begun = Instant::now();
        while child.try_wait().is_ok_and(|ended| ended.is_none()) {
            if begun.elapsed() > Duration::from_secs(20) {
                drop(child.kill());
                panic!("{words:?}: the import went on waiting");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let (error, code) = ends(child);
        assert_eq!(code, Some(130), "{words:?}: {error}");
        assert!(error.contains("interrupted"), "{error}");
        drop(stdin);
    }
    assert_eq!(place.json(&["stats", "DB", "--json"])["events"], 1);
}

/// Whoever ends a group of processes often sends two signals within milliseconds: the second one
/// ended `follow` before it could say how to go on. Commands that look at no flag said nothing.
#[test]
fn an_interrupt_is_told_also_when_it_comes_twice() {
    let place = Place::with_events(30);
    let store = place.name("store");
    for (words, told) in [
        (&["follow", &store][..], "--from-seq 30"),
        (&["generate", "--events", "100000000"], "interrupted"),
    ] {
        let mut child = spawn(words);
        let mut stdout = child.stdout.take().map(BufReader::new);
        for _ in 0..30 {
            let mut line = String::new();
            let read = stdout.as_mut().map(|out| out.read_line(&mut line));
            assert!(matches!(read, Some(Ok(1..))));
        }
        let kill = format!("kill -TERM {0}; kill -INT {0}", child.id());
        let signals = Command::new("sh").args(["-c", &kill]).status();
        assert!(signals.is_ok());
        let (error, code) = ends(child);
        assert_eq!(code, Some(130), "{words:?}: {error}");
        assert!(error.contains(told), "{words:?}: {error}");
    }
}
