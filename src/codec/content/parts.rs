//! The fields of a content, whichever way it was taken apart: parsed as a whole, or located by the
//! outlines of its templates. Both give the same; what is located is looked at field by field.

use super::Changes;
use super::Content;
use super::Entity;
use super::Located;
use super::Named;
use super::Pairs;
use super::Surroundings;
use super::Targets;
use super::Text;
use crate::event::Event;
use crate::event::Field;
use crate::event::Outcome;

/// A content taken apart.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Parts<'a> {
    Parsed(&'a Content<'a>),
    Located(&'a Located<'a>),
}

macro_rules! fields {
    ($($name:ident $type:ty;)*) => {
        $(#[inline]
        pub(crate) fn $name(self) -> $type {
            match self {
                Parts::Parsed(content) => content.$name,
                Parts::Located(located) => located.$name(),
            }
        })*
    };
}

impl<'a> Parts<'a> {
    fields! {
        event_type Text<'a>;
        sub_type Field<Text<'a>>;
        offset Field<i32>;
        org Field<Text<'a>>;
        performer Field<Entity<'a>>;
        on_behalf_of Field<Entity<'a>>;
        subject Field<Entity<'a>>;
        targets Field<Targets<'a>>;
        outcome Field<Outcome>;
        reason Field<Text<'a>>;
        source Field<Text<'a>>;
        metadata Field<Pairs<'a>>;
        changes Field<Changes<'a>>;
        context Field<Surroundings<'a>>;
        batch Field<Text<'a>>;
        caused_by Field<Text<'a>>;
        correlation Field<Text<'a>>;
        origin Field<Named<'a>>;
        key Field<Text<'a>>;
        data Field<&'a str>;
    }

    /// The well-known field of the context at this place of [`crate::event::Context::KEYS`].
    pub(crate) fn known(self, place: usize) -> Field<Text<'a>> {
        match self {
            Parts::Parsed(content) => super::known(content.context, place),
            Parts::Located(located) => located.known(place),
        }
    }

    /// The id the event had where it came from.
    pub(crate) fn origin_id(self) -> Option<Text<'a>> {
        self.origin().value()?.id.value().copied()
    }

    /// All fields at once.
    pub(crate) fn content(self) -> Content<'a> {
        if let Parts::Parsed(content) = self {
            return *content;
        }
        Content {
            event_type: self.event_type(),
            sub_type: self.sub_type(),
            offset: self.offset(),
            org: self.org(),
            performer: self.performer(),
            on_behalf_of: self.on_behalf_of(),
            subject: self.subject(),
            targets: self.targets(),
            outcome: self.outcome(),
            reason: self.reason(),
            source: self.source(),
            metadata: self.metadata(),
            changes: self.changes(),
            context: self.context(),
            batch: self.batch(),
            caused_by: self.caused_by(),
            correlation: self.correlation(),
            origin: self.origin(),
            key: self.key(),
            data: self.data(),
        }
    }

    /// The event, without the time that its row holds.
    pub(crate) fn event(self) -> Event {
        self.content().event()
    }
}
