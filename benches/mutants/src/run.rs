//! Runs the tests: once without a mutant, each alone, to see what it reaches and how long it takes;
//! then for each mutant those that reach it, first the quickest, the module's own, and those that
//! caught many, until one fails. A run that takes ten times as long as it did, or more memory than all
//! tests need, is over.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::io::BufRead;
use std::io::BufReader;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;
use std::time::Instant;

use crate::make::Binary;
use crate::state::Judged;
use crate::state::Made;
use crate::state::Outcome;
use crate::state::State;
use crate::state::Test;

/// A test that takes longer is not run: thousands of times would be days.
const TEST_SECONDS_MAX: f64 = 90.0;
/// Noting what is reached takes time itself: a test that took longer is timed without.
const NOTED_SECONDS_MAX: f64 = 1.0;
const NO_MUTANT: u32 = 0;
/// Address space of a test process.
const MEMORY_KIB_MAX: u64 = 8 << 20;
/// Tests that run all others, with bugs of their own.
const LEFT_OUT: [&str; 1] = ["planted"];
/// Tests are run in steps that take this long together, so that a quick one may save a slow one.
const STEPS_SECONDS: [f64; 5] = [0.3, 1.5, 6.0, 25.0, f64::INFINITY];

pub struct Wish<'a> {
    pub modules: &'a [String],
    /// Judge those again that no test has caught.
    pub again: bool,
    /// So many of each module, drawn by this seed.
    pub sample: Option<(usize, u64)>,
    /// How long the tests of one mutant may take together.
    pub seconds: f64,
}

enum Ended {
    Passed,
    Failed(String),
    Hung,
}

/// Sees what each test reaches that is not known yet.
pub fn record(state: &State) {
    let known = state.tests();
    let known: BTreeSet<(&str, &str)> = known
        .iter()
        .map(|test| (&*test.binary, &*test.name))
        .collect();
    for binary in binaries(state) {
        let list = Command::new(&binary.path)
            .args(["--list", "--format", "terse"])
            .output();
        let list = String::from_utf8(list.expect("the tests").stdout).expect("names");
        for name in list.lines().filter_map(|line| line.strip_suffix(": test")) {
            let is_left_out = LEFT_OUT.iter().any(|left_out| name.contains(left_out));
            if known.contains(&(&*binary.name, name)) || is_left_out {
                continue;
            }
            let reached = state.path("reached");
            let _ = fs::remove_file(&reached);
            let begin = Instant::now();
            let limit = Duration::from_secs_f64(TEST_SECONDS_MAX);
            let ended = run_tests(state, &binary, &[name], None, limit);
            let mut seconds = begin.elapsed().as_secs_f64();
            let passes = matches!(ended, Ended::Passed);
            let text = fs::read_to_string(&reached).unwrap_or_default();
            if passes && seconds > NOTED_SECONDS_MAX {
                let begin = Instant::now();
                run_tests(state, &binary, &[name], Some(NO_MUTANT), limit);
                seconds = begin.elapsed().as_secs_f64();
            }
            if !passes {
                println!("left out, it fails or takes longer than {TEST_SECONDS_MAX} s: {name}");
            }
            state.add(
                "tests.ndjson",
                &Test {
                    binary: binary.name.clone(),
                    name: name.to_owned(),
                    seconds,
                    passes,
                    reached: text.lines().filter_map(|line| line.parse().ok()).collect(),
                },
            );
        }
    }
}

/// Judges every mutant of the modules that has no result yet.
pub fn run(state: &State, wish: &Wish<'_>) {
    let (mutants, tests, binaries) = (state.mutants(), state.tests(), binaries(state));
    for module in wish.modules {
        let mut chosen: Vec<&Made> = mutants
            .iter()
            .filter(|made| made.builds && made.module == *module)
            .collect();
        if let Some((count, seed)) = wish.sample {
            chosen.sort_by_key(|made| mixed(seed ^ u64::from(made.number)));
            chosen.truncate(count);
            println!("{module}: {count} drawn by seed {seed}");
        }
        let results = state.results();
        chosen.retain(
            |made| match results.get(&made.key).map(|judged| judged.outcome) {
                None => true,
                Some(Outcome::Survived | Outcome::Unreached) => wish.again,
                _ => false,
            },
        );
        println!("{module}: {} to judge", chosen.len());
        let mut catches: BTreeMap<String, u32> = BTreeMap::new();
        let files: BTreeSet<&str> = chosen.iter().map(|made| &*made.key.file).collect();
        for judged in results.values() {
            if files.contains(&*judged.key.file) {
                *catches.entry(judged.by.clone()).or_default() += 1;
            }
        }
        for made in chosen {
            let judged = judge(state, made, &tests, &catches, &binaries, wish.seconds);
            if judged.outcome == Outcome::Caught {
                *catches.entry(judged.by.clone()).or_default() += 1;
            }
            let key = &made.key;
            if matches!(judged.outcome, Outcome::Survived | Outcome::Unreached) {
                println!(
                    "{}:{}:{}: {}: {:?}",
                    key.file, key.line, key.column, key.change, judged.outcome
                );
            }
            state.add("results.ndjson", &judged);
        }
    }
}

