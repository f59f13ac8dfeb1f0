//! The reverse-chronological (or chronological) walk over all sources of a snapshot that match a
//! filter. A segment is put in line when the walk comes to where it begins, and opened when its
//! upper bound reaches the top of the heap, so what the walk does not come to costs nothing. Emits
//! every match once, in the total order `(occurred_at, seq)`.

mod leap;

use std::collections::BinaryHeap;
use std::sync::Arc;

pub(crate) use self::leap::STREAK;
use super::plan;
use super::rows::Rows;
use super::rows::Step;
use super::rows::Walk;
use super::rows::Work;
use crate::codec::content::Parts;
use crate::codec::row::Row;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::filter::expression::Expression;
use crate::id::Position;
use crate::id::Sequence;
use crate::planted::Bug;
use crate::planted::instead;
use crate::snapshot::Kept;
use crate::snapshot::Snapshot;
use crate::snapshot::Source;
use crate::snapshot::Unopened;
use crate::snapshot::Upcoming;
use crate::time::Time;

/// What to walk over: everything that decides which events come, and in which order.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) expression: Expression,
    /// The first and the last position that may come, both inclusive, in time order.
    pub(crate) first: Position,
    pub(crate) last: Position,
    /// Events with smaller sequence numbers do not come.
    pub(crate) since_seq: u64,
    pub(crate) oldest_first: bool,
}

/// What one step of a walk found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The match at this position; [`Walker::row`] reads it.
    Match(Position),
    /// No match follows.
    End,
    /// The budget is spent; matches are still to be looked for from this position on, inclusive.
    Spent(Position),
}

/// A walk under way.
pub(crate) struct Walker {
    snapshot: Snapshot,
    route: Route,
    runs: Vec<Run>,
    /// What runs that ended were read with: the next one goes on with their memory.
    spare: Vec<Kept>,
    heap: BinaryHeap<Head>,
    /// Segments that can hold a match and are not in line yet.
    upcoming: Upcoming,
    current: Option<usize>,
    emitted: Option<Position>,
    /// What was looked at so far, but for the blocks that what is kept has counted.
    looked: Looked,
}

/// What a scan looked at to find what it gave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// Segments opened.
    pub segments: u64,
    /// Memtables opened: what is not sealed yet.
    pub memtables: u64,
    /// Blocks of 64 rows read in segments.
    pub blocks: u64,
    /// Rows whose place was looked at, because an index named them or no filter passed them over.
    pub rows: u64,
}

/// One source on the walk.
struct Run {
    unopened: Unopened,
    /// The segment's place in the line-up.
    place: Option<usize>,
    open: Option<OpenRun>,
}

struct OpenRun {
    source: Arc<Source>,
    rows: Rows,
    walk: Walk,
    /// The next row to look at and the first one not to, in reading direction.
    at: u32,
    end: u32,
    kept: Kept,
    /// Every row is walked over, and none so far was a match.
    is_barren: bool,
    /// The head of another run, if there is one, and the first row that comes behind it.
    clear: Option<(Option<u128>, u32)>,
}

/// The best that a run can still give. Greater heads come first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Head {
    rank: u128,
    /// The position is a match, not just a bound.
    exact: bool,
    run: usize,
}

/// How often one walk takes a fresh version because a file was gone. Each time a merge must have
/// finished in the meantime, so that more than a few means that the store is damaged.
pub(super) const REFRESHES_MAX: usize = 32;

/// What is left of a range strictly behind `after` in reading direction, both ends inclusive.
/// Behind the very last position there is nothing, which no two positions in order can say.
pub(super) fn behind(
    after: Position,
    (first, last): (Position, Position),
    oldest_first: bool,
) -> (Position, Position) {
    let (before, behind) = (after.predecessor(), after.successor());
    match oldest_first {
        true if behind > after => (first.max(behind), last),
        false if before < after => (first, last.min(before)),
        _ => (Position::LAST, Position::FIRST),
    }
}

impl Walker {
    pub(crate) fn new(snapshot: Snapshot, route: Route) -> Walker {
        let (range, oldest_first) = ((route.first, route.last), route.oldest_first);
        let places = snapshot.segments().places_of(&route.expression);
        let mut walker = Walker {
            upcoming: snapshot.segments().upcoming(range, oldest_first, places),
            snapshot,
            route,
            runs: Vec::new(),
            spare: Vec::new(),
            heap: BinaryHeap::new(),
            current: None,
            emitted: None,
            looked: Looked::default(),
        };
        walker.line_up_unsealed();
        walker
    }

    /// What was looked at so far.
    pub(crate) fn looked(&self) -> Looked {
        let open = self.runs.iter().filter_map(|run| run.open.as_ref());
        let for_texts: u64 = open.clone().map(|open| open.rows.blocks_read()).sum();
        let kept = open.map(|open| &open.kept).chain(&self.spare);
        let blocks = kept.map(Kept::blocks_read).sum::<u64>() + for_texts;
        Looked {
            blocks: self.looked.blocks + blocks,
            ..self.looked
        }
    }

