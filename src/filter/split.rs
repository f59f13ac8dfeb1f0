//! A filter in two: what indexes may answer, and what has to be asked of the event as it is shown.

use crate::filter::Condition;
use crate::filter::Filter;
use crate::filter::FilterField;

impl Filter {
    /// The filter with the conditions that name none but fields of which `is_indexed` holds;
    /// and the other conditions, all of which have to hold too.
    pub(crate) fn split(self, is_indexed: fn(&FilterField) -> bool) -> (Filter, Vec<Condition>) {
        let conditions = self.conditions.into_iter();
        let (conditions, rest) = conditions.partition(|one| names_only(one, is_indexed));
        let edges = self.edges;
        (Filter { conditions, edges }, rest)
    }
}

fn names_only(condition: &Condition, is_indexed: fn(&FilterField) -> bool) -> bool {
    match condition {
        Condition::All(members) | Condition::Any(members) => {
            members.iter().all(|member| names_only(member, is_indexed))
        }
        Condition::Not(member) => names_only(member, is_indexed),
        Condition::Field(field, _) => is_indexed(field),
        // An id may be the one that an event had where it came from, and words may stand in a label that
        // is not shown.
        Condition::Id(_) | Condition::OriginId(_) | Condition::Key(_) | Condition::Text(_) => false,
    }
}
