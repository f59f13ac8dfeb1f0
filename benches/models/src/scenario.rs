//! Threads that each hand in one submission and wait for it, or go on, as the holder of a ticket does.

use super::base::Arc;
use super::base::Mutex;
use super::base::thread;
use super::queue::Queue;

/// What the threads did, as the store would see it.
#[derive(Default)]
struct Log {
    committed: Vec<usize>,
    leaders: usize,
    /// Somebody was told that submissions are left to nobody.
    told: bool,
}

/// Runs one thread for each of `waits`, the last of them here, and checks what must hold afterwards.
pub(super) fn run(waits: &[bool], group_weight_max: usize) {
    let queue = Arc::new(Queue::new(group_weight_max));
    let log = Arc::new(Mutex::new(Log::default()));
    let mut threads = Vec::new();
    for (number, waits) in waits.iter().copied().enumerate().skip(1) {
        let (queue, log) = (Arc::clone(&queue), Arc::clone(&log));
        threads.push(thread::spawn(move || hand_in(&queue, &log, number, waits)));
    }
    hand_in(&queue, &log, 0, waits[0]);
    for thread in threads {
        thread.join().unwrap();
    }
    let mut log = log.lock().unwrap();
    if !queue.is_empty() {
        assert!(log.told, "a ticket was left to nobody");
        assert!(log.committed.len() >= waits.iter().filter(|waits| **waits).count());
        return;
    }
    log.committed.sort_unstable();
    assert!(log.committed.iter().copied().eq(0..waits.len()));
}

fn hand_in(queue: &Queue<usize, usize>, log: &Mutex<Log>, number: usize, waits: bool) {
    let submitted = queue.submit(number, 1);
    if !waits {
        if submitted.is_unattended && submitted.weight == 1 {
            log.lock().unwrap().told = true;
        }
        return;
    }
    let is_left = queue.settle(&submitted.place, &mut |submissions, answers| {
        log.lock().unwrap().leaders += 1;
        for submission in submissions.drain(..) {
            log.lock().unwrap().committed.push(submission);
            answers.push(submission);
        }
        let mut log = log.lock().unwrap();
        assert_eq!(log.leaders, 1, "two lead at once");
        log.leaders -= 1;
    });
    log.lock().unwrap().told |= is_left;
    assert_eq!(
        submitted.place.take(),
        Some(number),
        "another's answer, or none"
    );
}
