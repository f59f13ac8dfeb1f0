//! Random schedules of more threads.

mod base {
    pub(super) use shuttle::sync::Arc;
    pub(super) use shuttle::sync::Condvar;
    pub(super) use shuttle::sync::Mutex;
    pub(super) use shuttle::sync::MutexGuard;
    pub(super) use shuttle::thread;
}

#[path = "../../../../src/store/queue.rs"]
#[expect(dead_code, reason = "wakers belong to tickets, which no model has")]
mod queue;
#[path = "../scenario.rs"]
mod scenario;
#[path = "../sync.rs"]
mod sync;

const SCHEDULES: usize = 100_000;

#[test]
fn many_that_wait_and_many_tickets() {
    let threads = [true, false, true, true, false, true];
    shuttle::check_random(move || scenario::run(&threads, 2), SCHEDULES);
}

#[test]
fn many_that_wait_with_few_changes_of_thread() {
    let threads = [true, true, false, true, true];
    shuttle::check_pct(move || scenario::run(&threads, 1), SCHEDULES, 3);
}
