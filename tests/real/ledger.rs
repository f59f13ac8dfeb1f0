//! What was asked of a store and what it answered, kept outside of it. A child says each step on its
//! stdout before it is taken and after it is answered; the ledger hears that, and judges what the
//! store holds after the child, its machine or its disk has gone.

use std::collections::BTreeMap;

/// The steps that were taken since the store was looked at last, and what it held then.
#[derive(Clone, Default)]
pub(crate) struct Ledger {
    /// The number of the event at each seq, as the last look found it.
    settled: Vec<u64>,
    /// By its first number, each step since.
    steps: BTreeMap<u64, Step>,
    next: u64,
}

/// Events that were handed in together: consecutive numbers.
#[derive(Clone)]
struct Step {
    count: u64,
    answer: Answer,
}

#[derive(Clone, Copy, PartialEq)]
enum Answer {
    /// None yet, or that nobody knows.
    Undecided,
    /// Acknowledged, with the seq of the first.
    At(u64),
    /// Refused with an error that promises that nothing of it is there.
    Refused,
}

impl Ledger {
    /// The number that the next event may have: none is used twice, so that no event can stand in
    /// for one that was lost.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// How many events the last look found.
    pub(crate) fn settled(&self) -> u64 {
        self.settled.len() as u64
    }

    /// How many events were acknowledged since.
    pub(crate) fn acknowledged(&self) -> u64 {
        let steps = self.steps.values();
        let acknowledged = steps.filter(|step| matches!(step.answer, Answer::At(_)));
        acknowledged.map(|step| step.count).sum()
    }

    /// Takes in a line of a child: `try FIRST COUNT`, `ok FIRST SEQ` or `refused FIRST`. A line that
    /// was cut short by the child's end says nothing; other lines are words for people.
    pub(crate) fn hear(&mut self, line: &str) {
        let mut words = line.split(' ');
        let word = words.next();
        let mut number = || words.next().and_then(|word| word.parse::<u64>().ok());
        match (word, number(), number()) {
            (Some("try"), Some(first), Some(count)) => self.try_one(first, count),
            (Some("ok"), Some(first), Some(seq)) => self.answer(first, Answer::At(seq)),
            (Some("refused"), Some(first), None) => self.answer(first, Answer::Refused),
            _ => {}
        }
    }

    fn try_one(&mut self, first: u64, count: u64) {
        let answer = Answer::Undecided;
        self.steps.insert(first, Step { count, answer });
        self.next = self.next.max(first + count);
    }

    fn answer(&mut self, first: u64, answer: Answer) {
        if let Some(step) = self.steps.get_mut(&first) {
            step.answer = answer;
        }
    }

    /// Compares the numbers that a store holds, by seq, with what was asked and answered: what was
    /// there is there, what was acknowledged is in its place, nothing is half there, nothing is there
    /// that was refused, never asked for, or out of order.
    pub(crate) fn judge(&self, held: &[u64]) -> Result<(), String> {
        let Some(rest) = held.strip_prefix(self.settled.as_slice()) else {
            return Err(self.lost(held));
        };
        let mut seq = self.settled();
        let mut rest = rest.iter().copied().peekable();
        for (&first, step) in &self.steps {
            let count = step.count;
            let range = first..first + count;
            let mut there = 0;
            while rest
                .next_if(|number| *number == first + there && there < count)
                .is_some()
            {
                there += 1;
            }
            match step.answer {
                Answer::At(place) if there < count || place != seq => {
                    let later = self.steps.range(first + 1..);
                    let later = later.filter(|(_, step)| matches!(step.answer, Answer::At(_)));
                    return Err(format!(
                        "events {range:?} were acknowledged at seq {place}, and {} steps after them; \
                         {there} of them are at {seq}",
                        later.count()
                    ));
                }
                Answer::Refused if there > 0 => {
                    return Err(format!(
                        "events {range:?} were refused, and {there} are at {seq}"
                    ));
                }
                _ if there != 0 && there != count => {
                    return Err(format!(
                        "of {range:?}, which belong together, {there} are at {seq}"
                    ));
                }
                _ => seq += there,
            }
        }
        match rest.next() {
            None => Ok(()),
            Some(number) => Err(format!(
                "at seq {seq} is event {number}, which nobody put there"
            )),
        }
    }

    /// The same, with nothing that was acknowledged since the last look bound to be there.
    pub(crate) fn undecided(&self) -> Ledger {
        let mut ledger = self.clone();
        for step in ledger.steps.values_mut() {
            if matches!(step.answer, Answer::At(_)) {
                step.answer = Answer::Undecided;
            }
        }
        ledger
    }

    /// As [`Ledger::judge`]; what is there now has to stay, and what is not never comes back.
    pub(crate) fn settle(&mut self, held: Vec<u64>) -> Result<(), String> {
        self.judge(&held)?;
        self.steps.clear();
        self.settled = held;
        Ok(())
    }

    fn lost(&self, held: &[u64]) -> String {
        let pairs = self.settled.iter().zip(held);
        let equal = pairs.take_while(|(was, is)| was == is).count();
        format!(
            "of {} events that were there before, {equal} are there still; {} are there in all",
            self.settled.len(),
            held.len()
        )
    }
}
