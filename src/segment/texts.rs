//! Long texts, each different one once, in small compressed frames that share a dictionary trained
//! on the first of them. They leave for the file while rows come in, so that they take no memory.
//!
//! ```text
//! frame  count varint · lengths varint each · texts, compressed by zstd
//! index  frames u32 · dictionary length u32 · dictionary · entries of 16 bytes:
//!        offset u64 · first text u32 · raw length u32, then where the last frame ends u64
//! ```

use core::hash::BuildHasher;
use core::ops::Range;
use std::collections::HashMap;
use std::hash::RandomState;

use zstd::bulk::Compressor;
use zstd::bulk::Decompressor;

use super::format;
use super::format::Kind;
use super::format::Section;
use super::output::Output;
use super::pages::Pages;
use crate::codec::buffer::Buffer;
use crate::codec::varint;
use crate::codec::varint::Bytes;
use crate::error::Error;
use crate::error::Result;
use crate::id::SegmentId;

/// Between the quick levels and those that take several times as long: level 6 makes real logs up to
/// 2 % larger and is no quicker, level 12 makes them 1 % smaller in half as much time again.
const LEVEL: i32 = 9;
/// Raw bytes of a frame: one is unpacked to read one text.
const FRAME_BYTES: usize = 8 << 10;
/// Raw bytes collected to train a dictionary on, and the dictionary's own.
const SAMPLE_BYTES: usize = 1 << 20;
const DICTIONARY_BYTES: usize = 64 << 10;
const ENTRY_LEN: u64 = 16;
const HEAD_LEN: u64 = 8;
/// Frames kept unpacked by whoever reads row after row.
const FRAMES_KEPT: usize = 8;

/// Writes texts.
pub(super) struct TextWriter {
    numbers: HashMap<(u64, u64), u32>,
    hashers: (RandomState, RandomState),
    texts: u32,
    /// Whole frames that wait for the dictionary.
    waiting: Vec<(u32, Vec<u8>)>,
    waiting_bytes: usize,
    dictionary: Vec<u8>,
    compressor: Option<Compressor<'static>>,
    lens: Vec<usize>,
    bytes: Vec<u8>,
    entries: Vec<u8>,
}

/// Where the texts of a segment are.
pub(super) struct TextIndex {
    texts: Section,
    frames: u64,
    dictionary: Range<u64>,
}

/// Frames unpacked last.
#[derive(Default)]
pub(super) struct Unpacked {
    frames: Vec<Frame>,
    unpacker: Option<(SegmentId, Decompressor<'static>)>,
}

struct Frame {
    segment: SegmentId,
    first: u32,
    /// Where the first text begins, and where each ends.
    start: usize,
    ends: Vec<usize>,
    raw: Vec<u8>,
}

impl TextWriter {
    pub(super) fn new() -> TextWriter {
        TextWriter {
            numbers: HashMap::new(),
            hashers: (RandomState::new(), RandomState::new()),
            texts: 0,
            waiting: Vec::new(),
            waiting_bytes: 0,
            dictionary: Vec::new(),
            compressor: None,
            lens: Vec::new(),
            bytes: Vec::new(),
            entries: Vec::new(),
        }
    }

    /// How many different texts there are.
    pub(super) const fn len(&self) -> u32 {
        self.texts
    }

    /// Bytes of memory taken, about.
    pub(super) fn memory(&self) -> usize {
        // A byte beside each, and one place in eight is free.
        let known = self.numbers.capacity() * (size_of::<((u64, u64), u32)>() + 4);
        known + self.waiting_bytes + self.bytes.len() + self.entries.len()
    }

    /// The number of `text`, and whether it was not there before.
    pub(super) fn push(&mut self, text: &[u8], output: &mut Output<'_>) -> Result<(u32, bool)> {
        // Two keyed hashes of 64 bits: nobody who lacks the keys can make two texts meet.
        let hash = (self.hashers.0.hash_one(text), self.hashers.1.hash_one(text));
        if let Some(number) = self.numbers.get(&hash) {
            return Ok((*number, false));
        }
        let number = self.texts;
        self.numbers.insert(hash, number);
        self.texts += 1;
        self.lens.push(text.len());
        self.bytes.extend_from_slice(text);
        if self.bytes.len() >= FRAME_BYTES {
            self.close_frame(output)?;
        }
        Ok((number, true))
    }

    /// Puts `texts` one behind the other, those met before too, in frames of about `frame_bytes`;
    /// gives the number of the first.
    pub(super) fn append<'v>(
        &mut self,
        texts: impl Iterator<Item = &'v [u8]>,
        frame_bytes: usize,
        output: &mut Output<'_>,
    ) -> Result<u32> {
        if !self.lens.is_empty() {
            self.close_frame(output)?;
        }
        let first = self.texts;
        for text in texts {
            self.texts += 1;
            self.lens.push(text.len());
            self.bytes.extend_from_slice(text);
            if self.bytes.len() >= frame_bytes {
                self.close_frame(output)?;
            }
        }
        if !self.lens.is_empty() {
            self.close_frame(output)?;
        }
        Ok(first)
    }

