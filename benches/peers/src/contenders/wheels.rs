//! The contenders that come as Python wheels: a virtual environment is made once, and
//! `wheels.py` answers the same questions in it.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use crate::machine::REQUIREMENTS;

/// The environment's Python; made, and the wheels installed, where it is not there yet.
pub fn python(cache: &Path) -> Result<PathBuf, String> {
    let folder = cache.join("venv");
    let python = folder.join("bin/python");
    let mark = folder.join("requirements.txt");
    if std::fs::read_to_string(&mark).is_ok_and(|found| found == REQUIREMENTS) {
        return Ok(python);
    }
    let run = |program: &Path, words: &[&str]| {
        let status = Command::new(program)
            .args(words)
            .stdout(std::io::stderr())
            .status();
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("{} {words:?}: {status}", program.display())),
            Err(error) => Err(format!("{}: {error}", program.display())),
        }
    };
    let text = folder.to_string_lossy();
    run(Path::new("python3"), &["-m", "venv", &text])?;
    let wanted = concat!(env!("CARGO_MANIFEST_DIR"), "/requirements.txt");
    run(&python, &["-m", "pip", "install", "--quiet", "-r", wanted])?;
    std::fs::write(&mark, REQUIREMENTS).map_err(|error| error.to_string())?;
    Ok(python)
}

/// The script in the environment.
pub fn command(cache: &Path) -> Command {
    let mut command = Command::new(cache.join("venv/bin/python"));
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/wheels.py"));
    let exe = std::env::current_exe().expect("this program's own path");
    command.env("PEERS", exe);
    command
}
