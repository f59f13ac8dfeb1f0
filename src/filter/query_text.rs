//! The text form of a filter that web services document: `event_type=a&metadata[entity_id]=x`, as
//! it stands behind the `?` of an address. Each parameter is a filter flag by another name, so that
//! both mean the same and contradict each other alike. Read strictly: a name that is unknown or
//! malformed is an error, never a filter less.

use crate::filter::field::shown;

/// The parameters, and the flag that each stands for; several values are one parameter several
/// times. `auditee_id`, whatever it sounds like, is documented as who caused the event.
const PARAMETERS: [(&str, &str); 6] = [
    ("event_type", "type"),
    ("sub_type", "sub-type"),
    ("system_source", "source"),
    ("auditee_id", "performer"),
    ("range_start", "since"),
    ("range_end", "until"),
];

/// Parameters that say how an export looks, and what says it here.
const NO_FILTERS: [(&str, &str); 3] = [
    ("file_type", "the format of an export says it"),
    ("locale", "a filter has no language"),
    ("timezone", "times without a zone are read in --tz"),
];

/// One parameter as the flag that it stands for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parameter {
    /// How it was written.
    pub(super) written: String,
    pub(super) flag: &'static str,
    /// The flag's text, in which nothing but the value has a meaning.
    pub(super) text: String,
}

/// Takes the text apart; the error says which parameter is at fault.
pub(super) fn parameters(text: &str) -> Result<Vec<Parameter>, String> {
    let text = text.strip_prefix('?').unwrap_or(text);
    if text.is_empty() {
        return Err("read as no parameter at all; leave the flag out for every event".to_owned());
    }
    let each = |written: &str| {
        let read = parameter(written);
        read.map_err(|why| format!("{}: {why}", shown(written)))
    };
    text.split('&').map(each).collect()
}

fn parameter(written: &str) -> Result<Parameter, String> {
    if written.is_empty() {
        return Err("a parameter is missing between two &".to_owned());
    }
    let (name, value) = written
        .split_once('=')
        .ok_or("read as a name without a value: write NAME=VALUE")?;
    let (name, value) = (decoded(name)?, decoded(value)?);
    let (flag, text) = match bracketed(&name)? {
        (name, None) => (flag_of(name)?, value),
        (name, Some("")) if flag_of(name).is_ok() => (flag_of(name)?, value),
        ("metadata", Some("")) => return Err("read as metadata without a key".to_owned()),
        ("metadata", Some(key)) => {
            // A key ends at its first =.
            let key = literal(key).replace('=', "\\=");
            let text = format!("{key}={}", literal(&value));
            return Ok(Parameter {
                written: written.to_owned(),
                flag: "meta",
                text,
            });
        }
        (name, Some(_)) => return Err(format!("read as {}, which has no members", shown(name))),
    };
    let text = match flag {
        "since" | "until" => text,
        // An id of any kind.
        "performer" => format!(":{}", literal(&text)),
        _ => literal(&text),
    };
    Ok(Parameter {
        written: written.to_owned(),
        flag,
        text,
    })
}

/// `NAME`, or `NAME[MEMBER]`.
fn bracketed(name: &str) -> Result<(&str, Option<&str>), String> {
    let Some((outer, rest)) = name.split_once('[') else {
        return match name.contains(']') {
            true => Err("read as a name with a ] that nothing opened".to_owned()),
            false => Ok((name, None)),
        };
    };
    match rest.strip_suffix(']') {
        Some(member) if !member.contains(['[', ']']) => Ok((outer, Some(member))),
        _ => Err(
            "read as a name whose [ is not closed before the =: write metadata[KEY]=VALUE"
                .to_owned(),
        ),
    }
}

fn flag_of(name: &str) -> Result<&'static str, String> {
    if let Some((_, flag)) = PARAMETERS.iter().find(|(known, _)| *known == name) {
        return Ok(flag);
    }
    if let Some((_, why)) = NO_FILTERS.iter().find(|(known, _)| *known == name) {
        return Err(format!("no filter: {why}"));
    }
    let known: Vec<&str> = PARAMETERS.iter().map(|(known, _)| *known).collect();
    let (name, known) = (shown(name), known.join(", "));
    Err(format!(
        "no parameter {name}; there are {known} and metadata[KEY]"
    ))
}

/// Percent signs and pluses resolved, as forms write them.
fn decoded(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = (rest.next(), rest.next());
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let byte = digit(digits.0).zip(digit(digits.1));
                let byte = byte.and_then(|(high, low)| u8::try_from(16 * high + low).ok());
                byte.ok_or("read as a % without two hexadecimal digits behind it")?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).map_err(|_| "read as bytes that are no UTF-8".to_owned())
}

/// The text as a flag's value that means just this text.
fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, ',' | '!' | '*' | ':' | '\\') {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_parameter_is_a_flag_by_another_name() {
        for (text, flag, value) in [
            ("event_type=assessment", "type", "assessment"),
            ("event_type[]=a*", "type", "a\\*"),
            ("sub_type=a%2Cb", "sub-type", "a\\,b"),
            ("?system_source=task+platform", "source", "task platform"),
            ("auditee_id=!a:b", "performer", ":\\!a\\:b"),
            (
                "range_start=2026-04-10T00:00:00.000Z",
                "since",
                "2026-04-10T00:00:00.000Z",
            ),
            ("range_end=-1d", "until", "-1d"),
            ("metadata[entity_id]=497f", "meta", "entity_id=497f"),
            ("metadata%5Btag%5D=", "meta", "tag="),
            ("metadata[a%3Db]=c=d", "meta", "a\\=b=c=d"),
        ] {
            let read = parameters(text).unwrap_or_else(|why| panic!("{text}: {why}"));
            let written = text.trim_start_matches('?').to_owned();
            let expected = Parameter {
                written,
                flag,
                text: value.to_owned(),
            };
            assert_eq!(read, [expected]);
        }
    }

    #[test]
    fn what_is_malformed_is_an_error_that_names_the_parameter() {
        for (text, why) in [
            ("", "no parameter at all"),
            ("?", "no parameter at all"),
            ("event_type", "a name without a value"),
            ("event_type=a&", "a parameter is missing"),
            ("event_type=a&&sub_type=b", "a parameter is missing"),
            ("metadata[entity_id=497f]", "is not closed before the ="),
            ("metadata[entity_id]x=1", "is not closed before the ="),
            ("metadata[a[b]]=1", "is not closed before the ="),
            ("metadata]=1", "a ] that nothing opened"),
            ("metadata[]=1", "metadata without a key"),
            ("metadata=1", "no parameter \"metadata\""),
            ("event_type[x]=1", "which has no members"),
            (
                "eventtype=1",
                "no parameter \"eventtype\"; there are event_type,",
            ),
            (
                "file_type=csv",
                "no filter: the format of an export says it",
            ),
            ("event_type=%4", "a % without two hexadecimal digits"),
            ("event_type=%zz", "a % without two hexadecimal digits"),
            ("event_type=%ff", "bytes that are no UTF-8"),
        ] {
            match parameters(text) {
                Ok(read) => panic!("{text}: {read:?}"),
                Err(told) => assert!(told.contains(why), "{text}: {told}"),
            }
        }
    }
}
