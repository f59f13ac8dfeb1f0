//! What people are shown in place of a performer, a subject or a target, and of what an event
//! changed: the same words in every table and in `show`.

use auditdb::Event;
use auditdb::Field;
use auditdb::MULTIPLE_ATTRIBUTES;
use auditdb::ShownName;

/// The name, and behind a label what a filter takes: labels are not unique.
pub(crate) fn named(name: ShownName<'_>, kind: &str, id: &Field<String>) -> String {
    match (name, id.value()) {
        (ShownName::Label(label), id) => {
            format!("{label} ({})", entity(kind, id.map(String::as_str)))
        }
        (name, _) => name.to_string(),
    }
}

/// An entity as a filter takes it.
pub(crate) fn entity(kind: &str, id: Option<&str>) -> String {
    id.map_or_else(|| kind.to_owned(), |id| format!("{kind}:{id}"))
}

/// The attribute that an event changed, or that there were several.
pub(crate) fn changed(event: &Event) -> String {
    match event.changes.value().map(Vec::as_slice) {
        None | Some([]) => String::new(),
        Some(_) if event.changes_several() => MULTIPLE_ATTRIBUTES.to_owned(),
        Some([change, ..]) => change.path.clone(),
    }
}