    fn close_frame(&mut self, output: &mut Output<'_>) -> Result<()> {
        let first = self.texts - self.lens.len() as u32;
        let mut raw = Vec::with_capacity(self.bytes.len() + 4 * self.lens.len() + 4);
        varint::put_u64(&mut raw, self.lens.len() as u64);
        for len in self.lens.drain(..) {
            varint::put_u64(&mut raw, len as u64);
        }
        raw.append(&mut self.bytes);
        if self.compressor.is_some() {
            return self.write_frame(first, &raw, output);
        }
        self.waiting_bytes += raw.len();
        self.waiting.push((first, raw));
        if self.waiting_bytes >= SAMPLE_BYTES {
            self.train(output)?;
        }
        Ok(())
    }

    /// Trains the dictionary, keeps it if it saves more than it takes, and writes what waited.
    fn train(&mut self, output: &mut Output<'_>) -> Result<()> {
        let refused = |error| Error::io("compress texts of", output.file().path(), error);
        let mut plain = Compressor::new(LEVEL).map_err(refused)?;
        let samples: Vec<&[u8]> = self.waiting.iter().map(|(_, raw)| raw.as_slice()).collect();
        let chunks: Vec<&[u8]> = samples.iter().flat_map(|raw| raw.chunks(1 << 10)).collect();
        let trained =
            zstd::dict::from_samples(&chunks, DICTIONARY_BYTES.min(self.waiting_bytes / 8));
        if let Ok(dictionary) = trained {
            let mut with = Compressor::with_dictionary(LEVEL, &dictionary).map_err(refused)?;
            let mut saved = 0_i64;
            for raw in &samples {
                let (one, other) = (plain.compress(raw), with.compress(raw));
                saved += one.map_err(refused)?.len() as i64 - other.map_err(refused)?.len() as i64;
            }
            // What comes after the sample saves as much; without more of it, it must pay by itself.
            let more = if self.waiting_bytes >= SAMPLE_BYTES {
                2
            } else {
                1
            };
            if saved * more > dictionary.len() as i64 {
                self.dictionary = dictionary;
                plain = with;
            }
        }
        self.compressor = Some(plain);
        for (first, raw) in core::mem::take(&mut self.waiting) {
            self.write_frame(first, &raw, output)?;
        }
        Ok(())
    }

    fn write_frame(&mut self, first: u32, raw: &[u8], output: &mut Output<'_>) -> Result<()> {
        let Some(compressor) = &mut self.compressor else {
            return Ok(());
        };
        let packed = compressor.compress(raw);
        let packed =
            packed.map_err(|error| Error::io("compress texts of", output.file().path(), error))?;
        self.entries
            .extend_from_slice(&output.offset().to_le_bytes());
        self.entries.extend_from_slice(&first.to_le_bytes());
        self.entries
            .extend_from_slice(&(raw.len() as u32).to_le_bytes());
        output.put(&packed)
    }

    /// Writes the last frame and the index.
    pub(super) fn finish(mut self, output: &mut Output<'_>) -> Result<()> {
        if !self.lens.is_empty() {
            self.close_frame(output)?;
        }
        if self.compressor.is_none() && !self.waiting.is_empty() {
            self.train(output)?;
        }
        let end = output.offset();
        output.end_section(Kind::Texts, u64::from(self.texts));
        let frames = self.entries.len() as u64 / ENTRY_LEN;
        if frames > 0 {
            output.put(&(frames as u32).to_le_bytes())?;
            output.put(&(self.dictionary.len() as u32).to_le_bytes())?;
            output.put(&self.dictionary)?;
            output.put(&self.entries)?;
            output.put(&end.to_le_bytes())?;
        }
        output.end_section(Kind::TextIndex, frames);
        Ok(())
    }
}

impl TextIndex {
    /// `None` where the index cannot belong to the texts.
    pub(super) fn open(pages: &Pages, texts: Section, index: Section) -> Result<Option<TextIndex>> {
        if index.len == 0 {
            let none = TextIndex {
                texts,
                frames: 0,
                dictionary: 0..0,
            };
            return Ok((texts.len == 0).then_some(none));
        }
        let head = pages.read(index.offset, HEAD_LEN as usize)?;
        let mut head = Bytes::new(&head);
        let (Some(frames), Some(len)) = (head.u32(), head.u32()) else {
            return Ok(None);
        };
        let (frames, len) = (u64::from(frames), u64::from(len));
        let start = index.offset + HEAD_LEN;
        let fits = HEAD_LEN + len + frames * ENTRY_LEN + 8 == index.len
            && len <= 2 * DICTIONARY_BYTES as u64;
        Ok(fits.then_some(TextIndex {
            texts,
            frames,
            dictionary: start..start + len,
        }))
    }

