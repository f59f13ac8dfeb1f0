//! The range of times a filter asks for: what was written, and what it means once "now" is known.

use sha2::Digest;
use sha2::Sha256;

use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::filter::when::Bound;
use crate::filter::when::End;
use crate::time::Time;

/// One end of the range, as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    pub(crate) end: End,
    pub(crate) bound: Bound,
}

/// The times a filter asks for, both ends included and never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    /// The first moment.
    pub(crate) first: Time,
    /// The last moment.
    pub(crate) last: Time,
}

impl Range {
    /// Every time.
    #[cfg(test)]
    pub(crate) const ALL: Range = Range {
        first: Time::MIN,
        last: Time::MAX,
    };

    /// Whether `time` lies in the range.
    pub(crate) fn contains(self, time: Time) -> bool {
        self.first <= time && time <= self.last
    }

    /// What all of `edges` leave, read at `now`; nothing is an error.
    pub(crate) fn resolve(edges: &[Edge], now: Time) -> Result<Range> {
        let mut first = (Time::MIN.as_micros(), None);
        let mut last = (Time::MAX.as_micros(), None);
        for edge in edges {
            let micros = edge.micros(now);
            match edge.end {
                End::Since if micros > first.0 => first = (micros, Some(edge)),
                End::Until if micros < last.0 => last = (micros, Some(edge)),
                End::Before if micros - 1 < last.0 => last = (micros - 1, Some(edge)),
                End::Since | End::Until | End::Before => {}
            }
        }
        match (Time::from_micros(first.0), Time::from_micros(last.0)) {
            (Some(first), Some(last)) if first <= last => Ok(Range { first, last }),
            _ => Err(empty(first.1, last.1, now)),
        }
    }
}

impl Edge {
    fn micros(self, now: Time) -> i64 {
        match self.bound {
            Bound::At(time) => time.as_micros(),
            // Before 1970 there is nothing, so everything further back means the same.
            Bound::Ago(micros) => now
                .as_micros()
                .saturating_sub_unsigned(micros)
                .max(Time::MIN.as_micros()),
        }
    }

    /// What the edge says as a number of its kind; an inclusive and an exclusive spelling of one
    /// moment are one.
    pub(crate) fn order(self) -> (u8, u64) {
        match (self.end, self.bound) {
            (End::Since, Bound::At(time)) => (9, time.as_micros().unsigned_abs()),
            (End::Until, Bound::At(time)) => (10, time.as_micros().unsigned_abs() + 1),
            (End::Before, Bound::At(time)) => (10, time.as_micros().unsigned_abs()),
            (End::Since, Bound::Ago(micros)) => (11, micros),
            (End::Until, Bound::Ago(micros)) => (12, micros),
            (End::Before, Bound::Ago(micros)) => (13, micros),
        }
    }

    /// Feeds the edge to a digest as it was written.
    pub(crate) fn digest(self, hash: &mut Sha256) {
        let (kind, value) = self.order();
        hash.update([kind]);
        hash.update(value.to_le_bytes());
    }

    fn flag(self) -> &'static str {
        match self.end {
            End::Since => "--since",
            End::Until => "--until",
            End::Before => "--before",
        }
    }

    fn shown(self, now: Time) -> String {
        let time = Time::saturating_from_micros(self.micros(now));
        format!("{} {time}", self.flag())
    }
}

fn empty(first: Option<&Edge>, last: Option<&Edge>, now: Time) -> Error {
    let what = match (first, last) {
        (Some(first), Some(last)) => {
            let relation = match last.end {
                End::Before => "is not before",
                End::Since | End::Until => "is after",
            };
            format!(
                "{} {relation} {}: the range is empty",
                first.shown(now),
                last.shown(now)
            )
        }
        (Some(edge), None) | (None, Some(edge)) => {
            format!("{}: no time is left, the range is empty", edge.shown(now))
        }
        (None, None) => "the range is empty".to_owned(),
    };
    Error::new(ErrorKind::Filter, what)
}
