//! The mapping for JSON nobody knows: well-known member names, searched to a small depth, the
//! nearer and the better known name first. Which names those are is part of the documentation,
//! so the lists here and in `docs/import-mappings.md` are compared by a test.

use std::borrow::Cow;

use super::moment;
use super::moment::Form;
use super::record::Record;
use super::record::Value;
use super::step;
use crate::event::Context;
use crate::event::Event;
use crate::event::Field;
use crate::event::Origin;
use crate::event::Outcome;
use crate::event::Performer;
use crate::event::Subject;
use crate::limits;

/// The name imports by this mapping carry.
pub(super) const NAME: &str = "generic";
/// Levels of objects that are searched.
const DEPTH: usize = 3;
/// Members that are looked at, so that one huge record costs no more than this.
const MEMBERS: usize = 512;

/// Names are compared in lower case without `_`, `-`, `.`, `@` and blanks.
pub(super) const TIMES: &[&str] = &[
    "occurredat",
    "eventtime",
    "eventdatetime",
    "eventtimestamp",
    "utctimestamp",
    "isotimestamp",
    "timestamp",
    "time",
    "datetime",
    "date",
    "createdat",
    "createdon",
    "createdtime",
    "created",
    "datecreate",
    "createddatetime",
    "eventcreationtime",
    "effectiveat",
    "generateddatetime",
    "activitydatetime",
    "activitydate",
    "detectedat",
    "detectiontimestamp",
    "backendtimestamp",
    "startedat",
    "starttime",
    "starttimeutc",
    "firstseentime",
    "requestreceivedtimestamp",
    "published",
    "modifiedon",
    "updatedat",
    "ts",
    "peventtime",
];
pub(super) const TYPES: &[&str] = &[
    "eventtype",
    "eventname",
    "actionname",
    "operationname",
    "methodname",
    "operation",
    "action",
    "activity",
    "activitytype",
    "auditlogevent",
    "event",
    "querytype",
    "type",
    "category",
    "verb",
    "name",
    "plogtype",
];
pub(super) const PERFORMERS: &[&str] = &[
    "performer",
    "actor",
    "user",
    "username",
    "useremail",
    "principal",
    "initiator",
    "initiatedby",
    "createdby",
    "userid",
    "actorid",
    "loginname",
    "login",
    "email",
    "identity",
    "upn",
    "adminid",
    "account",
];
pub(super) const SUBJECTS: &[&str] = &[
    "subject",
    "target",
    "object",
    "resource",
    "entity",
    "repository",
    "targetuser",
    "targetname",
    "resourcename",
    "resourceid",
    "objectid",
    "path",
    "hostname",
    "assetname",
    "devicename",
];
pub(super) const OUTCOMES: &[&str] = &[
    "outcome",
    "result",
    "status",
    "success",
    "issuccess",
    "actionresult",
    "executionstatus",
    "decision",
];
pub(super) const ADDRESSES: &[&str] = &[
    "ip",
    "ipaddress",
    "sourceip",
    "sourceipaddress",
    "clientip",
    "clientipaddress",
    "calleripaddress",
    "remoteip",
    "requestip",
    "userip",
    "srcip",
    "callerip",
];
pub(super) const AGENTS: &[&str] = &["useragent", "ua", "requestuseragent", "rawuseragent"];
pub(super) const IDS: &[&str] = &[
    "eventid", "id", "uuid", "auditid", "logid", "insertid", "prowid",
];

/// The outcome a word means.
pub(super) fn outcome_of(word: &str) -> Option<Outcome> {
    Some(match word.to_ascii_lowercase().as_str() {
        "success" | "succeeded" | "successful" | "true" | "ok" | "yes" | "allow" | "allowed"
        | "granted" | "pass" | "passed" => Outcome::Success,
        "failure" | "failed" | "fail" | "false" | "error" | "no" | "unsuccessful" => {
            Outcome::Failure
        }
        "denied" | "deny" | "blocked" | "block" | "forbidden" | "rejected" => Outcome::Denied,
        "partial" => Outcome::Partial,
        _ => return None,
    })
}

/// The members within reach: nearer ones first, with their names made comparable.
struct Members<'a>(Vec<(String, Value<'a>)>);

