//! `auditdb append`: one event from stdin or from flags; prints its receipt.

mod change;
mod names;

use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use auditdb::Context;
use auditdb::Event;
use auditdb::Options;
use auditdb::Outcome as Ending;
use auditdb::Performer;
use auditdb::Receipt;
use auditdb::Store;
use auditdb::Subject;
use auditdb::Target;
use auditdb::Time;
use clap::Args;
use sha2::Digest;
use sha2::Sha256;

use self::change::split_change;
use self::names::NameWords;
use crate::args::Database;
use crate::failure::Code;
use crate::failure::Failure;
use crate::failure::Outcome;
use crate::output::Output;
use crate::packs;
use crate::packs::Unknown;

#[derive(Args)]
#[command(after_help = "Examples:
  auditdb append trail --type user.updated --subject user:u1 --change name=old:new
  auditdb append trail --type user.updated --subject user:u1 --subject-label 'Ada L.'
  auditdb append trail --type user.updated --subject user:u1 --org north --org south
  echo '{\"type\":\"user.created\",\"subject\":{\"kind\":\"user\",\"id\":\"u1\"}}' | auditdb append trail

Without --type the event is read from stdin, as one native line. A store that is not there yet is
made. The receipt is printed when the event is durable. What the packs call a secret of the event's
type is refused; --pack none looks nothing up.")]
pub(crate) struct Words {
    #[command(flatten)]
    database: Database,
    #[command(flatten)]
    event: EventWords,
    #[command(flatten)]
    unknown: Unknown,
}

#[derive(Args)]
#[command(next_help_heading = "The event")]
struct EventWords {
    /// What happened, such as user.updated
    #[arg(long = "type", value_name = "X", allow_hyphen_values = true)]
    event_type: Option<String>,
    /// The finer word below the type
    #[arg(
        long,
        value_name = "X",
        requires = "event_type",
        allow_hyphen_values = true
    )]
    sub_type: Option<String>,
    /// When it happened, as RFC 3339; now by default
    #[arg(
        long,
        value_name = "T",
        requires = "event_type",
        allow_hyphen_values = true
    )]
    occurred_at: Option<String>,
    /// The organisation; given several times, one copy for the trail of each, all or none
    #[arg(
        long,
        value_name = "X",
        requires = "event_type",
        allow_hyphen_values = true
    )]
    org: Vec<String>,
    /// Who did it
    #[arg(
        long,
        value_name = "KIND[:ID]",
        requires = "event_type",
        allow_hyphen_values = true
    )]
    performer: Option<String>,
    #[command(flatten)]
    names: NameWords,
    /// For whom it was done
    #[arg(
        long,
        value_name = "KIND[:ID]",
        requires = "event_type",
        allow_hyphen_values = true
    )]
    on_behalf_of: Option<String>,
    /// What was changed
    #[arg(
        long,
        value_name = "KIND[:ID]",
        requires = "event_type",
        allow_hyphen_values = true
    )]
    subject: Option<String>,
    /// What else was touched; may be given several times
    #[arg(
        long,
        value_name = "KIND[:ID]",
        requires = "event_type",
        allow_hyphen_values = true
    )]
    target: Vec<String>,
    /// success, failure, denied, partial or unknown
    #[arg(
        long,
        value_name = "X",
        requires = "event_type",
        allow_hyphen_values = true
    )]
    outcome: Option<String>,
    /// Why it ended so
    #[arg(
        long,
        value_name = "X",
        requires = "event_type",
        allow_hyphen_values = true
    )]
    reason: Option<String>,
    /// The system that reports it
    #[arg(
        long,
        value_name = "X",
        requires = "event_type",
        allow_hyphen_values = true
    )]
    source: Option<String>,
    /// A metadata pair; may be given several times
    #[arg(
        long,
        value_name = "KEY=VALUE",
        requires = "event_type",
        allow_hyphen_values = true
    )]
    meta: Vec<String>,
    /// A changed attribute with its previous and updated text; an empty side is none. \ takes the next = : \ literally
    #[arg(
        long,
        value_name = "NAME=OLD:NEW",
        requires = "event_type",
        allow_hyphen_values = true
    )]
    change: Vec<String>,
    /// The client's address
    #[arg(
        long,
        value_name = "X",
        requires = "event_type",
        allow_hyphen_values = true
    )]
    ip: Option<String>,
    /// The client program
    #[arg(
        long,
        value_name = "X",
        requires = "event_type",
        allow_hyphen_values = true
    )]
    user_agent: Option<String>,
    /// The request's name
    #[arg(
        long,
        value_name = "X",
        requires = "event_type",
        allow_hyphen_values = true
    )]
    request_id: Option<String>,
    /// The session's name
    #[arg(
        long,
        value_name = "X",
        requires = "event_type",
        allow_hyphen_values = true
    )]
    session_id: Option<String>,
    /// A name shared by the events of one happening
    #[arg(
        long,
        value_name = "X",
        requires = "event_type",
        allow_hyphen_values = true
    )]
    batch: Option<String>,
    /// The id of the event that led to this one
    #[arg(
        long,
        value_name = "ID",
        requires = "event_type",
        allow_hyphen_values = true
    )]
    caused_by: Option<String>,
    /// A name shared by the events of one longer story
    #[arg(
        long,
        value_name = "X",
        requires = "event_type",
        allow_hyphen_values = true
    )]
    correlation: Option<String>,
    /// Idempotency: the same key and content again appends nothing
    #[arg(
        long,
        value_name = "K",
        requires = "event_type",
        allow_hyphen_values = true
    )]
    key: Option<String>,
    /// Anything else, as JSON
    #[arg(
        long,
        value_name = "JSON",
        requires = "event_type",
        allow_hyphen_values = true
    )]
    data: Option<String>,
}

