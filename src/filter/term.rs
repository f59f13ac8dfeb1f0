//! The index terms of an event: what a segment's term dictionary holds and what a filter looks up.
//! A term is `field code, marker, value`; docs/format/terms.md is the normative page and a test
//! below compares it with the constants here. Called where rows are indexed (every term of an
//! event) and where a filter is compiled (the term, or range of terms, a value stands for). What
//! writes takes the terms of a row from its content (`indexed`); those of an event, here, are the
//! model it is compared with, and what `verify` computes anew.

use core::net::IpAddr;
use core::net::Ipv6Addr;

use sha2::Digest;
use sha2::Sha256;

use crate::event::Event;
use crate::event::Field;
use crate::limits::PREFIX_BYTES;

pub(crate) const TYPE: u8 = 1;
pub(crate) const SUB_TYPE: u8 = 2;
pub(crate) const ORG: u8 = 3;
pub(crate) const OUTCOME: u8 = 4;
pub(crate) const SOURCE: u8 = 5;
pub(crate) const IP: u8 = 6;
pub(crate) const META: u8 = 7;

/// The three field codes of an entity: its kind, its kind and id, its id whatever the kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Role {
    /// `kind`, and the null marker of the whole entity.
    pub(crate) kind: u8,
    /// `kind`, a zero byte and `id`; `kind` alone for an entity without an id.
    pub(crate) pair: u8,
    /// `id`.
    pub(crate) id: u8,
}

/// The subject itself.
pub(crate) const SUBJECT: Role = Role {
    kind: 8,
    pair: 9,
    id: 10,
};
/// The subject and every further target.
pub(crate) const TARGET: Role = Role {
    kind: 11,
    pair: 12,
    id: 13,
};
/// Who did it.
pub(crate) const PERFORMER: Role = Role {
    kind: 14,
    pair: 15,
    id: 16,
};
/// For whom it was done.
pub(crate) const ON_BEHALF_OF: Role = Role {
    kind: 17,
    pair: 18,
    id: 19,
};

/// The field is there and is null; nothing follows.
pub(crate) const NULL: u8 = 0;
/// A value follows. Of an `ip`: the 16 bytes of an address, an IPv4 one in its mapped form.
pub(crate) const VALUE: u8 = 1;
/// Of an `ip` only: a text that is no address follows.
pub(crate) const OTHER: u8 = 2;

/// Stands after the head of a cut value; no byte of UTF-8 equals it.
pub(crate) const CUT: u8 = 0xff;
/// Bytes of the SHA-256 that tell cut values of one head apart.
pub(crate) const CUT_DIGEST: usize = 16;

/// Hands every index term of `event` to `out`, each once, in no particular order.
pub(crate) fn terms(event: &Event, mut out: impl FnMut(&[u8])) {
    let mut term = Vec::with_capacity(64);
    let mut put = |build: &dyn Fn(&mut Vec<u8>)| {
        term.clear();
        build(&mut term);
        out(&term);
    };
    put(&|term| put_text(term, TYPE, &event.event_type));
    for (code, field) in [
        (SUB_TYPE, field_text(&event.sub_type)),
        (ORG, field_text(&event.org)),
        (SOURCE, field_text(&event.source)),
        (OUTCOME, outcome(event)),
    ] {
        match field {
            Field::Absent => {}
            Field::Null => put(&|term| put_null(term, code)),
            Field::Value(text) => put(&|term| put_text(term, code, text)),
        }
    }
    match event.context.value().map(|context| &context.ip) {
        None | Some(Field::Absent) => {}
        Some(Field::Null) => put(&|term| put_null(term, IP)),
        Some(Field::Value(text)) => put(&|term| put_ip(term, text)),
    }
    for (key, value) in event.metadata.value().iter().flat_map(|pairs| pairs.iter()) {
        put(&|term| put_meta(term, key, value));
    }
    for (role, who) in [
        (PERFORMER, &event.performer),
        (ON_BEHALF_OF, &event.on_behalf_of),
    ] {
        match who {
            Field::Absent => {}
            Field::Null => put(&|term| put_null(term, role.kind)),
            Field::Value(who) => entity(role, &who.kind, who.id.as_deref(), &mut put),
        }
    }
    match &event.subject {
        Field::Absent => {}
        Field::Null => put(&|term| put_null(term, SUBJECT.kind)),
        Field::Value(subject) => entity(SUBJECT, &subject.kind, subject.id.as_deref(), &mut put),
    }
    targets(event, put);
}

