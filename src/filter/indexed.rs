//! The index terms of a row from its content, without an event in between: what a memtable and a
//! segment's writer index. The terms and their bytes are those of `term`, which tests compare.

use super::term;
use super::term::Role;
use crate::codec::content::Content;
use crate::codec::content::Entity;
use crate::codec::content::Text;
use crate::event::Field;
use crate::event::Outcome;

/// Hands every index term of `content` to `out`, each once, in no particular order.
pub(crate) fn terms(content: &Content<'_>, out: impl FnMut(&[u8])) {
    tell(content, true, out);
}

/// Hands the terms of `content` that the others follow from to `out`: without the ids by themselves,
/// which stand in the pairs, and of targets only the further ones. What a segment stores.
pub(crate) fn stored(content: &Content<'_>, out: impl FnMut(&[u8])) {
    tell(content, false, out);
}

fn tell(content: &Content<'_>, all: bool, out: impl FnMut(&[u8])) {
    let mut terms = Terms {
        term: Vec::with_capacity(64),
        all,
        out,
    };
    for member in MEMBERS {
        draw(content, member, &mut terms);
    }
}

/// The members of a content that terms come from.
const MEMBERS: [&str; 11] = [
    "type",
    "sub_type",
    "org",
    "source",
    "outcome",
    "context",
    "metadata",
    "performer",
    "on_behalf_of",
    "subject",
    "targets",
];

/// Whether terms come from the member of this name.
pub(crate) fn has_terms(member: &str) -> bool {
    MEMBERS.contains(&member)
}

/// Takes what the terms of a member are made of.
pub(crate) trait Draw<'c> {
    /// A field that is there and is null.
    fn null(&mut self, code: u8);
    /// The value of a text field.
    fn text(&mut self, code: u8, text: Text<'c>);
    fn outcome(&mut self, outcome: Outcome);
    fn ip(&mut self, text: Text<'c>);
    fn meta(&mut self, key: Text<'c>, value: Text<'c>);
    fn entity(&mut self, role: Role, who: &Entity<'c>);
    fn targets(&mut self, content: &Content<'c>);
}

/// Hands on what the terms of the member of this name are made of; most members have none.
pub(crate) fn draw<'c>(content: &Content<'c>, member: &str, out: &mut impl Draw<'c>) {
    let mut role = |role: Role, who: Field<Entity<'c>>| match who {
        Field::Absent => {}
        Field::Null => out.null(role.kind),
        Field::Value(who) => out.entity(role, &who),
    };
    match member {
        "performer" => return role(term::PERFORMER, content.performer),
        "on_behalf_of" => return role(term::ON_BEHALF_OF, content.on_behalf_of),
        "subject" => return role(term::SUBJECT, content.subject),
        _ => {}
    }
    let mut field = |code: u8, field: Field<Text<'c>>| match field {
        Field::Absent => {}
        Field::Null => out.null(code),
        Field::Value(text) => out.text(code, text),
    };
    match member {
        "type" => out.text(term::TYPE, content.event_type),
        "sub_type" => field(term::SUB_TYPE, content.sub_type),
        "org" => field(term::ORG, content.org),
        "source" => field(term::SOURCE, content.source),
        "outcome" => match content.outcome {
            Field::Absent => {}
            Field::Null => out.null(term::OUTCOME),
            Field::Value(outcome) => out.outcome(outcome),
        },
        "context" => match content.context.value().map(|context| context.known) {
            None | Some([Field::Absent, ..]) => {}
            Some([Field::Null, ..]) => out.null(term::IP),
            Some([Field::Value(ip), ..]) => out.ip(ip),
        },
        "metadata" => {
            let pairs = content.metadata.value().map(|pairs| pairs.iter());
            let pairs = pairs.into_iter().flatten();
            pairs.for_each(|(key, value)| out.meta(key, value));
        }
        "targets" => out.targets(content),
        _ => {}
    }
}

/// Builds one term after the other in one place.
struct Terms<F> {
    term: Vec<u8>,
    /// Also those that follow from others.
    all: bool,
    out: F,
}

impl<F: FnMut(&[u8])> Terms<F> {
    fn put(&mut self, build: impl FnOnce(&mut Vec<u8>)) {
        self.term.clear();
        build(&mut self.term);
        (self.out)(&self.term);
    }
}

impl<'c, F: FnMut(&[u8])> Draw<'c> for Terms<F> {
    fn null(&mut self, code: u8) {
        self.put(|term| term::put_null(term, code));
    }

    fn text(&mut self, code: u8, text: Text<'c>) {
        self.put(|term| term::put_text(term, code, &text.text()));
    }

    fn outcome(&mut self, outcome: Outcome) {
        self.put(|term| term::put_text(term, term::OUTCOME, outcome.as_str()));
    }

    fn ip(&mut self, text: Text<'c>) {
        self.put(|term| term::put_ip(term, &text.text()));
    }

    fn meta(&mut self, key: Text<'c>, value: Text<'c>) {
        self.put(|term| term::put_meta(term, &key.text(), &value.text()));
    }

    fn entity(&mut self, role: Role, who: &Entity<'c>) {
        let kind = who.kind.text();
        let id = who.id.value().map(|id| id.text());
        self.put(|term| term::put_text(term, role.kind, &kind));
        self.put(|term| term::put_pair(term, role, &kind, id.as_deref()));
        if let Some(id) = id.filter(|_| self.all) {
            self.put(|term| term::put_text(term, role.id, &id));
        }
    }

    /// The target terms: entities repeat among them, so they are sorted before they are told.
    fn targets(&mut self, content: &Content<'c>) {
        if (self.all && content.subject.is_null()) || content.targets.is_null() {
            self.null(term::TARGET.kind);
        }
        let further = content.targets.value().map(|targets| targets.iter());
        let mut further = further.into_iter().flatten().peekable();
        if further.peek().is_none() {
            if let Some(subject) = content.subject.value().filter(|_| self.all) {
                self.entity(term::TARGET, subject);
            }
            return;
        }
        let mut found: Vec<Vec<u8>> = Vec::new();
        let mut kept = Terms {
            term: Vec::new(),
            all: self.all,
            out: |term: &[u8]| found.push(term.to_vec()),
        };
        let subject = content.subject.value().copied().filter(|_| self.all);
        for who in subject.into_iter().chain(further) {
            kept.entity(term::TARGET, &who);
        }
        found.sort_unstable();
        found.dedup();
        for known in &found {
            (self.out)(known);
        }
    }
}