    /// Finds the next match.
    pub(crate) fn step(&mut self, work: &mut Work) -> Result<Found> {
        let mut refreshes = 0;
        loop {
            match self.advance(work) {
                Err(error) if error.kind() == ErrorKind::Missing && refreshes < REFRESHES_MAX => {
                    refreshes += 1;
                    self.snapshot = self.snapshot.refreshed()?;
                    self.line_up();
                }
                step => return step,
            }
        }
    }

    /// The source of the match found last.
    fn opened(&mut self) -> Option<&mut OpenRun> {
        self.runs.get_mut(self.current?)?.open.as_mut()
    }

    /// Reads the row of the match found last.
    pub(crate) fn row<T>(&mut self, read: impl FnOnce(Row<'_>) -> Result<T>) -> Result<Option<T>> {
        let Some(open) = self.opened() else {
            return Ok(None);
        };
        let row = open.walk.turn(open.at);
        open.source.read(row, &mut open.kept, read).map(Some)
    }

    /// As [`Walker::row`], with the row's content taken apart.
    pub(crate) fn parts<T>(
        &mut self,
        read: impl FnOnce(Row<'_>, Parts<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        match self.place() {
            Some((_, row)) => self.parts_of(row, read),
            None => Ok(None),
        }
    }

    /// The same of a row that [`Walker::leap`] handed on.
    pub(crate) fn parts_of<T>(
        &mut self,
        row: u32,
        read: impl FnOnce(Row<'_>, Parts<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let Some(open) = self.opened() else {
            return Ok(None);
        };
        open.source.read_parts(row, &mut open.kept, read).map(Some)
    }

    /// Where the match found last stands.
    pub(crate) fn place(&self) -> Option<(&Arc<Source>, u32)> {
        let open = self.runs.get(self.current?)?.open.as_ref()?;
        Some((&open.source, open.walk.turn(open.at)))
    }

    /// Begins anew behind what was emitted, in the present version.
    fn line_up(&mut self) {
        self.current = None;
        self.looked = self.looked();
        self.heap.clear();
        self.runs.clear();
        self.spare.clear();
        let lineup = self.snapshot.segments();
        let places = lineup.places_of(&self.route.expression);
        self.upcoming = lineup.upcoming(self.span(), self.route.oldest_first, places);
        self.line_up_unsealed();
    }

    /// Puts every memtable that can hold a match on the heap; segments follow when the walk comes
    /// to them.
    fn line_up_unsealed(&mut self) {
        let (first, last) = self.span();
        let unsealed: Vec<Unopened> = self.snapshot.unsealed().collect();
        for source in unsealed {
            if first <= last && source.newest >= first && source.oldest <= last {
                let bound = match self.route.oldest_first {
                    true => source.oldest.max(first),
                    false => source.newest.min(last),
                };
                self.put_in_line(source, None, bound);
            }
        }
    }

    /// Puts the segments on the heap that can hold something before all that is on it.
    fn line_up_segments(&mut self) {
        while let Some(head) = self.next_upcoming() {
            if self.heap.peek().is_some_and(|top| top.rank > head.rank) {
                return;
            }
            self.upcoming.pass();
            let bound = self.position_of(head);
            let pinned = self.snapshot.segments().get(head.run);
            if let Some(source) = pinned.map(Unopened::segment) {
                self.put_in_line(source, Some(head.run), bound);
            }
        }
    }

    /// The best that the next segment can give; instead of a run it has the segment's place.
    fn next_upcoming(&mut self) -> Option<Head> {
        let (place, bound) = self.upcoming.peek(self.snapshot.segments())?;
        Some(self.head(bound, false, place))
    }

    /// Puts a source on the heap, unopened, unless all of its events lie outside of the seqs.
    fn put_in_line(&mut self, unopened: Unopened, place: Option<usize>, bound: Position) {
        let seqs = self.route.since_seq..self.snapshot.seq_count();
        if unopened.seqs.1 >= seqs.start && unopened.seqs.0 < seqs.end {
            self.heap.push(self.head(bound, false, self.runs.len()));
            self.runs.push(Run {
                unopened,
                place,
                open: None,
            });
        }
    }

    /// The positions still to come, both inclusive.
    fn span(&self) -> (Position, Position) {
        let Route {
            first,
            last,
            oldest_first,
            ..
        } = self.route;
        match self.emitted {
            Some(emitted) => behind(emitted, (first, last), oldest_first),
            None => (first, last),
        }
    }

    fn head(&self, position: Position, exact: bool, run: usize) -> Head {
        let micros = u128::from(position.occurred_at.as_micros().unsigned_abs());
        let seq = instead(Bug::WrongOrderAtTies, position.seq.0, |seq| !seq);
        let rank = micros << 64 | u128::from(seq);
        Head {
            rank: if self.route.oldest_first { !rank } else { rank },
            exact,
            run,
        }
    }

    fn advance(&mut self, work: &mut Work) -> Result<Found> {
        if let Some(run) = self.current.take() {
            self.leave(run)?;
        }
        let (first, last) = self.span();
        let start = if self.route.oldest_first { first } else { last };
        let start = self.head(start, false, 0).rank;
        loop {
            self.line_up_segments();
            let Some(head) = self.heap.pop() else {
                return Ok(Found::End);
            };
            let position = self.position_of(head);
            if head.exact {
                self.current = Some(head.run);
                self.emitted = Some(position);
                return Ok(Found::Match(position));
            }
            // A cursor must move on with every call: what lies before the start of this step is
            // known, so the budget may end the step as soon as the best bound is behind the start.
            if work.is_spent() && head.rank < start {
                self.heap.push(head);
                return Ok(Found::Spent(position));
            }
            // A run that cannot be read stays in line: a second try leaves none of its matches out.
            let sought = self.seek(head.run, work);
            sought.inspect_err(|_| self.heap.push(head))?;
        }
    }

    fn position_of(&self, head: Head) -> Position {
        let rank = if self.route.oldest_first {
            !head.rank
        } else {
            head.rank
        };
        let micros = i64::try_from(rank >> 64).unwrap_or(i64::MAX);
        Position {
            occurred_at: Time::saturating_from_micros(micros),
            seq: Sequence(instead(Bug::WrongOrderAtTies, rank as u64, |seq| !seq)),
        }
    }

    /// Moves a run behind the match it gave and puts it back on the heap.
    fn leave(&mut self, run: usize) -> Result<()> {
        let (Some(open), Some(emitted)) = (
            self.runs.get_mut(run).and_then(|run| run.open.as_mut()),
            self.emitted,
        ) else {
            return Ok(());
        };
        open.at += 1;
        let bound = if self.route.oldest_first {
            emitted.successor()
        } else {
            emitted.predecessor()
        };
        let head = self.head(bound, false, run);
        self.heap.push(head);
        Ok(())
    }

    /// Looks for a run's next match and puts what it found on the heap.
    fn seek(&mut self, number: usize, work: &mut Work) -> Result<()> {
        self.open(number)?;
        let seqs = self.route.since_seq..self.snapshot.seq_count();
        let Some(open) = self.runs.get_mut(number).and_then(|run| run.open.as_mut()) else {
            return Ok(());
        };
        loop {
            let (row, exact) = match open.rows.seek(open.at, open.walk, work)? {
                Step::Row(row) => (row, true),
                Step::Spent(row) => (row, false),
                Step::End => (u32::MAX, false),
            };
            if row >= open.end {
                self.close(number);
                return Ok(());
            }
            open.is_barren &= !exact;
            open.at = row;
            let position = open.source.position(open.walk.turn(row), &mut open.kept)?;
            self.looked.rows += 1;
            if exact && !seqs.contains(&position.seq.0) {
                open.at += 1;
                if !work.is_spent() {
                    continue;
                }
                let bound = if self.route.oldest_first {
                    position.successor()
                } else {
                    position.predecessor()
                };
                self.heap.push(self.head(bound, false, number));
                return Ok(());
            }
            self.heap.push(self.head(position, exact, number));
            return Ok(());
        }
    }

    /// Lets go of the source of a run that has no match left.
    fn close(&mut self, number: usize) {
        let Some(run) = self.runs.get_mut(number) else {
            return;
        };
        if let Some(open) = run.open.take() {
            if let Some(place) = run.place.filter(|_| open.is_barren) {
                let lineup = self.snapshot.segments();
                lineup.has_none(&self.route.expression, place);
            }
            self.looked.blocks += open.rows.blocks_read();
            self.spare.push(open.kept);
        }
    }

    /// Opens a run's source and plans its rows, unless that is done.
    fn open(&mut self, number: usize) -> Result<()> {
        let (first, last) = self.span();
        let Some(run) = self.runs.get_mut(number).filter(|run| run.open.is_none()) else {
            return Ok(());
        };
        let source = Arc::new(run.unopened.open(self.snapshot.base())?);
        match *source {
            Source::Segment { .. } => self.looked.segments += 1,
            Source::Memtable { .. } => self.looked.memtables += 1,
        }
        let rows = source.rows();
        let walk = Walk {
            rows,
            oldest_first: self.route.oldest_first,
        };
        let mut kept = self.spare.pop().unwrap_or_default();
        let newest = match run.unopened.newest <= last {
            true => 0,
            false => source.lower_bound(last, &mut kept)?,
        };
        let past_oldest = match run.unopened.oldest >= first {
            true => rows,
            false => source.lower_bound(first.predecessor(), &mut kept)?,
        };
        let (at, end) = if walk.oldest_first {
            (rows - past_oldest, rows - newest)
        } else {
            (newest, past_oldest)
        };
        let planned = plan::rows(&self.route.expression, &source, walk, &mut kept)?;
        run.open = Some(OpenRun {
            source,
            rows: planned,
            walk,
            at,
            end,
            kept,
            is_barren: (newest, past_oldest) == (0, rows),
            clear: None,
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_behind_the_last_position_of_a_direction() {
        let all = (Position::FIRST, Position::LAST);
        for (after, oldest_first) in [(Position::LAST, true), (Position::FIRST, false)] {
            let (first, last) = behind(after, all, oldest_first);
            assert!(first > last, "oldest first: {oldest_first}");
        }
    }
}
