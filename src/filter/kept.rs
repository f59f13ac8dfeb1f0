//! A filter as JSON, for what outlives the process that asked: a job of export keeps its filter so.
//! What is read back is the same filter, or an error; the form only grows (`docs/format/job.md`).

use core::net::IpAddr;

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::Condition;
use super::Filter;
use super::FilterField;
use super::Pattern;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::filter::range::Edge;
use crate::filter::range::Range;
use crate::filter::when::Bound;
use crate::filter::when::End;
use crate::time::Time;

impl Filter {
    /// The same filter as read at `now`: relative times have become moments.
    pub(crate) fn fixed(&self, now: Time) -> Result<Filter> {
        let mut fixed = self.clone();
        if self
            .edges
            .iter()
            .any(|edge| matches!(edge.bound, Bound::Ago(_)))
        {
            let Range { first, last } = self.range(now)?;
            fixed.edges.clear();
            fixed = fixed.since(first).until(last);
        }
        Ok(fixed)
    }

    /// The filter as JSON. Relative times must be fixed.
    pub(crate) fn to_json(&self) -> Value {
        let conditions: Vec<Value> = self.conditions.iter().map(condition).collect();
        let times: Vec<Value> = self.edges.iter().filter_map(edge).collect();
        json!({ "conditions": conditions, "times": times })
    }

    /// The filter of this JSON.
    pub(crate) fn from_json(value: &Value) -> Result<Filter> {
        let read = || -> Option<Filter> {
            let conditions = value.get("conditions")?.as_array()?;
            let times = value.get("times")?.as_array()?;
            Some(Filter {
                conditions: conditions
                    .iter()
                    .map(read_condition)
                    .collect::<Option<_>>()?,
                edges: times.iter().map(read_edge).collect::<Option<_>>()?,
            })
        };
        read().ok_or_else(|| {
            let what = "the filter is of a form that this version does not know";
            Error::new(ErrorKind::Unsupported, what)
        })
    }
}

fn condition(condition: &Condition) -> Value {
    let all = |members: &[Condition]| members.iter().map(self::condition).collect::<Vec<_>>();
    match condition {
        Condition::All(members) => json!({ "all": all(members) }),
        Condition::Any(members) => json!({ "any": all(members) }),
        Condition::Not(member) => json!({ "not": self::condition(member) }),
        Condition::Field(field, pattern) => {
            let mut object = self::pattern(pattern);
            object.insert("field".to_owned(), field.to_string().into());
            Value::Object(object)
        }
        Condition::Id(id) => json!({ "id_is": id.to_string() }),
        Condition::OriginId(id) => json!({ "origin_id_is": id }),
        Condition::Key(key) => json!({ "key_is": key }),
        Condition::Text(word) => json!({ "text_has": word }),
    }
}

fn pattern(pattern: &Pattern) -> Map<String, Value> {
    let value = match pattern {
        Pattern::Is(text) => json!({ "is": text }),
        Pattern::Prefix(text) => json!({ "prefix": text }),
        Pattern::Id { kind, id } => json!({ "kind": kind, "id": id }),
        Pattern::IdPrefix { kind, prefix } => json!({ "kind": kind, "id_prefix": prefix }),
        Pattern::Network { address, bits } => {
            json!({ "network": address.to_string(), "bits": bits })
        }
        Pattern::Null => json!({ "null": true }),
        Pattern::Absent => json!({ "absent": true }),
    };
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

fn edge(edge: &Edge) -> Option<Value> {
    let Bound::At(time) = edge.bound else {
        return None;
    };
    let word = match edge.end {
        End::Since => "since",
        End::Until => "until",
        End::Before => "before",
    };
    Some(json!({ word: time.to_string() }))
}

fn read_condition(value: &Value) -> Option<Condition> {
    let object = value.as_object()?;
    let text = |key: &str| object.get(key).and_then(Value::as_str).map(str::to_owned);
    let all = |members: &Value| {
        let members = members.as_array()?.iter();
        members.map(read_condition).collect::<Option<Vec<_>>>()
    };
    Some(if let Some(field) = text("field") {
        Condition::Field(field.parse::<FilterField>().ok()?, read_pattern(object)?)
    } else if let Some(members) = object.get("all") {
        Condition::All(all(members)?)
    } else if let Some(members) = object.get("any") {
        Condition::Any(all(members)?)
    } else if let Some(member) = object.get("not") {
        Condition::not(read_condition(member)?)
    } else if let Some(id) = text("id_is") {
        Condition::Id(id.parse().ok()?)
    } else if let Some(id) = text("origin_id_is") {
        Condition::OriginId(id)
    } else if let Some(word) = text("text_has") {
        Condition::Text(word)
    } else {
        Condition::Key(text("key_is")?)
    })
}

fn read_pattern(object: &Map<String, Value>) -> Option<Pattern> {
    let text = |key: &str| object.get(key).and_then(Value::as_str).map(str::to_owned);
    let kind = text("kind");
    Some(if let Some(text) = text("is") {
        Pattern::Is(text)
    } else if let Some(text) = text("prefix") {
        Pattern::Prefix(text)
    } else if let Some(id) = text("id") {
        Pattern::Id { kind, id }
    } else if let Some(prefix) = text("id_prefix") {
        Pattern::IdPrefix { kind, prefix }
    } else if let Some(address) = text("network") {
        let bits = object.get("bits")?.as_u64()?;
        Pattern::Network {
            address: address.parse::<IpAddr>().ok()?,
            bits: u8::try_from(bits).ok()?,
        }
    } else if object.contains_key("null") {
        Pattern::Null
    } else {
        object.get("absent").map(|_| Pattern::Absent)?
    })
}

fn read_edge(value: &Value) -> Option<Edge> {
    let (word, time) = value.as_object()?.iter().next()?;
    let end = match word.as_str() {
        "since" => End::Since,
        "until" => End::Until,
        "before" => End::Before,
        _ => return None,
    };
    let time: Time = time.as_str()?.parse().ok()?;
    Some(Edge {
        end,
        bound: Bound::At(time),
    })
}
