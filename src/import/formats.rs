//! The formats an import knows: events themselves, the built-in mappings in the order they are
//! tried, and the generic one. Which of them reads a line depends on that line alone (never on the
//! lines around it), so a line has the same identity in whatever file it arrives.

use std::sync::Arc;
use std::sync::LazyLock;

use super::generic;
use super::mapping::Mapping;
use super::native;
use super::native::Canonical;
use super::native::Layout;
use super::record::Record;
use super::shape;
use crate::codec::hash::Keys;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::Event;
use crate::event::Field;
use crate::event::Json;
use crate::store::Offer;

/// The mapping files by name, in the order they are tried: common and bulky sources first, because
/// every line asks each of them in turn.
pub(super) const FILES: &[(&str, &str)] = &[
    ("windows", include_str!("mappings/windows.json")),
    ("winlogbeat", include_str!("mappings/winlogbeat.json")),
    (
        "hospital-billing",
        include_str!("mappings/hospital-billing.json"),
    ),
    ("traffic-fines", include_str!("mappings/traffic-fines.json")),
    ("wikipedia", include_str!("mappings/wikipedia.json")),
    ("splunk", include_str!("mappings/splunk.json")),
    ("auditd", include_str!("mappings/auditd.json")),
    ("windows-text", include_str!("mappings/windows-text.json")),
    ("cloudtrail", include_str!("mappings/cloudtrail.json")),
    ("kubernetes", include_str!("mappings/kubernetes.json")),
    ("github", include_str!("mappings/github.json")),
    ("honeybucket", include_str!("mappings/honeybucket.json")),
    ("gcp", include_str!("mappings/gcp.json")),
    (
        "google-workspace",
        include_str!("mappings/google-workspace.json"),
    ),
    ("azure", include_str!("mappings/azure.json")),
    ("okta", include_str!("mappings/okta.json")),
    ("slack", include_str!("mappings/slack.json")),
    ("asana", include_str!("mappings/asana.json")),
    ("auth0", include_str!("mappings/auth0.json")),
    ("atlassian", include_str!("mappings/atlassian.json")),
    (
        "github-webhook",
        include_str!("mappings/github-webhook.json"),
    ),
    ("s3-access", include_str!("mappings/s3-access.json")),
    ("guardduty", include_str!("mappings/guardduty.json")),
    ("openai", include_str!("mappings/openai.json")),
    ("anthropic", include_str!("mappings/anthropic.json")),
    ("zendesk", include_str!("mappings/zendesk.json")),
    ("zscaler", include_str!("mappings/zscaler.json")),
    ("wiz-audit", include_str!("mappings/wiz-audit.json")),
    ("panther", include_str!("mappings/panther.json")),
    ("crowdstrike", include_str!("mappings/crowdstrike.json")),
    ("snowflake", include_str!("mappings/snowflake.json")),
    ("salesforce", include_str!("mappings/salesforce.json")),
    ("duo", include_str!("mappings/duo.json")),
    ("docusign", include_str!("mappings/docusign.json")),
    ("tines", include_str!("mappings/tines.json")),
    ("onelogin", include_str!("mappings/onelogin.json")),
    ("netskope", include_str!("mappings/netskope.json")),
    ("carbonblack", include_str!("mappings/carbonblack.json")),
    ("sublime", include_str!("mappings/sublime.json")),
    ("sentinelone", include_str!("mappings/sentinelone.json")),
    ("push-security", include_str!("mappings/push-security.json")),
    ("box", include_str!("mappings/box.json")),
    ("ecs", include_str!("mappings/ecs.json")),
];

static BUILT_IN: LazyLock<Vec<Arc<Mapping>>> = LazyLock::new(|| {
    FILES
        .iter()
        .filter_map(|(_, text)| Mapping::parse(text).ok().map(Arc::new))
        .collect()
});

/// The name of what reads this store's own lines.
static NATIVE: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from("native"));

/// How source lines are read.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum ImportFormat {
    /// Each line by its content.
    #[default]
    Auto,
    /// This store's own lines.
    Native,
    /// Lines with `actor` and `target`.
    Entries,
    /// JSON by well-known member names.
    Generic,
    /// All lines by this mapping.
    Mapping(Arc<Mapping>),
}

