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

#[cfg(test)]
mod tests {
    use super::*;

    const CONTENT: &str = r#"{"type":"login"}"#;

    /// Segments keep them: a store of an earlier build is asked for them for ever. The numbers were
    /// computed by another program's SHA-256.
    #[test]
    fn p7_fingerprints_are_what_they_have_always_been() {
        let proven = Proven {
            fingerprint: 0x17c7_3fe0_f80d_c89b,
            proof: 0xe524_4d64_0661_ab98_fc1f_354a_66e6_b044,
        };
        assert_eq!(proven_key("order-7"), proven);
        assert_eq!(key("order-7"), proven.fingerprint);
        assert_eq!(origin_id("order-7"), 0x724a_65ad_f498_d84f);
        let mark = ImportMark {
            mapping: "entries",
            repeat: 3,
        };
        for (time, fingerprint, proof) in [
            (
                None,
                0x3854_3405_4546_c72b,
                0x5c8a_d2c0_f58f_5962_6777_1c99_52c1_f610,
            ),
            (
                Some(Time::MIN),
                0x2149_d67f_bb68_b394,
                0x33be_27c3_eba7_549b_cacc_4c4b_6ac3_2863,
            ),
        ] {
            let proven = Proven { fingerprint, proof };
            assert_eq!(proven_import(mark, time, CONTENT), proven);
            assert_eq!(import(mark, time, CONTENT), fingerprint);
        }
        assert_eq!(
            whole(None, CONTENT),
            0x7441_a228_741b_3c4f_7ac7_7b79_dad9_e1ce
        );
        assert_eq!(
            whole(Some(Time::MIN), CONTENT),
            0x2619_12a6_1a66_c3fa_7c3b_e775_b660_9d51
        );
    }
}
