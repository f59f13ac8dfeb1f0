//! The file of a saved query, `docs/format/query.md`: a line of JSON, and a line with its checksum.

use std::path::Path;

use serde::Deserialize;
use serde::Serialize;

use super::SavedQuery;
use crate::codec::checksum;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

const VERSION: u32 = 1;

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    query: u32,
    zone: String,
    flags: Vec<(String, String)>,
}

/// The bytes of `query`.
pub(crate) fn encode(query: &SavedQuery) -> Result<String> {
    let line = Line {
        query: VERSION,
        zone: query.zone.clone(),
        flags: query.flags.clone(),
    };
    let line = serde_json::to_string(&line).map_err(|error| {
        Error::new(ErrorKind::OutOfRange, "the query cannot be written").with_source(error)
    })?;
    let sum = checksum::crc32(line.as_bytes());
    Ok(format!("{line}\ncrc32 {sum:08x}\n"))
}

/// The query in the bytes of `file`.
pub(crate) fn decode(bytes: &[u8], file: &Path) -> Result<SavedQuery> {
    let corrupt = |offset: usize, what: &str| Error::corrupt(file, offset as u64, what);
    let text = core::str::from_utf8(bytes)
        .map_err(|error| corrupt(error.valid_up_to(), "the saved query is no UTF-8"))?;
    let (line, rest) = text
        .split_once('\n')
        .ok_or_else(|| corrupt(text.len(), "the saved query ends within its first line"))?;
    let sum = checksum::crc32(line.as_bytes());
    if rest != format!("crc32 {sum:08x}\n") {
        return Err(corrupt(
            line.len() + 1,
            "the saved query has a wrong checksum",
        ));
    }
    let read: Line = serde_json::from_str(line).map_err(|error| {
        corrupt(
            error.column(),
            "the saved query is none that this version knows",
        )
        .with_source(error)
    })?;
    if read.query != VERSION {
        let what = format!("a saved query of version {}, not {VERSION}", read.query);
        return Err(Error::new(ErrorKind::Unsupported, what).in_file(file));
    }
    Ok(SavedQuery {
        flags: read.flags,
        zone: read.zone,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../docs/format/query.md");

    fn example() -> SavedQuery {
        let flag = |flag: &str, text: &str| (flag.to_owned(), text.to_owned());
        SavedQuery {
            flags: vec![flag("last", "24h"), flag("outcome", "denied,failure")],
            zone: "Europe/Berlin".to_owned(),
        }
    }

    #[test]
    fn the_example_of_the_page_is_what_the_code_makes() {
        let encoded = encode(&example()).expect("an encoding");
        assert!(
            PAGE.contains(&format!("```text\n{encoded}```")),
            "{encoded}"
        );
        let decoded = decode(encoded.as_bytes(), Path::new("x")).expect("a query");
        assert_eq!(decoded, example());
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let encoded = encode(&example()).expect("an encoding").into_bytes();
        for len in 0..encoded.len() {
            let cut = encoded.get(..len).unwrap_or_default();
            assert!(decode(cut, Path::new("x")).is_err(), "cut to {len}");
        }
        for bit in 0..8 * encoded.len() {
            let mut flipped = encoded.clone();
            if let Some(byte) = flipped.get_mut(bit / 8) {
                *byte ^= 1 << (bit % 8);
            }
            let error = decode(&flipped, Path::new("x")).expect_err("a refusal");
            assert!(error.is_corrupt(), "bit {bit}: {error}");
        }
    }

    #[test]
    fn another_version_is_refused_by_its_number() {
        let line = r#"{"query":2,"zone":"UTC","flags":[]}"#;
        let sum = checksum::crc32(line.as_bytes());
        let file = format!("{line}\ncrc32 {sum:08x}\n");
        let error = decode(file.as_bytes(), Path::new("x")).expect_err("a refusal");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }
}