pub(crate) fn run(words: &Words, output: &Output) -> Outcome<Code> {
    let events = match &words.event.event_type {
        Some(event_type) => words.event.copies(words.event.build(event_type)?),
        None => vec![from_stdin()?],
    };
    let options = words.unknown.of_append(Options::default())?;
    let mut checked = events.iter().map(|event| {
        event
            .validate()
            .and_then(|()| packs::check(event, &options))
    });
    checked.try_for_each(|checked| checked).map_err(|error| {
        let what = error.to_string();
        Failure::usage(match words.event.event_type {
            Some(_) => format!("{}: {what}", flag_of(&what)),
            None => format!("stdin: {what}"),
        })
    })?;
    let store = Store::open(&words.database.path, options)?;
    let appended = match events.as_slice() {
        [event] => store.append(event).map(|receipt| vec![receipt]),
        copies => store.append_batch(copies),
    };
    packs::tell_flagged(&store.flagged(), output);
    let closed = store.close();
    let receipts = appended?;
    // Whoever learns of a failure now, and appends again, would have the event twice.
    let told = closed
        .map_err(Failure::from)
        .and_then(|()| print(&receipts, output));
    told.map_err(|failure| {
        let ids: Vec<String> = receipts
            .iter()
            .map(|receipt| receipt.id.to_string())
            .collect();
        failure.about(&format!(
            "the event is stored as {}, but",
            ids.join(" and ")
        ))
    })?;
    Ok(Code::Done)
}

/// One line for each copy of the event.
fn print(receipts: &[Receipt], output: &Output) -> Outcome<()> {
    let mut out = output.data();
    for receipt in receipts {
        writeln!(
            out,
            "{{\"id\":\"{}\",\"seq\":{},\"occurred_at\":\"{}\",\"recorded_at\":\"{}\",\"duplicate\":{}}}",
            receipt.id, receipt.seq, receipt.occurred_at, receipt.recorded_at, receipt.duplicate
        )?;
    }
    Ok(out.flush()?)
}

fn from_stdin() -> Outcome<Event> {
    let mut text = String::new();
    std::io::stdin()
        .lock()
        .read_to_string(&mut text)
        .map_err(|error| match error.kind() {
            // Bytes that are no text were handed in so; all else is the system's.
            ErrorKind::InvalidData => Failure::usage(format!("stdin: {error}")),
            _ => Failure::new(Code::Failed, format!("stdin: cannot be read: {error}")),
        })?;
    if text.trim().is_empty() {
        let failure = Failure::usage("stdin: no event; a native line is expected, or --type");
        return Err(failure.hint("`auditdb append --help` has examples"));
    }
    Event::from_native_line(&text).map_err(|error| {
        Failure::usage(format!("stdin: {error}"))
            .hint("one native event is expected; `auditdb import` takes many")
    })
}

impl EventWords {
    fn build(&self, event_type: &str) -> Outcome<Event> {
        let mut event = Event::new(event_type);
        let texts = [
            (&mut event.sub_type, &self.sub_type),
            (&mut event.reason, &self.reason),
            (&mut event.source, &self.source),
            (&mut event.batch, &self.batch),
            (&mut event.caused_by, &self.caused_by),
            (&mut event.correlation, &self.correlation),
            (&mut event.key, &self.key),
        ];
        for (field, given) in texts {
            if let Some(text) = given {
                *field = text.clone().into();
            }
        }
        if let Some(text) = &self.occurred_at {
            let (time, offset) = Time::parse_with_offset(text)
                .map_err(|error| Failure::usage(format!("--occurred-at {text:?}: {error}")))?;
            event.occurred_at = time.into();
            if let Some(offset) = offset {
                event.offset = offset.into();
            }
        }
        if let Some(text) = &self.performer {
            let named = performer("--performer", text)?;
            event.performer = self.names.of_performer(named).into();
        }
        if let Some(text) = &self.on_behalf_of {
            event.on_behalf_of = performer("--on-behalf-of", text)?.into();
        }
        if let Some(text) = &self.subject {
            let (kind, id) = entity("--subject", text)?;
            let subject = Subject::new(kind);
            let subject = id.map_or_else(|| subject.clone(), |id| subject.clone().id(id));
            event.subject = self.names.of_subject(subject).into();
        }
        if let Some(text) = &self.outcome {
            let known = Ending::ALL
                .into_iter()
                .find(|outcome| outcome.as_str() == text);
            let refuse = || {
                Failure::usage(format!(
                    "--outcome {text:?}: not success, failure, denied, partial or unknown"
                ))
            };
            event.outcome = known.ok_or_else(refuse)?.into();
        }
        self.add_lists(event)
    }

