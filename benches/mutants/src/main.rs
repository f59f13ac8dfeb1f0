//! Mutation tests of auditdb without a build for each mutant: all of them are compiled into one copy
//! of the library, switched by a number when it runs, so that the tests are built once. Nothing of it
//! is in the product. Run by hand, from the root of the repository; docs/TESTING.md says what came out.

mod find;
mod make;
mod plain;
mod report;
mod run;
mod site;
mod state;

use state::State;

const USAGE: &str = "words, from the root of the repository; FOLDER is where the copy goes:
  make FOLDER [--it]    make the copy and build its unit tests, with --it those of tests/it as well
  record FOLDER         run every test once, to see which mutants it reaches
  run FOLDER [--again] [--sample COUNT SEED] [--seconds N] MODULE...
                        judge the mutants that have no result yet; --again the survivors, too
  report FOLDER         print figures and survivors";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [verb, folder, rest @ ..] = words.as_slice() else {
        println!("{USAGE}");
        return;
    };
    let state = State::new(folder);
    match verb.as_str() {
        "make" => make::make(&state, rest.iter().any(|word| word == "--it")),
        "record" => run::record(&state),
        "run" => run::run(&state, &wish(rest)),
        "report" => report::report(&state),
        _ => println!("{USAGE}"),
    }
}

fn wish(words: &[String]) -> run::Wish<'_> {
    let mut wish = run::Wish {
        modules: words,
        again: false,
        sample: None,
        seconds: 60.0,
    };
    let number = |text: &String| text.parse::<u64>().expect("a number");
    loop {
        wish.modules = match wish.modules {
            [word, rest @ ..] if word == "--again" => {
                wish.again = true;
                rest
            }
            [word, count, seed, rest @ ..] if word == "--sample" => {
                wish.sample = Some((number(count) as usize, number(seed)));
                rest
            }
            [word, seconds, rest @ ..] if word == "--seconds" => {
                wish.seconds = number(seconds) as f64;
                rest
            }
            _ => return wish,
        };
    }
}
