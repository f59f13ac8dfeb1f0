//! docs/format/terms.md and the code say the same.

use std::collections::BTreeMap;

use crate::event::Event;
use crate::filter::term;
use crate::filter::term::Role;
use crate::limits;

const PAGE: &str = include_str!("../../../docs/format/terms.md");

/// The rows of the table whose heading begins with `first`: its cells without blanks.
fn table(first: &str) -> Vec<Vec<String>> {
    let heading = format!("| {first} |");
    PAGE.lines()
        .skip_while(|line| !line.starts_with(&heading))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            line.trim_matches('|')
                .split('|')
                .map(|cell| cell.trim().to_owned())
                .collect()
        })
        .collect()
}

/// The lines of the first block that is fenced as `language`.
fn block(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}");
    PAGE.lines()
        .skip_while(|line| *line != fence)
        .skip(1)
        .take_while(|line| *line != "```")
        .collect()
}

#[test]
fn codes_are_those_of_the_page() {
    let mut expected: BTreeMap<u8, &str> = BTreeMap::from([
        (term::TYPE, "type"),
        (term::SUB_TYPE, "sub_type"),
        (term::ORG, "org"),
        (term::OUTCOME, "outcome"),
        (term::SOURCE, "source"),
        (term::IP, "context.ip"),
        (term::META, "metadata"),
    ]);
    for (Role { kind, pair, id }, name) in [
        (term::SUBJECT, "subject"),
        (term::TARGET, "subject and every further target"),
        (term::PERFORMER, "performer"),
        (term::ON_BEHALF_OF, "on_behalf_of"),
    ] {
        expected.extend([(kind, name), (pair, name), (id, name)]);
    }
    let page = table("code");
    assert_eq!(page.len(), expected.len());
    for (row, (code, name)) in page.iter().zip(expected) {
        assert_eq!(
            (row[0].as_str(), row[1].as_str()),
            (code.to_string().as_str(), name)
        );
    }
}

#[test]
fn constants_are_those_of_the_page() {
    let values: Vec<usize> = table("constant")
        .iter()
        .map(|row| row[1].parse().unwrap())
        .collect();
    let code = [
        usize::from(term::NULL),
        usize::from(term::VALUE),
        usize::from(term::OTHER),
        usize::from(term::CUT),
        limits::PREFIX_BYTES,
        term::CUT_DIGEST,
    ];
    assert_eq!(values, code);
}

#[test]
fn the_worked_example_is_what_the_code_writes() {
    let event = Event::from_native_line(block("json")[0]).unwrap();
    let mut terms = Vec::new();
    term::terms(&event, |term| terms.push(term.to_vec()));
    terms.sort();
    let written: Vec<String> = terms
        .iter()
        .map(|term| {
            let bytes: Vec<String> = term.iter().map(|byte| format!("{byte:02x}")).collect();
            bytes.join(" ")
        })
        .collect();
    assert_eq!(written, block("hex"));
}

#[test]
fn long_values_are_cut_to_a_head_and_a_digest() {
    let short = "x".repeat(limits::PREFIX_BYTES);
    let long = "x".repeat(limits::PREFIX_BYTES + 1);
    let term_of = |text: &str| {
        let mut term = Vec::new();
        term::put_text(&mut term, term::ORG, text);
        term
    };
    assert_eq!(term_of(&short)[2..], *short.as_bytes());
    let cut = term_of(&long);
    assert_eq!(cut.len(), 2 + limits::PREFIX_BYTES + 1 + term::CUT_DIGEST);
    assert_eq!(cut[2 + limits::PREFIX_BYTES], term::CUT);
    assert_ne!(cut, term_of(&long.replace("xxx", "xxxx")));
}
