//! Children at work: started, listened to by a thread of their own, and killed by their own number.
//! What is kept of a line that one says is the listener's choice, such as the moment it came.

use std::io::BufRead;
use std::io::BufReader;
use std::path::Path;
use std::process::Child;
use std::process::ChildStdin;
use std::process::Command;
use std::process::ExitStatus;
use std::process::Stdio;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;

/// Longer than anything may take, on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(120);

/// A process that works on a store.
pub(crate) struct Worker<T> {
    child: Child,
    said: JoinHandle<Vec<T>>,
}

/// The command that makes this program a child; see [`crate::work`].
pub(crate) fn command(work: &str, path: &Path, next: u64) -> Result<Command, String> {
    let this = std::env::current_exe().map_err(|error| format!("this program: {error}"))?;
    let mut command = Command::new(this);
    command.args(["--work", work, "--next", &next.to_string(), "--store"]);
    command.arg(path);
    Ok(command)
}

/// Starts a command and listens to it: `each` makes of a line what is kept of it.
pub(crate) fn start<T: Send + 'static>(
    mut command: Command,
    each: impl FnMut(String) -> T + Send + 'static,
) -> Result<Worker<T>, String> {
    command.stdout(Stdio::piped());
    let mut child = command
        .spawn()
        .map_err(|error| format!("{command:?}: {error}"))?;
    let Some(stdout) = child.stdout.take() else {
        return Err("a child without an output".to_owned());
    };
    let said = std::thread::spawn(move || {
        let lines = BufReader::new(stdout).lines().map_while(Result::ok);
        lines.map(each).collect()
    });
    Ok(Worker { child, said })
}

/// Runs a command to its end.
pub(crate) fn run(command: Command) -> Result<(ExitStatus, Vec<String>), String> {
    start(command, |line| line)?.ends()
}

impl<T> Worker<T> {
    /// The child's process number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What the child reads, if it was given a pipe.
    pub(crate) fn stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// SIGKILL, and everything it said before.
    pub(crate) fn kill(mut self) -> Result<Vec<T>, String> {
        self.child
            .kill()
            .map_err(|error| format!("a kill: {error}"))?;
        Ok(self.ends()?.1)
    }

    /// Waits for the end for so long, and kills what has not ended by itself.
    pub(crate) fn ends_within(mut self, patience: Duration) -> Result<Vec<T>, String> {
        self.waits(patience)?;
        self.kill()
    }

    /// Waits for the end. A child that does not come to one hangs, which is a finding.
    pub(crate) fn ends(mut self) -> Result<(ExitStatus, Vec<T>), String> {
        let Some(status) = self.waits(PATIENCE)? else {
            self.kill()?;
            return Err(format!("it did not end within {PATIENCE:?}"));
        };
        let said = self.said.join();
        said.map(|said| (status, said))
            .map_err(|_| "the listener panicked".to_owned())
    }

    fn waits(&mut self, patience: Duration) -> Result<Option<ExitStatus>, String> {
        let begun = Instant::now();
        while begun.elapsed() < patience {
            let ended = self.child.try_wait();
            if let Some(status) = ended.map_err(|error| format!("a wait: {error}"))? {
                return Ok(Some(status));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(None)
    }
}
