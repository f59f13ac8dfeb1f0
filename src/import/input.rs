//! Source files as lines: compression recognised by content, a byte order mark skipped, lines
//! bounded. Memory never follows a line's length beyond the bound: what is longer is reported by
//! its number and passed over.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;

use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::limits;

/// Bytes of one source line; an event's bound with room for what compacting takes out.
pub(super) const LINE_BYTES: usize = 2 * limits::EVENT_BYTES_CEILING;

/// Lines of one input, numbered from 1.
pub(super) struct Lines<'i> {
    input: Box<dyn BufRead + 'i>,
    /// Lines read so far.
    passed: u64,
    /// The number of the first line of what was read last.
    number: u64,
    bytes_max: usize,
}

/// What stands on a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// The buffer holds it, without its end.
    Whole,
    /// It is longer than the bound and was passed over; the buffer holds its beginning.
    TooLong,
}

impl<'i> Lines<'i> {
    /// Looks at the first bytes and unpacks gzip and zstd.
    pub(super) fn new(input: impl Read + 'i) -> Result<Lines<'i>> {
        let mut input = BufReader::with_capacity(128 << 10, input);
        let head = peek(&mut input)?;
        let input: Box<dyn BufRead + 'i> = if head.starts_with(&[0x1f, 0x8b]) {
            Box::new(BufReader::new(flate2::bufread::MultiGzDecoder::new(input)))
        } else if head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
            let decoder = zstd::stream::read::Decoder::with_buffer(input)
                .map_err(|error| unreadable(0, error))?;
            Box::new(BufReader::with_capacity(128 << 10, decoder))
        } else {
            Box::new(input)
        };
        let mut lines = Lines {
            input,
            passed: 0,
            number: 0,
            bytes_max: LINE_BYTES,
        };
        lines.skip_mark()?;
        Ok(lines)
    }

    fn skip_mark(&mut self) -> Result<()> {
        let head = self
            .input
            .fill_buf()
            .map_err(|error| unreadable(0, error))?;
        if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
            return Err(Error::new(
                ErrorKind::Import,
                "this is UTF-16; convert it to UTF-8 first",
            ));
        }
        if head.starts_with(&[0xef, 0xbb, 0xbf]) {
            self.input.consume(3);
        }
        Ok(())
    }

    /// The number of the line read last, or of the first one of a record.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Reads the next line into `buffer`; `None` at the end.
    pub(super) fn next(&mut self, buffer: &mut Vec<u8>) -> Result<Option<Line>> {
        buffer.clear();
        let most = self.bytes_max as u64 + 1;
        let unreadable = |error| unreadable(self.passed, error);
        let part = (&mut self.input).take(most).read_until(b'\n', buffer);
        if part.map_err(unreadable)? == 0 {
            return Ok(None);
        }
        let mut line = Line::Whole;
        if buffer.last() == Some(&b'\n') {
            buffer.pop();
        } else if buffer.len() > self.bytes_max {
            line = Line::TooLong;
            buffer.truncate(self.bytes_max);
            self.input.skip_until(b'\n').map_err(unreadable)?;
        }
        self.passed += 1;
        self.number = self.passed;
        if buffer.last() == Some(&b'\r') {
            buffer.pop();
        }
        Ok(Some(line))
    }

    /// Reads the next record of a CSV file into `buffer`: lines up to one that ends outside of
    /// quotation marks. `None` at the end.
    pub(super) fn next_record(&mut self, buffer: &mut Vec<u8>) -> Result<Option<Line>> {
        buffer.clear();
        self.number = self.passed + 1;
        let mut quoted = false;
        loop {
            let before = buffer.len();
            let most = (self.bytes_max + 1).saturating_sub(before) as u64;
            let number = self.passed;
            let unreadable = |error| unreadable(number, error);
            let part = (&mut self.input).take(most).read_until(b'\n', buffer);
            if part.map_err(unreadable)? == 0 {
                return Ok((before > 0).then_some(Line::Whole));
            }
            self.passed += 1;
            if buffer.len() > self.bytes_max {
                self.input.skip_until(b'\n').map_err(unreadable)?;
                buffer.truncate(self.bytes_max);
                return Ok(Some(Line::TooLong));
            }
            let marks = buffer.iter().skip(before).filter(|byte| **byte == b'"');
            quoted ^= marks.count() % 2 != 0;
            if !quoted {
                for end in [b'\n', b'\r'] {
                    if buffer.last() == Some(&end) {
                        buffer.pop();
                    }
                }
                return Ok(Some(Line::Whole));
            }
        }
    }
}

/// The first bytes, without consuming them.
fn peek(input: &mut impl BufRead) -> Result<[u8; 4]> {
    let mut head = [0; 4];
    let ready = input.fill_buf().map_err(|error| unreadable(0, error))?;
    for (place, byte) in head.iter_mut().zip(ready) {
        *place = *byte;
    }
    Ok(head)
}

fn unreadable(line: u64, error: std::io::Error) -> Error {
    let what = format!("cannot be read behind line {line}: {error}");
    Error::new(ErrorKind::Io, what).with_source(error)
}
