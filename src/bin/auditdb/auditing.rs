//! Who does what the trail itself is to tell of: `--as` and `--require-audit`.

use std::fs;

use auditdb::Performer;
use clap::Args;

use crate::failure::Failure;
use crate::failure::Outcome;
use crate::output::Output;

#[derive(Args)]
pub(crate) struct Auditing {
    /// For whom this is done: the store records it as theirs
    #[arg(long = "as", value_name = "[KIND:]ID", allow_hyphen_values = true)]
    by: Option<String>,
    /// Fail where the store cannot record it
    #[arg(long)]
    require_audit: bool,
}

/// The kind of a performer of whom only an id is given.
const KIND: &str = "user";

impl Auditing {
    /// Whether the store is to record it.
    pub(crate) fn is_asked_for(&self) -> bool {
        self.by.is_some() || self.require_audit
    }

    pub(crate) fn is_required(&self) -> bool {
        self.require_audit
    }

    /// Who it is; without a word, the operating system's user.
    pub(crate) fn performer(&self) -> Outcome<Performer> {
        let Some(text) = &self.by else {
            return Ok(Performer::new("system").id(system_user()));
        };
        let (kind, id) = text.split_once(':').unwrap_or((KIND, text));
        if kind.is_empty() || id.is_empty() {
            let what = format!("--as {text:?}: read as the kind {kind:?} and the id {id:?}");
            let hint = "write KIND:ID, or an ID alone for a user";
            return Err(Failure::usage(what).hint(hint));
        }
        Ok(Performer::new(kind).id(id))
    }

    /// What a step of recording came to; says what could not be recorded, or ends with it where it
    /// has to be.
    pub(crate) fn settle<T>(
        &self,
        recorded: auditdb::Result<T>,
        output: &Output,
    ) -> Outcome<Option<T>> {
        match recorded {
            Ok(recorded) => Ok(Some(recorded)),
            Err(error) if self.require_audit => {
                Err(Failure::from(error).about("--require-audit: not recorded in the store"))
            }
            Err(error) => {
                output.note(&format!("not recorded in the store: {error}"));
                Ok(None)
            }
        }
    }
}

/// The name of the user whose process this is, or the number where there is no name.
fn system_user() -> String {
    let number = rustix::process::getuid().as_raw().to_string();
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == number).then(|| name.to_owned())
    });
    name.unwrap_or(number)
}
