//! auditdb beside what people would use instead, on the same events: the same rows, checked by
//! count and digest, the same durability, and the indexes each needs. `README.md` says how to run
//! it; only ratios taken side by side in one run count.

mod ask;
mod check;
mod contenders;
mod inputs;
mod machine;
mod measure;
mod record;
mod report;
mod run;
mod works;

use std::fs::File;
use std::path::Path;

use contenders::Form;
use contenders::audit::Audit;
use contenders::fjall::Fjall;
use contenders::keyed::Keyed;
use contenders::redb::Redb;
use contenders::sqlite::Sqlite;
use works::Task;
use works::Wanted;

const USAGE: &str = "words:
  [--events N] [--only PATTERNS] [--contenders NAMES] [--rounds N] [--cache FOLDER] [--results FILE]
  report [--preface FILE] [--plots FOLDER] RESULTS...";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["--child", group, contender, rest @ ..] => child(group, contender, rest),
        ["--digest", form, path] => {
            let form = match *form {
                "csv" => Form::Csv,
                _ => Form::Ndjson,
            };
            println!("{}", check::digest(form, File::open(path).expect("a file")));
        }
        ["report", rest @ ..] => report::print(rest),
        ["help" | "--help" | "-h", ..] => println!("{USAGE}"),
        options => run::run(&run::Plan::of(options)),
    }
}

/// One group of works of one contender, in a process of its own.
fn child(group: &str, contender: &str, rest: &[&str]) {
    let [shared, store, scratch, wanted, check] = rest else {
        panic!("{USAGE}");
    };
    let shared = Path::new(shared);
    let asks = inputs::asks(shared);
    let task = Task {
        asks: &asks,
        store: Path::new(store),
        shared,
        scratch: Path::new(scratch),
        wanted: &Wanted::new(wanted),
        check: *check == "check",
    };
    let run: fn(&str, &Task<'_>) = match contender {
        "sqlite" => works::run::<Sqlite<false>>,
        "sqlite-lines" => works::run::<Sqlite<true>>,
        "redb" => works::run::<Keyed<Redb>>,
        "fjall" => works::run::<Keyed<Fjall>>,
        "auditdb" => works::run::<Audit<false>>,
        "auditdb-lines" => works::run::<Audit<true>>,
        _ => panic!("no contender {contender}"),
    };
    run(group, &task);
}