fn judge(
    state: &State,
    made: &Made,
    tests: &[Test],
    catches: &BTreeMap<String, u32>,
    binaries: &[Binary],
    seconds: f64,
) -> Judged {
    let begin = Instant::now();
    let reaching = reaching(made, tests, catches);
    let mut judged = Judged {
        key: made.key.clone(),
        outcome: if reaching.is_empty() {
            Outcome::Unreached
        } else {
            Outcome::Survived
        },
        by: String::new(),
        tests: [0, reaching.len()],
        seconds: 0.0,
    };
    let (mut spent, mut left) = (0.0, reaching.as_slice());
    'steps: for step in STEPS_SECONDS {
        let begun = spent;
        let fits = left.iter().take_while(|test| {
            spent += test.seconds;
            spent <= f64::min(step, seconds) || begun + spent == test.seconds
        });
        let (now, later) = left.split_at(fits.count());
        spent = begun + now.iter().map(|test| test.seconds).sum::<f64>();
        left = later;
        for binary in binaries {
            let ours = now.iter().filter(|test| test.binary == binary.name);
            let names: Vec<&str> = ours.clone().map(|test| &*test.name).collect();
            if names.is_empty() {
                continue;
            }
            judged.tests[0] += names.len();
            let sum: f64 = ours.map(|test| test.seconds).sum();
            let limit = Duration::from_secs_f64(5.0 + 10.0 * sum);
            judged.outcome = match run_tests(state, binary, &names, Some(made.number), limit) {
                Ended::Passed => continue,
                Ended::Failed(by) => {
                    judged.by = by;
                    Outcome::Caught
                }
                Ended::Hung => Outcome::Hung,
            };
            break 'steps;
        }
    }
    judged.seconds = begin.elapsed().as_secs_f64();
    judged
}

/// The tests that reach a mutant, in the order in which they are run: what has caught others, and the
/// module's own, before it would be its turn.
fn reaching<'t>(made: &Made, tests: &'t [Test], catches: &BTreeMap<String, u32>) -> Vec<&'t Test> {
    let module = made
        .key
        .file
        .trim_start_matches("src/")
        .split(['/', '.'])
        .next()
        .unwrap_or_default();
    let mut reaching: Vec<&Test> = tests
        .iter()
        .filter(|test| test.passes && test.reached.contains(&made.place))
        .collect();
    reaching.sort_by(|one, other| {
        let weight = |test: &Test| {
            let own = if test.name.starts_with(module) { 10 } else { 1 };
            let caught = catches.get(&test.name).copied().unwrap_or(0);
            test.seconds / f64::from(own + caught)
        };
        weight(one).total_cmp(&weight(other))
    });
    reaching
}

/// Runs these tests in one process, until one fails; without a mutant, what they reach is noted.
fn run_tests(
    state: &State,
    binary: &Binary,
    names: &[&str],
    mutant: Option<u32>,
    limit: Duration,
) -> Ended {
    let scratch = std::env::temp_dir().join(format!("auditdb-mutants-{}", std::process::id()));
    fs::create_dir_all(&scratch).expect("a folder for the tests");
    // The shell's own limit is for tests that are left alone because this program was stopped.
    let mut command = Command::new("sh");
    command
        .args([
            "-c",
            &format!(
                "ulimit -v {MEMORY_KIB_MAX}; exec timeout --signal=KILL {} \"$0\" \"$@\"",
                limit.as_secs() + 5
            ),
            &binary.path,
        ])
        .args(["--exact", "--test-threads=1"])
        .args(names)
        .current_dir(state.tree())
        .env("CARGO_MANIFEST_DIR", state.tree())
        .env("TMPDIR", &scratch)
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0);
    match mutant {
        Some(number) => command.env("MUTANT", number.to_string()),
        None => command.env("MUTANTS_REACHED", state.path("reached")),
    };
    let mut child = command.spawn().expect("the tests");
    let (sender, lines) = mpsc::channel();
    let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    let reader = std::thread::spawn(move || {
        for line in stdout.lines().map_while(Result::ok) {
            if line.ends_with("... FAILED") && sender.send(line).is_err() {
                break;
            }
        }
    });
    let ended = match lines.recv_timeout(limit) {
        Ok(line) => {
            let line = line.trim_end_matches(" ... FAILED");
            Ended::Failed(line.rsplit(' ').next().unwrap_or_default().to_owned())
        }
        Err(mpsc::RecvTimeoutError::Timeout) => Ended::Hung,
        Err(mpsc::RecvTimeoutError::Disconnected) => match child.wait() {
            Ok(status) if status.success() => Ended::Passed,
            _ => Ended::Failed("the process ended".to_owned()),
        },
    };
    // Also what the tests have started themselves.
    let group = format!("-{}", child.id());
    let _ = Command::new("kill")
        .args(["-KILL", "--", &group])
        .stderr(Stdio::null())
        .status();
    let _ = child.wait();
    let _ = reader.join();
    let _ = fs::remove_dir_all(&scratch);
    ended
}

fn binaries(state: &State) -> Vec<Binary> {
    let text = fs::read_to_string(state.path("binaries.ndjson")).expect("a copy that was made");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a binary"))
        .collect()
}

/// A number that looks like chance, by the finalizer of splitmix64.
fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}
