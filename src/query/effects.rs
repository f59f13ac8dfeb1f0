//! What followed from events: those whose `caused_by` names them, and what followed from those in
//! turn. No index knows causes, so effects are looked for where they are: among the events that
//! happened from each cause's moment on, and of these no more than the caller allows.

use std::collections::HashMap;
use std::collections::HashSet;

use super::rows::Work;
use super::scan::Found;
use super::scan::Route;
use super::scan::Walker;
use crate::codec::content::Parts;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::StoredEvent;
use crate::filter::expression::Expression;
use crate::id::EventId;
use crate::id::Position;
use crate::id::Sequence;
use crate::limits;
use crate::snapshot::Snapshot;

/// How far effects are looked for.
///
/// ```
/// let bounds = auditdb::EffectBounds { depth_max: 1, ..auditdb::EffectBounds::default() };
/// assert_eq!((bounds.looked_max, bounds.effects_max), (100_000, 1_000));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EffectBounds {
    /// Events looked at, at the most, shared evenly among the causes: from the moment of each on,
    /// oldest first. By default 100,000.
    pub looked_max: u64,
    /// Effects given at the most; by default 1,000. They end, as a page does, behind 8 MiB, too.
    pub effects_max: usize,
    /// Steps from an event to an effect of an effect, at the most; by default 16.
    pub depth_max: u32,
}

/// What followed from some events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effects {
    /// Below each cause, in the order in which the causes were given, its effects by the time at
    /// which they happened, each with its own effects right behind it. No event comes twice, and
    /// none that is a cause itself.
    pub effects: Vec<Effect>,
    /// Every event from the first cause's moment on was looked at, and nothing was left out: there
    /// are no other effects.
    pub complete: bool,
    /// Events looked at.
    pub looked: u64,
}

/// An event that another one led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// The event that `caused_by` names.
    pub cause: EventId,
    /// Steps from one of the events that were asked about; those that it led to itself have 1.
    pub depth: u32,
    /// The event.
    pub event: StoredEvent,
}

impl Default for EffectBounds {
    fn default() -> EffectBounds {
        EffectBounds {
            looked_max: 100_000,
            effects_max: 1_000,
            depth_max: 16,
        }
    }
}

impl Snapshot {
    /// What followed from `causes`, directly and through other effects. An effect names its cause by
    /// the cause's id here, or by the one that it had where both were imported from. Effects that
    /// happened before their cause are not found.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfRange`] for a bound of 0, or what reading the files gives.
    ///
    /// ```
    /// use auditdb::{EffectBounds, Event, Options, Store};
    /// # let folder = std::env::temp_dir().join(format!("auditdb-doc-effects-{}", std::process::id()));
    ///
    /// let store = Store::open(&folder, Options::default())?;
    /// let receipts = store.append_batch(&[
    ///     Event::new("role.deleted"),
    ///     Event::new("role.user_removed").caused_by("#0"),
    ///     Event::new("session.ended").caused_by("#1"),
    /// ])?;
    /// let deleted = store.get(receipts[0].id)?.expect("it was appended");
    /// let found = store.snapshot().effects(&[deleted], &EffectBounds::default())?;
    /// let depths: Vec<u32> = found.effects.iter().map(|effect| effect.depth).collect();
    /// assert_eq!((depths, found.complete), (vec![1, 2], true));
    /// # store.close()?;
    /// # std::fs::remove_dir_all(&folder).ok();
    /// # Ok::<(), auditdb::Error>(())
    /// ```
    pub fn effects(&self, causes: &[StoredEvent], bounds: &EffectBounds) -> Result<Effects> {
        if bounds.looked_max == 0 || bounds.effects_max == 0 || bounds.depth_max == 0 {
            let what = "looked_max, effects_max, depth_max: 0 finds nothing";
            return Err(Error::new(ErrorKind::OutOfRange, what));
        }
        let mut links = Links::default();
        let share = (bounds.looked_max / causes.len().max(1) as u64).max(1);
        links.gather(self, causes, share)?;
        let mut tree = Tree {
            links: &links,
            bounds,
            seen: causes.iter().map(|cause| cause.id.position()).collect(),
            found: Vec::new(),
            is_whole: true,
        };
        for cause in causes {
            let origin = cause.event.origin.value();
            let origin = origin.and_then(|origin| origin.id.as_deref());
            tree.below(cause.position(), origin);
        }
        let (found, mut is_whole) = (tree.found, tree.is_whole);
        let mut effects = Vec::with_capacity(found.len());
        let mut bytes = 0;
        for (depth, cause, at) in found {
            if bytes >= limits::PAGE_BYTES {
                is_whole = false;
                break;
            }
            let Some((len, event)) = self.get_with_len(EventId::new(at))? else {
                continue;
            };
            bytes += len;
            effects.push(Effect {
                cause: EventId::new(cause),
                depth,
                event,
            });
        }
        Ok(Effects {
            effects,
            complete: is_whole && links.complete,
            looked: links.looked,
        })
    }
}

