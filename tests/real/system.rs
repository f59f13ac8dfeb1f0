//! Commands of the system, whose words are kept for the error that tells of their failure.

use std::path::Path;
use std::process::Command;

/// Runs a command that has to succeed and gives what it printed.
pub(crate) fn run(program: &str, words: &[&str]) -> Result<String, String> {
    let failed = |what: &str| format!("{program} {}: {what}", words.join(" "));
    let output = Command::new(program).args(words).output();
    let output = output.map_err(|error| failed(&error.to_string()))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        false => Err(failed(String::from_utf8_lossy(&output.stderr).trim())),
    }
}

/// A path as a word of a command: the rig's own paths are text.
pub(crate) fn word(path: &Path) -> &str {
    path.to_str().expect("the rig's paths are text")
}

/// Copies a folder with everything in it.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), String> {
    run("cp", &["-a", "--no-target-directory", word(from), word(to)]).map(drop)
}
