//! Names that stand for one type or kind: a filter for any of them finds all of them. Each pattern
//! is widened in its place, so that what a filter leaves out is widened too; what is stored, shown
//! and counted keeps the name it was given.

use crate::filter::Filter;
use crate::filter::condition::Condition;
use crate::filter::condition::Pattern;
use crate::filter::field::FilterField;
use crate::filter::field::Shape;
use crate::registry::Registry;

impl Filter {
    /// This filter, with each type and kind in it standing for its other names in `registry` too.
    /// A cursor belongs to the filter as it was widened.
    ///
    /// ```
    /// use auditdb::{Filter, FilterField, Registry};
    ///
    /// let asked = Filter::new().is_entity(FilterField::Subject, "anonymous_login", "c1");
    /// let widened = asked.with_aliases(&Registry::built_in());
    /// assert_eq!(
    ///     widened.to_string(),
    ///     "(subject is of kind \"anonymous_login\" with id \"c1\" or \
    ///      subject is of kind \"confidential_login\" with id \"c1\")"
    /// );
    /// ```
    #[must_use]
    pub fn with_aliases(mut self, registry: &Registry) -> Filter {
        for condition in &mut self.conditions {
            widen(condition, registry);
        }
        self
    }
}

fn widen(condition: &mut Condition, registry: &Registry) {
    match condition {
        Condition::All(members) | Condition::Any(members) => {
            members
                .iter_mut()
                .for_each(|member| widen(member, registry));
        }
        Condition::Not(member) => widen(member, registry),
        Condition::Field(field, pattern) => {
            let also = others(field, pattern, registry);
            if !also.is_empty() {
                let asked = core::iter::once(pattern.clone());
                *condition = Condition::any_of(field, asked.chain(also));
            }
        }
        Condition::Id(_) | Condition::OriginId(_) | Condition::Key(_) | Condition::Text(_) => {}
    }
}

/// The patterns of the other names that `pattern` stands for.
fn others(field: &FilterField, pattern: &Pattern, registry: &Registry) -> Vec<Pattern> {
    match (field.shape(), pattern) {
        (_, Pattern::Is(name)) => {
            let names = names_of(field, registry, |known| known == name);
            names.map(Pattern::Is).collect()
        }
        (_, Pattern::Prefix(prefix)) => {
            let names = names_of(field, registry, |known| known.starts_with(prefix));
            names.map(Pattern::Is).collect()
        }
        (
            Shape::Entity(_),
            Pattern::Id {
                kind: Some(kind),
                id,
            },
        ) => {
            let of_kind = |kind| Pattern::Id {
                kind: Some(kind),
                id: id.clone(),
            };
            let names = names_of(field, registry, |known| known == kind);
            names.map(of_kind).collect()
        }
        (
            Shape::Entity(_),
            Pattern::IdPrefix {
                kind: Some(kind),
                prefix,
            },
        ) => {
            let of_kind = |kind| Pattern::IdPrefix {
                kind: Some(kind),
                prefix: prefix.clone(),
            };
            let names = names_of(field, registry, |known| known == kind);
            names.map(of_kind).collect()
        }
        _ => Vec::new(),
    }
}

/// The names that are not asked for themselves, of all things that have a name which is.
fn names_of(
    field: &FilterField,
    registry: &Registry,
    is_asked: impl Fn(&str) -> bool,
) -> impl Iterator<Item = String> {
    let mut found = Vec::new();
    let mut add = |names: Vec<&str>| {
        let (asked, other): (Vec<&str>, Vec<&str>) =
            names.into_iter().partition(|name| is_asked(name));
        if !asked.is_empty() {
            found.extend(other.into_iter().map(str::to_owned));
        }
    };
    match field.shape() {
        Shape::Entity(_) | Shape::Kind(_) => {
            for (name, aliases) in registry.kinds() {
                add(core::iter::once(name)
                    .chain(aliases.iter().map(String::as_str))
                    .collect());
            }
        }
        _ if *field == FilterField::Type => {
            for known in registry.types() {
                add(known.names().collect());
            }
        }
        _ => {}
    }
    found.into_iter()
}
