//! A filter from the words of the command line: pairs of a flag's name and its text.
//! Within a field any of the plain values and none of the `!` values hold, different fields are
//! AND. Linear in the text; every refusal names the flag and says how the value was read.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::error::ErrorKind;
use crate::filter::Filter;
use crate::filter::condition::Condition;
use crate::filter::condition::Pattern;
use crate::filter::contradiction;
use crate::filter::field::FilterField;
use crate::filter::field::refuse_key;
use crate::filter::field::shown;
use crate::filter::item::Item;
use crate::filter::item::items;
use crate::filter::item::split_key;
use crate::filter::query_text;
use crate::filter::range::Edge;
use crate::filter::range::Range;
use crate::filter::text;
use crate::filter::when;
use crate::filter::when::Bound;
use crate::filter::when::End;
use crate::filter::zone::Zone;
use crate::id::EventId;
use crate::limits;
use crate::time::Time;

/// The names of the flags, without dashes, in the order in which help lists them.
pub(crate) const FLAGS: [&str; 21] = [
    "since",
    "until",
    "before",
    "during",
    "last",
    "type",
    "sub-type",
    "subject",
    "target",
    "performer",
    "on-behalf-of",
    "outcome",
    "source",
    "org",
    "ip",
    "meta",
    "id",
    "key",
    "text",
    "no",
    "filter",
];

/// What the values of one flag are alternatives of.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Field(FilterField),
    /// The same by `--no`, which is a flag of its own: both hold.
    Without(FilterField),
    Id,
    Key,
    Text,
}

#[derive(Default)]
struct Values {
    plain: Vec<Condition>,
    none: Vec<Condition>,
}

/// Reads one flag after the other.
struct Words<'z> {
    zone: &'z dyn Zone,
    groups: BTreeMap<Group, Values>,
    values: usize,
    edges: Vec<Edge>,
    /// The flags that the times came from.
    times: Vec<&'static str>,
    /// Those of the saved query that these words narrow.
    saved_times: Vec<&'static str>,
}

/// The filter that `flags` describe.
pub(crate) fn filter<'a>(
    flags: impl IntoIterator<Item = (&'a str, &'a str)>,
    zone: &dyn Zone,
) -> Result<Filter, Error> {
    let mut words = Words::new(zone);
    words.read(flags)?;
    sound(words.finish())
}

/// What both the words that were saved and further ones ask for.
pub(crate) fn within<'a, 'b>(
    saved: impl IntoIterator<Item = (&'a str, &'a str)>,
    saved_zone: &dyn Zone,
    flags: impl IntoIterator<Item = (&'b str, &'b str)>,
    zone: &dyn Zone,
) -> Result<Filter, Error> {
    let (mut outer, mut inner) = (Words::new(saved_zone), Words::new(zone));
    outer.read(saved)?;
    inner.saved_times.clone_from(&outer.times);
    inner.read(flags)?;
    let (mut filter, narrower) = (outer.finish(), inner.finish());
    filter.conditions.extend(narrower.conditions);
    filter.edges.extend(narrower.edges);
    sound(filter)
}

/// Refuses a filter that nothing can match, whenever it is read.
fn sound(filter: Filter) -> Result<Filter, Error> {
    // Without a mix of fixed and relative ends the range is empty now or never.
    let fixed = |edge: &&Edge| matches!(edge.bound, Bound::At(_));
    let count = filter.edges.iter().filter(fixed).count();
    if count == 0 || count == filter.edges.len() {
        Range::resolve(&filter.edges, Time::MAX)?;
    }
    match contradiction::find(&filter.conditions) {
        Some(why) => Err(Error::new(ErrorKind::Filter, format!("--{why}"))),
        None => Ok(filter),
    }
}

