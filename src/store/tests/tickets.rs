//! Events whose receipts come later: nobody has to wait for them, they keep their order, and whatever
//! becomes of the store, every ticket is answered.

use core::pin::Pin;
use core::task::Context;
use core::task::Poll;
use std::io::ErrorKind::Other;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::task::Wake;
use std::task::Waker;
use std::time::Duration;
use std::time::Instant;

use super::count;
use super::event;
use super::open;
use super::open_buffered;
use crate::disk::sim::Fault;
use crate::disk::sim::Operation;
use crate::disk::sim::SimDisk;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::Event;
use crate::store::Receipt;
use crate::store::Store;
use crate::store::Ticket;

fn hand_in(store: &Store, numbers: core::ops::Range<u64>) -> Result<Vec<Ticket>> {
    numbers
        .map(|number| store.append_async(&event(number)))
        .collect()
}

/// The answer, which comes without a wait for it: within 20 ms, and much later only on a machine that
/// has more to do than this.
fn comes_true(ticket: &mut Ticket) -> Result<Receipt> {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ticket.try_wait() {
            return answer;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "it never came");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn tickets_come_true_without_anybody_waiting() -> Result<()> {
    let disk = SimDisk::new(1);
    let store = open(&disk)?;
    let mut tickets = hand_in(&store, 0..50)?;
    for (number, ticket) in tickets.iter_mut().enumerate() {
        let receipt = comes_true(ticket)?;
        assert_eq!(receipt.seq.0, number as u64, "in the order of the calls");
        assert!(store.snapshot().seq_count() > receipt.seq.0, "visible");
        assert!(ticket.try_wait().is_none(), "the receipt comes once");
    }
    assert_eq!(count(&open(&disk.crash(1))?)?, 50, "and durable");
    Ok(())
}

#[test]
fn a_dropped_ticket_takes_nothing_back() -> Result<()> {
    let store = open(&SimDisk::new(1))?;
    drop(hand_in(&store, 0..7)?);
    assert_eq!(store.append(&event(7))?.seq.0, 7, "those before come first");
    assert_eq!(count(&store)?, 8);
    Ok(())
}

/// An append that asks for less leads the group that a ticket waits in.
#[test]
fn p1_a_group_is_as_durable_as_its_strictest_member() -> Result<()> {
    for seed in 0..10 {
        let disk = SimDisk::new(seed);
        let store = open_buffered(&disk)?;
        let mut ticket = store.append_async(&event(0))?;
        store.append(&event(1))?;
        assert_eq!(comes_true(&mut ticket)?.seq.0, 0);
        let held = count(&open(&disk.crash(seed))?)?;
        assert!(held >= 1, "seed {seed}: answered, and not durable");
    }
    Ok(())
}

#[test]
fn p1_each_ticket_has_the_receipt_of_its_own_event() -> Result<()> {
    let store = open(&SimDisk::new(1))?;
    std::thread::scope(|scope| {
        let work = |thread: u64| {
            let own = |number: u64| Event::new("own").reason(format!("{thread} {number}"));
            let tickets =
                (0..200).map(|number| (number, store.append_async(&own(number)).unwrap()));
            for (number, ticket) in tickets.collect::<Vec<_>>() {
                let receipt = ticket.wait().unwrap();
                let stored = store.get(receipt.id).unwrap().unwrap();
                assert_eq!(stored.event.reason, own(number).reason);
                if number % 50 == 0 {
                    store.append(&own(number)).unwrap();
                }
            }
        };
        for thread in 0..4 {
            scope.spawn(move || work(thread));
        }
    });
    assert_eq!(store.snapshot().seq_count(), 4 * 204);
    Ok(())
}

#[test]
fn p5_tickets_of_a_failing_disk_say_so() -> Result<()> {
    let disk = SimDisk::new(1);
    let store = open(&disk)?;
    let conflict = store.append_async(&event(0).key("k"))?;
    let other = store.append_async(&event(1).key("k"))?;
    conflict.wait()?;
    assert_eq!(other.wait().unwrap_err().kind(), ErrorKind::KeyConflict);
    disk.fail(Fault::new(Operation::Sync, Other).within("wal/"));
    for mut ticket in hand_in(&store, 1..4)? {
        let error = comes_true(&mut ticket).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Indeterminate);
    }
    let error = store.append_async(&event(4))?.wait().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Poisoned);
    Ok(())
}

#[test]
fn p5_every_ticket_is_answered_when_the_store_goes() -> Result<()> {
    for closes in [false, true] {
        let disk = SimDisk::new(1);
        let store = open(&disk)?;
        let mut tickets = hand_in(&store, 0..20)?;
        if closes {
            store.close()?;
        } else {
            drop(store);
        }
        let answers = tickets.iter_mut().map(|ticket| ticket.try_wait());
        let taken = answers.filter(|answer| match answer.as_ref().expect("no answer") {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Closed);
                false
            }
        });
        let taken = taken.count() as u64;
        assert!(taken == 20 || !closes);
        assert_eq!(count(&open(&disk.kill())?)?, taken);
    }
    Ok(())
}

struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Count>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_ticket_is_a_future() -> Result<()> {
    let store = open(&SimDisk::new(1))?;
    let woken = Arc::new(Count(AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    let mut ticket = store.append_async(&event(0))?;
    let polled = Pin::new(&mut ticket).poll(&mut context);
    let receipt = match polled {
        Poll::Ready(receipt) => receipt?,
        Poll::Pending => {
            let begun = Instant::now();
            while woken.0.load(Ordering::SeqCst) == 0 {
                assert!(begun.elapsed() < Duration::from_secs(10), "never woken");
                std::thread::sleep(Duration::from_millis(1));
            }
            match Pin::new(&mut ticket).poll(&mut context) {
                Poll::Ready(receipt) => receipt?,
                Poll::Pending => panic!("woken for nothing"),
            }
        }
    };
    assert_eq!(receipt.seq.0, 0);
    Ok(())
}

/// What happened: a task asked for the receipt, then awaited the ticket, and slept for ever.
#[test]
fn p5_a_ticket_awaited_after_its_receipt_was_taken_says_so() -> Result<()> {
    let store = open(&SimDisk::new(1))?;
    let mut ticket = store.append_async(&event(0))?;
    store.sync()?;
    ticket.try_wait().expect("a receipt")?;
    let waker = Waker::noop();
    let Poll::Ready(Err(error)) = Pin::new(&mut ticket).poll(&mut Context::from_waker(waker))
    else {
        panic!("nobody would wake this task");
    };
    assert_eq!(error.kind(), ErrorKind::Closed);
    Ok(())
}