    /// Appends the text with this number to `out`; `None` where the section is damaged.
    pub(super) fn read(
        &self,
        pages: &Pages,
        segment: SegmentId,
        number: u32,
        unpacked: &mut Unpacked,
        out: &mut Buffer,
    ) -> Result<Option<()>> {
        let holds = |frame: &Frame| {
            let last = frame.first as usize + frame.ends.len();
            frame.segment == segment && (frame.first as usize..last).contains(&(number as usize))
        };
        let place = match unpacked.frames.iter().position(holds) {
            Some(place) => place,
            None => {
                let Some(frame) = self.unpack(pages, segment, number, unpacked)? else {
                    return Ok(None);
                };
                unpacked.frames.truncate(FRAMES_KEPT - 1);
                unpacked.frames.insert(0, frame);
                0
            }
        };
        let Some(frame) = unpacked.frames.get(place).filter(|frame| holds(frame)) else {
            return Ok(None);
        };
        let at = (number - frame.first) as usize;
        let start = match at.checked_sub(1) {
            Some(before) => frame.ends.get(before),
            None => Some(&frame.start),
        };
        let text = start
            .zip(frame.ends.get(at))
            .and_then(|(start, end)| frame.raw.get(*start..*end));
        Ok(text.map(|text| out.extend(text)))
    }

    /// The first number and the offset of the frame `place`, and its raw length.
    fn entry(&self, pages: &Pages, place: u64) -> Result<(u64, u32, u32)> {
        let at = self.dictionary.end + place * ENTRY_LEN;
        let len = if place < self.frames { ENTRY_LEN } else { 8 };
        let entry = pages.read(at, len as usize)?;
        let mut entry = Bytes::new(&entry);
        let offset = entry.u64().unwrap_or(0);
        Ok((offset, entry.u32().unwrap_or(0), entry.u32().unwrap_or(0)))
    }

    fn unpack(
        &self,
        pages: &Pages,
        segment: SegmentId,
        number: u32,
        unpacked: &mut Unpacked,
    ) -> Result<Option<Frame>> {
        let (mut low, mut high) = (0, self.frames);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.entry(pages, middle)?.1 <= number {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let Some(place) = low.checked_sub(1) else {
            return Ok(None);
        };
        let (offset, first, raw_len) = self.entry(pages, place)?;
        let (end, ..) = self.entry(pages, place + 1)?;
        let inside = offset >= self.texts.offset
            && offset < end
            && self.texts.end().is_some_and(|texts| end <= texts)
            && raw_len as usize <= format::TEXT_FRAME_MAX;
        if !inside {
            return Ok(None);
        }
        let stored = pages.read(offset, (end - offset) as usize)?;
        let unpacker = self.unpacker(pages, segment, unpacked)?;
        let raw = unpacker.and_then(|unpacker| {
            let mut raw = Vec::with_capacity(raw_len as usize);
            let len = unpacker.decompress_to_buffer(&stored, &mut raw).ok()?;
            (len == raw_len as usize).then_some(raw)
        });
        Ok(raw.and_then(|raw| Frame::new(segment, first, raw)))
    }

    fn unpacker<'u>(
        &self,
        pages: &Pages,
        segment: SegmentId,
        unpacked: &'u mut Unpacked,
    ) -> Result<Option<&'u mut Decompressor<'static>>> {
        let kept = unpacked.unpacker.take().filter(|(of, _)| *of == segment);
        let found = match kept {
            Some((_, unpacker)) => Some(unpacker),
            None => {
                let len = (self.dictionary.end - self.dictionary.start) as usize;
                let dictionary = pages.read(self.dictionary.start, len)?;
                Decompressor::with_dictionary(&dictionary).ok()
            }
        };
        Ok(found.map(|found| &mut unpacked.unpacker.insert((segment, found)).1))
    }
}

impl Frame {
    fn new(segment: SegmentId, first: u32, raw: Vec<u8>) -> Option<Frame> {
        let mut bytes = Bytes::new(&raw);
        let count = bytes.count().filter(|count| *count <= raw.len())?;
        let mut ends = Vec::with_capacity(count);
        let mut total = 0_usize;
        for _ in 0..count {
            total = total.checked_add(bytes.count()?)?;
            ends.push(total);
        }
        if bytes.rest().len() != total {
            return None;
        }
        let start = raw.len() - total;
        ends.iter_mut().for_each(|end| *end += start);
        Some(Frame {
            segment,
            first,
            start,
            ends,
            raw,
        })
    }
}