impl<'z> Words<'z> {
    fn new(zone: &'z dyn Zone) -> Words<'z> {
        Words {
            zone,
            groups: BTreeMap::new(),
            values: 0,
            edges: Vec::new(),
            times: Vec::new(),
            saved_times: Vec::new(),
        }
    }

    fn read<'a>(
        &mut self,
        flags: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<(), Error> {
        for (flag, text) in flags {
            let flag = flag.strip_prefix("--").unwrap_or(flag);
            self.flag(flag, text).map_err(|why| {
                let what = format!("--{flag} {}: {why}", shown(text));
                Error::new(ErrorKind::Filter, what)
            })?;
        }
        Ok(())
    }

    fn flag(&mut self, flag: &str, text: &str) -> Result<(), String> {
        match flag {
            "since" => self.edge("since", End::Since, text),
            "until" => self.edge("until", End::Until, text),
            "before" => self.edge("before", End::Before, text),
            "during" => self.during(text),
            "last" => self.last(text),
            "id" => self.look_ups(Group::Id, text),
            "key" => self.look_ups(Group::Key, text),
            "text" => self.texts(text),
            "no" => self.absent(text),
            "meta" => self.meta(text),
            "filter" => self.parameters(text),
            _ => match flag.parse::<FilterField>() {
                Ok(field) if !matches!(field, FilterField::Meta(_)) => self.field(&field, text),
                _ => Err(format!("no such filter; there are {}", FLAGS.join(", "))),
            },
        }
    }

    /// The text form: each parameter is a flag by another name.
    fn parameters(&mut self, text: &str) -> Result<(), String> {
        for one in query_text::parameters(text)? {
            self.flag(one.flag, &one.text)
                .map_err(|why| format!("{}: {why}", shown(&one.written)))?;
        }
        Ok(())
    }

    fn edge(&mut self, flag: &'static str, end: End, text: &str) -> Result<(), String> {
        self.time(flag, &["during", "last"])?;
        let bound = when::bound(text, end, self.zone)?;
        self.edges.push(Edge { end, bound });
        Ok(())
    }

    fn during(&mut self, text: &str) -> Result<(), String> {
        self.time("during", &["since", "until", "before", "last"])?;
        let (since, until) = when::during(text, self.zone)?;
        self.between(Bound::At(since), Bound::At(until));
        Ok(())
    }

    fn last(&mut self, text: &str) -> Result<(), String> {
        self.time("last", &["since", "until", "before", "during"])?;
        self.between(when::last(text)?, Bound::Ago(0));
        Ok(())
    }

    fn between(&mut self, since: Bound, until: Bound) {
        for (end, bound) in [(End::Since, since), (End::Until, until)] {
            self.edges.push(Edge { end, bound });
        }
    }

    /// Refuses a second word for one end of the range.
    fn time(&mut self, flag: &'static str, others: &[&str]) -> Result<(), String> {
        if self.times.contains(&flag) {
            return Err("given twice; a range has one of it".to_owned());
        }
        if let Some(other) = self.times.iter().find(|given| others.contains(given)) {
            return Err(format!(
                "contradicts --{other}: both say when; leave one of them out"
            ));
        }
        let saved = |given: &&&str| **given == flag || others.contains(*given);
        if let Some(other) = self.saved_times.iter().find(saved) {
            return Err(format!(
                "contradicts --{other} of the saved query: both say when; leave this one out"
            ));
        }
        self.times.push(flag);
        Ok(())
    }

    fn field(&mut self, field: &FilterField, text: &str) -> Result<(), String> {
        for item in self.items(text)? {
            let negated = item.negated;
            let pattern = item.pattern(field)?;
            if let Some(why) = pattern.refuse(field) {
                return Err(why);
            }
            let condition = Condition::Field(field.clone(), pattern);
            self.put(Group::Field(field.clone()), negated, condition);
        }
        Ok(())
    }

    /// `KEY=VALUE,…`; a `!` before the key stands for one before each value.
    fn meta(&mut self, text: &str) -> Result<(), String> {
        let (all_negated, rest) = match text.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (key, values) = split_key(rest).ok_or_else(|| {
            let key = shown(rest);
            format!("read as the key {key} without a value: write KEY=VALUE, KEY=* for any value, or --no meta:KEY")
        })?;
        if let Some(why) = refuse_key(&key) {
            return Err(format!("read as the key {}: {why}", shown(&key)));
        }
        let field = FilterField::Meta(key);
        for item in self.items(values)? {
            if all_negated && item.negated {
                return Err("read with a ! before the key and another before a value".to_owned());
            }
            let negated = all_negated || item.negated;
            let pattern = item.pattern(&field)?;
            if let Some(why) = pattern.refuse(&field) {
                return Err(why);
            }
            let condition = Condition::Field(field.clone(), pattern);
            self.put(Group::Field(field.clone()), negated, condition);
        }
        Ok(())
    }

    fn look_ups(&mut self, group: Group, text: &str) -> Result<(), String> {
        for item in self.items(text)? {
            if item.star {
                let text = shown(&item.text);
                return Err(format!(
                    "read as all that begin with {text}, but these are looked up whole; write \\* for a star"
                ));
            }
            let (negated, text) = (item.negated, item.text);
            let condition = match (&group, text.parse::<EventId>()) {
                (Group::Id, Ok(id)) => Condition::Id(id),
                (Group::Id, Err(_)) if text.is_empty() => {
                    return Err("read as the empty text, which is no event's id".to_owned());
                }
                (Group::Id, Err(_)) => Condition::OriginId(text),
                (_, _) => Condition::Key(text),
            };
            let same = match group {
                Group::Id => Group::Id,
                _ => Group::Key,
            };
            self.put(same, negated, condition);
        }
        Ok(())
    }

    fn texts(&mut self, text: &str) -> Result<(), String> {
        for item in self.items(text)? {
            if item.star {
                return Err(format!(
                    "read as all that begin with {}, but a word is found wherever it stands; write \\* for a star",
                    shown(&item.text)
                ));
            }
            if item.text.is_empty() {
                return Err(text::EMPTY.to_owned());
            }
            self.put(Group::Text, item.negated, Condition::Text(item.text));
        }
        Ok(())
    }

    fn absent(&mut self, text: &str) -> Result<(), String> {
        for item in self.items(text)? {
            let (negated, name) = (item.negated, item.whole());
            let field: FilterField = name.parse().map_err(|error: Error| {
                format!("read as the absent field {}: {error}", shown(&name))
            })?;
            let condition = Condition::Field(field.clone(), Pattern::Absent);
            self.put(Group::Without(field), negated, condition);
        }
        Ok(())
    }

    fn put(&mut self, group: Group, negated: bool, condition: Condition) {
        let values = self.groups.entry(group).or_default();
        if negated {
            values.none.push(condition);
        } else {
            values.plain.push(condition);
        }
    }

    fn items(&mut self, text: &str) -> Result<Vec<Item>, String> {
        let items = items(text, limits::FILTER_VALUES - self.values)?;
        self.values += items.len();
        Ok(items)
    }

    fn finish(self) -> Filter {
        let mut filter = Filter::new();
        for Values { mut plain, none } in self.groups.into_values() {
            match (plain.len(), plain.pop()) {
                (_, None) => {}
                (1, Some(only)) => filter = filter.and(only),
                (_, Some(last)) => {
                    plain.push(last);
                    filter = filter.and(Condition::Any(plain));
                }
            }
            for condition in none {
                filter = filter.and(Condition::not(condition));
            }
        }
        filter.edges = self.edges;
        filter
    }
}
