//! `docs/import-mappings.md` says which lines a mapping reads and which member of a source's record
//! becomes which field of an event. It is made from the mapping files by this test, so that they
//! cannot disagree; with `AUDITDB_BLESS` set, it is written anew.

use super::formats;
use super::generic;
use super::record::Value;
use super::record::unescape;
use crate::event::Json;

const BEGIN: &str = "<!-- begin: made from the mapping files -->";
const END: &str = "<!-- end: made from the mapping files -->";

/// One expression in words; the first alternative that gives a value is taken.
fn expression(value: Value<'_>) -> String {
    if value.is_array() {
        let parts: Vec<String> = value.items().map(expression).collect();
        return parts.join(", else ");
    }
    if value.is_string() {
        return format!("`{}`", value.text().unwrap_or_default());
    }
    let text = |key: &str| {
        value
            .get(key)
            .and_then(Value::text)
            .unwrap_or_default()
            .into_owned()
    };
    let mut said = String::new();
    for (key, part) in value.members() {
        said += &match key {
            "at" | "root" => format!("`{}`", text(key)),
            "const" => format!("\u{201c}{}\u{201d}", text(key)),
            "pair" => format!("`{}=`", text(key)),
            "line" => format!("line `{}=`", text(key)),
            "label" => format!("label `{}:`", text(key)),
            "text" => "the text".to_owned(),
            "join" => {
                let parts: Vec<String> = part
                    .items()
                    .map(expression)
                    .map(|part| format!("({part})"))
                    .collect();
                parts.join(&format!(" `{}` ", text("with")))
            }
            _ => continue,
        };
    }
    if let Some(steps) = value.get("then") {
        let steps: Vec<String> = steps.items().map(step).collect();
        said += &format!(" \u{2192} {}", steps.join(", "));
    }
    if let Some(form) = value.get("form").and_then(Value::text) {
        said += &format!(" as {form}");
    }
    said + &condition(value)
}

/// By what a line is known to be the mapping's.
fn detect(file: Value<'_>) -> String {
    let lists = file.get("detect").into_iter().flat_map(Value::items);
    let lists: Vec<String> = lists
        .map(|tests| tests.items().map(test).collect::<Vec<_>>().join(" and "))
        .collect();
    let texts = file.get("text").into_iter().flat_map(Value::items);
    let texts: Vec<String> = texts
        .map(|pointer| match &*pointer.text().unwrap_or_default() {
            "" => "a record that is a text itself".to_owned(),
            pointer => format!("`{pointer}`"),
        })
        .collect();
    let told = match texts.len() {
        0 => String::new(),
        _ => format!(" The text is {}.", texts.join(", else ")),
    };
    format!("Known by {}.{told}", lists.join("; or "))
}

/// One test in words.
fn test(value: Value<'_>) -> String {
    if value.is_string() {
        return expression(value);
    }
    assert!(
        value.get("not").is_none(),
        "this page has no words for `not`"
    );
    let of = value.get("of").map(expression).unwrap_or_default();
    let checks = [
        ("is", "is"),
        ("starts", "begins with"),
        ("ends", "ends with"),
        ("contains", "holds"),
    ];
    let check = checks
        .iter()
        .find_map(|(key, word)| Some((word, value.get(key)?)));
    let (word, asked) = check.expect("a check that this page has words for");
    let asked: Vec<Value<'_>> = match asked.is_array() {
        true => asked.items().collect(),
        false => vec![asked],
    };
    let quoted = asked.iter().map(|text| {
        let text = text.text().unwrap_or_default().replace('\n', "\u{21b5}");
        format!("\u{201c}{text}\u{201d}")
    });
    format!("{of} {word} {}", quoted.collect::<Vec<_>>().join(" or "))
}

fn condition(value: Value<'_>) -> String {
    if value.get("when").is_some() {
        " (on a condition)".to_owned()
    } else {
        String::new()
    }
}

fn step(value: Value<'_>) -> String {
    if value.is_string() {
        return value.text().unwrap_or_default().into_owned();
    }
    let Some((key, argument)) = value.members().find(|(key, _)| *key != "else") else {
        return String::new();
    };
    match key {
        "table" => "by table".to_owned(),
        "bits" => "by bits".to_owned(),
        _ => format!(
            "{} `{}`",
            key.replace('_', " "),
            argument
                .raw()
                .trim_matches('"')
                .replace("\\\\", "\\")
                .replace("\\n", "\u{21b5}")
        ),
    }
}

/// The rows of one field, whose parts have rows of their own.
fn rows(field: &str, value: Value<'_>, out: &mut Vec<(String, String)>) {
    let parts = ["performer", "on_behalf_of", "subject", "targets", "changes"];
    let nested = ["origin", "context", "metadata"];
    if nested.contains(&field) {
        for (key, part) in value.members() {
            let key = unescape(key).unwrap_or_default();
            out.push((format!("{field}.{key}"), expression(part)));
        }
    } else if parts.contains(&field) {
        let alternatives: Vec<Value<'_>> = if value.is_array() {
            value.items().collect()
        } else {
            vec![value]
        };
        for alternative in alternatives {
            let shown = [
                "each",
                "kind",
                "id",
                "label",
                "email",
                "org",
                "external_ref",
                "path",
                "before",
                "after",
            ];
            let said: Vec<String> = shown
                .iter()
                .filter_map(|key| Some(format!("{key} {}", expression(alternative.get(key)?))))
                .collect();
            out.push((field.to_owned(), said.join("; ") + &condition(alternative)));
        }
    } else {
        out.push((field.to_owned(), expression(value)));
    }
}

fn tables() -> String {
    let mut out = String::new();
    for (name, text) in formats::FILES {
        let json = Json::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let file = Value::whole(json.as_str());
        let about = file.get("about").and_then(Value::text).unwrap_or_default();
        let detect = detect(file);
        out += &format!("\n## {name}\n\n{about}. {detect}\n\n| field | from |\n| --- | --- |\n");
        let mut found = Vec::new();
        for (field, value) in file.get("event").into_iter().flat_map(Value::members) {
            rows(field, value, &mut found);
        }
        for (field, from) in found {
            out += &format!("| `{field}` | {} |\n", from.replace('|', "\\|"));
        }
    }
    out += "\n## generic\n\nAny JSON object with a time in it, by well-known names.\n\n| field | names, in this order |\n| --- | --- |\n";
    for (field, names) in [
        ("occurred_at", generic::TIMES),
        ("type", generic::TYPES),
        ("performer", generic::PERFORMERS),
        ("subject", generic::SUBJECTS),
        ("outcome", generic::OUTCOMES),
        ("context.ip", generic::ADDRESSES),
        ("context.user_agent", generic::AGENTS),
        ("origin.id", generic::IDS),
    ] {
        out += &format!("| `{field}` | {} |\n", names.join(", "));
    }
    out + "\n"
}

#[test]
fn the_documentation_shows_the_mapping_files() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/import-mappings.md");
    let page = std::fs::read_to_string(&path).expect("docs/import-mappings.md");
    let (head, rest) = page
        .split_once(BEGIN)
        .expect("the mark where the tables begin");
    let (shown, tail) = rest.split_once(END).expect("the mark where the tables end");
    let made = tables();
    if std::env::var_os("AUDITDB_BLESS").is_some() {
        std::fs::write(&path, format!("{head}{BEGIN}{made}{END}{tail}"))
            .expect("docs/import-mappings.md can be written");
        return;
    }
    assert!(
        shown == made,
        "docs/import-mappings.md differs from the mapping files: AUDITDB_BLESS=1 writes it anew"
    );
}
