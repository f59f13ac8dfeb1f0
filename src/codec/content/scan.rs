//! The pass itself: one place that only goes forward, one function for each rule of the grammar.
//! Lists and pairs are checked in the pass and read by the same functions again when asked for.

use super::Changed;
use super::Changes;
use super::Content;
use super::Entity;
use super::Named;
use super::Pairs;
use super::Surroundings;
use super::Targets;
use super::Text;
use super::names::Names;
use crate::event;
use crate::event::Context;
use crate::event::Field;
use crate::event::Outcome;
use crate::limits;
use crate::time::Time;

/// What the members of a content begin with, in their order; the brace stands in place of the first
/// comma.
pub(super) const FIELDS: [&str; 20] = [
    ",\"type\":",
    ",\"sub_type\":",
    ",\"offset\":",
    ",\"org\":",
    ",\"performer\":",
    ",\"on_behalf_of\":",
    ",\"subject\":",
    ",\"targets\":",
    ",\"outcome\":",
    ",\"reason\":",
    ",\"source\":",
    ",\"metadata\":",
    ",\"changes\":",
    ",\"context\":",
    ",\"batch\":",
    ",\"caused_by\":",
    ",\"correlation\":",
    ",\"origin\":",
    ",\"key\":",
    ",\"data\":",
];

/// A text and how far it was read.
pub(super) struct Scan<'a> {
    text: &'a str,
    at: usize,
}

/// What `read` gives again and again between the brackets of the list `json`.
pub(super) fn items<'a, T>(
    json: &'a str,
    read: fn(&mut Scan<'a>) -> Option<T>,
) -> impl Iterator<Item = T> {
    let mut scan = Scan::new(json);
    core::iter::from_fn(move || {
        scan.at += 1;
        read(&mut scan)
    })
}

/// The pairs of `members`, which stand without braces.
pub(super) fn members<'a>(members: &'a str) -> impl Iterator<Item = (Text<'a>, Text<'a>)> {
    let mut scan = Scan::new(members);
    core::iter::from_fn(move || {
        let pair = scan.pair();
        scan.at += 1;
        pair
    })
}

/// The text that `raw`, of a canonical string, stands for.
pub(super) fn unescape(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut parts = raw.split('\\');
    text.push_str(parts.next().unwrap_or_default());
    while let Some(part) = parts.next() {
        let mut rest = part.chars();
        match rest.next() {
            Some('u') => {
                let code = part
                    .get(1..5)
                    .and_then(|hex| u32::from_str_radix(hex, 16).ok());
                text.extend(code.and_then(char::from_u32));
                text.push_str(part.get(5..).unwrap_or_default());
                continue;
            }
            Some('b') => text.push('\u{8}'),
            Some('t') => text.push('\t'),
            Some('n') => text.push('\n'),
            Some('f') => text.push('\u{c}'),
            Some('r') => text.push('\r'),
            Some(other) => text.push(other),
            // The backslash that was escaped; what follows it is text again.
            None => {
                text.push('\\');
                text.push_str(parts.next().unwrap_or_default());
            }
        }
        text.push_str(rest.as_str());
    }
    text
}

/// The outcome that `word` stands for.
pub(super) fn outcome(word: &str) -> Option<Outcome> {
    let mut known = Outcome::ALL.into_iter();
    known.find(|outcome| outcome.as_str() == word)
}

/// Bytes of the one escape that canonical text has for a character, behind its backslash.
fn escape(rest: &[u8]) -> Option<usize> {
    match rest.first()? {
        b'"' | b'\\' | b'b' | b't' | b'n' | b'f' | b'r' => Some(1),
        b'u' => match rest.get(1..5)? {
            // U+0008, U+0009, U+000A, U+000C and U+000D have shorter forms.
            [b'0', b'0', b'0', b'0'..=b'7' | b'b' | b'e' | b'f'] => Some(5),
            [b'0', b'0', b'1', b'0'..=b'9' | b'a'..=b'f'] => Some(5),
            _ => None,
        },
        _ => None,
    }
}

impl<'a> Scan<'a> {
    pub(super) const fn new(text: &'a str) -> Scan<'a> {
        Scan { text, at: 0 }
    }

    /// The whole text as one content.
    pub(super) fn content(mut self) -> Option<Content<'a>> {
        self.expect("{\"type\":")?;
        let mut content = Content {
            event_type: self.text()?,
            ..Content::default()
        };
        for field in 1..FIELDS.len() {
            self.field(field, &mut content)?;
        }
        self.expect("}")?;
        (self.at == self.text.len()).then_some(content)
    }