impl<'a> Members<'a> {
    fn of(record: &Record<'a>) -> Members<'a> {
        let mut found = Vec::new();
        let mut level = vec![record.root()];
        for _ in 0..DEPTH {
            let mut below = Vec::new();
            for object in level {
                for (key, value) in object.members() {
                    if found.len() >= MEMBERS {
                        return Members(found);
                    }
                    found.push((comparable(key), value));
                    if value.is_object() {
                        below.push(value);
                    }
                }
            }
            level = below;
        }
        Members(found)
    }

    /// What `read` makes of the first member of these names that it can read.
    fn first<T>(&self, names: &[&str], read: impl Fn(Value<'a>) -> Option<T>) -> Option<T> {
        names.iter().find_map(|name| {
            let named = self.0.iter().filter(|(key, _)| key == name);
            named.into_iter().find_map(|(_, value)| read(*value))
        })
    }

    fn text(&self, names: &[&str]) -> Option<Cow<'a, str>> {
        self.first(names, word)
    }
}

fn comparable(key: &str) -> String {
    let letters = key.chars().filter(|letter| letter.is_ascii_alphanumeric());
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}

/// A text that says something.
fn word(value: Value<'_>) -> Option<Cow<'_, str>> {
    let text = value.text()?;
    let says = !matches!(text.trim(), "" | "-" | "n/a" | "null" | "None" | "unknown");
    (says && text.len() <= limits::TEXT_BYTES).then_some(text)
}

/// Makes an event without `data`; the error is the reason for the refusal.
pub(super) fn event(record: &Record<'_>, zone: Option<i32>) -> Result<Event, String> {
    if !record.root().is_object() {
        return Err("neither a JSON object nor a log text that a mapping knows".to_owned());
    }
    let members = Members::of(record);
    let zone = zone.unwrap_or(0);
    let time = |value: Value<'_>| moment::parse(&value.text()?, Form::Any, zone);
    let Some((time, offset)) = members.first(TIMES, time) else {
        return Err("no time in it under any name the generic mapping knows".to_owned());
    };
    let kind = members.first(TYPES, |value| {
        let slug = step::dotted(&step::split_camel(&word(value)?));
        let speaks = slug.chars().any(|letter| letter.is_ascii_alphabetic());
        (speaks && slug.len() <= limits::WORD_BYTES).then_some(slug)
    });
    let mut event =
        Event::new(kind.unwrap_or_else(|| "generic.event".to_owned())).occurred_at(time);
    event.offset = offset.map_or(Field::Absent, Field::Value);
    event.performer = members
        .first(PERFORMERS, performer)
        .map_or(Field::Absent, Field::Value);
    event.subject = members
        .first(SUBJECTS, subject)
        .map_or(Field::Absent, Field::Value);
    let outcome = members.first(OUTCOMES, |value| outcome_of(&value.text()?));
    event.outcome = outcome.map_or(Field::Absent, Field::Value);
    let owned = |text: Option<Cow<'_, str>>| {
        text.map_or(Field::Absent, |text| Field::Value(text.into_owned()))
    };
    let context = Context {
        ip: owned(members.text(ADDRESSES)),
        user_agent: owned(members.text(AGENTS)),
        ..Context::default()
    };
    if context != Context::default() {
        event.context = Field::Value(context);
    }
    if let Some(id) = members.text(IDS) {
        event.origin = Field::Value(Origin {
            id: Field::Value(id.into_owned()),
            ..Origin::default()
        });
    }
    Ok(event)
}

/// One of these members of an object, as text.
fn part(value: Value<'_>, names: &[&str]) -> Field<String> {
    let found = names.iter().find_map(|name| {
        let named = value.members().filter(|(key, _)| comparable(key) == *name);
        named.into_iter().find_map(|(_, value)| word(value))
    });
    found.map_or(Field::Absent, |text| Field::Value(text.into_owned()))
}

/// The kind an object says it is of, where it is a fit word.
fn kind(value: Value<'_>, names: &[&str], other: &str) -> String {
    let said = part(value, names);
    let slug = step::slug(Cow::Borrowed(said.as_deref().unwrap_or_default()));
    let fits = !slug.is_empty() && slug.len() <= limits::WORD_BYTES;
    if fits {
        slug.into_owned()
    } else {
        other.to_owned()
    }
}

fn performer(value: Value<'_>) -> Option<Performer> {
    if let Some(text) = word(value) {
        return Some(Performer::new("user").id(text));
    }
    // An actor often wraps the user it stands for.
    let inner = value
        .members()
        .find(|(key, _)| comparable(key) == "user")
        .map(|(_, value)| value);
    let inner = inner.filter(|value| value.is_object()).unwrap_or(value);
    let performer = Performer {
        kind: kind(value, &["kind", "type", "actortype"], "user"),
        id: part(
            inner,
            &[
                "id",
                "userid",
                "gid",
                "login",
                "username",
                "email",
                "emailaddress",
                "name",
                "userprincipalname",
                "arn",
            ],
        ),
        label: part(inner, &["displayname", "name", "username", "login"]),
        email: part(inner, &["email", "emailaddress", "userprincipalname"]),
        ..Performer::default()
    };
    (!performer.id.is_absent()).then_some(performer)
}

fn subject(value: Value<'_>) -> Option<Subject> {
    if let Some(text) = word(value) {
        return Some(Subject::new("object").id(text));
    }
    let subject = Subject {
        kind: kind(value, &["kind", "type", "resourcetype"], "object"),
        id: part(value, &["id", "uuid", "gid", "fullname", "arn", "name"]),
        label: part(value, &["displayname", "name", "label", "title"]),
        ..Subject::default()
    };
    (!subject.id.is_absent()).then_some(subject)
}
