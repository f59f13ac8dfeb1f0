//! Reads mapping files. Every refusal names the path inside the file, such as
//! `event.performer.kind`, because these files are written by hand. Keys nobody knows are refused:
//! a misspelt field must not be silently left empty.

use super::expression::Check;
use super::expression::Choice;
use super::expression::Expression;
use super::expression::Source;
use super::expression::Test;
use super::mapping::ChangeRule;
use super::mapping::Entity;
use super::mapping::Fields;
use super::mapping::Mapping;
use super::moment;
use super::moment::Form;
use super::record::Pointer;
use super::record::Value;
use super::record::unescape;
use super::step::Step;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::Json;
use crate::limits;

/// A value of the file together with its path.
#[derive(Clone)]
struct Node<'a> {
    value: Value<'a>,
    path: String,
}

/// The words of the grammar that are steps without an argument.
const BARE_STEPS: [(&str, Step); 6] = [
    ("lower", Step::Lower),
    ("trim", Step::Trim),
    ("slug", Step::Slug),
    ("kebab", Step::Kebab),
    ("dotted", Step::Dotted),
    ("hex", Step::Hex),
];

pub(super) fn mapping(text: &str) -> Result<Mapping> {
    let json = Json::parse(text).map_err(|error| refuse("", &error.to_string()))?;
    let root = Node {
        value: Value::whole(json.as_str()),
        path: String::new(),
    };
    root.only(&["name", "about", "detect", "ignore", "text", "zone", "event"])?;
    let zone = match root.optional("zone") {
        None => 0,
        Some(node) => {
            moment::zone(&node.string()?).ok_or_else(|| node.refuse("no zone such as +02:00"))?
        }
    };
    let name = root.needed("name")?.string()?;
    if name.is_empty() || name.len() > limits::WORD_BYTES {
        return Err(refuse("name", "must have 1 to 256 bytes"));
    }
    Ok(Mapping {
        name: name.into(),
        about: root
            .optional("about")
            .map_or(Ok(String::new()), |node| node.string())?,
        detect: root.list("detect", |node| tests(node))?,
        ignore: root.list("ignore", Node::string)?,
        text: root.list("text", Node::pointer)?,
        zone,
        fields: fields(&root.needed("event")?)?,
    })
}

fn refuse(path: &str, rule: &str) -> Error {
    let place = if path.is_empty() { "mapping" } else { path };
    Error::new(ErrorKind::Import, format!("mapping file: {place}: {rule}"))
}

impl<'a> Node<'a> {
    fn refuse(&self, rule: &str) -> Error {
        refuse(&self.path, rule)
    }

    fn child(&self, name: &str, value: Value<'a>) -> Node<'a> {
        let path = if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        };
        Node { value, path }
    }

    fn optional(&self, name: &str) -> Option<Node<'a>> {
        self.value.get(name).map(|value| self.child(name, value))
    }

    fn needed(&self, name: &str) -> Result<Node<'a>> {
        self.optional(name)
            .ok_or_else(|| self.refuse(&format!("`{name}` is missing")))
    }

    fn string(&self) -> Result<String> {
        if !self.value.is_string() {
            return Err(self.refuse("a text is needed here"));
        }
        self.value
            .text()
            .map(std::borrow::Cow::into_owned)
            .ok_or_else(|| self.refuse("a text is needed here"))
    }

    /// A text, or a number or boolean as it is spelled.
    fn scalar(&self) -> Result<String> {
        self.value
            .text()
            .map(std::borrow::Cow::into_owned)
            .ok_or_else(|| self.refuse("a text or number is needed here"))
    }

    fn pointer(&self) -> Result<Pointer> {
        let text = self.string()?;
        Pointer::parse(&text).ok_or_else(|| self.refuse("no JSON pointer: it must begin with /"))
    }

    /// The items of an array, or the one value that stands for an array of one.
    fn items(&self) -> Vec<Node<'a>> {
        if !self.value.is_array() {
            return vec![self.clone()];
        }
        let items = self.value.items().enumerate();
        items
            .map(|(number, item)| self.child(&number.to_string(), item))
            .collect()
    }

    /// The members of an object, with their keys.
    fn members(&self) -> Result<Vec<(String, Node<'a>)>> {
        if !self.value.is_object() {
            return Err(self.refuse("an object is needed here"));
        }
        let members = self.value.members();
        Ok(members
            .filter_map(|(key, value)| {
                let key = unescape(key)?.into_owned();
                let node = self.child(&key, value);
                Some((key, node))
            })
            .collect())
    }

    fn only(&self, known: &[&str]) -> Result<()> {
        for (key, node) in self.members()? {
            if !known.contains(&key.as_str()) {
                return Err(node.refuse(&format!("not known here; known are {}", known.join(", "))));
            }
        }
        Ok(())
    }

    fn list<T>(&self, name: &str, read: impl Fn(&Node<'a>) -> Result<T>) -> Result<Vec<T>> {
        let Some(node) = self.optional(name) else {
            return Ok(Vec::new());
        };
        node.items().iter().map(read).collect()
    }

    fn choice(&self, name: &str) -> Result<Choice> {
        self.optional(name)
            .map_or_else(|| Ok(Choice::default()), |node| choice(&node))
    }
}

