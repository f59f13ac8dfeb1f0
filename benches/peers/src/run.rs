//! The run: every group of works in a process of its own, contender by contender, round by round,
//! so that what disturbs the machine disturbs all alike. Figures go into the results as they come;
//! rows that differ between contenders fail the run at its end.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use crate::contenders;
use crate::contenders::wheels;
use crate::inputs;
use crate::machine;
use crate::machine::About;
use crate::measure::middle;
use crate::report::Line;
use crate::report::results;
use crate::works::GROUPS;
use crate::works::Group;
use crate::works::Outcome;
use crate::works::Wanted;

/// What is to be run.
pub struct Plan {
    events: u64,
    wanted: Wanted,
    contenders: Vec<String>,
    rounds: usize,
    cache: PathBuf,
    results: PathBuf,
}

impl Plan {
    pub fn of(words: &[&str]) -> Plan {
        let cache = std::env::temp_dir().join("auditdb-peers");
        let mut plan = Plan {
            events: 1_000_000,
            wanted: Wanted::new(""),
            contenders: contenders::ALL.map(str::to_owned).to_vec(),
            rounds: 3,
            results: cache.join("results.jsonl"),
            cache,
        };
        for pair in words.chunks(2) {
            let [name, value] = pair else {
                panic!("{} has no value; see --help", pair.join(" "));
            };
            match *name {
                "--events" => plan.events = value.replace('_', "").parse().expect("a number"),
                "--only" => plan.wanted = Wanted::new(value),
                "--contenders" => {
                    plan.contenders = value.split(',').map(str::to_owned).collect();
                }
                "--rounds" => plan.rounds = value.parse().expect("a number"),
                "--cache" => plan.cache = PathBuf::from(value),
                "--results" => plan.results = PathBuf::from(value),
                _ => panic!("no word {name}; see --help"),
            }
        }
        for name in &plan.contenders {
            assert!(
                contenders::ALL.contains(&name.as_str()),
                "no contender {name}"
            );
        }
        plan
    }

    fn contenders_of(&self, group: &Group) -> impl Iterator<Item = &str> {
        let takes_part = |name: &&str| !group.without.contains(name);
        self.contenders
            .iter()
            .map(String::as_str)
            .filter(takes_part)
    }
}

/// A run under way.
struct Run<'a> {
    plan: &'a Plan,
    about: About,
    shared: PathBuf,
    results: File,
    /// For each work, who told its rows first, and what they were.
    rows: HashMap<String, (String, String)>,
    differ: Vec<String>,
    figures: BTreeMap<(String, String), Vec<f64>>,
}

pub fn run(plan: &Plan) {
    let mut plan = Plan {
        contenders: plan.contenders.clone(),
        wanted: plan.wanted.clone(),
        cache: plan.cache.clone(),
        results: plan.results.clone(),
        ..*plan
    };
    std::fs::create_dir_all(&plan.cache).expect("a folder");
    let is_wheel = |name: &String| contenders::WHEELS.contains(&name.as_str());
    if plan.contenders.iter().any(is_wheel)
        && let Err(error) = wheels::python(&plan.cache)
    {
        eprintln!("DID NOT RUN: DuckDB, ClickHouse, Parquet: {error}");
        plan.contenders.retain(|name| !is_wheel(name));
    }
    let shared = inputs::folder(&plan.cache, plan.events);
    inputs::make_asks(&shared, plan.events);
    let about = About::now(plan.events, inputs::profile(), &plan.cache);
    let mut run = Run {
        rows: known_rows(&plan.results, &about),
        results: File::options()
            .create(true)
            .append(true)
            .open(&plan.results)
            .expect("a file of results"),
        plan: &plan,
        about,
        shared,
        differ: Vec::new(),
        figures: BTreeMap::new(),
    };
    run.write(&Line::Run(run.about.clone()));
    run.all();
    run.finish();
}

/// Rows that earlier runs on the same events told.
fn known_rows(path: &Path, about: &About) -> HashMap<String, (String, String)> {
    let mut known = HashMap::new();
    if path.exists() {
        let (abouts, outcomes) = results::read(&[&path.to_string_lossy()]);
        for one in outcomes {
            let same = abouts.iter().any(|run| {
                run.run == one.run && run.events == about.events && run.profile == about.profile
            });
            if let (true, Some(rows)) = (same, one.outcome.rows) {
                known
                    .entry(one.outcome.work)
                    .or_insert((one.contender, rows));
            }
        }
    }
    known
}

