//! The import's loop: lines to events, events to the sink in batches, answers to counts.
//! Refusals are told in the order of their lines, whoever refused them, because the fates of a
//! batch are settled together.

use std::io::Read;
use std::sync::Arc;

use super::Accepted;
use super::BATCH_BYTES;
use super::BATCH_EVENTS;
use super::Batch;
use super::Fate;
use super::Import;
use super::ImportMark;
use super::ImportOptions;
use super::ImportOutcome;
use super::ImportSink;
use super::ImportedEvent;
use super::OnRefusal;
use super::Pending;
use super::REFUSALS_KEPT;
use super::Refusal;
use super::columns::Columns;
use super::formats;
use super::formats::Formats;
use super::input;
use super::input::Line;
use super::input::Lines;
use super::repeats::Repeats;
use crate::codec::digits::hex;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::Json;
use crate::id::Sequence;

impl<'s> Import<'s> {
    /// An import into `sink` that has read nothing yet.
    pub fn new(
        sink: &'s mut dyn ImportSink,
        options: ImportOptions,
        on_refusal: OnRefusal<'s>,
    ) -> Import<'s> {
        Import {
            sink,
            repeats: options.keep_repeats.then(Repeats::default),
            formats: Formats {
                format: options.format,
                map: options.map,
                zone: options.zone,
                numbered: options.keep_repeats,
            },
            csv_safety: options.csv_safety,
            on_refusal,
            progress: None,
            outcome: ImportOutcome::default(),
            batch: Batch::default(),
        }
    }

    /// Calls `progress` after every batch.
    #[must_use]
    pub fn on_progress(mut self, progress: impl FnMut(&ImportOutcome) + 's) -> Import<'s> {
        self.progress = Some(Box::new(progress));
        self
    }

    /// How it went so far; whole after each [`Import::read`], also after one that failed.
    #[must_use]
    pub fn outcome(&self) -> &ImportOutcome {
        &self.outcome
    }

    /// Ends the import and gives back what it borrowed.
    #[must_use]
    pub fn finish(self) -> ImportOutcome {
        self.outcome
    }

    /// Imports all lines of one input, packed by gzip or zstd or plain; `name` is what refusals
    /// call it. One that begins with the headings of a layout for programs is read as CSV.
    ///
    /// # Errors
    /// [`ErrorKind::Import`] for headings that are not understood, for a refused line where refusals stop the import, [`ErrorKind::Io`]
    /// where the input cannot be read on, and whatever the store fails with. Lines before the one
    /// at fault are imported.
    pub fn read(&mut self, name: &str, input: impl Read) -> Result<()> {
        let of_this = |error: Error| {
            let what = format!("{name}: {error}");
            Error::new(error.kind(), what).with_source(error)
        };
        let mut lines = Lines::new(input).map_err(of_this)?;
        let mut buffer = Vec::new();
        let mut columns = None;
        loop {
            let next = match columns {
                None => lines.next(&mut buffer),
                Some(_) => lines.next_record(&mut buffer),
            };
            let line = match next {
                Ok(Some(line)) => line,
                Ok(None) => return self.settle(name),
                Err(error) => {
                    self.settle(name)?;
                    return Err(of_this(error));
                }
            };
            if buffer.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            if lines.number() == 1 && columns.is_none() {
                columns = self.columns(name, &buffer)?;
                if columns.is_some() {
                    continue;
                }
            }
            self.take(lines.number(), &line, &buffer, columns.as_ref())?;
            let stops = matches!(self.on_refusal, OnRefusal::Stop) && self.batch.ends_refused();
            if stops
                || self.batch.events.len() >= BATCH_EVENTS
                || self.batch.texts.len() >= BATCH_BYTES
            {
                self.settle(name)?;
            }
        }
    }

    /// The columns that a first line names, and what reads the lines that their records become.
    fn columns(&self, name: &str, head: &[u8]) -> Result<Option<(Columns, Formats)>> {
        let Some(formats) = self.formats.of_columns() else {
            return Ok(None);
        };
        let columns = Columns::read(head, self.csv_safety).transpose();
        let columns = columns
            .map_err(|reason| Error::new(ErrorKind::Import, format!("{name}: line 1: {reason}")))?;
        Ok(columns.map(|columns| (columns, formats)))
    }

    /// Reads one line, or one record of these columns, into the batch.
    fn take(
        &mut self,
        number: u64,
        line: &Line,
        bytes: &[u8],
        columns: Option<&(Columns, Formats)>,
    ) -> Result<()> {
        let read = match (line, columns) {
            (Line::Whole, None) => self.formats.read(bytes),
            (Line::Whole, Some((columns, formats))) => {
                let line = columns.line(bytes);
                line.and_then(|line| formats.read(line.as_bytes()))
            }
            (Line::TooLong, _) => Err(format!("longer than {} bytes", input::LINE_BYTES)),
        };
        let fate = match read {
            Ok(read) => self.place(read, bytes)?,
            Err(reason) => Fate::Refused(reason),
        };
        self.batch.push(number, bytes, fate);
        Ok(())
    }

    /// Decides whether an event is offered to the sink.
    fn place(&mut self, read: formats::Read, bytes: &[u8]) -> Result<Fate> {
        count(&mut self.batch.mappings, &read.mapping, 1);
        let keyed = read.is_keyed();
        let repeat = match &mut self.repeats {
            Some(repeats) if !keyed => repeats.number(read.identity)?,
            _ => 0,
        };
        if !keyed && self.repeats.is_none() && self.batch.repeats(read.identity, bytes) {
            return Ok(Fate::Repeats);
        }
        let mark = (!keyed).then_some(ImportMark {
            mapping: read.mapping,
            repeat,
        });
        let offer = read.offer;
        self.batch.events.push(ImportedEvent { offer, mark });
        Ok(Fate::Offered)
    }

    /// Hands the batch over and counts every line of it.
    fn settle(&mut self, name: &str) -> Result<()> {
        let mut batch = core::mem::take(&mut self.batch);
        let offered = batch.events.len();
        let answers = if offered == 0 {
            Vec::new()
        } else {
            self.sink.accept(core::mem::take(&mut batch.events))?
        };
        if answers.len() != offered {
            return Err(Error::new(
                ErrorKind::Import,
                "the sink did not answer for each event",
            ));
        }
        for (mapping, lines) in &batch.mappings {
            count(&mut self.outcome.mappings, mapping, *lines);
        }
        let mut answers = answers.into_iter();
        let mut stopped = None;
        for pending in &batch.lines {
            self.outcome.read += 1;
            let refused = match &pending.fate {
                Fate::Repeats => {
                    self.outcome.duplicates += 1;
                    continue;
                }
                Fate::Refused(reason) => reason.clone(),
                Fate::Offered => match answers.next() {
                    Some(Accepted::Stored(seq)) => {
                        self.stored(seq);
                        continue;
                    }
                    Some(Accepted::Refused(reason)) => reason,
                    Some(Accepted::Duplicate) | None => {
                        self.outcome.duplicates += 1;
                        continue;
                    }
                },
            };
            let refusal = Refusal {
                input: name.to_owned(),
                line: pending.number,
                reason: refused,
            };
            let text = batch.texts.get(pending.text.clone()).unwrap_or_default();
            stopped = stopped.or(self.refuse(refusal, text)?);
        }
        if let Some(progress) = &mut self.progress {
            progress(&self.outcome);
        }
        stopped.map_or(Ok(()), Err)
    }

    fn stored(&mut self, seq: Sequence) {
        let outcome = &mut self.outcome;
        outcome.imported += 1;
        outcome.first_seq = Some(outcome.first_seq.map_or(seq, |first| first.min(seq)));
        outcome.last_seq = Some(outcome.last_seq.map_or(seq, |last| last.max(seq)));
    }

    /// Counts and tells a refusal; gives the error that stops the import if it is to stop.
    fn refuse(&mut self, refusal: Refusal, text: &[u8]) -> Result<Option<Error>> {
        self.outcome.refused += 1;
        let stop = match &mut self.on_refusal {
            OnRefusal::Stop => Some(Error::new(ErrorKind::Import, refusal.to_string())),
            OnRefusal::Skip => None,
            OnRefusal::Write(out) => {
                let written = out.write_all(refusal.line_of(text).as_bytes());
                written.map_err(|error| {
                    Error::new(
                        ErrorKind::Io,
                        format!("cannot write refused lines: {error}"),
                    )
                    .with_source(error)
                })?;
                None
            }
        };
        if self.outcome.refusals.len() < REFUSALS_KEPT {
            self.outcome.refusals.push(refusal);
        }
        Ok(stop)
    }
}

