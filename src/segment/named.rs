//! Where the key and the origin's id of an input's rows stand, by the templates that rows are put
//! together from: a merge then takes the fingerprints of a row without taking its content apart.
//! Learned from rows that were taken apart, each template once.

use core::ops::Range;

use super::notes::Trace;
use super::notes::TracedLeaf;
use super::schema::Schema;
use crate::codec::content::Content;
use crate::codec::content::Text;

/// What the templates of an input say.
pub(super) struct Named {
    roles: Vec<Role>,
    /// How many leaves each template has.
    leaves: Vec<usize>,
}

/// What a template says of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// No row that has it was taken apart yet.
    Unknown,
    Neither,
    /// This leaf is the key.
    Key(usize),
    /// This leaf is the origin's id.
    Origin(usize),
    /// There may be one that is no leaf by itself.
    Odd,
}

/// The key and the origin's id of a row, each if it has one.
pub(super) type Names<'r> = (Option<&'r str>, Option<&'r str>);

impl Named {
    /// Nothing yet of an input with this schema.
    pub(super) fn new(schema: &Schema) -> Named {
        let leaves: Vec<usize> = schema.leaf_counts().collect();
        Named {
            roles: vec![Role::Unknown; leaves.len()],
            leaves,
        }
    }

    /// What a row of this content is named by; `None` if only taking it apart can tell.
    pub(super) fn find<'r>(&self, trace: &Trace, content: &'r str) -> Option<Names<'r>> {
        let (mut key, mut origin) = (None, None);
        let mut at = 0;
        for template in &trace.templates {
            let text = |leaf: &usize| {
                let leaf = trace.leaves.get(at + leaf)?;
                let text = content.get(leaf.range.clone());
                text.filter(|text| !text.contains('\\'))
            };
            match self.roles.get(*template as usize)? {
                Role::Unknown | Role::Odd => return None,
                Role::Neither => {}
                Role::Key(leaf) => key = Some(text(leaf)?),
                Role::Origin(leaf) => origin = Some(text(leaf)?),
            }
            at += self.leaves.get(*template as usize)?;
        }
        Some((key, origin))
    }

    /// Learns from a row whose content `text` was taken apart.
    pub(super) fn learn(&mut self, trace: &Trace, text: &str, content: &Content<'_>) {
        let place = |found: Text<'_>| {
            let start = found.raw().as_ptr().addr() - text.as_ptr().addr();
            start..start + found.raw().len()
        };
        let key = content.key.value().copied().map(place);
        let origin = content.origin_id().map(place);
        let mut missing = usize::from(key.is_some()) + usize::from(origin.is_some());
        let mut told: Vec<(usize, Role)> = Vec::with_capacity(trace.templates.len());
        let mut at = 0;
        for template in &trace.templates {
            let template = *template as usize;
            let count = self.leaves.get(template).copied().unwrap_or(0);
            let own = trace.leaves.get(at..at + count).unwrap_or_default();
            let role = role(own, text, key.as_ref(), origin.as_ref());
            missing -= usize::from(matches!(role, Role::Key(_) | Role::Origin(_)));
            told.push((template, role));
            at += count;
        }
        for (template, role) in told {
            if let Some(slot) = self
                .roles
                .get_mut(template)
                .filter(|slot| **slot == Role::Unknown)
            {
                *slot = match role {
                    Role::Neither if missing > 0 => Role::Odd,
                    role => role,
                };
            }
        }
    }
}

/// What a template says whose leaves these are.
fn role(
    own: &[TracedLeaf],
    text: &str,
    key: Option<&Range<usize>>,
    origin: Option<&Range<usize>>,
) -> Role {
    let is = |wanted: &Range<usize>| own.iter().position(|leaf| leaf.range == *wanted);
    // A member that is kept whole, of which another row may have more.
    let is_whole = own.iter().any(|leaf| {
        let leaf = text.get(leaf.range.clone()).unwrap_or_default();
        leaf.starts_with("\"key\":") || leaf.starts_with("\"origin\":")
    });
    match (key.and_then(is), origin.and_then(is)) {
        _ if is_whole => Role::Odd,
        (Some(leaf), _) => Role::Key(leaf),
        (_, Some(leaf)) => Role::Origin(leaf),
        _ => Role::Neither,
    }
}
