//! Submissions that wait to be committed together, and who commits them. A waiting thread that finds
//! no leader leads: it takes the oldest group, answers it, and passes the lead to one thread that
//! still waits. Woken are only those whose group was answered and the one that leads next. Where
//! submissions are left that nobody waits for, whoever led last is told. The locks are never held
//! across a commit.
//!
//! Knows nothing of stores and disks, and of threads only what `sync` offers: the models in
//! `benches/models` run this very file on every schedule.

use core::task::Poll;
use core::task::Waker;
use std::collections::VecDeque;

use super::sync::Arc;
use super::sync::Condvar;
use super::sync::Mutex;

/// Answered groups that are kept, to be used again once nobody holds a place in them.
const SPENT_MAX: usize = 64;

/// Submissions in the order in which they came.
pub(super) struct Queue<S, A> {
    state: Mutex<State<S, A>>,
    group_weight_max: usize,
}

/// Where a submission's answer will be. May be dropped before that; the submission stays.
pub(super) struct Place<A> {
    group: Arc<Group<A>>,
    number: usize,
}

/// What a submitter is told.
pub(super) struct Submitted<A> {
    pub(super) place: Place<A>,
    /// Nobody leads at this moment: who does not wait sees to it that somebody will.
    pub(super) is_unattended: bool,
    /// The weight of all that waits.
    pub(super) weight: usize,
}

struct State<S, A> {
    waiting: VecDeque<Gathering<S, A>>,
    weight: usize,
    is_led: bool,
    spent: VecDeque<Gathering<S, A>>,
    /// The memory of answers under way, while nobody leads.
    answers: Vec<A>,
}

/// A group that still takes submissions, or waits for a leader.
struct Gathering<S, A> {
    group: Arc<Group<A>>,
    submissions: Vec<S>,
    weight: usize,
    /// Threads that wait for the group and do not lead.
    waiters: usize,
}

struct Group<A> {
    state: Mutex<Answers<A>>,
    moved: Condvar,
}

struct Answers<A> {
    answers: Vec<Option<A>>,
    is_answered: bool,
    /// One of the waiters is to lead.
    is_promoted: bool,
    wakers: Vec<Waker>,
}

impl<S, A> Queue<S, A> {
    /// An empty queue, whose groups take no more once they weigh this much.
    pub(super) fn new(group_weight_max: usize) -> Queue<S, A> {
        let state = State {
            waiting: VecDeque::new(),
            weight: 0,
            is_led: false,
            spent: VecDeque::new(),
            answers: Vec::new(),
        };
        Queue {
            state: Mutex::new(state),
            group_weight_max,
        }
    }

    /// Puts a submission behind all others.
    pub(super) fn submit(&self, submission: S, weight: usize) -> Submitted<A> {
        let mut state = self.state.lock();
        let mut open = match state.waiting.pop_back() {
            Some(last) if last.weight < self.group_weight_max => last,
            full => {
                state.waiting.extend(full);
                state.fresh()
            }
        };
        open.submissions.push(submission);
        open.weight += weight;
        let place = Place {
            group: Arc::clone(&open.group),
            number: open.submissions.len() - 1,
        };
        state.waiting.push_back(open);
        state.weight += weight;
        let (is_unattended, weight) = (!state.is_led, state.weight);
        Submitted {
            place,
            is_unattended,
            weight,
        }
    }

    /// Waits until the place has its answer, and leads while nobody else does. `commit` takes all
    /// submissions of a group and gives as many answers. `true` if submissions are left that nobody
    /// leads and nobody waits for.
    pub(super) fn settle(
        &self,
        place: &Place<A>,
        commit: &mut dyn FnMut(&mut Vec<S>, &mut Vec<A>),
    ) -> bool {
        if place.is_answered() {
            return false;
        }
        let mut state = self.state.lock();
        if state.is_led {
            let group = state.waiting.iter_mut().find(|group| group.is(place));
            // Where it is not among those that wait it is being committed: nobody of it has to lead.
            group.into_iter().for_each(|group| group.waiters += 1);
            drop(state);
            if !place.group.wait() {
                return false;
            }
        } else {
            state.is_led = true;
            drop(state);
        }
        self.lead(place, commit);
        self.pass_on()
    }

