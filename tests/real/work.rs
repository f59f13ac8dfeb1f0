//! The child: works on a store as it is told, says each step before it is taken and each answer that
//! came back, and goes on behind errors as an application would. Its parent kills it, takes away its
//! disk or fails its system calls, and compares what is left with what it said.

use std::io::Write;
use std::path::Path;

use auditdb::Durability;
use auditdb::Error;
use auditdb::ErrorKind;
use auditdb::Event;
use auditdb::Options;
use auditdb::Store;
use auditdb::Subject;
use auditdb::Ticket;
use auditdb::Time;

/// What a child can be told to do; `all` never ends.
pub(crate) const WORKS: [&str; 9] = [
    "create", "append", "batch", "tickets", "bulk", "seal", "merge", "close", "recover",
];
/// Errors after which a child stops trying.
const ERRORS_MAX: u32 = 4;
const DAY_MICROS: i64 = 86_400_000_000;

/// So little memory that sealing and merging never stop.
pub(crate) fn options() -> Options {
    Options {
        memtable_bytes_max: 64 << 10,
        merge_fan_in: 2,
        ..Options::default()
    }
}

/// The event of a number: recognisable, of varying length, out of time order, and now and then months
/// late, so that seals split and partitions come to be.
pub(crate) fn event(number: u64) -> Event {
    let late = match number % 61 {
        60 => 90 * DAY_MICROS,
        _ => 0,
    };
    let micros = 1_778_000_000_000_000 + (number * 7919 % 1000) as i64 - late;
    Event::new("disk.tested")
        .occurred_at(Time::from_micros(micros).expect("the time is in range"))
        .subject(Subject::new("number").id(number.to_string()))
        .reason("x".repeat((number * 31 % 700) as usize))
}

/// The number of an event, if it is exactly the event of that number.
pub(crate) fn number(found: &Event) -> Option<u64> {
    let number = found.subject.value()?.id.as_deref()?.parse().ok()?;
    (*found == event(number)).then_some(number)
}

/// Why a child ends before its work does.
struct GaveUp;

type Outcome = Result<(), GaveUp>;

struct Worker<'a> {
    path: &'a Path,
    store: Option<Store>,
    next: u64,
    errors: u32,
}

/// Does one of [`WORKS`], or `all`, on the store in `path`; the first event has the number `next`.
pub(crate) fn work(name: &str, path: &Path, next: u64) {
    let mut worker = Worker {
        path,
        store: None,
        next,
        errors: 0,
    };
    let outcome = match name {
        "create" | "recover" => worker.open().and_then(|()| worker.batch(1)),
        "append" => worker.singles(6),
        "batch" => worker.batches(&[40, 1, 90]),
        "tickets" => worker.tickets(60),
        "bulk" => worker.bulk(150).and_then(|()| worker.batch(3)),
        "seal" => worker.batches(&[150, 150]).and_then(|()| worker.flush()),
        "merge" => worker.merge(),
        "close" => worker.close_again(),
        "all" => worker.all(),
        _ => Err(GaveUp),
    };
    say(match outcome {
        Ok(()) => "done",
        Err(GaveUp) => "gave up",
    });
    // Whoever works on a store need not close it.
    std::process::exit(0);
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // One write for each line. Without the one who listens there is nothing to do.
    if out
        .write_all(format!("{line}\n").as_bytes())
        .and_then(|()| out.flush())
        .is_err()
    {
        std::process::exit(0);
    }
}

