//! `auditdb append`: one event from stdin or from flags; prints its receipt.

use std::io::Read;
use std::io::Write;

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
    /// The organisation
    #[arg(
        long,
        value_name = "X",
        requires = "event_type",
        allow_hyphen_values = true
    )]
    org: Option<String>,
    /// Who did it
    #[arg(
        long,
        value_name = "KIND[:ID]",
        requires = "event_type",
        allow_hyphen_values = true
    )]
    performer: Option<String>,
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
    let event = match &words.event.event_type {
        Some(event_type) => words.event.build(event_type)?,
        None => from_stdin()?,
    };
    let options = words.unknown.of_append(Options::default())?;
    let checked = event
        .validate()
        .and_then(|()| packs::check(&event, &options));
    checked.map_err(|error| {
        let what = error.to_string();
        Failure::usage(match words.event.event_type {
            Some(_) => format!("{}: {what}", flag_of(&what)),
            None => format!("stdin: {what}"),
        })
    })?;
    let store = Store::open(&words.database.path, options)?;
    let appended = store.append(&event);
    packs::tell_flagged(&store.flagged(), output);
    let closed = store.close();
    let receipt = appended?;
    // Whoever learns of a failure now, and appends again, would have the event twice.
    let told = closed
        .map_err(Failure::from)
        .and_then(|()| print(&receipt, output));
    told.map_err(|failure| failure.about(&format!("the event is stored as {}, but", receipt.id)))?;
    Ok(Code::Done)
}

fn print(receipt: &Receipt, output: &Output) -> Outcome<()> {
    let mut out = output.data();
    writeln!(
        out,
        "{{\"id\":\"{}\",\"seq\":{},\"occurred_at\":\"{}\",\"recorded_at\":\"{}\",\"duplicate\":{}}}",
        receipt.id, receipt.seq, receipt.occurred_at, receipt.recorded_at, receipt.duplicate
    )?;
    Ok(out.flush()?)
}

fn from_stdin() -> Outcome<Event> {
    let mut text = String::new();
    std::io::stdin()
        .lock()
        .read_to_string(&mut text)
        .map_err(|error| Failure::usage(format!("stdin: {error}")))?;
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
            (&mut event.org, &self.org),
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
            event.performer = performer("--performer", text)?.into();
        }
        if let Some(text) = &self.on_behalf_of {
            event.on_behalf_of = performer("--on-behalf-of", text)?.into();
        }
        if let Some(text) = &self.subject {
            let (kind, id) = entity("--subject", text)?;
            let subject = Subject::new(kind);
            event.subject = id
                .map_or_else(|| subject.clone(), |id| subject.clone().id(id))
                .into();
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

/// `name=old:new`, where `\` takes the next character literally.
fn split_change(text: &str) -> Option<(String, String, String)> {
    let mut parts = vec![String::new()];
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let splits =
            (character == '=' && parts.len() == 1) || (character == ':' && parts.len() == 2);
        if splits {
            parts.push(String::new());
        } else {
            let character = match character {
                '\\' => characters.next()?,
                character => character,
            };
            parts.last_mut()?.push(character);
        }
    }
    let [name, before, after]: [String; 3] = parts.try_into().ok()?;
    Some((name, before, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_split_at_the_first_signs_that_are_not_escaped() {
        let split = |text| split_change(text).map(|(a, b, c)| [a, b, c].join("|"));
        for (text, parts) in [
            ("name=old:new", Some("name|old|new")),
            ("name=:new", Some("name||new")),
            ("name=old:", Some("name|old|")),
            ("a\\=b=c\\:d:e:f=g", Some("a=b|c:d|e:f=g")),
            ("name=old", None),
            ("name", None),
            ("name=a:b\\", None),
        ] {
            assert_eq!(split(text).as_deref(), parts, "{text}");
        }
    }
}
