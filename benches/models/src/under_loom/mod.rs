//! Every schedule of few threads.

mod base {
    pub(super) use loom::sync::Arc;
    pub(super) use loom::sync::Condvar;
    pub(super) use loom::sync::Mutex;
    pub(super) use loom::sync::MutexGuard;
    pub(super) use loom::thread;
}

#[path = "../../../../src/store/queue.rs"]
#[expect(dead_code, reason = "wakers belong to tickets, which no model has")]
mod queue;
#[path = "../scenario.rs"]
mod scenario;
#[path = "../sync.rs"]
mod sync;

#[test]
fn two_that_wait() {
    loom::model(|| scenario::run(&[true, true], 8));
}

#[test]
fn three_that_wait_in_groups_of_one() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| scenario::run(&[true, true, true], 1));
}

#[test]
fn one_that_waits_and_one_ticket() {
    loom::model(|| scenario::run(&[true, false], 1));
}

#[test]
fn two_that_wait_and_one_ticket() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| scenario::run(&[true, false, true], 1));
}
