//! Rows A9 and B8 to B10: one event whole, with previous and updated values side by side, and what
//! is absent told from what is null and what is empty.

use serde_json::Value;

use crate::cli::Place;

/// A store with this event, and the event's id.
fn place(line: &str) -> (Place, String) {
    let place = Place::new();
    let out = place.run(&["append", "DB"], line.as_bytes()).done().text();
    let receipt: Value = serde_json::from_str(&out).expect("a receipt");
    let id = receipt["id"].as_str().expect("an id").to_owned();
    (place, id)
}

/// The line of `told` for the field `name`.
fn field<'a>(told: &'a str, name: &str) -> Option<&'a str> {
    let line = told
        .lines()
        .find(|line| line.split(' ').next() == Some(name));
    line.map(|line| line[name.len()..].trim_start())
}

#[test]
fn mission_a9_details_show_previous_and_updated_values_side_by_side() {
    let long = "x".repeat(5_000);
    let line = format!(
        r#"{{"type":"user.updated","performer":{{"kind":"admin","id":"a1","label":"Ada"}},
        "subject":{{"kind":"user","id":"u1"}},"targets":[{{"kind":"form","id":"536"}},{{"kind":"role","id":"r1","label":"Clerk"}}],
        "changes":[{{"path":"bio","before":"{long}","after":null}},{{"path":"size","before":1.50}}],
        "context":{{"ip":"::1","session_id":"s1"}},"caused_by":"evt_0","reason":"asked for"}}"#
    );
    let (place, id) = place(&line);
    let told = place.out(&["show", "DB", &id]);
    assert!(told.starts_with(&format!("user.updated  {id}\n")), "{told}");
    for (name, value) in [
        ("event", "Update User: Multiple Attributes Updated"),
        ("performer", "Ada (admin:a1)"),
        ("subject", "Unknown User with id u1 (user:u1)"),
        ("target", "Unknown Form with id 536 (form:536)"),
        ("reason", "asked for"),
        ("caused_by", "evt_0"),
        ("context", "ip=::1  session_id=s1"),
    ] {
        assert_eq!(field(&told, name), Some(value), "{name}: {told}");
    }
    assert!(told.contains("target        Clerk (role:r1)\n"), "{told}");
    let changes: Vec<Vec<&str>> = told
        .lines()
        .skip_while(|line| *line != "changes")
        .skip(1)
        .map(|line| line.split_whitespace().collect())
        .collect();
    let whole = format!("\"{long}\"");
    assert_eq!(
        changes,
        [
            ["ATTRIBUTE", "PREVIOUS", "UPDATED"],
            ["bio", &whole, "null"],
            ["size", "1.50", "-"]
        ],
        "in full, and absent is not null"
    );
    let json = place.json(&["show", "DB", &id, "-o", "json"]);
    assert_eq!(json["changes"][0]["before"], long);
}

#[test]
fn mission_b8_an_external_reference_that_is_not_there_is_not_shown() {
    for (given, shown) in [
        ("", "Guest (anonymous_login:c1)"),
        (
            r#","external_ref":null"#,
            "Guest (anonymous_login:c1)  external_ref=null",
        ),
        (
            r#","external_ref":"""#,
            "Guest (anonymous_login:c1)  external_ref=\"\"",
        ),
    ] {
        let line = format!(
            r#"{{"type":"a","subject":{{"kind":"anonymous_login","id":"c1","label":"Guest"{given}}}}}"#
        );
        let (place, id) = place(&line);
        assert_eq!(
            field(&place.out(&["show", "DB", &id]), "subject"),
            Some(shown)
        );
        let json = place.out(&["show", "DB", &id, "-o", "json"]);
        assert!(
            json.contains(&format!("\"label\":\"Guest\"{given}}}")),
            "{json}"
        );
    }
}

#[test]
fn mission_b9_an_external_reference_is_shown() {
    let (place, id) = place(
        r#"{"type":"a","subject":{"kind":"user","id":"u1","external_ref":"HR-7"},
        "performer":{"kind":"admin","label":null,"external_ref":"HR-1"}}"#,
    );
    let told = place.out(&["show", "DB", &id]);
    let subject = "Unknown User with id u1 (user:u1)  external_ref=HR-7";
    assert_eq!(field(&told, "subject"), Some(subject));
    let performer = "Administrator (admin)  label=null  external_ref=HR-1";
    assert_eq!(field(&told, "performer"), Some(performer));
}

#[test]
fn mission_b10_control_characters_of_a_name_do_not_reach_people() {
    let (place, id) = place(
        r#"{"type":"a","subject":{"kind":"user","label":"\u001b[31mE\u202eve"},
        "changes":[{"path":"a\u0007","before":"\u001b[2J"}]}"#,
    );
    let told = place.out(&["show", "DB", &id]);
    assert!(!told.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{told:?}");
    assert!(told.contains("\\u001b[31mE\\u202eve (user)"), "{told}");
}
