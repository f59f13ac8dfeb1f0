//! What followed from the events that a command prints: looked for, and shown below them.

use auditdb::Effect;
use auditdb::EffectBounds;
use auditdb::Effects;
use auditdb::EventId;
use auditdb::Snapshot;
use auditdb::StoredEvent;

use crate::failure::Outcome;
use crate::table;

/// The metadata key by which an event says how many others it implies, recorded or not.
const IMPLIED: &str = "implied_count";

/// Looks for what followed from `events`.
pub(crate) fn find(snapshot: &Snapshot, events: &[StoredEvent]) -> Outcome<Effects> {
    Ok(snapshot.effects(events, &EffectBounds::default())?)
}

/// The members that JSON has for them, behind a comma.
pub(crate) fn json(effects: &Effects) -> serde_json::Result<String> {
    let mut out = String::from(",\"effects\":[");
    for (number, effect) in effects.effects.iter().enumerate() {
        let event = serde_json::to_string(&effect.event)?;
        let comma = if number > 0 { "," } else { "" };
        let (cause, depth) = (effect.cause, effect.depth);
        out.push_str(&format!(
            "{comma}{{\"cause\":\"{cause}\",\"depth\":{depth},\"event\":{event}}}"
        ));
    }
    out.push_str(&format!("],\"effects_complete\":{}", effects.complete));
    Ok(out)
}

/// The effects of one of the events, each with its own behind it: they stand together.
pub(crate) fn of(effects: &Effects, cause: EventId) -> impl Iterator<Item = &Effect> {
    let found = effects.effects.iter();
    let mut of_it = found.skip_while(move |effect| effect.depth > 1 || effect.cause != cause);
    let first = of_it.next();
    let rest = of_it.take_while(move |effect| effect.depth > 1 || effect.cause == cause);
    first.into_iter().chain(rest)
}

/// An effect's type, further in the further it is from what was asked for.
pub(crate) fn indented(effect: &Effect) -> String {
    let depth = usize::try_from(effect.depth).unwrap_or(1);
    format!(
        "{}└ {}",
        "  ".repeat(depth - 1),
        effect.event.event.event_type
    )
}

/// The line about them: how many there are, how many the events say there are, and whether that is
/// all.
pub(crate) fn note(effects: &Effects, events: &[StoredEvent]) -> String {
    let found = table::counted(effects.effects.len() as u64, "effect");
    let implied = |stored: &StoredEvent| {
        let pairs = stored.event.metadata.value()?;
        pairs.get(IMPLIED)?.parse::<u64>().ok()
    };
    let implied: Vec<u64> = events.iter().filter_map(implied).collect();
    let implied = match implied.is_empty() {
        true => String::new(),
        false => {
            let sum = implied.into_iter().fold(0, u64::saturating_add);
            format!(" of {} that {IMPLIED} tells of", table::grouped(sum))
        }
    };
    let looked = table::counted(effects.looked, "event");
    match effects.complete {
        true => format!("{found}{implied}; that is all"),
        false => format!("{found}{implied}, among {looked} from each cause on; there may be more"),
    }
}