impl ImportFormat {
    /// The format of this name.
    ///
    /// # Errors
    /// [`ErrorKind::Import`] lists the names there are.
    ///
    /// ```
    /// assert_eq!(auditdb::ImportFormat::named("auto")?, auditdb::ImportFormat::Auto);
    /// assert!(auditdb::ImportFormat::named("nothing").is_err());
    /// # Ok::<(), auditdb::Error>(())
    /// ```
    pub fn named(name: &str) -> Result<ImportFormat> {
        match name {
            "auto" => return Ok(ImportFormat::Auto),
            "native" => return Ok(ImportFormat::Native),
            "entries" => return Ok(ImportFormat::Entries),
            generic::NAME => return Ok(ImportFormat::Generic),
            _ => {}
        }
        let known = BUILT_IN.iter().find(|mapping| mapping.name() == name);
        known.cloned().map(ImportFormat::Mapping).ok_or_else(|| {
            let names: Vec<_> = ImportFormat::list().map(|(name, _)| name).collect();
            let what = format!("no import format {name:?}; there are {}", names.join(", "));
            Error::new(ErrorKind::Import, what)
        })
    }

    /// Every format's name, and one line on what it takes.
    pub fn list() -> impl Iterator<Item = (&'static str, &'static str)> {
        let own = [
            (
                "auto",
                "each line by its content: the formats below, in this order",
            ),
            (
                "native",
                "this store's own lines, or its CSV; what the other store set goes to `origin`",
            ),
            (
                "entries",
                "lines with actor, target, data and context, or their CSV",
            ),
        ];
        let last = (
            generic::NAME,
            "any JSON object with a time in it, by well-known names",
        );
        let mappings = BUILT_IN
            .iter()
            .map(|mapping| (mapping.name(), mapping.about()));
        own.into_iter().chain(mappings).chain([last])
    }
}

/// Reads lines in one format; plain data, shared by all inputs of an import.
#[derive(Clone, Debug, Default)]
pub(super) struct Formats {
    pub(super) format: ImportFormat,
    /// A mapping tried before the format: on the records it detects, or on all if it detects none.
    pub(super) map: Option<Arc<Mapping>>,
    pub(super) zone: Option<i32>,
    /// Whether equal events are numbered, however their lines are spelled.
    pub(super) numbered: bool,
}

/// A line read.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) offer: Offer,
    /// What read it.
    pub(super) mapping: Arc<str>,
    /// What tells the record from others in this import.
    pub(super) identity: u64,
}

impl Read {
    /// The event has a key of its own.
    pub(super) fn is_keyed(&self) -> bool {
        match &self.offer {
            Offer::Event(event) => event.key.value().is_some(),
            Offer::Content(ready) => ready.key.is_some(),
        }
    }
}

impl Formats {
    /// What reads the lines that the records of a CSV file become, if such a file may come.
    pub(super) fn of_columns(&self) -> Option<Formats> {
        let own = [
            ImportFormat::Auto,
            ImportFormat::Native,
            ImportFormat::Entries,
        ];
        own.contains(&self.format).then(|| Formats {
            format: ImportFormat::Native,
            map: None,
            ..self.clone()
        })
    }

    /// Reads one line; the error is the reason for its refusal.
    pub(super) fn read(&self, line: &[u8]) -> core::result::Result<Read, String> {
        let text = core::str::from_utf8(line)
            .map_err(|error| format!("no valid UTF-8 at byte {}", error.valid_up_to()))?;
        let canonical = self.canonical(text);
        let is_plain = canonical.as_ref().is_some_and(Canonical::is_plain) && !self.numbered;
        let (event, mapping, identity) = match canonical {
            Some(line) if is_plain => {
                return Ok(Read {
                    offer: Offer::Content(line.ready()),
                    identity: identity(NATIVE.as_ref(), text),
                    mapping: Arc::clone(&NATIVE),
                });
            }
            Some(line) => {
                let event = line.event();
                let identity = self.identity_of(NATIVE.as_ref(), &event, text)?;
                (event, Arc::clone(&NATIVE), identity)
            }
            None => {
                let data = record_of(text)?;
                let (mut event, mapping, own) = self.event(&Record::new(data.as_str()))?;
                let identity = match own {
                    true => self.identity_of(&mapping, &event, text)?,
                    false => identity(&mapping, data.as_str()),
                };
                if !own {
                    event.data = Field::Value(data);
                }
                (event, mapping, identity)
            }
        };
        event.validate().map_err(|error| error.to_string())?;
        Ok(Read {
            offer: Offer::Event(Box::new(event)),
            mapping,
            identity,
        })
    }