    /// The field of this number in [`FIELDS`], if that comes next; not the first one.
    #[inline]
    fn field(&mut self, number: usize, content: &mut Content<'a>) -> Option<()> {
        let key = FIELDS.get(number)?;
        match number {
            1 => content.sub_type = self.member(key, Scan::text)?,
            2 => content.offset = self.member(key, Scan::minutes)?,
            3 => content.org = self.member(key, Scan::text)?,
            4 => content.performer = self.member(key, Scan::performer)?,
            5 => content.on_behalf_of = self.member(key, Scan::performer)?,
            6 => content.subject = self.member(key, Scan::subject)?,
            7 => content.targets = self.member(key, Scan::targets)?,
            8 => content.outcome = self.member(key, Scan::outcome)?,
            9 => content.reason = self.member(key, Scan::text)?,
            10 => content.source = self.member(key, Scan::text)?,
            11 => content.metadata = self.member(key, Scan::metadata)?,
            12 => content.changes = self.member(key, Scan::changes)?,
            13 => content.context = self.member(key, Scan::context)?,
            14 => content.batch = self.member(key, Scan::text)?,
            15 => content.caused_by = self.member(key, Scan::text)?,
            16 => content.correlation = self.member(key, Scan::text)?,
            17 => content.origin = self.member(key, Scan::origin)?,
            18 => content.key = self.member(key, Scan::text)?,
            19 => content.data = self.member(key, Scan::json)?,
            _ => return None,
        }
        Some(())
    }

    /// The field of this number alone, which must be all of the text.
    pub(super) fn lone_field(mut self, number: usize, content: &mut Content<'a>) -> Option<()> {
        if number == 0 {
            self.expect("{\"type\":")?;
            content.event_type = self.text()?;
        } else {
            self.field(number, content)?;
        }
        (self.at == self.text.len()).then_some(())
    }

    /// The field of this number alone, which must be a text and all of this one.
    pub(super) fn lone_text(mut self, number: usize) -> Option<Text<'a>> {
        self.expect(FIELDS.get(number)?)?;
        let text = self.text()?;
        (self.at == self.text.len()).then_some(text)
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    #[inline]
    fn take(&mut self, wanted: &str) -> bool {
        let found = self.rest().starts_with(wanted.as_bytes());
        self.at += if found { wanted.len() } else { 0 };
        found
    }

    #[inline]
    fn expect(&mut self, wanted: &str) -> Option<()> {
        self.take(wanted).then_some(())
    }

