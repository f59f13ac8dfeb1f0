//! The newest events of a value: when it was seen last, and what people called it then.

use crate::codec::content::Entity;
use crate::codec::content::Parts;
use crate::error::Result;
use crate::event::Field;
use crate::filter::FilterField;
use crate::filter::expression::Expression;
use crate::filter::expression::Leaf;
use crate::filter::facet;
use crate::query::page::Bound;
use crate::query::rows::Work;
use crate::query::scan::Found;
use crate::query::scan::Route;
use crate::query::scan::Walker;
use crate::time::Time;

/// Events that are read to find a label: one that was never given must not cost a walk over all
/// that an entity ever did.
const LABEL_EVENTS: usize = 1_000;

/// When the newest event selected that has `term` happened, and the newest label given with it.
/// Events that are not selected tell nothing, so that a filter for one organisation does not show
/// what another calls its people.
pub(super) fn of_term(
    bound: &Bound,
    field: &FilterField,
    term: &[u8],
) -> Result<(Option<Time>, Option<String>)> {
    let of_value = Expression::Leaf(Leaf::Term(term.to_vec()));
    let route = Route {
        expression: Expression::and(vec![bound.route.expression.clone(), of_value]),
        ..bound.route.clone()
    };
    let mut walker = Walker::new(bound.snapshot.clone(), route);
    let mut newest = None;
    for _ in 0..LABEL_EVENTS {
        let Found::Match(position) = walker.step(&mut Work::new(u64::MAX))? else {
            break;
        };
        newest = newest.or(Some(position.occurred_at));
        if !facet::is_entity(term) {
            break;
        }
        let label = walker.parts(|_, parts| Ok(label(parts, field, term)))?;
        if let Some(label) = label.flatten() {
            return Ok((newest, Some(label)));
        }
    }
    Ok((newest, None))
}

/// The label that an event gives the entity of `term`.
fn label(parts: Parts<'_>, field: &FilterField, term: &[u8]) -> Option<String> {
    let given = |entity: Entity<'_>| -> Option<String> {
        let id = entity.id.value().map(|id| id.text());
        let is_it = facet::is_term_of(term, &entity.kind.text(), id.as_deref());
        let label = entity.label.value().filter(|_| is_it)?.text();
        Some(label.into_owned()).filter(|label| !label.is_empty())
    };
    let of = |field: Field<Entity<'_>>| field.value().copied().and_then(given);
    match field {
        FilterField::Performer => of(parts.performer()),
        FilterField::OnBehalfOf => of(parts.on_behalf_of()),
        FilterField::Subject => of(parts.subject()),
        FilterField::Target => of(parts.subject()).or_else(|| {
            let targets = parts.targets();
            targets.value()?.iter().find_map(given)
        }),
        _ => None,
    }
}
