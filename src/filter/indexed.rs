//! The index terms of a row from its content, without an event in between: what a memtable and a
//! segment's writer index. The terms and their bytes are those of `term`, which tests compare.

use super::term;
use super::term::Role;
use crate::codec::content::Content;
use crate::codec::content::Entity;
use crate::codec::content::Text;
use crate::event::Field;

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
    terms.text(term::TYPE, content.event_type);
    terms.field(term::SUB_TYPE, content.sub_type);
    terms.field(term::ORG, content.org);
    terms.field(term::SOURCE, content.source);
    match content.outcome {
        Field::Absent => {}
        Field::Null => terms.null(term::OUTCOME),
        Field::Value(outcome) => {
            terms.put(|term| term::put_text(term, term::OUTCOME, outcome.as_str()));
        }
    }
    if let Field::Value(context) = content.context {
        let [ip, ..] = context.known;
        match ip {
            Field::Absent => {}
            Field::Null => terms.null(term::IP),
            Field::Value(text) => terms.put(|term| term::put_ip(term, &text.text())),
        }
    }
    if let Field::Value(pairs) = content.metadata {
        for (key, value) in pairs.iter() {
            terms.put(|term| term::put_meta(term, &key.text(), &value.text()));
        }
    }
    terms.role(term::PERFORMER, content.performer);
    terms.role(term::ON_BEHALF_OF, content.on_behalf_of);
    terms.role(term::SUBJECT, content.subject);
    terms.targets(content);
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

    fn null(&mut self, code: u8) {
        self.put(|term| term::put_null(term, code));
    }

    fn text(&mut self, code: u8, text: Text<'_>) {
        self.put(|term| term::put_text(term, code, &text.text()));
    }

    fn field(&mut self, code: u8, field: Field<Text<'_>>) {
        match field {
            Field::Absent => {}
            Field::Null => self.null(code),
            Field::Value(text) => self.text(code, text),
        }
    }

    fn role(&mut self, role: Role, who: Field<Entity<'_>>) {
        match who {
            Field::Absent => {}
            Field::Null => self.null(role.kind),
            Field::Value(who) => self.entity(role, &who),
        }
    }

    fn entity(&mut self, role: Role, who: &Entity<'_>) {
        let kind = who.kind.text();
        let id = who.id.value().map(|id| id.text());
        self.put(|term| term::put_text(term, role.kind, &kind));
        self.put(|term| term::put_pair(term, role, &kind, id.as_deref()));
        if let Some(id) = id.filter(|_| self.all) {
            self.put(|term| term::put_text(term, role.id, &id));
        }
    }

    /// The target terms: entities repeat among them, so they are sorted before they are told.
    fn targets(&mut self, content: &Content<'_>) {
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
