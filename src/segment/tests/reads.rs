//! What a reader asks of its file, to the last byte: what is read when a segment is opened and when
//! rows, terms and places are looked for, what is read ahead, what is read a second time. Answers say
//! nothing of it, so no other test would notice a reader that reads more than it has to. The file
//! beside the goldens is written anew with `AUDITDB_BLESS` set; a change of it has to be meant.

use core::fmt::Write as _;

use super::Folder;
use super::Model;
use super::kinds;
use super::kinds::mixed;
use super::kinds::rows;
use super::kinds::told;
use super::written::hold;
use crate::codec::checksum::crc32;
use crate::disk::blob::Asked;
use crate::error::Result;
use crate::id::Sequence;
use crate::options::ReadMode;
use crate::segment::postings::Direction;
use crate::segment::reader::Loaded;
use crate::segment::reader::Reader;

const FILE: &str = "tests/golden/reads.txt";

/// Reads rows in this order, with what was read for the one at hand for the next.
fn read(reader: &Reader, rows: impl Iterator<Item = u32>) -> Result<usize> {
    let mut loaded = Loaded::default();
    rows.map(|row| Ok(reader.row(row, &mut loaded)?.body.content.len()))
        .sum()
}

/// Looks for the places of some forty events, as a search does.
fn bounds(reader: &Reader, models: &[Model]) -> Result<usize> {
    let mut loaded = Loaded::default();
    let some = models.iter().step_by(1 + models.len() / 40);
    some.map(|model| Ok(reader.lower_bound(model.position, &mut loaded)? as usize))
        .sum()
}

/// Every term and the rows of it, by one way and by the other.
fn terms(reader: &Reader) -> Result<usize> {
    let mut found = 0;
    let mut stream = reader.terms(&[]);
    while stream.advance()? {
        let rows = stream.postings().rows()?;
        let Some(mut known) = reader.postings(stream.term())? else {
            continue;
        };
        for at in [rows.len() / 2, rows.len() / 3] {
            let (up, down) = (rows[at], rows[at / 2]);
            found += known.seek(up, Direction::Up)?.unwrap_or(0) as usize;
            found += known.seek(down, Direction::Down)?.unwrap_or(0) as usize;
        }
    }
    Ok(found)
}

fn seqs(reader: &Reader, from: u64, to: u64) -> Result<usize> {
    let mut stream = reader.by_seq(Sequence(from), Sequence(to));
    let mut found = 0;
    while let Some((_, row)) = stream.next()? {
        found += 1 + row as usize;
    }
    Ok(found)
}

fn prints(reader: &Reader) -> Result<usize> {
    let all = reader.fingerprints()?;
    let some = all
        .iter()
        .step_by(1 + all.len() / 20)
        .map(|(print, _)| *print);
    let found = some.map(|print| Ok(reader.fingerprint(print << 40)?.len()));
    found.sum::<Result<usize>>().map(|sum| sum + all.len())
}

/// One thing that is done with a reader; gives a number that follows from the answers.
type Step<'s> = (&'s str, &'s dyn Fn(&Reader) -> Result<usize>);

fn told_of(name: &str, reader: &Reader, models: &[Model], out: &mut String) {
    let count = reader.rows();
    let scattered = || (0..50).map(|number| mixed(number) as u32 % count);
    let steps: [Step<'_>; 14] = [
        ("open", &|reader| Ok(reader.blocks())),
        ("a row", &|reader| read(reader, 0..1)),
        ("it again", &|reader| read(reader, 0..1)),
        ("50 rows", &|reader| read(reader, scattered())),
        ("50 rows again", &|reader| read(reader, scattered())),
        ("all rows", &|reader| read(reader, 0..count)),
        ("all rows upwards", &|reader| read(reader, (0..count).rev())),
        ("places", &|reader| bounds(reader, models)),
        ("terms", &terms),
        ("terms again", &terms),
        ("some numbers", &|reader| seqs(reader, 70, 90)),
        ("all numbers", &|reader| seqs(reader, 0, u64::MAX)),
        ("fingerprints", &prints),
        ("all rows again", &|reader| read(reader, 0..count)),
    ];
    for (what, step) in steps {
        let answer = step(reader).unwrap();
        let asked = reader.blob().take_asked();
        let (ahead, read): (Vec<&Asked>, Vec<&Asked>) =
            asked.iter().partition(|asked| asked.is_ahead);
        let bytes: u64 = read.iter().map(|asked| asked.len).sum();
        let all = asked.iter().flat_map(|asked| {
            let is_ahead = u64::from(asked.is_ahead);
            [is_ahead, asked.offset, asked.len].map(u64::to_le_bytes)
        });
        let all = crc32(&all.flatten().collect::<Vec<u8>>());
        writeln!(
            out,
            "{name}, {what}: {answer}, {} reads of {bytes} bytes, {} ahead, {all:08x}",
            read.len(),
            ahead.len(),
        )
        .unwrap();
    }
    writeln!(out, "{name}: {} quick columns", reader.quick_columns()).unwrap();
}

#[test]
fn what_is_read_is_what_was_written_down() {
    let folder = Folder::new();
    let mut found = String::new();
    let inputs = [
        ("an application's events", rows(3_000, told)),
        ("long texts", rows(1_800, kinds::long_text)),
        ("spelled values", rows(1_000, kinds::spelled)),
        ("links", rows(1_800, kinds::links)),
        ("imported events", rows(1_500, kinds::taken_over)),
    ];
    for (id, (name, models)) in (1..).zip(inputs) {
        let summary = folder.write(id, &models);
        for (mode, how) in [
            (ReadMode::Mapped, "mapped"),
            (ReadMode::Positional, "by position"),
        ] {
            let reader = folder.open(id, &summary, mode);
            told_of(&format!("{name}, {how}"), &reader, &models, &mut found);
        }
    }
    hold(FILE, &found);
}
