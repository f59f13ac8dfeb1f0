//! Which stored terms a term stands for. An entity is stored once, by kind and id, under its role:
//! its id whatever the kind is found kind by kind, and a target is a subject or a further target.
//! Docs: `docs/format/terms.md` has the terms, `docs/format/segment.md` which of them are stored.

use super::reader::Reader;
use super::terms::Rows;
use crate::error::Result;
use crate::filter::term;
use crate::filter::term::Role;

/// Codes of an entity's id, and of the pairs it is found in.
const IDS: [(u8, &[u8]); 4] = [
    (term::SUBJECT.id, &[term::SUBJECT.pair]),
    (term::TARGET.id, &[term::SUBJECT.pair, term::TARGET.pair]),
    (term::PERFORMER.id, &[term::PERFORMER.pair]),
    (term::ON_BEHALF_OF.id, &[term::ON_BEHALF_OF.pair]),
];
/// Codes of targets, and of the subject's terms that are among them.
const TARGETS: [(u8, u8); 2] = [
    (term::TARGET.kind, term::SUBJECT.kind),
    (term::TARGET.pair, term::SUBJECT.pair),
];

/// Stored terms that stand for terms of one code: those beginning with `prefix`, which then begin
/// with the code's own prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lane {
    pub(super) prefix: Vec<u8>,
    pub(super) own: Vec<u8>,
}

impl Lane {
    /// The stored term of a term of this lane.
    pub(super) fn stored(&self, found: &[u8]) -> Option<Vec<u8>> {
        let rest = found.strip_prefix(self.own.as_slice())?;
        Some([&self.prefix, rest].concat())
    }
}

/// The lanes of a code.
pub(super) fn lanes(reader: &Reader, code: u8) -> Result<Vec<Lane>> {
    if let Some((_, pairs)) = IDS.iter().find(|(id, _)| *id == code) {
        let mut lanes = Vec::new();
        for pair in *pairs {
            for kind in kinds(reader, *pair)? {
                lanes.push(Lane {
                    prefix: [&[*pair, term::VALUE], kind.as_slice(), &[0]].concat(),
                    own: vec![code, term::VALUE],
                });
            }
        }
        return Ok(lanes);
    }
    let mut lanes = vec![Lane {
        prefix: vec![code],
        own: vec![code],
    }];
    if let Some((_, subject)) = TARGETS.iter().find(|(target, _)| *target == code) {
        lanes.push(Lane {
            prefix: vec![*subject],
            own: vec![code],
        });
    }
    Ok(lanes)
}

/// The kinds of the entities that are stored under this code, in order.
fn kinds(reader: &Reader, pair: u8) -> Result<Vec<Vec<u8>>> {
    let mut kinds: Vec<Vec<u8>> = Vec::new();
    let mut from = vec![pair, term::VALUE];
    while let Some(found) = reader.stored_at_or_after(&from)? {
        let Some(rest) = found.strip_prefix(&[pair, term::VALUE]) else {
            break;
        };
        let kind = rest
            .split(|byte| *byte == 0)
            .next()
            .unwrap_or_default()
            .to_vec();
        // No kind holds a control character, so whatever has this kind is below.
        from = [&[pair, term::VALUE], kind.as_slice(), &[1]].concat();
        kinds.push(kind);
    }
    Ok(kinds)
}

/// The lists of rows that make up those of `term`.
pub(super) fn find(reader: &Reader, wanted: &[u8]) -> Result<Vec<Rows>> {
    let Some(code) = wanted.first() else {
        return Ok(Vec::new());
    };
    if let Some(lists) = reader.found().get(wanted) {
        return Ok(lists);
    }
    let mut lists = Vec::new();
    for lane in lanes(reader, *code)? {
        if let Some(stored) = lane.stored(wanted)
            && let Some(rows) = reader.stored_rows(&stored)?
        {
            lists.push(rows);
        }
    }
    reader.found().put(wanted, &lists);
    Ok(lists)
}

/// The last code of all.
pub(super) const CODE_MAX: u8 = {
    let Role { id, .. } = term::ON_BEHALF_OF;
    id
};