    /// A line in canonical form, where such a line is nothing else.
    fn canonical(&self, text: &str) -> Option<Canonical> {
        let own = matches!(self.format, ImportFormat::Auto | ImportFormat::Native);
        (own && self.map.is_none()).then(|| Canonical::read(text))?
    }

    /// What tells an event's own line from others. Where events are numbered, another order of the
    /// keys is the same event; otherwise lines are compared themselves.
    fn identity_of(
        &self,
        mapping: &str,
        event: &Event,
        text: &str,
    ) -> core::result::Result<u64, String> {
        if !self.numbered {
            return Ok(identity(mapping, text));
        }
        let line = serde_json::to_string(event).map_err(|error| error.to_string())?;
        Ok(identity(mapping, &line))
    }

    /// The event, the name of what made it, and whether the line was an event itself.
    fn event(&self, record: &Record<'_>) -> core::result::Result<(Event, Arc<str>, bool), String> {
        if let Some(map) = &self.map
            && (!map.detects() || map.recognises(record))
        {
            return self.mapped(map, record);
        }
        match &self.format {
            ImportFormat::Native => own(record, Layout::Native),
            ImportFormat::Entries => own(record, Layout::Entries),
            ImportFormat::Generic => self.generic(record),
            ImportFormat::Mapping(mapping) => self.mapped(mapping, record),
            ImportFormat::Auto => {
                if let Some(layout) = native::layout(record) {
                    return own(record, layout);
                }
                let known = BUILT_IN.iter().find(|mapping| mapping.recognises(record));
                match known {
                    // A sample cut so short that its mapping finds no time may still have one.
                    Some(mapping) => self
                        .mapped(mapping, record)
                        .or_else(|reason| self.generic(record).map_err(|_| reason)),
                    None => self.generic(record),
                }
            }
        }
    }

    fn mapped(
        &self,
        mapping: &Mapping,
        record: &Record<'_>,
    ) -> core::result::Result<(Event, Arc<str>, bool), String> {
        let event = shape::event(mapping, record, self.zone)?;
        Ok((event, Arc::clone(&mapping.name), false))
    }

    fn generic(
        &self,
        record: &Record<'_>,
    ) -> core::result::Result<(Event, Arc<str>, bool), String> {
        generic::event(record, self.zone).map(|event| (event, Arc::from(generic::NAME), false))
    }
}

fn own(
    record: &Record<'_>,
    layout: Layout,
) -> core::result::Result<(Event, Arc<str>, bool), String> {
    let name = match layout {
        Layout::Native => Arc::clone(&NATIVE),
        Layout::Entries => Arc::from("entries"),
    };
    native::event(record, layout).map(|event| (event, name, true))
}

/// The record of a line: its JSON, or the line itself as a JSON text.
fn record_of(text: &str) -> core::result::Result<Json, String> {
    match text.trim_start().as_bytes().first() {
        Some(b'{' | b'"') => Json::parse(text).map_err(|error| error.to_string()),
        Some(b'[') => {
            Err("a JSON array; one record a line is taken (jq -c '.[]' makes them)".to_owned())
        }
        _ => Ok(Json::string(text)),
    }
}

/// Tells records of one import apart; it never leaves the process.
fn identity(mapping: &str, record: &str) -> u64 {
    let keys = Keys::default();
    keys.hash(mapping.as_bytes()).rotate_left(1) ^ keys.hash(record.as_bytes())
}
