//! CSV files of the layouts for programs, read back: each record becomes the native line that it was
//! made of, so that it is the same event, with the same identity, as that line. Headings say which
//! columns there are; those that only show something are passed over, and unknown ones are refused.
//! `docs/format/csv.md` is what this undoes.

use crate::event::Json;
use crate::layout::CsvSafety;

/// How a cell becomes JSON.
#[derive(Clone, Copy, Debug)]
enum Form {
    Text,
    Number,
    /// JSON, which says by itself what is null.
    Json,
    /// An object whose members stand in the object around it.
    Members,
}

/// A member of the native line.
struct Member {
    /// The object it stands in; the line itself where it has no name.
    object: &'static str,
    key: &'static str,
    form: Form,
    /// The columns that hold it, the one that counts first.
    columns: &'static [&'static str],
}

macro_rules! members {
    ($($object:literal $key:literal $form:ident $columns:expr;)*) => {
        &[$(Member { object: $object, key: $key, form: Form::$form, columns: &$columns }),*]
    };
}

/// The members in the order of the native line.
const MEMBERS: &[Member] = members![
    "" "id" Text ["event_id", "id"];
    "" "seq" Number ["seq"];
    "" "type" Text ["type"];
    "" "sub_type" Text ["sub_type"];
    "" "occurred_at" Text ["occurred_at"];
    "" "offset" Number ["offset"];
    "" "recorded_at" Text ["recorded_at"];
    "" "org" Text ["org"];
    "performer" "kind" Text ["performer_kind", "actor_kind"];
    "performer" "id" Text ["performer_id", "actor_id"];
    "performer" "label" Text ["performer_label", "actor_label"];
    "performer" "email" Text ["performer_email", "actor_email"];
    "performer" "org" Text ["performer_org", "actor_org"];
    "performer" "external_ref" Text ["performer_external_ref", "actor_external_ref"];
    "on_behalf_of" "kind" Text ["on_behalf_of_kind"];
    "on_behalf_of" "id" Text ["on_behalf_of_id"];
    "on_behalf_of" "label" Text ["on_behalf_of_label"];
    "on_behalf_of" "email" Text ["on_behalf_of_email"];
    "on_behalf_of" "org" Text ["on_behalf_of_org"];
    "on_behalf_of" "external_ref" Text ["on_behalf_of_external_ref"];
    "" "on_behalf_of" Json ["on_behalf_of_json"];
    "subject" "kind" Text ["subject_kind", "target_kind"];
    "subject" "id" Text ["subject_id", "target_id"];
    "subject" "label" Text ["subject_label", "target_label"];
    "subject" "external_ref" Text ["subject_external_ref", "target_external_ref"];
    "" "targets" Json ["targets_json"];
    "" "outcome" Text ["outcome"];
    "" "reason" Text ["reason"];
    "" "source" Text ["source"];
    "" "metadata" Json ["metadata_json"];
    "" "changes" Json ["changes_json"];
    "context" "ip" Text ["context_ip"];
    "context" "user_agent" Text ["context_user_agent"];
    "context" "fingerprint" Text ["context_fingerprint"];
    "context" "geo" Text ["context_geo"];
    "context" "request_id" Text ["context_request_id"];
    "context" "session_id" Text ["context_session_id"];
    "context" "further" Members ["context_further_json"];
    "" "batch" Text ["batch"];
    "" "caused_by" Text ["caused_by"];
    "" "correlation" Text ["correlation"];
    "origin" "store" Text ["origin_store"];
    "origin" "id" Text ["origin_id"];
    "origin" "seq" Number ["origin_seq"];
    "origin" "recorded_at" Text ["origin_recorded_at"];
    "" "origin" Json ["origin_json"];
    "" "key" Text ["key"];
    "" "data" Json ["data_json"];
];

/// Columns that show what others hold.
const SHOWN: [&str; 3] = ["occurred_at_local", "type_label", "outcome_label"];

/// The columns whose cells name fields that are null, and that are empty.
const MARKS: [&str; 2] = ["null_fields", "empty_fields"];

/// The columns of one file.
#[derive(Debug)]
pub(super) struct Columns {
    /// The place of each member's cell.
    places: Vec<Option<usize>>,
    marks: [Option<usize>; 2],
    count: usize,
    /// A `'` at a cell's beginning is the guard's.
    guarded: bool,
}