fn fields(node: &Node<'_>) -> Result<Fields> {
    node.only(&[
        "occurred_at",
        "type",
        "sub_type",
        "org",
        "outcome",
        "reason",
        "source",
        "batch",
        "caused_by",
        "correlation",
        "origin",
        "performer",
        "on_behalf_of",
        "subject",
        "targets",
        "context",
        "metadata",
        "changes",
    ])?;
    let origin = node.optional("origin");
    if let Some(origin) = &origin {
        origin.only(&["store", "id"])?;
    }
    let of_origin = |name: &str| {
        origin
            .as_ref()
            .map_or_else(|| Ok(Choice::default()), |node| node.choice(name))
    };
    let who = [
        "when",
        "kind",
        "id",
        "label",
        "email",
        "org",
        "external_ref",
    ];
    let what = ["when", "kind", "id", "label", "external_ref"];
    let more = ["when", "each", "kind", "id", "label"];
    let occurred_at = node.list("occurred_at", time)?;
    if occurred_at.is_empty() {
        return Err(node.refuse("`occurred_at` is missing: every event needs a time"));
    }
    Ok(Fields {
        occurred_at,
        event_type: choice(&node.needed("type")?)?,
        sub_type: node.choice("sub_type")?,
        org: node.choice("org")?,
        outcome: node.choice("outcome")?,
        reason: node.choice("reason")?,
        source: node.choice("source")?,
        batch: node.choice("batch")?,
        caused_by: node.choice("caused_by")?,
        correlation: node.choice("correlation")?,
        origin_store: of_origin("store")?,
        origin_id: of_origin("id")?,
        performer: node.list("performer", |node| entity(node, &who))?,
        on_behalf_of: node.list("on_behalf_of", |node| entity(node, &who))?,
        subject: node.list("subject", |node| entity(node, &what))?,
        targets: node.list("targets", |node| entity(node, &more))?,
        context: pairs(node, "context")?,
        metadata: pairs(node, "metadata")?,
        changes: node.list("changes", change)?,
    })
}

fn pairs(node: &Node<'_>, name: &str) -> Result<Vec<(String, Choice)>> {
    let Some(node) = node.optional(name) else {
        return Ok(Vec::new());
    };
    let members = node.members()?;
    if members.len() > limits::METADATA_KEYS.min(limits::CONTEXT_KEYS) {
        return Err(node.refuse("too many keys"));
    }
    let read = |(key, node): (String, Node<'_>)| {
        if key.is_empty() || key.len() > limits::WORD_BYTES || key.chars().any(char::is_control) {
            return Err(node.refuse("no key: 1 to 256 bytes without control characters"));
        }
        choice(&node).map(|choice| (key, choice))
    };
    members.into_iter().map(read).collect()
}

fn entity(node: &Node<'_>, known: &[&str]) -> Result<Entity> {
    node.only(known)?;
    Ok(Entity {
        when: when(node)?,
        each: node
            .optional("each")
            .map(|node| node.pointer())
            .transpose()?,
        kind: choice(&node.needed("kind")?)?,
        id: node.choice("id")?,
        label: node.choice("label")?,
        email: node.choice("email")?,
        org: node.choice("org")?,
        external_ref: node.choice("external_ref")?,
    })
}

fn change(node: &Node<'_>) -> Result<ChangeRule> {
    node.only(&["when", "each", "path", "before", "after"])?;
    let pointer = |name| node.optional(name).map(|node| node.pointer()).transpose();
    Ok(ChangeRule {
        when: when(node)?,
        each: pointer("each")?,
        path: choice(&node.needed("path")?)?,
        before: pointer("before")?,
        after: pointer("after")?,
    })
}

/// A time: an expression, with `form` beside it where the text is not ISO.
fn time(node: &Node<'_>) -> Result<(Choice, Form)> {
    let form = match node.optional("form").filter(|_| node.value.is_object()) {
        None => Form::Iso,
        Some(form) => {
            let name = form.string()?;
            let known = moment::FORMS.iter().find(|(known, _)| *known == name);
            known.ok_or_else(|| form.refuse("no form of time"))?.1
        }
    };
    Ok((Choice(vec![expression(node, true)?]), form))
}

fn choice(node: &Node<'_>) -> Result<Choice> {
    let read = |node: &Node<'_>| expression(node, false);
    node.items()
        .iter()
        .map(read)
        .collect::<Result<_>>()
        .map(Choice)
}

