//! Sixty-four bits of SHA-256 by which a key, an imported record or an origin's id is looked up.
//! A fingerprint only finds candidates: the row itself always confirms them.

use sha2::Digest;
use sha2::Sha256;

use super::row::ImportMark;
use crate::time::Time;

/// A fingerprint together with what follows it of the digest. Where no row can be looked at, because
/// none is whole in memory, both confirm what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Proven {
    pub(crate) fingerprint: u64,
    pub(crate) proof: u128,
}

/// Of an application's own idempotency key.
pub(crate) fn key(key: &str) -> u64 {
    proven_key(key).fingerprint
}

/// As [`key`].
pub(crate) fn proven_key(key: &str) -> Proven {
    of(&[b"key", key.as_bytes()])
}

/// Of the id an event had where it came from.
pub(crate) fn origin_id(id: &str) -> u64 {
    of(&[b"origin", id.as_bytes()]).fingerprint
}

/// Of an imported record without a key: its mapping, its number among its like, and all that the
/// mapping made of it. `time` is the record's own, absent where the store chose it.
pub(crate) fn import(mark: ImportMark<'_>, time: Option<Time>, content: &str) -> u64 {
    proven_import(mark, time, content).fingerprint
}

/// As [`import`].
pub(crate) fn proven_import(mark: ImportMark<'_>, time: Option<Time>, content: &str) -> Proven {
    let time = time.map_or(-1, Time::as_micros);
    of(&[
        b"import",
        mark.mapping.as_bytes(),
        &mark.repeat.to_le_bytes(),
        &time.to_le_bytes(),
        content.as_bytes(),
    ])
}

/// What tells apart the whole contents of events that have one key; never stored.
pub(crate) fn whole(time: Option<Time>, content: &str) -> u128 {
    let time = time.map_or(-1, Time::as_micros);
    of(&[b"whole", &time.to_le_bytes(), content.as_bytes()]).proof
}

/// The first eight bytes of SHA-256 over the parts, each behind its length, and sixteen more.
fn of(parts: &[&[u8]]) -> Proven {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let digest = hasher.finalize();
    let mut parts = digest.chunks_exact(8).map(|part| {
        let part = part.first_chunk::<8>().copied();
        part.map_or(0, u64::from_le_bytes)
    });
    let mut next = || parts.next().unwrap_or(0);
    Proven {
        fingerprint: next(),
        proof: u128::from(next()) << 64 | u128::from(next()),
    }
}
