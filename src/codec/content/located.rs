//! A content whose members are told by outlines: where each stands is known, and what it holds is
//! looked at when somebody asks. What a caller does not ask for costs nothing.

use super::Changes;
use super::Content;
use super::Entity;
use super::Named;
use super::Pairs;
use super::Surroundings;
use super::Targets;
use super::Text;
use super::outline::Cut;
use super::outline::Held;
use super::outline::Outline;
use super::scan;
use super::scan::FIELDS;
use super::scan::Scan;
use crate::event::Field;
use crate::event::Outcome;

/// The members of one content.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Located<'a> {
    text: &'a str,
    /// Where each literal begins, and where the last member ends.
    starts: &'a [u32],
    members: [Option<Member<'a>>; FIELDS.len()],
}

#[derive(Clone, Copy, Debug)]
struct Member<'a> {
    outline: &'a Outline,
    /// Its first literal.
    first: u32,
}

/// A getter of a field that is a text.
macro_rules! texts {
    ($($name:ident $field:literal;)*) => {
        $(pub(super) fn $name(&self) -> Field<Text<'a>> {
            match self.held($field) {
                None => Field::Absent,
                Some((Held::Text(words), cut)) => Field::Value(cut.text(*words)),
                Some(_) => self.parsed($field).$name,
            }
        })*
    };
}

/// A getter of another field: how it stands in an outline, and what it is then.
macro_rules! fields {
    ($($name:ident $field:literal $type:ty, $held:pat => $cut:ident $value:expr;)*) => {
        $(pub(super) fn $name(&self) -> Field<$type> {
            match self.held($field) {
                None => Field::Absent,
                Some(($held, $cut)) => Field::Value($value),
                Some(_) => self.parsed($field).$name,
            }
        })*
    };
}

impl<'a> Located<'a> {
    /// The content `text`, valid UTF-8 whose leaves hold no byte that strings do not hold as it is,
    /// and whose literals begin at `starts`.
    pub(crate) fn of(text: &'a str, starts: &'a [u32]) -> Located<'a> {
        Located {
            text,
            starts,
            members: [None; FIELDS.len()],
        }
    }

    /// Adds the member that `outline` tells, from its literal of number `first` on. `None` where it
    /// is no such field, or none that the outline can tell from a damaged one.
    #[inline]
    pub(crate) fn add(&mut self, outline: &'a Outline, first: u32) -> Option<()> {
        outline.check(self.cut(first))?;
        let member = Member { outline, first };
        *self.members.get_mut(outline.field())? = Some(member);
        Some(())
    }

    fn cut(&self, first: u32) -> Cut<'a> {
        Cut {
            text: self.text,
            starts: self.starts.get(first as usize..).unwrap_or_default(),
        }
    }

    #[inline]
    fn held(&self, field: usize) -> Option<(&'a Held, Cut<'a>)> {
        let member = self.members.get(field).copied().flatten()?;
        Some((member.outline.held(), self.cut(member.first)))
    }

    /// The field alone, of a member that is parsed: [`Located::add`] has seen that it can be.
    #[cold]
    fn parsed(&self, field: usize) -> Content<'a> {
        let mut content = Content::default();
        if let Some(member) = self.members.get(field).copied().flatten() {
            let text = member.outline.member(self.cut(member.first));
            let _ = Scan::new(text).lone_field(field, &mut content);
        }
        content
    }

    pub(super) fn event_type(&self) -> Text<'a> {
        match self.held(0) {
            Some((Held::Type(words), cut)) => cut.text(*words),
            _ => self.parsed(0).event_type,
        }
    }

    texts! {
        sub_type 1;
        org 3;
        reason 9;
        source 10;
        batch 14;
        caused_by 15;
        correlation 16;
        key 18;
    }

    fields! {
        performer 4 Entity<'a>, Held::Entity(entity) => cut cut.entity(entity);
        on_behalf_of 5 Entity<'a>, Held::Entity(entity) => cut cut.entity(entity);
        subject 6 Entity<'a>, Held::Entity(entity) => cut cut.entity(entity);
        targets 7 Targets<'a>, Held::Json(span) => cut Targets { json: cut.slice(*span) };
        metadata 11 Pairs<'a>, Held::Metadata(listed) => cut cut.pairs(*listed);
        changes 12 Changes<'a>, Held::Json(span) => cut Changes { json: cut.slice(*span) };
        context 13 Surroundings<'a>, Held::Context(context) => cut cut.context(context);
        origin 17 Named<'a>, Held::Origin(json, texts) => cut cut.origin(*json, texts);
        data 19 &'a str, Held::Json(span) => cut cut.slice(*span);
    }

    pub(super) fn outcome(&self) -> Field<Outcome> {
        match self.held(8) {
            None => Field::Absent,
            // One of those that there are: [`Located::add`] has seen that, too.
            Some((Held::Outcome(words), cut)) => {
                scan::outcome(cut.slice(words.span)).map_or(Field::Absent, Field::Value)
            }
            Some(_) => self.parsed(8).outcome,
        }
    }

    pub(super) fn offset(&self) -> Field<i32> {
        match self.held(2) {
            None => Field::Absent,
            Some(_) => self.parsed(2).offset,
        }
    }

    /// The well-known field of the context at this place.
    pub(super) fn known(&self, place: usize) -> Field<Text<'a>> {
        match self.held(13) {
            Some((Held::Context(context), cut)) => {
                let words = context.0.get(place).copied().unwrap_or_default();
                cut.words(words)
            }
            _ => super::known(self.context(), place),
        }
    }
}
