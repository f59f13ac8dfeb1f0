//! Which leaves of a member the terms of its rows are drawn from: the same for all that have one
//! template, so that it is found by taking one of them apart. What no leaf tells by itself, a text
//! that was taken apart or a member that is whole, is left to taking each content apart.

use core::ops::Range;
use std::sync::Arc;

use super::builder::Taken;
use super::by_value::ByValue;
use super::index::Index;
use crate::codec::content::Content;
use crate::codec::content::Entity;
use crate::codec::content::Text;
use crate::event::Outcome;
use crate::filter::indexed;
use crate::filter::term;
use crate::filter::term::Role;

/// What the terms of a template's rows are drawn from; a leaf is told by its place in the member.
#[derive(Clone, Debug)]
pub(super) enum Drawn {
    /// Only taking its rows apart tells.
    Unclear,
    Clear(Arc<[Draw]>),
}

/// A term of each row that has the template, unless it says otherwise.
#[derive(Clone, Debug)]
pub(super) enum Draw {
    /// No term: the row has a key.
    Key,
    /// The term of this number.
    Term(u32),
    /// What leaves stand for behind this head.
    Leaf(u32, Leaf),
}

/// The leaves that tell a term, and the field it is of.
#[derive(Clone, Debug)]
pub(super) enum Leaf {
    Text(u8, usize),
    Ip(usize),
    Meta(Arc<str>, usize),
    /// An entity's kind without an id.
    Kind(Role, usize),
    /// An entity's kind and its id.
    Pair(Role, usize, usize),
}

/// The draws of one member under construction.
struct Drawing<'d> {
    text: &'d str,
    member: &'d Taken<'d>,
    index: &'d mut Index,
    values: &'d mut ByValue,
    draws: Vec<Draw>,
    is_clear: bool,
}

impl Drawn {
    /// Learns from a member of a row whose content `text` was taken apart.
    pub(super) fn learn(
        text: &str,
        content: &Content<'_>,
        member: &Taken<'_>,
        index: &mut Index,
        values: &mut ByValue,
    ) -> Drawn {
        let name = core::str::from_utf8(member.name).unwrap_or_default();
        let is_key = name == "key";
        if member.is_whole && (is_key || indexed::has_terms(name)) {
            return Drawn::Unclear;
        }
        let mut drawing = Drawing {
            text,
            member,
            index,
            values,
            draws: Vec::new(),
            is_clear: true,
        };
        if is_key && content.key.value().is_some() {
            drawing.draws.push(Draw::Key);
        }
        indexed::draw(content, name, &mut drawing);
        match drawing.is_clear {
            true => Drawn::Clear(drawing.draws.into()),
            false => Drawn::Unclear,
        }
    }
}

impl Drawing<'_> {
    /// The place of the leaf that is this text, and no more and no less.
    fn leaf(&mut self, text: Text<'_>) -> Option<usize> {
        let start = text.raw().as_ptr().addr() - self.text.as_ptr().addr();
        let place = self.place(&(start..start + text.raw().len()));
        self.is_clear &= place.is_some();
        place
    }

    fn place(&self, range: &Range<usize>) -> Option<usize> {
        let mut leaves = self.member.leaves.iter();
        leaves.position(|leaf| leaf.range == *range)
    }

    /// A term that all rows have.
    fn term(&mut self, build: impl FnOnce(&mut Vec<u8>)) {
        let number = self.index.term(build);
        self.draws.push(Draw::Term(number));
    }

    fn draw(&mut self, head: &[u8], leaf: Leaf) {
        let head = self.values.head(head);
        self.draws.push(Draw::Leaf(head, leaf));
    }
}

impl<'c> indexed::Draw<'c> for Drawing<'_> {
    fn null(&mut self, code: u8) {
        self.term(|term| term::put_null(term, code));
    }

    fn text(&mut self, code: u8, text: Text<'c>) {
        if text.is_empty() {
            self.term(|term| term::put_text(term, code, ""));
        } else if let Some(leaf) = self.leaf(text) {
            self.draw(&[code], Leaf::Text(code, leaf));
        }
    }

    fn outcome(&mut self, outcome: Outcome) {
        let first = self.member.leaves.first();
        let text = first.and_then(|leaf| self.text.get(leaf.range.clone()));
        match text == Some(outcome.as_str()) && self.member.leaves.len() == 1 {
            true => self.draw(&[term::OUTCOME], Leaf::Text(term::OUTCOME, 0)),
            false => self.is_clear = false,
        }
    }

    fn ip(&mut self, text: Text<'c>) {
        if text.is_empty() {
            self.term(|term| term::put_ip(term, ""));
        } else if let Some(leaf) = self.leaf(text) {
            self.draw(&[term::IP], Leaf::Ip(leaf));
        }
    }

    fn meta(&mut self, key: Text<'c>, value: Text<'c>) {
        let key = key.text();
        if value.is_empty() {
            self.term(|term| term::put_meta(term, &key, ""));
        } else if let Some(leaf) = self.leaf(value) {
            let head = [&[term::META], key.as_bytes()].concat();
            self.draw(&head, Leaf::Meta(Arc::from(&*key), leaf));
        }
    }

    fn entity(&mut self, role: Role, who: &Entity<'c>) {
        self.text(role.kind, who.kind);
        let Some(kind) = self.leaf(who.kind) else {
            return;
        };
        match who.id.value() {
            None => self.draw(&[role.pair], Leaf::Kind(role, kind)),
            Some(id) => {
                if let Some(id) = self.leaf(*id) {
                    // No term, but the head that the id stands behind.
                    self.draw(&[role.pair, role.id], Leaf::Pair(role, kind, id));
                }
            }
        }
    }

    fn targets(&mut self, content: &Content<'c>) {
        if content.targets.is_null() {
            self.null(term::TARGET.kind);
        }
        let targets = content.targets.value().map(|targets| targets.iter());
        for target in targets.into_iter().flatten() {
            self.entity(term::TARGET, &target);
        }
    }
}
