//! The rules of an event's fields, checked once, before anything is written.
//! Every refusal names the field it is about.

use core::fmt::Display;

use super::Context;
use super::Event;
use super::Field;
use super::Metadata;
use super::Performer;
use crate::error::Error;
use crate::error::Result;
use crate::limits;

/// Checks all rules but the size of the whole, which the codec knows.
pub(super) fn event(event: &Event) -> Result<()> {
    slug("type", &event.event_type)?;
    for (name, field) in [
        ("sub_type", &event.sub_type),
        ("org", &event.org),
        ("reason", &event.reason),
        ("source", &event.source),
        ("batch", &event.batch),
        ("caused_by", &event.caused_by),
        ("correlation", &event.correlation),
        ("key", &event.key),
    ] {
        text(name, field)?;
    }
    if event.occurred_at.is_null() {
        return Err(Error::invalid(
            "occurred_at",
            "null is no time; leave the field out for now",
        ));
    }
    if event
        .offset
        .value()
        .is_some_and(|offset| offset.abs() > limits::OFFSET_MINUTES)
    {
        return Err(Error::invalid(
            "offset",
            "more than a day from UTC, in minutes",
        ));
    }
    performer("performer", &event.performer)?;
    performer("on_behalf_of", &event.on_behalf_of)?;
    if let Field::Value(subject) = &event.subject {
        word("subject.kind", &subject.kind)?;
        text("subject.id", &subject.id)?;
        text("subject.label", &subject.label)?;
        text("subject.external_ref", &subject.external_ref)?;
    }
    targets(event)?;
    if let Field::Value(pairs) = &event.metadata {
        metadata(pairs)?;
    }
    changes(event)?;
    if let Field::Value(value) = &event.context {
        context(value)?;
    }
    if let Field::Value(origin) = &event.origin {
        text("origin.store", &origin.store)?;
        text("origin.id", &origin.id)?;
    }
    Ok(())
}

fn performer(name: &str, field: &Field<Performer>) -> Result<()> {
    let Field::Value(performer) = field else {
        return Ok(());
    };
    word(format_args!("{name}.kind"), &performer.kind)?;
    text(format_args!("{name}.id"), &performer.id)?;
    text(format_args!("{name}.label"), &performer.label)?;
    text(format_args!("{name}.email"), &performer.email)?;
    text(format_args!("{name}.org"), &performer.org)?;
    text(format_args!("{name}.external_ref"), &performer.external_ref)
}

fn targets(event: &Event) -> Result<()> {
    let targets = event.targets.as_deref().unwrap_or_default();
    at_most("targets", targets.len(), limits::TARGETS)?;
    for (number, target) in targets.iter().enumerate() {
        word(format_args!("targets[{number}].kind"), &target.kind)?;
        text(format_args!("targets[{number}].id"), &target.id)?;
        text(format_args!("targets[{number}].label"), &target.label)?;
    }
    Ok(())
}

fn changes(event: &Event) -> Result<()> {
    let changes = event.changes.as_deref().unwrap_or_default();
    at_most("changes", changes.len(), limits::CHANGES)?;
    changes.iter().enumerate().try_for_each(|(number, change)| {
        bytes(
            format_args!("changes[{number}].path"),
            &change.path,
            limits::TEXT_BYTES,
        )
    })
}

fn metadata(metadata: &Metadata) -> Result<()> {
    at_most("metadata", metadata.len(), limits::METADATA_KEYS)?;
    pairs("metadata", metadata.iter())
}

fn context(context: &Context) -> Result<()> {
    for (key, field) in Context::KEYS.into_iter().zip(context.known()) {
        text(format_args!("context.{key}"), field)?;
        if context.further.iter().any(|(name, _)| name == key) {
            return Err(Error::invalid(format_args!("context.{key}"), "given twice"));
        }
    }
    at_most("context", context.further.len(), limits::CONTEXT_KEYS)?;
    pairs(
        "context",
        context
            .further
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str())),
    )
}

fn pairs<'a>(field: &str, pairs: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> Result<()> {
    for (number, (key, value)) in pairs.clone().enumerate() {
        word(format_args!("{field} key {key:?}"), key)?;
        bytes(format_args!("{field}.{key}"), value, limits::TEXT_BYTES)?;
        // So few are taken that looking back is quicker than a table.
        if pairs.clone().take(number).any(|(before, _)| before == key) {
            return Err(Error::invalid(format_args!("{field}.{key}"), "given twice"));
        }
    }
    Ok(())
}

fn at_most(field: &str, count: usize, most: usize) -> Result<()> {
    if count > most {
        return Err(Error::invalid(
            field,
            format_args!("{count} entries, at most {most} are taken"),
        ));
    }
    Ok(())
}

fn text(field: impl Display, value: &Field<String>) -> Result<()> {
    value
        .value()
        .map_or(Ok(()), |value| bytes(field, value, limits::TEXT_BYTES))
}

fn bytes(field: impl Display, value: &str, most: usize) -> Result<()> {
    if value.len() > most {
        let rule = format_args!("{} bytes, at most {most} are taken", value.len()).to_string();
        return Err(Error::invalid(field, rule));
    }
    Ok(())
}

/// A kind or a key: not empty, short, and free of control characters.
fn word(field: impl Display, value: &str) -> Result<()> {
    if value.is_empty() {
        return Err(Error::invalid(field, "must not be empty"));
    }
    // Nearly all are ASCII, and bytes are quicker to look at than characters.
    let is_plain = value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if !is_plain && value.chars().any(char::is_control) {
        return Err(Error::invalid(field, "must not hold control characters"));
    }
    bytes(field, value, limits::WORD_BYTES)
}

/// A type: parts of ASCII letters, digits, `_` and `-`, joined by single dots.
fn slug(field: impl Display, value: &str) -> Result<()> {
    let part = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    };
    if !value.split('.').all(part) {
        let rule = format_args!(
            "{value:?} is not a dotted slug such as user.updated (letters, digits, _ and -, joined by dots)"
        )
        .to_string();
        return Err(Error::invalid(field, rule));
    }
    bytes(field, value, limits::WORD_BYTES)
}