/// One record while its line is put together.
struct Line<'c> {
    cells: Vec<&'c str>,
    marks: [Vec<&'c str>; 2],
    text: String,
}

impl Columns {
    /// Reads headings: `None` for a line that is none, an error for ones that are not understood.
    pub(super) fn read(head: &[u8], safety: CsvSafety) -> Option<Result<Columns, String>> {
        let head = cells(head).ok()?;
        let has = |name: &str| head.iter().any(|heading| heading == name);
        (has("type") && has("occurred_at")).then(|| Columns::of(&head, safety))
    }

    fn of(head: &csv::StringRecord, safety: CsvSafety) -> Result<Columns, String> {
        for (place, name) in head.iter().enumerate() {
            let member = MEMBERS.iter().any(|member| member.columns.contains(&name));
            if !member && !SHOWN.contains(&name) && !MARKS.contains(&name) {
                return Err(format!("no layout has a column {name:?}"));
            }
            if head.iter().take(place).any(|other| other == name) {
                return Err(format!("there are two columns {name:?}"));
            }
        }
        let place = |name: &str| head.iter().position(|heading| heading == name);
        let member = |member: &Member| member.columns.iter().find_map(|name| place(name));
        Ok(Columns {
            places: MEMBERS.iter().map(member).collect(),
            marks: MARKS.map(place),
            count: head.len(),
            guarded: safety != CsvSafety::Raw,
        })
    }

    /// The native line that a record was made of.
    pub(super) fn line(&self, record: &[u8]) -> Result<String, String> {
        let record = cells(record)?;
        if record.len() != self.count {
            let (found, wanted) = (record.len(), self.count);
            return Err(format!("{found} cells under {wanted} headings"));
        }
        let undone = |cell| match self.guarded {
            true => str::strip_prefix(cell, '\'').unwrap_or(cell),
            false => cell,
        };
        let cells: Vec<&str> = record.iter().map(undone).collect();
        let marks = self.marks.map(|place| {
            let names = place.and_then(|place| cells.get(place));
            names.map_or_else(Vec::new, |names| names.split(' ').collect())
        });
        let mut line = Line {
            cells,
            marks,
            text: String::with_capacity(512),
        };
        line.text.push('{');
        for group in self
            .members()
            .chunk_by(|(one, _), (other, _)| one.object == other.object)
        {
            match group.first() {
                Some((first, _)) if !first.object.is_empty() => line.object(first.object, group)?,
                _ => {
                    for (member, place) in group {
                        line.member(member, *place)?;
                    }
                }
            }
        }
        line.text.push('}');
        Ok(line.text)
    }

    fn members(&self) -> Vec<(&'static Member, Option<usize>)> {
        MEMBERS.iter().zip(self.places.iter().copied()).collect()
    }
}

