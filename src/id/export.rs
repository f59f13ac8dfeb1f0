//! The name of one export: what its records in the trail, its job and its file are found by.

use core::fmt;
use core::str::FromStr;

use sha2::Digest;
use sha2::Sha256;

use crate::error::Error;
use crate::error::ErrorKind;

/// `exp_` and 26 characters of 128 bits, in the base 32 of event ids.
///
/// ```
/// use auditdb::ExportId;
///
/// let id = ExportId::of_key("nightly-2026-05-17");
/// assert_eq!(id.to_string().parse::<ExportId>()?, id);
/// assert!(id.to_string().starts_with("exp_"));
/// # Ok::<(), auditdb::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExportId(u128);

const PREFIX: &str = "exp_";
const DIGITS: u32 = 26;
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

impl ExportId {
    /// The name that an export started under `key` has: the same for the same key.
    #[must_use]
    pub fn of_key(key: &str) -> ExportId {
        let digest = Sha256::new_with_prefix(b"auditdb export 1\0").chain_update(key);
        let bits = digest
            .finalize()
            .iter()
            .take(16)
            .fold(0, |bits, byte| bits << 8 | u128::from(*byte));
        ExportId(bits)
    }

    /// A name that no other export has.
    pub(crate) fn from_random(bytes: [u8; 16]) -> ExportId {
        ExportId(u128::from_le_bytes(bytes))
    }
}

impl fmt::Display for ExportId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::from(PREFIX);
        for digit in (0..DIGITS).rev() {
            let letter = ALPHABET.get((self.0 >> (5 * digit) & 31) as usize);
            text.push(letter.map_or('0', |letter| char::from(*letter)));
        }
        formatter.pad(&text)
    }
}

/// As [`fmt::Display`]: the text is what an export is called.
impl fmt::Debug for ExportId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for ExportId {
    type Err = Error;

    fn from_str(text: &str) -> Result<ExportId, Error> {
        let digits = text.strip_prefix(PREFIX).unwrap_or_default();
        let value = |letter| ALPHABET.iter().position(|known| *known == letter);
        let bits = digits.bytes().try_fold(0_u128, |bits, letter| {
            Some(bits << 5 | value(letter)? as u128)
        });
        let id = bits.map(ExportId).filter(|id| id.to_string() == text);
        id.ok_or_else(|| {
            let what = format!("{text:?} is no name of an export (exp_ and 26 base-32 characters)");
            Error::new(ErrorKind::OutOfRange, what)
        })
    }
}