fn expression(node: &Node<'_>, of_time: bool) -> Result<Expression> {
    if node.value.is_string() {
        let source = Source::At(node.pointer()?);
        return Ok(Expression {
            source,
            steps: Vec::new(),
            when: Vec::new(),
        });
    }
    let mut source = None;
    let mut steps = Vec::new();
    let mut tests = Vec::new();
    for (key, node) in node.members()? {
        let given = match key.as_str() {
            "at" => Source::At(node.pointer()?),
            "root" => Source::Root(node.pointer()?),
            "const" => Source::Const(node.scalar()?),
            "join" => Source::Join(
                node.items().iter().map(choice).collect::<Result<_>>()?,
                String::new(),
            ),
            "pair" | "line" | "label" => {
                steps.insert(0, step_of(&key, &node)?);
                Source::Text
            }
            "text" => Source::Text,
            "with" => continue,
            "form" if of_time => continue,
            "then" => {
                let then: Result<Vec<_>> = node.items().iter().map(step).collect();
                steps.extend(then?);
                continue;
            }
            "when" => {
                tests = node.items().iter().map(test).collect::<Result<_>>()?;
                continue;
            }
            _ => return Err(node.refuse("not known in an expression")),
        };
        if source.replace(given).is_some() {
            return Err(node.refuse("a second source in one expression"));
        }
    }
    let mut source = source.ok_or_else(|| {
        node.refuse("a source is missing: a pointer, at, const, join, pair, line, label or text")
    })?;
    if let (Source::Join(_, with), Some(given)) = (&mut source, node.optional("with")) {
        *with = given.string()?;
    }
    Ok(Expression {
        source,
        steps,
        when: tests,
    })
}

fn step(node: &Node<'_>) -> Result<Step> {
    if node.value.is_string() {
        let name = node.string()?;
        let known = BARE_STEPS.iter().find(|(known, _)| *known == name);
        return known
            .map(|(_, step)| step.clone())
            .ok_or_else(|| node.refuse("no such step"));
    }
    let members = node.members()?;
    let other = node
        .optional("else")
        .map(|node| node.scalar())
        .transpose()?;
    let mut named = members.iter().filter(|(key, _)| key != "else");
    let (Some((key, argument)), None) = (named.next(), named.next()) else {
        return Err(node.refuse("one step is needed here"));
    };
    if key == "table" {
        let rows = argument.members()?;
        let rows = rows
            .iter()
            .map(|(key, node)| Ok((key.clone(), node.scalar()?)));
        return Ok(Step::Table(rows.collect::<Result<_>>()?, other));
    }
    step_of(key, argument)
}

fn step_of(key: &str, node: &Node<'_>) -> Result<Step> {
    let text = || node.string();
    Ok(match key {
        "cut_prefix" => Step::CutPrefix(text()?),
        "cut_suffix" => Step::CutSuffix(text()?),
        "after" => Step::After(text()?),
        "before" => Step::Before(text()?),
        "last" => Step::Last(text()?),
        "pair" => Step::Pair(text()?),
        "line" => Step::Line(text()?),
        "label" => Step::Label(text()?),
        "not" => Step::Not(
            node.items()
                .iter()
                .map(Node::scalar)
                .collect::<Result<_>>()?,
        ),
        "bits" => {
            let masks = node.members()?;
            let read = |(mask, node): &(String, Node<'_>)| {
                let digits = mask.strip_prefix("0x").unwrap_or_default();
                let mask = u64::from_str_radix(digits, 16)
                    .map_err(|_| node.refuse("no mask such as 0x10"))?;
                Ok((mask, node.scalar()?))
            };
            Step::Bits(masks.iter().map(read).collect::<Result<_>>()?)
        }
        _ => return Err(node.refuse("no such step")),
    })
}

fn when(node: &Node<'_>) -> Result<Vec<Test>> {
    node.list("when", test)
}

fn tests(node: &Node<'_>) -> Result<Vec<Test>> {
    node.items().iter().map(test).collect()
}

/// A pointer alone asks that the member is there.
fn test(node: &Node<'_>) -> Result<Test> {
    let plain = |check, not| Test {
        value: Choice::default(),
        check,
        not,
    };
    if node.value.is_string() {
        return Ok(plain(Check::Has(vec![node.pointer()?]), false));
    }
    let mut value = Choice::default();
    let mut check = None;
    let mut not = false;
    for (key, node) in node.members()? {
        check = Some(match key.as_str() {
            "of" => {
                value = choice(&node)?;
                continue;
            }
            "not" => {
                not = node.value.raw() == "true";
                continue;
            }
            "has" => Check::Has(
                node.items()
                    .iter()
                    .map(Node::pointer)
                    .collect::<Result<_>>()?,
            ),
            "is" => Check::Is(
                node.items()
                    .iter()
                    .map(Node::scalar)
                    .collect::<Result<_>>()?,
            ),
            "starts" => Check::Starts(node.string()?),
            "ends" => Check::Ends(node.string()?),
            "contains" => Check::Contains(node.string()?),
            _ => return Err(node.refuse("not known in a test")),
        });
    }
    let check = check
        .ok_or_else(|| node.refuse("a check is missing: has, is, starts, ends or contains"))?;
    Ok(Test { value, check, not })
}