fn count(counts: &mut Vec<(Arc<str>, u64)>, mapping: &Arc<str>, lines: u64) {
    match counts.iter_mut().find(|(name, _)| name == mapping) {
        Some((_, count)) => *count += lines,
        None => counts.push((Arc::clone(mapping), lines)),
    }
}

impl Batch {
    fn push(&mut self, number: u64, bytes: &[u8], fate: Fate) {
        let start = self.texts.len();
        self.texts.extend_from_slice(bytes);
        self.lines.push(Pending {
            number,
            text: start..self.texts.len(),
            fate,
        });
    }

    fn ends_refused(&self) -> bool {
        matches!(
            self.lines.last(),
            Some(Pending {
                fate: Fate::Refused(_),
                ..
            })
        )
    }

    /// Whether an equal line is in the batch already; a digest that only collides is not equal.
    fn repeats(&mut self, identity: u64, bytes: &[u8]) -> bool {
        let place = self.lines.len();
        let first = *self.identities.entry(identity).or_insert(place);
        let text = self
            .lines
            .get(first)
            .and_then(|line| self.texts.get(line.text.clone()));
        first != place && text == Some(bytes)
    }
}

impl core::fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            formatter,
            "{}: line {}: {}",
            self.input, self.line, self.reason
        )
    }
}

impl Refusal {
    /// The refusal as a line of JSON with the source line in it; bytes that are no UTF-8 stand
    /// there in hexadecimal, so that nothing is lost.
    fn line_of(&self, bytes: &[u8]) -> String {
        let (key, text) = match core::str::from_utf8(bytes) {
            Ok(text) => ("text", text.to_owned()),
            Err(_) => ("hex", hex(bytes)),
        };
        let string = |text: &str| Json::string(text).as_str().to_owned();
        format!(
            "{{\"input\":{},\"line\":{},\"reason\":{},\"{key}\":{}}}\n",
            string(&self.input),
            self.line,
            string(&self.reason),
            string(&text),
        )
    }
}