    /// What stands from `start` up to here.
    fn since(&self, start: usize) -> Option<&'a str> {
        self.text.get(start..self.at)
    }

    /// The member behind `key`, if that comes next.
    #[inline]
    fn member<T>(&mut self, key: &str, read: fn(&mut Scan<'a>) -> Option<T>) -> Option<Field<T>> {
        if !self.take(key) {
            Some(Field::Absent)
        } else if self.take("null") {
            Some(Field::Null)
        } else {
            read(self).map(Field::Value)
        }
    }

    /// As [`Scan::member`] in an object that may be empty: no comma stands before its first key.
    fn listed<T>(
        &mut self,
        start: usize,
        key: &str,
        read: fn(&mut Scan<'a>) -> Option<T>,
    ) -> Option<Field<T>> {
        let is_first = self.at == start + "{".len();
        let key = if is_first { key.get(1..)? } else { key };
        self.member(key, read)
    }

    fn text(&mut self) -> Option<Text<'a>> {
        self.expect("\"")?;
        let start = self.at;
        let mut plain = true;
        loop {
            let rest = self.rest();
            let clean = event::clean_bytes(rest);
            self.at += clean;
            match rest.get(clean)? {
                b'"' => break,
                b'\\' => {
                    plain = false;
                    self.at += 1 + escape(rest.get(clean + 1..)?)?;
                }
                _ => return None,
            }
        }
        let raw = self.since(start)?;
        self.at += 1;
        Some(Text { raw, plain })
    }

    /// One JSON value without white space outside strings.
    fn json(&mut self) -> Option<&'a str> {
        let start = self.at;
        self.at += event::compact_json_bytes(self.text.get(start..)?)?;
        self.since(start)
    }

    fn digits(&mut self) -> Option<&'a str> {
        let start = self.at;
        let digits = self.rest().iter().take_while(|byte| byte.is_ascii_digit());
        self.at += digits.count();
        let digits = self.since(start)?;
        let canonical = digits == "0" || !digits.starts_with('0');
        (canonical && !digits.is_empty()).then_some(digits)
    }

    fn number(&mut self) -> Option<u64> {
        self.digits()?.parse().ok()
    }

    fn minutes(&mut self) -> Option<i32> {
        let start = self.at;
        let negative = self.take("-");
        let digits = self.digits()?;
        let zero = negative && digits == "0";
        self.since(start)?.parse().ok().filter(|_| !zero)
    }

    fn time(&mut self) -> Option<Time> {
        let text = self.text()?.plain()?;
        let time: Time = text.parse().ok()?;
        (time.to_text() == text.as_bytes()).then_some(time)
    }

    fn outcome(&mut self) -> Option<Outcome> {
        outcome(self.text()?.raw)
    }

    fn performer(&mut self) -> Option<Entity<'a>> {
        let start = self.at;
        let mut entity = self.entity()?;
        entity.label = self.member(",\"label\":", Scan::text)?;
        entity.email = self.member(",\"email\":", Scan::text)?;
        entity.org = self.member(",\"org\":", Scan::text)?;
        entity.external_ref = self.member(",\"external_ref\":", Scan::text)?;
        self.end_entity(start, entity)
    }

    fn subject(&mut self) -> Option<Entity<'a>> {
        let start = self.at;
        let mut entity = self.entity()?;
        entity.label = self.member(",\"label\":", Scan::text)?;
        entity.external_ref = self.member(",\"external_ref\":", Scan::text)?;
        self.end_entity(start, entity)
    }

    pub(super) fn target(&mut self) -> Option<Entity<'a>> {
        let start = self.at;
        let mut entity = self.entity()?;
        entity.label = self.member(",\"label\":", Scan::text)?;
        self.end_entity(start, entity)
    }

    /// What every entity begins with.
    fn entity(&mut self) -> Option<Entity<'a>> {
        self.expect("{\"kind\":")?;
        Some(Entity {
            json: "",
            kind: self.text()?,
            id: self.member(",\"id\":", Scan::text)?,
            label: Field::Absent,
            email: Field::Absent,
            org: Field::Absent,
            external_ref: Field::Absent,
        })
    }

    fn end_entity(&mut self, start: usize, mut entity: Entity<'a>) -> Option<Entity<'a>> {
        self.expect("}")?;
        entity.json = self.since(start)?;
        Some(entity)
    }

    /// A list of what `read` gives, as it stands.
    fn list<T>(&mut self, read: fn(&mut Scan<'a>) -> Option<T>) -> Option<&'a str> {
        let start = self.at;
        self.expect("[")?;
        if !self.take("]") {
            read(self)?;
            while self.take(",") {
                read(self)?;
            }
            self.expect("]")?;
        }
        self.since(start)
    }

    fn targets(&mut self) -> Option<Targets<'a>> {
        self.list(Scan::target).map(|json| Targets { json })
    }

    fn changes(&mut self) -> Option<Changes<'a>> {
        self.list(Scan::change).map(|json| Changes { json })
    }

    pub(super) fn change(&mut self) -> Option<Changed<'a>> {
        self.expect("{\"path\":")?;
        let change = Changed {
            path: self.text()?,
            before: self.member(",\"before\":", Scan::json)?,
            after: self.member(",\"after\":", Scan::json)?,
        };
        self.expect("}")?;
        Some(change)
    }

    fn pair(&mut self) -> Option<(Text<'a>, Text<'a>)> {
        let key = self.text()?;
        self.expect(":")?;
        Some((key, self.text()?))
    }

    /// The pairs from here to the closing brace of the object that began at `start`, none of whose
    /// keys is in `taken`; at most `most` of them.
    fn pairs(&mut self, start: usize, taken: &[&str], most: usize) -> Option<Pairs<'a>> {
        let mut names = Names::default();
        let mut first = self.at;
        if self.rest().first() != Some(&b'}') {
            if self.at > start + "{".len() {
                self.expect(",")?;
                first = self.at;
            }
            loop {
                let (key, _) = self.pair()?;
                if taken.contains(&key.raw) || !names.add(key.raw, most) {
                    return None;
                }
                if !self.take(",") {
                    break;
                }
            }
        }
        let members = self.since(first)?;
        self.expect("}")?;
        let json = self.since(start)?;
        Some(Pairs { json, members })
    }

    fn metadata(&mut self) -> Option<Pairs<'a>> {
        let start = self.at;
        self.expect("{")?;
        self.pairs(start, &[], limits::METADATA_KEYS)
    }

    fn context(&mut self) -> Option<Surroundings<'a>> {
        let start = self.at;
        self.expect("{")?;
        let known = [
            self.listed(start, ",\"ip\":", Scan::text)?,
            self.listed(start, ",\"user_agent\":", Scan::text)?,
            self.listed(start, ",\"fingerprint\":", Scan::text)?,
            self.listed(start, ",\"geo\":", Scan::text)?,
            self.listed(start, ",\"request_id\":", Scan::text)?,
            self.listed(start, ",\"session_id\":", Scan::text)?,
        ];
        // A well-known key among the further ones is out of its place, or came before.
        let further = self.pairs(start, &Context::KEYS, limits::CONTEXT_KEYS)?;
        Some(Surroundings {
            json: further.json,
            known,
            further,
        })
    }

    fn origin(&mut self) -> Option<Named<'a>> {
        let start = self.at;
        self.expect("{")?;
        let mut origin = Named {
            json: "",
            store: self.listed(start, ",\"store\":", Scan::text)?,
            id: self.listed(start, ",\"id\":", Scan::text)?,
            seq: self.listed(start, ",\"seq\":", Scan::number)?,
            recorded_at: self.listed(start, ",\"recorded_at\":", Scan::time)?,
        };
        self.expect("}")?;
        origin.json = self.since(start)?;
        Some(origin)
    }
}
