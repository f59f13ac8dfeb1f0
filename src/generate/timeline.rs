//! When generated events happen: a walk through a span of days with a rhythm of hours and
//! weekdays, with bursts on one microsecond and events that arrive late. The walk is in order of
//! arrival and keeps a fixed number of moments in memory, however many events there are.

use super::Profile;
use super::random::Random;
use crate::time::Time;

const HOUR_MICROS: u64 = 3_600_000_000;
/// Late by at most this much.
const LATE_MICROS: u64 = 3 * HOUR_MICROS;
/// Moments that are drawn together and sorted: inside, gaps are those of a Poisson process, and
/// the whole still ends on the span's last day.
const STRETCH: u64 = 256;
const BURST_MIN: u64 = 2;
const BURST_MAX: u64 = 400;
const MILLION: u64 = 1_000_000;

/// How busy each hour of a day in UTC is, and each day of a week that begins on a Monday.
const HOURS: [u64; 24] = [
    2, 1, 1, 1, 1, 2, 4, 8, 14, 18, 20, 19, 15, 17, 20, 19, 17, 13, 9, 7, 6, 5, 4, 3,
];
const DAYS: [u64; 7] = [20, 21, 21, 20, 17, 4, 3];

/// Moments in order of arrival, without end; whoever asks for more than the profile's events gets
/// moments past the span.
#[derive(Clone, Debug)]
pub(super) struct Timeline {
    start: Time,
    /// Busyness of the whole span, in the unit of [`HOURS`] × [`DAYS`], and the part of it that
    /// one event stands for, in 2^-32 of that unit.
    step: u128,
    /// Where the walk stands: an hour of the span, and the busyness before it.
    hour: u64,
    before: u64,
    stretch: Vec<u64>,
    stretch_len: u64,
    next_stretch: u64,
    ties: u64,
    late: u64,
    /// Events that may yet be put into bursts, in millionths.
    budget: i128,
    burst_next: u64,
    burst_cap: u64,
    burst_left: u64,
    burst_time: Time,
}

impl Timeline {
    pub(super) fn new(profile: &Profile, random: &mut Random) -> Timeline {
        let hours = u64::from(profile.days.max(1)) * 24;
        let weekday = weekday_of(profile.start);
        let total: u64 = (0..hours).map(|hour| busyness(weekday, hour)).sum();
        let ties = millionths(profile.tie_percent);
        let late = millionths(profile.late_percent);
        let burst_cap = (profile.events.saturating_mul(ties) / MILLION).clamp(BURST_MIN, BURST_MAX);
        let alone = (MILLION - ties).max(1);
        let mut timeline = Timeline {
            start: profile.start,
            step: (u128::from(total) << 32) / u128::from(profile.events.max(1)),
            hour: 0,
            before: 0,
            stretch: Vec::new(),
            stretch_len: STRETCH.min(profile.events.max(1)),
            next_stretch: 0,
            ties,
            late: (late * MILLION / alone).min(MILLION),
            budget: 0,
            burst_next: 0,
            burst_cap,
            burst_left: 0,
            burst_time: profile.start,
        };
        timeline.burst_next = timeline.burst_size(random);
        timeline
    }

    /// The moment of the next event to arrive.
    pub(super) fn next(&mut self, random: &mut Random) -> Time {
        let now = self.walk(random);
        self.budget += i128::from(self.ties);
        if self.burst_left > 0 {
            self.burst_left -= 1;
            return self.burst_time;
        }
        // Waiting for all but the burst's own accrual keeps the share exact to one burst.
        let due = i128::from(self.burst_next) * i128::from(MILLION - self.ties);
        if self.ties > 0 && self.budget >= due {
            self.budget -= i128::from(self.burst_next) * i128::from(MILLION);
            self.burst_left = self.burst_next - 1;
            self.burst_time = now;
            self.burst_next = self.burst_size(random);
            return now;
        }
        if random.chance(self.late) {
            let late = i64::try_from(1 + random.below(LATE_MICROS)).unwrap_or(0);
            return Time::saturating_from_micros(now.as_micros() - late);
        }
        now
    }

    /// Sizes spread evenly over the powers of two from 2 to 400.
    fn burst_size(&self, random: &mut Random) -> u64 {
        let floor = BURST_MIN << random.below(8);
        (floor + random.below(floor)).min(self.burst_cap)
    }

    /// The walk's next moment, without bursts and delays.
    fn walk(&mut self, random: &mut Random) -> Time {
        if self.stretch.is_empty() {
            let width =
                u64::try_from((self.step * u128::from(self.stretch_len)).min(u128::from(u64::MAX)));
            let width = width.unwrap_or(u64::MAX).max(1);
            self.stretch
                .extend((0..self.stretch_len).map(|_| random.below(width)));
            self.stretch.sort_unstable_by(|a, b| b.cmp(a));
            self.next_stretch += 1;
        }
        let within = u128::from(self.stretch.pop().unwrap_or(0));
        let at =
            self.step * u128::from(self.stretch_len) * u128::from(self.next_stretch - 1) + within;
        let weekday = weekday_of(self.start);
        let mut busy = busyness(weekday, self.hour);
        while at >= u128::from(self.before + busy) << 32 {
            self.before += busy;
            self.hour += 1;
            busy = busyness(weekday, self.hour);
        }
        let into = at - (u128::from(self.before) << 32);
        let micros = into * u128::from(HOUR_MICROS) / (u128::from(busy) << 32);
        let since = self.hour * HOUR_MICROS + u64::try_from(micros).unwrap_or(0);
        Time::saturating_from_micros(
            self.start
                .as_micros()
                .saturating_add(i64::try_from(since).unwrap_or(i64::MAX)),
        )
    }
}

/// Percent as millionths of a whole, from none to all.
fn millionths(percent: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0 to 1,000,000 first; NaN becomes 0"
    )]
    let whole = (percent.clamp(0.0, 100.0) * 10_000.0) as u64;
    whole
}

/// Days since a Monday, from 0 to 6. 1970-01-01 was a Thursday.
fn weekday_of(time: Time) -> u64 {
    (time.as_micros().unsigned_abs() / HOUR_MICROS / 24 + 3) % 7
}

fn busyness(weekday: u64, hour: u64) -> u64 {
    let entry = |list: &[u64], at: u64| {
        let at = usize::try_from(at).unwrap_or(0);
        list.get(at).copied().unwrap_or(1)
    };
    entry(&DAYS, (weekday + hour / 24) % 7) * entry(&HOURS, hour % 24)
}