/// The target terms: entities repeat among them, so they are sorted before they are told.
fn targets(event: &Event, mut put: impl FnMut(&dyn Fn(&mut Vec<u8>))) {
    if event.subject.is_null() || event.targets.is_null() {
        put(&|term| put_null(term, TARGET.kind));
    }
    let subject = event.subject.value();
    let further = event.targets.as_deref().unwrap_or_default();
    if further.is_empty() {
        if let Some(subject) = subject {
            entity(TARGET, &subject.kind, subject.id.as_deref(), put);
        }
        return;
    }
    let mut all: Vec<Vec<u8>> = Vec::with_capacity(3 * (further.len() + 1));
    let mut keep = |build: &dyn Fn(&mut Vec<u8>)| {
        let mut term = Vec::new();
        build(&mut term);
        all.push(term);
    };
    if let Some(subject) = subject {
        entity(TARGET, &subject.kind, subject.id.as_deref(), &mut keep);
    }
    for target in further {
        entity(TARGET, &target.kind, target.id.as_deref(), &mut keep);
    }
    all.sort_unstable();
    all.dedup();
    for known in &all {
        put(&|term| term.extend_from_slice(known));
    }
}

fn entity(role: Role, kind: &str, id: Option<&str>, mut put: impl FnMut(&dyn Fn(&mut Vec<u8>))) {
    put(&|term| put_text(term, role.kind, kind));
    put(&|term| put_pair(term, role, kind, id));
    if let Some(id) = id {
        put(&|term| put_text(term, role.id, id));
    }
}

fn field_text(field: &Field<String>) -> Field<&str> {
    match field {
        Field::Absent => Field::Absent,
        Field::Null => Field::Null,
        Field::Value(text) => Field::Value(text),
    }
}

fn outcome(event: &Event) -> Field<&str> {
    match event.outcome {
        Field::Absent => Field::Absent,
        Field::Null => Field::Null,
        Field::Value(outcome) => Field::Value(outcome.as_str()),
    }
}

/// The term of a field that is there and is null.
pub(crate) fn put_null(term: &mut Vec<u8>, code: u8) {
    term.extend_from_slice(&[code, NULL]);
}

/// The term of a text field's value.
pub(crate) fn put_text(term: &mut Vec<u8>, code: u8, text: &str) {
    term.extend_from_slice(&[code, VALUE]);
    put_value(term, text);
}

/// The term of an entity's kind and id together.
pub(crate) fn put_pair(term: &mut Vec<u8>, role: Role, kind: &str, id: Option<&str>) {
    term.extend_from_slice(&[role.pair, VALUE]);
    term.extend_from_slice(kind.as_bytes());
    if let Some(id) = id {
        term.push(0);
        put_value(term, id);
    }
}

/// The term of one metadata pair.
pub(crate) fn put_meta(term: &mut Vec<u8>, key: &str, value: &str) {
    put_meta_key(term, key);
    put_value(term, value);
}

/// What all terms of one metadata key begin with.
pub(crate) fn put_meta_key(term: &mut Vec<u8>, key: &str) {
    term.extend_from_slice(&[META, VALUE]);
    term.extend_from_slice(key.as_bytes());
    term.push(0);
}

/// The term of an `ip`: by address where the text is one, so that spellings do not matter.
pub(crate) fn put_ip(term: &mut Vec<u8>, text: &str) {
    match address(text) {
        Some(address) => {
            term.extend_from_slice(&[IP, VALUE]);
            term.extend_from_slice(&address);
        }
        None => {
            term.extend_from_slice(&[IP, OTHER]);
            put_value(term, text);
        }
    }
}

/// The 16 bytes of the address that `text` spells, an IPv4 one in its mapped form.
pub(crate) fn address(text: &str) -> Option<[u8; 16]> {
    Some(match text.parse().ok()? {
        IpAddr::V4(four) => four.to_ipv6_mapped().octets(),
        IpAddr::V6(six) => six.octets(),
    })
}

/// The usual spelling of an address in its 16 bytes.
pub(crate) fn address_text(bytes: [u8; 16]) -> String {
    let six = Ipv6Addr::from(bytes);
    six.to_ipv4_mapped()
        .map_or_else(|| six.to_string(), |four| four.to_string())
}

/// The first term after all that begin with `prefix`. No prefix ends in 0xff: the last byte of one
/// is a code, a marker, the zero byte or UTF-8.
pub(crate) fn after(prefix: &[u8]) -> Vec<u8> {
    let mut next = prefix.to_vec();
    if let Some(last) = next.last_mut() {
        *last = last.saturating_add(1);
    }
    next
}

fn put_value(term: &mut Vec<u8>, text: &str) {
    match text.as_bytes().split_at_checked(PREFIX_BYTES) {
        Some((head, tail)) if !tail.is_empty() => {
            term.extend_from_slice(head);
            term.push(CUT);
            let digest = Sha256::digest(text.as_bytes());
            term.extend(digest.iter().take(CUT_DIGEST));
        }
        _ => term.extend_from_slice(text.as_bytes()),
    }
}