impl Run<'_> {
    fn all(&mut self) {
        let wanted = |group: &&Group| group.works.iter().any(|work| self.plan.wanted.has(work));
        let groups: Vec<&Group> = GROUPS.iter().filter(wanted).collect();
        for group in groups.iter().filter(|group| group.loads) {
            // A load is long enough to be measured once a run.
            for contender in self.plan.contenders_of(group) {
                self.load(group, contender, 0);
            }
        }
        for round in 0..self.plan.rounds {
            for group in groups.iter().filter(|group| !group.loads) {
                for contender in self.plan.contenders_of(group) {
                    // A thousand pages take the wheels half a minute: once is enough.
                    let is_wheel = contenders::WHEELS.contains(&contender);
                    if is_wheel && round > 0 && group.name == "walk" {
                        continue;
                    }
                    self.have_store(contender);
                    self.child(group, contender, &self.store(contender), round);
                }
            }
        }
    }

    fn store(&self, contender: &str) -> PathBuf {
        self.shared.join(contenders::store_of(contender))
    }

    /// Loads the store that the reading works need, unless it is there.
    fn have_store(&mut self, contender: &str) {
        let store = contenders::store_of(contender);
        let mark = std::fs::read_to_string(self.shared.join(format!("{store}.loaded")));
        if mark.is_ok_and(|mark| mark == made_by(store)) {
            return;
        }
        let group = GROUPS.iter().find(|group| group.name == "load");
        self.load(group.expect("a group that loads"), store, 0);
    }

    fn load(&mut self, group: &Group, contender: &str, round: usize) {
        let from_lines = group.name == "lines";
        let is_kept = group.name == "load";
        let mark = self.shared.join(format!("{contender}.loaded"));
        let store = match is_kept {
            true => self.store(contender),
            false => self.shared.join("not-kept"),
        };
        if from_lines {
            inputs::make_lines(&self.shared, self.plan.events);
        }
        if is_kept {
            let _ = std::fs::remove_file(&mark);
        }
        if contenders::WHEELS.contains(&contender) {
            inputs::make_columns(&self.shared, self.plan.events);
        }
        let _ = std::fs::remove_dir_all(&store);
        self.child(group, contender, &store, round);
        if is_kept {
            std::fs::write(&mark, made_by(contender)).expect("a mark");
        } else {
            std::fs::remove_dir_all(&store).expect("the folder goes");
        }
    }

    fn child(&mut self, group: &Group, contender: &str, store: &Path, round: usize) {
        let scratch = self.shared.join("scratch");
        let _ = std::fs::remove_dir_all(&scratch);
        std::fs::create_dir_all(&scratch).expect("a folder");
        if contenders::WHEELS.contains(&contender) && group.name == "append" {
            inputs::make_columns(&self.shared, self.plan.events);
        }
        if group.name == "open" {
            evict(store);
        }
        let mut command = match contenders::WHEELS.contains(&contender) {
            true => wheels::command(&self.plan.cache),
            false => Command::new(std::env::current_exe().expect("this program's own path")),
        };
        command
            .args(["--child", group.name, contender])
            .args([&self.shared, store, &scratch])
            .arg(self.plan.wanted.words())
            .arg(if round == 0 { "check" } else { "" })
            .stderr(std::process::Stdio::inherit());
        let begin = Instant::now();
        let output = command.output().expect("a child process");
        let took = begin.elapsed().as_secs_f64();
        let name = group.name;
        eprintln!("round {round}, {name}, {contender}: {took:.1} s");
        assert!(output.status.success(), "{contender} failed in {name}");
        let text = String::from_utf8(output.stdout).expect("outcomes are text");
        for line in text.lines() {
            let outcome = serde_json::from_str(line).expect("an outcome");
            self.take(contender, round, outcome);
        }
        let _ = std::fs::remove_dir_all(&scratch);
    }

    fn take(&mut self, contender: &str, round: usize, outcome: Outcome) {
        if let Some(rows) = &outcome.rows {
            let told = (contender.to_owned(), rows.clone());
            let (first, known) = self.rows.entry(outcome.work.clone()).or_insert(told);
            if known != rows {
                let work = &outcome.work;
                self.differ
                    .push(format!("{work}: {first} {known}, {contender} {rows}"));
            }
        }
        self.figures
            .entry((outcome.work.clone(), contender.to_owned()))
            .or_default()
            .push(outcome.figure.median);
        self.write(&Line::Outcome(results::Told {
            run: self.about.run.clone(),
            events: self.plan.events,
            round,
            contender: contender.to_owned(),
            outcome,
        }));
    }

    fn write(&mut self, line: &Line) {
        let mut text = serde_json::to_vec(line).expect("a line is JSON");
        text.push(b'\n');
        self.results.write_all(&text).expect("a line");
    }

    /// Prints the medians of this run, and fails where rows differ.
    fn finish(&mut self) {
        for ((work, contender), values) in &self.figures {
            let mut values = values.clone();
            values.sort_by(f64::total_cmp);
            let median = middle(&values);
            println!("{work:<52} {contender:<14} {median:>12.1}");
        }
        let differ = &self.differ;
        assert!(differ.is_empty(), "rows differ:\n{}", differ.join("\n"));
    }
}

/// What a loaded store was made by: auditdb by this very program, a peer by its version.
fn made_by(contender: &str) -> String {
    if contender == "auditdb" {
        let exe = std::env::current_exe().expect("this program's own path");
        let found = std::fs::metadata(exe).expect("this program's file");
        return format!("{} {:?}", found.len(), found.modified());
    }
    format!("{:?}", machine::versions())
}

/// Puts a store's files out of the cache.
fn evict(folder: &Path) {
    for entry in std::fs::read_dir(folder).expect("a store").flatten() {
        let path = entry.path();
        if path.is_dir() {
            evict(&path);
        } else if let Ok(file) = File::open(&path) {
            file.sync_all().expect("a sync");
            rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).expect("advice");
        }
    }
}
