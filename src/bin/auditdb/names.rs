//! What people are shown in place of a performer, a subject or a target, and of what an event
//! changed: the same words in every table and in `show`, and kinds as the packs call them.

use auditdb::Event;
use auditdb::Field;
use auditdb::MULTIPLE_ATTRIBUTES;
use auditdb::Registry;
use auditdb::ShownName;

/// The name, and behind a label what a filter takes: labels are not unique.
pub(crate) fn named(
    name: ShownName<'_>,
    (kind, id): (&str, &Field<String>),
    registry: &Registry,
) -> String {
    match (name, id.value()) {
        (ShownName::Label(label), id) => {
            format!("{label} ({})", entity(kind, id.map(String::as_str)))
        }
        (name, _) => shown(name, registry),
    }
}

/// The name with its kind as a pack calls it, as exports for people have it.
pub(crate) fn shown(name: ShownName<'_>, registry: &Registry) -> String {
    let called = |kind| registry.kind_label(kind, "en");
    match name {
        ShownName::Unknown { kind, id } if kind != "unknown" => called(kind).map_or_else(
            || name.to_string(),
            |kind| format!("Unknown {kind} with id {id}"),
        ),
        ShownName::Kind(kind) => called(kind).map_or_else(|| name.to_string(), str::to_owned),
        _ => name.to_string(),
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
