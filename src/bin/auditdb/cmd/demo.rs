//! `auditdb demo`: the main job in one go on generated data. Each step is a command as anyone can
//! type it: it is printed, then its very words are read and done.

use std::fs;
use std::io::BufWriter;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::time::Instant;

use auditdb::Generator;
use auditdb::Profile;
use clap::Args;
use clap::Parser;

use crate::args::Arguments;
use crate::failure::Code;
use crate::failure::Failure;
use crate::failure::Outcome;
use crate::output::Output;
use crate::text;

#[derive(Args)]
#[command(after_help = "Examples:
  auditdb demo
  auditdb demo trail-demo")]
pub(crate) struct Words {
    /// A folder to work in, new or empty; a fresh temporary one by default
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// Enough for several months and for filters to find something, few enough for a short wait.
const EVENTS: u64 = 20_000;

pub(crate) fn run(words: &Words, output: &Output) -> Outcome<Code> {
    let begun = Instant::now();
    let folder = match &words.folder {
        Some(folder) => given(folder)?,
        None => fresh()?,
    };
    let demo = Demo {
        file: folder.join("events.ndjson").display().to_string(),
        store: folder.join("store").display().to_string(),
        csv: folder.join("denied.csv").display().to_string(),
        output,
    };
    demo.say(&format!("auditdb demo, in {}", folder.display()))?;
    demo.steps()?;
    let seconds = begun.elapsed().as_secs_f64();
    demo.say(&format!(
        "Done in {seconds:.1} s. The store stays in {}; look around, then remove {}.",
        demo.store,
        folder.display()
    ))?;
    Ok(Code::Done)
}

struct Demo<'o> {
    file: String,
    store: String,
    csv: String,
    output: &'o Output,
}

impl Demo<'_> {
    fn steps(&self) -> Outcome<()> {
        let store = self.store.as_str();
        self.say(&format!(
            "1. Some {EVENTS} events of an administration trail, one JSON object a line:"
        ))?;
        self.show(&format!(
            "auditdb generate --events {EVENTS} > {}",
            self.file
        ))?;
        self.generate()?;
        self.say("2. Into a store, durably; run it twice and the second time adds nothing:")?;
        self.step(&["import", store, &self.file])?;
        self.say("3. The newest events:")?;
        self.step(&["query", store, "-n", "8"])?;
        self.say("4. Who was refused an administrative action? Filters use the indexes:")?;
        self.step(&[
            "query",
            store,
            "--type",
            "user.*,role.*",
            "--outcome",
            "denied,failure",
            "-n",
            "8",
        ])?;
        self.say("5. What happened most:")?;
        self.step(&["facets", store, "type", "--top", "5"])?;
        self.say("6. The same as a file for a spreadsheet, whole or not at all:")?;
        self.step(&[
            "export",
            store,
            "--type",
            "user.*,role.*",
            "--outcome",
            "denied,failure",
            "-f",
            "csv",
            "-o",
            &self.csv,
        ])?;
        self.say("7. Every byte read, every checksum and every index checked:")?;
        self.step(&["verify", store])
    }

    fn generate(&self) -> Outcome<()> {
        let path = Path::new(&self.file);
        let file = fs::File::create_new(path).map_err(|error| cannot("make", path, &error))?;
        let events = Generator::new(1, Profile::realistic(EVENTS));
        super::generate::write(events, &mut BufWriter::new(file))
    }

    /// Prints a command and does it, by its words.
    fn step(&self, words: &[&str]) -> Outcome<()> {
        let shown: Vec<String> = words.iter().map(|word| shell(word)).collect();
        self.show(&format!("auditdb {}", shown.join(" ")))?;
        let words = std::iter::once("auditdb").chain(words.iter().copied());
        let arguments = Arguments::try_parse_from(words)
            .map_err(|error| Failure::new(Code::Failed, error.to_string()))?;
        match super::run(arguments.command, self.output)? {
            Code::Done => Ok(()),
            code => Err(Failure::new(
                code,
                "the demonstration did not come to its end",
            )),
        }
    }

    fn show(&self, command: &str) -> Outcome<()> {
        let prompt = format!("$ {command}");
        let prompt = text::one_line(&prompt);
        self.line(&self.output.style().name(&prompt))
    }

    fn say(&self, text: &str) -> Outcome<()> {
        let text = text::several_lines(text);
        self.line(&format!("\n{}", self.output.style().head(&text)))
    }

    fn line(&self, text: &str) -> Outcome<()> {
        let mut out = self.output.page();
        writeln!(out, "{text}")?;
        Ok(out.flush()?)
    }
}

/// A word as a shell takes it.
fn shell(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:,=@%+".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// The folder that was asked for, if nothing is in it.
fn given(folder: &Path) -> Outcome<PathBuf> {
    fs::create_dir_all(folder).map_err(|error| cannot("make", folder, &error))?;
    let mut entries = fs::read_dir(folder).map_err(|error| cannot("read", folder, &error))?;
    if entries.next().is_some() {
        let what = format!("DIR {}: the folder is not empty", folder.display());
        return Err(Failure::usage(what).hint("name a new folder, or none for a temporary one"));
    }
    Ok(folder.to_owned())
}

/// A folder that was not there before.
fn fresh() -> Outcome<PathBuf> {
    let parent = std::env::temp_dir();
    let process = std::process::id();
    for number in 0..100 {
        let folder = parent.join(format!("auditdb-demo-{process}-{number}"));
        match fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(cannot("make", &folder, &error)),
        }
    }
    Err(Failure::new(
        Code::Failed,
        format!("{}: no free name for a folder", parent.display()),
    ))
}

fn cannot(do_what: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(
        Code::Failed,
        format!("{}: cannot {do_what} it: {error}", path.display()),
    )
}