/// The events looked at that name a cause.
#[derive(Default)]
struct Links {
    /// Each with what it was called where it came from, in the order of time.
    effects: Vec<(Position, Option<String>)>,
    /// Places among these by the cause that is named.
    by_cause: HashMap<String, Vec<usize>>,
    looked: u64,
    complete: bool,
}

impl Links {
    /// Looks at `share` events from each cause's moment on that were not looked at before.
    fn gather(&mut self, snapshot: &Snapshot, causes: &[StoredEvent], share: u64) -> Result<()> {
        let mut moments: Vec<Position> = causes
            .iter()
            .map(|cause| Position {
                occurred_at: cause.occurred_at,
                seq: Sequence(0),
            })
            .collect();
        moments.sort_unstable();
        self.complete = true;
        let mut reached: Option<Position> = None;
        for moment in moments {
            let next = reached.map(Position::successor);
            // What lies between two stretches was not looked at.
            self.complete &= next.is_none_or(|next| moment <= next);
            let route = Route {
                expression: Expression::All,
                first: next.map_or(moment, |next| next.max(moment)),
                last: Position::LAST,
                since_seq: 0,
                oldest_first: true,
            };
            let mut walker = Walker::new(snapshot.clone(), route);
            let mut left = share;
            loop {
                let Found::Match(position) = walker.step(&mut Work::new(u64::MAX))? else {
                    return Ok(());
                };
                if left == 0 {
                    break;
                }
                left -= 1;
                self.looked += 1;
                reached = Some(position);
                walker.parts(|_, parts| {
                    self.add(position, parts);
                    Ok(())
                })?;
            }
        }
        self.complete &= causes.is_empty();
        Ok(())
    }

    fn add(&mut self, position: Position, parts: Parts<'_>) {
        if let Some(cause) = parts.caused_by().value() {
            let place = self.effects.len();
            let origin = parts.origin_id().map(|id| id.text().into_owned());
            self.effects.push((position, origin));
            let cause = cause.text().into_owned();
            self.by_cause.entry(cause).or_default().push(place);
        }
    }

    /// The effects of the event at `position`, in the order of time.
    fn of(&self, position: Position, origin: Option<&str>) -> Vec<usize> {
        let id = EventId::new(position).to_string();
        let names = [Some(id.as_str()), origin];
        let named = names.into_iter().flatten();
        let found = named.filter_map(|name| self.by_cause.get(name)).flatten();
        let mut places: Vec<usize> = found.copied().collect();
        places.sort_unstable();
        places
    }
}

/// What was found so far: depth, cause and place of each effect.
struct Tree<'a> {
    links: &'a Links,
    bounds: &'a EffectBounds,
    seen: HashSet<Position>,
    found: Vec<(u32, Position, Position)>,
    is_whole: bool,
}

impl Tree<'_> {
    /// Adds the effects of one cause, each with its own right behind it. What still has to be looked
    /// at stands on a stack of its own, the next on top: chains of causes are as long as they like.
    fn below(&mut self, cause: Position, origin: Option<&str>) {
        let mut open: Vec<(u32, Position, usize)> = Vec::new();
        self.open(1, cause, origin, &mut open);
        while let Some((depth, cause, place)) = open.pop() {
            let Some((at, origin)) = self.links.effects.get(place) else {
                continue;
            };
            if !self.seen.insert(*at) {
                continue;
            }
            if self.found.len() >= self.bounds.effects_max {
                self.is_whole = false;
                return;
            }
            self.found.push((depth, cause, *at));
            self.open(depth + 1, *at, origin.as_deref(), &mut open);
        }
    }

    fn open(
        &mut self,
        depth: u32,
        cause: Position,
        origin: Option<&str>,
        open: &mut Vec<(u32, Position, usize)>,
    ) {
        let places = self.links.of(cause, origin);
        if depth > self.bounds.depth_max {
            self.is_whole &= places.is_empty();
            return;
        }
        open.extend(places.into_iter().rev().map(|place| (depth, cause, place)));
    }
}