impl Line<'_> {
    /// Adds an object of members that have columns of their own.
    fn object(
        &mut self,
        name: &str,
        members: &[(&'static Member, Option<usize>)],
    ) -> Result<(), String> {
        // Where the object is one cell of JSON, that says it all.
        if members.iter().all(|(_, place)| place.is_none()) {
            return Ok(());
        }
        if self.is_marked(0, name) {
            self.key(name);
            self.text.push_str("null");
            return Ok(());
        }
        let before = self.text.len();
        self.key(name);
        self.text.push('{');
        let begun = self.text.len();
        for (member, place) in members {
            self.member(member, *place)?;
        }
        if self.text.len() == begun && !self.is_marked(1, name) {
            self.text.truncate(before);
        } else {
            self.text.push('}');
        }
        Ok(())
    }

    fn member(&mut self, member: &Member, place: Option<usize>) -> Result<(), String> {
        let Some(place) = place else {
            return Ok(());
        };
        let cell = self.cells.get(place).copied().unwrap_or_default();
        let wrong = |what: String| {
            let column = member.columns.join(" or ");
            Err(format!("{column}: {what}"))
        };
        let dotted = match member.object {
            "" => member.key.to_owned(),
            object => format!("{object}.{}", member.key),
        };
        let (null, empty) = (self.is_marked(0, &dotted), self.is_marked(1, &dotted));
        match member.form {
            Form::Text | Form::Number if null && cell.is_empty() => self.value(member.key, "null"),
            Form::Text | Form::Number if null => {
                return wrong(format!("{cell:?} is marked as null"));
            }
            Form::Text if !cell.is_empty() || empty => {
                self.value(member.key, Json::string(cell).as_str());
            }
            _ if cell.is_empty() => {}
            Form::Number => match cell.parse::<i128>() {
                Ok(number) => self.value(member.key, &number.to_string()),
                Err(_) => return wrong(format!("{cell:?} is no whole number")),
            },
            Form::Text => {}
            Form::Json | Form::Members => match Json::parse(cell) {
                Err(error) => return wrong(error.to_string()),
                Ok(json) if matches!(member.form, Form::Json) => {
                    self.value(member.key, json.as_str());
                }
                Ok(json) => {
                    let inside = json.as_str().strip_prefix('{');
                    let Some(inside) = inside.and_then(|inside| inside.strip_suffix('}')) else {
                        return wrong("no JSON object".to_owned());
                    };
                    if !inside.is_empty() {
                        self.comma();
                        self.text.push_str(inside);
                    }
                }
            },
        }
        Ok(())
    }

    fn value(&mut self, key: &str, json: &str) {
        self.key(key);
        self.text.push_str(json);
    }

    fn key(&mut self, key: &str) {
        self.comma();
        self.text.push('"');
        self.text.push_str(key);
        self.text.push_str("\":");
    }

    fn comma(&mut self) {
        if !self.text.ends_with('{') {
            self.text.push(',');
        }
    }

    /// Whether a field stands in the marks of nulls (0) or of what is empty (1).
    fn is_marked(&self, mark: usize, name: &str) -> bool {
        self.marks
            .get(mark)
            .is_some_and(|names| names.contains(&name))
    }
}

/// The cells of one record.
fn cells(record: &[u8]) -> Result<csv::StringRecord, String> {
    if record.iter().filter(|byte| **byte == b'"').count() % 2 != 0 {
        return Err("its quotation marks are not closed".to_owned());
    }
    let mut reader = csv::ReaderBuilder::new();
    let mut reader = reader.has_headers(false).from_reader(record);
    let first = reader.records().next();
    let cells = first.unwrap_or_else(|| Ok(csv::StringRecord::new()));
    cells.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::StoredEvent;
    use crate::layout::Audience;
    use crate::layout::Layout;

    /// What the record of an event becomes.
    fn there_and_back(layout: Layout, safety: CsvSafety, event: &StoredEvent) -> String {
        let (mut head, mut record) = (Vec::new(), Vec::new());
        let audience = Audience::default();
        layout.csv_header(&audience, &mut head);
        layout.csv_record(event, safety, &audience, &mut record);
        let columns = Columns::read(&head, safety).expect("headings");
        columns
            .and_then(|columns| columns.line(&record))
            .expect("a line")
    }

    #[test]
    fn a_record_becomes_the_line_that_it_was_made_of_to_the_byte() {
        let golden = include_str!("../../tests/golden/canonical.ndjson").lines();
        for line in golden {
            let event: StoredEvent = serde_json::from_str(line).expect("a golden line");
            for layout in [Layout::Native, Layout::Entries] {
                for safety in [CsvSafety::Guard, CsvSafety::Raw, CsvSafety::Excel] {
                    assert_eq!(there_and_back(layout, safety, &event), line);
                }
            }
        }
    }

    #[test]
    fn what_is_no_record_of_these_columns_is_refused_with_the_reason() {
        let head = b"id,type,occurred_at,seq,data_json,context_further_json,reason,null_fields";
        let columns = Columns::read(head, CsvSafety::Guard)
            .expect("headings")
            .expect("known ones");
        for (record, reason) in [
            ("a,b", "2 cells under 8 headings"),
            ("\"a,b,,,,,,", "not closed"),
            (",a,,x,,,,", "seq: \"x\" is no whole number"),
            (",a,,,{,,,", "data_json: "),
            (",a,,,,[],,", "context_further_json: no JSON object"),
            (",a,,,,,x,reason", "reason: \"x\" is marked as null"),
        ] {
            let error = columns.line(record.as_bytes()).expect_err(record);
            assert!(error.contains(reason), "{record}: {error}");
        }
        for (head, reason) in [
            ("type,occurred_at,colour", "\"colour\""),
            ("type,occurred_at,type", "two columns"),
        ] {
            let read = Columns::read(head.as_bytes(), CsvSafety::Guard).expect("headings");
            assert!(read.is_err_and(|error| error.contains(reason)), "{head}");
        }
        assert!(Columns::read(b"type and occurred_at", CsvSafety::Guard).is_none());
    }
}