impl Worker<'_> {
    fn open(&mut self) -> Outcome {
        while self.store.is_none() {
            match Store::open(self.path, options()) {
                Ok(store) => self.store = Some(store),
                Err(error) => self.note(&error)?,
            }
        }
        Ok(())
    }

    /// An error that leaves the choice to go on. What is poisoned is opened again, as the interface
    /// demands.
    fn note(&mut self, error: &Error) -> Outcome {
        say(&format!("error {:?} {error}", error.kind()));
        self.errors += 1;
        if self.errors >= ERRORS_MAX {
            return Err(GaveUp);
        }
        if matches!(error.kind(), ErrorKind::Indeterminate | ErrorKind::Poisoned) {
            self.store = None;
        }
        Ok(())
    }

    fn take_numbers(&mut self, count: u64) -> u64 {
        let first = self.next;
        self.next += count;
        say(&format!("try {first} {count}"));
        first
    }

    fn refuse(&mut self, first: u64, error: &Error) -> Outcome {
        if error.kind() != ErrorKind::Indeterminate {
            say(&format!("refused {first}"));
        }
        self.note(error)
    }

    fn batch(&mut self, count: u64) -> Outcome {
        self.open()?;
        let first = self.take_numbers(count);
        let events: Vec<Event> = (first..first + count).map(event).collect();
        let Some(store) = &self.store else {
            return Err(GaveUp);
        };
        match store.append_batch(&events) {
            Ok(receipts) => {
                let seq = receipts.first().map_or(0, |receipt| receipt.seq.0);
                say(&format!("ok {first} {seq}"));
                Ok(())
            }
            Err(error) => self.refuse(first, &error),
        }
    }

    fn batches(&mut self, counts: &[u64]) -> Outcome {
        counts.iter().try_for_each(|count| self.batch(*count))
    }

    fn singles(&mut self, count: u64) -> Outcome {
        (0..count).try_for_each(|_| self.batch(1))
    }

    /// Events whose receipts are asked for only when all are handed in.
    fn tickets(&mut self, count: u64) -> Outcome {
        self.open()?;
        let mut waiting: Vec<(u64, auditdb::Result<Ticket>)> = Vec::new();
        for _ in 0..count {
            let first = self.take_numbers(1);
            let Some(store) = &self.store else {
                return Err(GaveUp);
            };
            waiting.push((first, store.append_async(&event(first))));
        }
        let mut failed = None;
        for (first, ticket) in waiting {
            match ticket.and_then(Ticket::wait) {
                Ok(receipt) => say(&format!("ok {first} {}", receipt.seq.0)),
                Err(error) if error.kind() == ErrorKind::Indeterminate => failed = Some(error),
                Err(error) => {
                    say(&format!("refused {first}"));
                    failed = Some(error);
                }
            }
        }
        failed.map_or(Ok(()), |error| self.note(&error))
    }

    /// Buffered appends, acknowledged by the sync that follows them.
    fn buffered(&mut self, count: u64) -> Outcome {
        self.open()?;
        for _ in 0..count {
            let first = self.take_numbers(1);
            let Some(store) = &self.store else {
                return Err(GaveUp);
            };
            let receipt = store.append_with(&event(first), Durability::Buffered);
            let receipt = match receipt {
                Ok(receipt) => receipt,
                Err(error) => return self.refuse(first, &error),
            };
            if let Err(error) = store.sync() {
                return self.note(&error);
            }
            say(&format!("ok {first} {}", receipt.seq.0));
        }
        Ok(())
    }

    fn bulk(&mut self, count: u64) -> Outcome {
        self.open()?;
        let first = self.take_numbers(count);
        let Some(store) = &mut self.store else {
            return Err(GaveUp);
        };
        let mut seq = None;
        let loaded = store.bulk().and_then(|mut bulk| {
            for number in first..first + count {
                let place = bulk.append(&event(number))?;
                seq = seq.or(place);
            }
            bulk.finish()
        });
        match (loaded, seq) {
            (Ok(()), Some(seq)) => {
                say(&format!("ok {first} {}", seq.0));
                Ok(())
            }
            (Ok(()), None) => Err(GaveUp),
            (Err(error), _) => self.refuse(first, &error),
        }
    }

    fn flush(&mut self) -> Outcome {
        self.open()?;
        let flushed = self.store.as_ref().map_or(Ok(()), Store::flush);
        flushed.or_else(|error| self.note(&error))
    }

    fn compact(&mut self) -> Outcome {
        self.open()?;
        let compacted = self.store.as_ref().map_or(Ok(()), Store::compact);
        compacted.or_else(|error| self.note(&error))
    }

    fn close(&mut self) -> Outcome {
        let closed = self.store.take().map_or(Ok(()), Store::close);
        closed.or_else(|error| self.note(&error))
    }

    fn merge(&mut self) -> Outcome {
        for _ in 0..2 {
            self.batch(60)?;
            self.flush()?;
        }
        self.compact()?;
        self.batch(1)
    }

    fn close_again(&mut self) -> Outcome {
        for _ in 0..2 {
            self.batch(2)?;
            self.close()?;
        }
        self.batch(1)
    }

    /// Everything in turn, for as long as it lasts.
    fn all(&mut self) -> Outcome {
        for round in self.next.. {
            match round % 17 {
                0 => self.batch(40)?,
                3 => self.tickets(30)?,
                5 => self.buffered(3)?,
                8 => self.bulk(200)?,
                11 => self.flush()?,
                13 => self.compact()?,
                15 => self.close()?,
                _ => self.batch(1)?,
            }
        }
        Ok(())
    }
}
