//! Deterministic events for demonstrations, tests and benchmarks: the same seed and profile give
//! the same events on every machine. Memory does not grow with the number of events, and every
//! event passes validation. Called by the `generate` and `demo` commands, tests and benches.

mod administration;
mod catalogue;
mod hostile;
mod payload;
mod random;
mod realistic;
mod text;
mod timeline;
mod zipf;

use crate::event::Event;
use crate::time::Time;

/// What the generated events are like.
///
/// ```
/// use auditdb::{Generator, Profile};
///
/// let mut profile = Profile::realistic(1_000);
/// profile.tie_percent = 20.0;
/// assert_eq!(Generator::new(7, profile).count(), 1_000);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// How many events there are.
    pub events: u64,
    /// The percentage of events in bursts of 2 to 400 on one microsecond.
    pub tie_percent: f64,
    /// The percentage of events that arrive late, by up to three hours.
    pub late_percent: f64,
    /// The moment at which the span of the events begins.
    pub start: Time,
    /// The days over which the events are spread, busy by day and on workdays.
    pub days: u32,
    sort: Sort,
}

/// What sort of events a profile is of.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sort {
    Realistic,
    Administration,
    Hostile,
}

/// An iterator over a profile's events in order of arrival.
///
/// ```
/// use auditdb::{Generator, Profile};
///
/// let event = Generator::new(1, Profile::realistic(1)).next().expect("one event was asked for");
/// event.validate()?;
/// # Ok::<(), auditdb::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Generator {
    left: u64,
    random: random::Random,
    timeline: timeline::Timeline,
    shape: Shape,
}

#[derive(Clone, Debug)]
enum Shape {
    Realistic(Box<realistic::World>),
    Administration(Box<administration::Administration>),
    Hostile,
}

impl Profile {
    /// `events` events as an administration trail has them: some 758 bytes as a native line with
    /// what the store adds, 45 types, 200,000 subjects, 5,000 performers, 400 days.
    #[must_use]
    pub fn realistic(events: u64) -> Profile {
        Profile {
            events,
            tie_percent: 5.0,
            late_percent: 1.0,
            // 2025-01-01T00:00:00Z.
            start: Time::saturating_from_micros(1_735_689_600_000_000),
            days: 400,
            sort: Sort::Realistic,
        }
    }

    /// `events` events of the built-in pack `administration`, each as a registry of it takes it: all
    /// 38 types among the first 48 events, the frequent ones more often from then on. Where a role
    /// gets or loses an object type, there is one event for each state of the workflow, all of one
    /// microsecond and one [`Event::batch`], with their place in it as the metadata `ordinal`.
    ///
    /// ```
    /// use auditdb::{Generator, Profile, Registry};
    ///
    /// let pack = Registry::built_in();
    /// for event in Generator::new(1, Profile::administration(100)) {
    ///     pack.check(&event)?;
    /// }
    /// # Ok::<(), auditdb::Error>(())
    /// ```
    #[must_use]
    pub fn administration(events: u64) -> Profile {
        Profile {
            sort: Sort::Administration,
            ..Profile::realistic(events)
        }
    }

    /// `events` events that nothing compresses and little foresees: every field absent, null,
    /// empty or filled without regard to any other, long texts in many scripts, deep JSON.
    #[must_use]
    pub fn hostile(events: u64) -> Profile {
        Profile {
            sort: Sort::Hostile,
            ..Profile::realistic(events)
        }
    }
}

impl Generator {
    /// The events of `profile` that `seed` decides.
    #[must_use]
    pub fn new(seed: u64, profile: Profile) -> Generator {
        let mut random = random::Random::new(seed);
        let shape = match profile.sort {
            Sort::Hostile => Shape::Hostile,
            Sort::Realistic => Shape::Realistic(Box::new(realistic::World::new(seed))),
            Sort::Administration => {
                let pack = administration::Administration::new(seed);
                Shape::Administration(Box::new(pack))
            }
        };
        Generator {
            left: profile.events,
            timeline: timeline::Timeline::new(&profile, &mut random),
            random,
            shape,
        }
    }
}

impl Iterator for Generator {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        self.left = self.left.checked_sub(1)?;
        if let Shape::Administration(pack) = &mut self.shape
            && let Some(event) = pack.of_batch()
        {
            return Some(event);
        }
        let time = self.timeline.next(&mut self.random);
        Some(match &mut self.shape {
            Shape::Realistic(world) => world.event(time, &mut self.random),
            Shape::Administration(pack) => pack.event(time, self.left, &mut self.random),
            Shape::Hostile => hostile::event(time, &mut self.random),
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.left);
        (left.unwrap_or(usize::MAX), left.ok())
    }
}

#[cfg(test)]
mod tests;
