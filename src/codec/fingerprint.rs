//! Sixty-four bits of SHA-256 by which a key, an imported record or an origin's id is looked up.
//! A fingerprint only finds candidates: the row itself always confirms them.

use sha2::Digest;
use sha2::Sha256;

use super::row::ImportMark;
use crate::time::Time;

/// Of an application's own idempotency key.
pub(crate) fn key(key: &str) -> u64 {
    of(&[b"key", key.as_bytes()])
}

/// Of the id an event had where it came from.
pub(crate) fn origin_id(id: &str) -> u64 {
    of(&[b"origin", id.as_bytes()])
}

/// Of an imported record without a key: its mapping, its number among its like, and all that the
/// mapping made of it. `time` is the record's own, absent where the store chose it.
pub(crate) fn import(mark: ImportMark<'_>, time: Option<Time>, content: &str) -> u64 {
    let time = time.map_or(-1, Time::as_micros);
    of(&[
        b"import",
        mark.mapping.as_bytes(),
        &mark.repeat.to_le_bytes(),
        &time.to_le_bytes(),
        content.as_bytes(),
    ])
}

/// The first eight bytes of SHA-256 over the parts, each behind its length.
fn of(parts: &[&[u8]]) -> u64 {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let digest = hasher.finalize();
    let head = digest.first_chunk::<8>().copied();
    head.map_or(0, u64::from_le_bytes)
}