    /// The event for the trail of each organisation; for none in particular where none is given.
    fn copies(&self, mut event: Event) -> Vec<Event> {
        match self.org.as_slice() {
            [] => vec![event],
            [org] => {
                event.org = org.clone().into();
                vec![event]
            }
            orgs => {
                // Under a key the copies are the same when they are appended again. The key itself is
                // not shown to every organisation, and so it is no name that they share.
                let name = event.key.as_deref().map(name_of_key);
                event.for_orgs(orgs, &name.unwrap_or_else(one_name))
            }
        }
    }

    fn add_lists(&self, mut event: Event) -> Outcome<Event> {
        if !self.target.is_empty() {
            let target = |text: &String| {
                let (kind, id) = entity("--target", text)?;
                let target = Target::new(kind);
                Ok(id.map_or_else(|| target.clone(), |id| target.clone().id(id)))
            };
            event.targets = self
                .target
                .iter()
                .map(target)
                .collect::<Outcome<Vec<_>>>()?
                .into();
        }
        for pair in &self.meta {
            let (key, value) = pair
                .split_once('=')
                .ok_or_else(|| Failure::usage(format!("--meta {pair:?}: not KEY=VALUE")))?;
            event = event.metadata(key, value);
        }
        for change in &self.change {
            let (name, before, after) = split_change(change)
                .ok_or_else(|| Failure::usage(format!("--change {change:?}: not NAME=OLD:NEW")))?;
            let json = |text: String| match text.as_str() {
                "" => text,
                text => super::json_text(text),
            };
            event = event.change(name, &json(before), &json(after))?;
        }
        let context = Context {
            ip: self.ip.clone().map_or_else(Default::default, Into::into),
            user_agent: self
                .user_agent
                .clone()
                .map_or_else(Default::default, Into::into),
            request_id: self
                .request_id
                .clone()
                .map_or_else(Default::default, Into::into),
            session_id: self
                .session_id
                .clone()
                .map_or_else(Default::default, Into::into),
            ..Context::default()
        };
        if context != Context::default() {
            event.context = context.into();
        }
        match &self.data {
            Some(json) => event
                .data(json)
                .map_err(|error| Failure::usage(format!("--data: {error}"))),
            None => Ok(event),
        }
    }
}

/// What the copies of one event share: whatever else happens at this moment has another name.
fn one_name() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let micros = now.unwrap_or_default().as_micros();
    format!("append:{micros}:{}", std::process::id())
}

/// The same for the same key, which it does not show.
fn name_of_key(key: &str) -> String {
    let digest = Sha256::digest(key.as_bytes());
    let digits = digest.iter().take(16).map(|byte| format!("{byte:02x}"));
    format!("append:{}", digits.collect::<String>())
}

fn performer(flag: &str, text: &str) -> Outcome<Performer> {
    let (kind, id) = entity(flag, text)?;
    let performer = Performer::new(kind);
    Ok(match id {
        Some(id) => performer.id(id),
        None => performer,
    })
}

/// The flag behind a refusal, which begins with its field.
fn flag_of(refusal: &str) -> String {
    let mut words = refusal.split([':', '.', '[', ' ']);
    let flag = match words.next().unwrap_or_default() {
        "metadata" => "meta",
        "changes" => "change",
        "targets" => "target",
        "context" => words.next().unwrap_or_default(),
        field => field,
    };
    format!("--{}", flag.replace('_', "-"))
}

/// The first `:` splits kind from id.
fn entity<'a>(flag: &str, text: &'a str) -> Outcome<(&'a str, Option<&'a str>)> {
    let (kind, id) = match text.split_once(':') {
        Some((kind, id)) => (kind, Some(id)),
        None => (text, None),
    };
    if kind.is_empty() {
        return Err(Failure::usage(format!(
            "{flag} {text:?}: the kind is missing, as in user:u1"
        )));
    }
    Ok((kind, id))
}