    /// Commits the oldest groups up to the one of the place.
    fn lead(&self, place: &Place<A>, commit: &mut dyn FnMut(&mut Vec<S>, &mut Vec<A>)) {
        while !place.is_answered() {
            let mut state = self.state.lock();
            let Some(mut oldest) = state.waiting.pop_front() else {
                return;
            };
            state.weight -= oldest.weight;
            let mut answers = core::mem::take(&mut state.answers);
            drop(state);
            commit(&mut oldest.submissions, &mut answers);
            oldest.group.answer(&mut answers);
            let mut state = self.state.lock();
            state.answers = answers;
            state.keep(oldest);
        }
    }

    /// Hands the lead to a thread that waits. `true` if there is none, and something to lead.
    fn pass_on(&self) -> bool {
        let mut state = self.state.lock();
        match state.waiting.iter_mut().find(|group| group.waiters > 0) {
            Some(next) => {
                next.waiters -= 1;
                next.group.promote();
                false
            }
            None => {
                state.is_led = false;
                !state.waiting.is_empty()
            }
        }
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.state.lock().waiting.is_empty()
    }
}

impl<S, A> State<S, A> {
    /// A group without submissions, in the memory of one that was used before: its answers too, if
    /// nobody holds a place in it any more.
    fn fresh(&mut self) -> Gathering<S, A> {
        let Some(mut spent) = self.spent.pop_front() else {
            return Gathering {
                group: Arc::new(Group::new()),
                submissions: Vec::new(),
                weight: 0,
                waiters: 0,
            };
        };
        match Arc::get_mut(&mut spent.group) {
            Some(group) => group.state.lock().clear(),
            None => spent.group = Arc::new(Group::new()),
        }
        spent
    }

    fn keep(&mut self, answered: Gathering<S, A>) {
        if self.spent.len() < SPENT_MAX {
            self.spent.push_back(Gathering {
                weight: 0,
                waiters: 0,
                ..answered
            });
        }
    }
}

impl<S, A> Gathering<S, A> {
    fn is(&self, place: &Place<A>) -> bool {
        Arc::ptr_eq(&self.group, &place.group)
    }
}

impl<A> Group<A> {
    fn new() -> Group<A> {
        Group {
            state: Mutex::new(Answers::default()),
            moved: Condvar::new(),
        }
    }

    /// Waits until the group is answered, `false`, or this thread is to lead, `true`.
    fn wait(&self) -> bool {
        let mut state = self.state.lock();
        while !state.is_answered {
            if core::mem::take(&mut state.is_promoted) {
                return true;
            }
            self.moved.wait(&mut state);
        }
        false
    }

    fn promote(&self) {
        self.state.lock().is_promoted = true;
        self.moved.notify_one();
    }

    fn answer(&self, answers: &mut Vec<A>) {
        let mut state = self.state.lock();
        state.answers.extend(answers.drain(..).map(Some));
        state.is_answered = true;
        let wakers = core::mem::take(&mut state.wakers);
        drop(state);
        self.moved.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl<A> Place<A> {
    fn is_answered(&self) -> bool {
        self.group.state.lock().is_answered
    }

    /// The answer, once; `None` before there is one.
    pub(super) fn take(&self) -> Option<A> {
        let mut state = self.group.state.lock();
        state.answers.get_mut(self.number)?.take()
    }

    /// As [`Place::take`]; where there is no answer yet, `waker` is woken when there is.
    pub(super) fn poll(&self, waker: &Waker) -> Poll<Option<A>> {
        let mut state = self.group.state.lock();
        if state.is_answered {
            let answer = state.answers.get_mut(self.number);
            return Poll::Ready(answer.and_then(Option::take));
        }
        let last = state.wakers.last();
        if !last.is_some_and(|last| last.will_wake(waker)) {
            state.wakers.push(waker.clone());
        }
        Poll::Pending
    }
}

impl<A> Answers<A> {
    fn clear(&mut self) {
        self.answers.clear();
        self.wakers.clear();
        self.is_answered = false;
        self.is_promoted = false;
    }
}

impl<A> Default for Answers<A> {
    fn default() -> Answers<A> {
        Answers {
            answers: Vec::new(),
            is_answered: false,
            is_promoted: false,
            wakers: Vec::new(),
        }
    }
}
