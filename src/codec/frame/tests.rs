//! Proofs of the stamped log: what was appended comes back; in a closed log every flipped bit is
//! damage; in an unclosed one a crash costs only what was never confirmed. Also holds the dump by
//! which the specification pages are compared with the code.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that panics has failed, which is what it should do"
)]

use core::fmt::Write;
use std::path::Path;

use proptest::prelude::Strategy;
use proptest::prelude::any;
use proptest::prop_assert;
use proptest::prop_assert_eq;

use super::Extent;
use super::Head;
use super::Header;
use super::PAYLOAD_MAX;
use super::Reader;
use super::SECTOR;
use super::STAMP;
use super::Tail;
use crate::codec::checksum::crc32;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::id::StoreId;

const MAGIC: [u8; 8] = *b"auditlog";
const UNCLEAN: Extent = Extent::Unclean { durable: 0 };

type Outcome = Result<(Vec<Vec<u8>>, Tail), Error>;

/// A log of the payloads; `synced[n]` says whether frame `n` was synced before the next one.
fn log(payloads: &[Vec<u8>], synced: impl Fn(usize) -> bool) -> (Vec<u8>, Vec<usize>, usize) {
    let header = Header::new(MAGIC, StoreId(*b"0123456789abcdef"), 7, [0; 4]);
    let mut file = header.encode();
    let mut chain = header.chain();
    let mut durable = file.len();
    let mut ends = vec![file.len()];
    let mut sectors = Vec::new();
    for (number, payload) in payloads.iter().enumerate() {
        chain = chain.encode(payload, durable as u64, &mut sectors).unwrap();
        file.extend_from_slice(&sectors);
        assert_eq!(chain.offset(), file.len() as u64);
        ends.push(file.len());
        if synced(number) {
            durable = file.len();
        }
    }
    (file, ends, durable)
}

#[expect(
    clippy::type_complexity,
    reason = "a closure's type has no name to shorten it by"
)]
fn reader<'a>(
    file: &'a [u8],
    extent: Extent,
) -> Result<Reader<impl Fn(u64, &mut [u8]) -> Result<(), Error> + use<'a>>, Error> {
    let read = move |offset: u64, buffer: &mut [u8]| {
        let at = offset as usize;
        buffer.copy_from_slice(&file[at..at + buffer.len()]);
        Ok(())
    };
    Reader::open(read, Path::new("x.log"), file.len() as u64, MAGIC, extent)
}

fn read(file: &[u8], extent: Extent) -> Outcome {
    let mut reader = reader(file, extent)?;
    let mut payloads = Vec::new();
    while let Some(frame) = reader.next()? {
        payloads.push(frame.payload.to_vec());
    }
    let tail = reader.tail().unwrap();
    let mut torn = Vec::new();
    reader.copy_torn(|bytes| {
        torn.extend_from_slice(bytes);
        Ok(())
    })?;
    let bytes = tail.torn.map_or(0, |torn| torn.bytes as usize);
    assert_eq!(torn, &file[tail.end as usize..tail.end as usize + bytes]);
    Ok((payloads, tail))
}

fn payloads(lengths: &[usize]) -> Vec<Vec<u8>> {
    let byte = |number: usize, at: usize| (number * 31 + at * 7 + 1) as u8;
    let payload = |(number, len): (usize, &usize)| (0..*len).map(|at| byte(number, at)).collect();
    lengths.iter().enumerate().map(payload).collect()
}

fn sample() -> Vec<Vec<u8>> {
    payloads(&[1, 479, 480, 481, 984, 985, 2000])
}

/// Damage that names the file and a byte in it.
pub(crate) fn is_damage(error: &Error) -> bool {
    let place = error.place().and_then(|place| place.offset);
    error.kind() == ErrorKind::Corrupt && place.is_some()
}

/// A hex dump as the specification pages show it: lines of sixteen bytes, those of zeros left out,
/// and those like the one before.
pub(crate) fn dump(bytes: &[u8]) -> String {
    let mut text = String::new();
    let mut before: &[u8] = &[];
    for (number, line) in bytes.chunks(16).enumerate() {
        if core::mem::replace(&mut before, line) == line || line.iter().all(|byte| *byte == 0) {
            continue;
        }
        write!(text, "{:04x} ", number * 16).unwrap();
        for byte in line {
            write!(text, " {byte:02x}").unwrap();
        }
        text.push('\n');
    }
    text
}

/// Asserts that a page shows `example`, and prints it to be pasted where it does not.
pub(crate) fn shows(page: &str, example: &str) {
    assert!(page.contains(example), "the page lacks:\n{example}");
}

#[test]
fn what_was_appended_comes_back() {
    let (file, ends, _) = log(&sample(), |_| true);
    let end = *ends.last().unwrap() as u64;
    for extent in [Extent::Closed(end), Extent::Live(end), UNCLEAN] {
        let (payloads, tail) = read(&file, extent).unwrap();
        assert_eq!(payloads, sample());
        assert_eq!(tail, Tail { end, torn: None });
    }
    for (count, end) in ends.iter().enumerate() {
        let end = *end as u64;
        let (payloads, tail) = read(&file, Extent::Live(end)).unwrap();
        assert_eq!((payloads.len(), tail), (count, Tail { end, torn: None }));
    }
    let zeros = [file.as_slice(), &[0; 3 * SECTOR + 5]].concat();
    assert_eq!(read(&zeros, UNCLEAN).unwrap().1, Tail { end, torn: None });
    assert!(read(&zeros, Extent::Closed(end)).is_ok());
}

#[test]
fn every_flipped_bit_of_a_closed_log_is_damage() {
    let (mut file, ..) = log(&sample(), |_| true);
    let extent = Extent::Closed(file.len() as u64);
    file.resize(file.len() + 700, 0);
    for at in 0..file.len() {
        file[at] ^= 1 << (at % 8);
        let error = read(&file, extent).unwrap_err();
        assert!(is_damage(&error), "byte {at}: {error}");
        file[at] ^= 1 << (at % 8);
    }
}

#[test]
fn a_closed_log_that_is_cut_or_misnamed_is_damage() {
    let (file, ends, _) = log(&sample(), |_| true);
    for len in 0..file.len() {
        let error = read(&file[..len], Extent::Closed(file.len() as u64)).unwrap_err();
        assert!(is_damage(&error), "{len}: {error}");
    }
    for end in 0..file.len() {
        let error = read(&file, Extent::Closed(end as u64)).unwrap_err();
        assert!(is_damage(&error), "{end}: {error}");
        let live = read(&file, Extent::Live(end as u64));
        assert_eq!(live.is_ok(), ends.contains(&end), "{end}");
    }
}

#[test]
fn a_flipped_bit_in_a_durable_frame_is_never_cut_off_in_silence() {
    let (mut file, ends, _) = log(&sample(), |_| true);
    let last = ends[ends.len() - 2];
    for at in 0..file.len() {
        file[at] ^= 1 << (at % 8);
        let known = Extent::Unclean {
            durable: file.len() as u64,
        };
        assert!(is_damage(&read(&file, known).unwrap_err()), "byte {at}");
        match read(&file, UNCLEAN) {
            Err(error) => assert!(is_damage(&error), "byte {at}: {error}"),
            Ok((payloads, tail)) => {
                assert!(at >= last && at % SECTOR < 8, "byte {at} was ignored");
                assert_eq!(payloads.len(), sample().len() - 1);
                assert_eq!((tail.end, tail.torn.is_some()), (last as u64, true));
            }
        }
        file[at] ^= 1 << (at % 8);
    }
}

#[test]
fn an_unclosed_log_cut_anywhere_keeps_its_whole_frames() {
    let (file, ends, _) = log(&sample(), |_| true);
    for len in SECTOR..file.len() {
        let (payloads, tail) = read(&file[..len], UNCLEAN).unwrap();
        let whole = ends.iter().rposition(|end| *end <= len).unwrap();
        assert_eq!(payloads, sample()[..whole]);
        assert_eq!(tail.end, ends[whole] as u64);
        let left = file[ends[whole]..len].iter().rposition(|byte| *byte != 0);
        assert_eq!(
            tail.torn.map(|torn| torn.bytes as usize),
            left.map(|at| at + 1)
        );
    }
    for len in 0..SECTOR {
        assert!(is_damage(&read(&file[..len], UNCLEAN).unwrap_err()));
    }
}

#[test]
fn what_this_library_does_not_know_is_refused() {
    let (mut file, ..) = log(&sample(), |_| true);
    for at in [8, 12] {
        file[at] ^= 2;
        let crc = crc32(&file[..SECTOR - 4]);
        file[SECTOR - 4..SECTOR].copy_from_slice(&crc.to_le_bytes());
        let error = read(&file, UNCLEAN).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        file[at] ^= 2;
    }
    file[16] ^= 2;
    let crc = crc32(&file[..SECTOR - 4]);
    file[SECTOR - 4..SECTOR].copy_from_slice(&crc.to_le_bytes());
    let header = reader(&file, UNCLEAN).unwrap();
    assert_eq!(header.chain().previous, crc);
    let header = Header::new(MAGIC, StoreId([0; 16]), 1, [0; 4]);
    assert!(header.chain().encode(&[], 512, &mut Vec::new()).is_err());
}

/// Not even a frame whose checksums fit.
#[test]
fn a_frame_of_a_length_that_none_has_is_damage() {
    let (mut file, ..) = log(&payloads(&[1]), |_| true);
    let salt = reader(&file, UNCLEAN).unwrap().chain().salt;
    for (payload_len, is_damaged) in [(0, true), (PAYLOAD_MAX as u32 + 1, true), (1, false)] {
        let mut head = Head::decode(&file[SECTOR..], salt, 1).unwrap();
        head.payload_len = payload_len;
        head.crc = head.checksum(salt, 1);
        file[SECTOR + STAMP..][..4].copy_from_slice(&head.crc.to_le_bytes());
        file[SECTOR + STAMP + 4..][..head.covered().len()].copy_from_slice(&head.covered());
        let found = read(&file, UNCLEAN);
        let error = found.as_ref().err();
        assert_eq!(error.is_some_and(is_damage), is_damaged, "{payload_len}");
    }
}

/// Whoever saves what is left finds the next frame, however much before it is lost.
#[test]
fn damage_is_passed_over_to_the_next_frame() {
    let written = payloads(&[10, 300_000, 20]);
    let (mut file, ends, _) = log(&written, |_| true);
    file[ends[1]..ends[2]].fill(0xff);
    let mut reader = reader(&file, UNCLEAN).unwrap();
    assert_eq!(reader.next().unwrap().unwrap().payload, written[0]);
    assert!(is_damage(&reader.next().unwrap_err()));
    assert!(reader.pass_damage().unwrap());
    let frame = reader.next().unwrap().unwrap();
    assert_eq!(
        (frame.offset, frame.payload),
        (ends[2] as u64, &*written[2])
    );
    assert!(reader.next().unwrap().is_none());
}

#[test]
fn an_attempt_that_was_rolled_back_does_not_mix_with_the_next_one() {
    let header = Header::new(MAGIC, StoreId([1; 16]), 1, [0; 4]);
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let chain = header.chain();
    chain.encode(&vec![1; 2000], 512, &mut first).unwrap();
    chain.encode(&vec![2; 2000], 512, &mut second).unwrap();
    let mixed = [&header.encode(), &second[..SECTOR], &first[SECTOR..]].concat();
    let (payloads, tail) = read(&mixed, UNCLEAN).unwrap();
    assert_eq!((payloads.len(), tail.torn.is_some()), (0, true));
}

#[test]
fn the_page_shows_what_the_code_writes() {
    let page = include_str!("../../../docs/format/log.md");
    let header = Header::new(MAGIC, StoreId(*b"0123456789abcdef"), 7, [0; 4]);
    let mut file = header.encode();
    let mut sectors = Vec::new();
    let payload = [&[b'a'; 480][..], b"bc"].concat();
    header.chain().encode(&payload, 512, &mut sectors).unwrap();
    file.extend_from_slice(&sectors);
    shows(page, &dump(&file));
}

proptest::proptest! {
    /// A crash keeps any subset of the sectors that were not yet synced: no confirmed frame is lost,
    /// none is invented, and it is never mistaken for damage.
    #[test]
    fn a_crash_costs_only_what_was_not_confirmed(
        frames in proptest::collection::vec((1_usize..3000, any::<bool>()), 1..12),
        kept: Vec<bool>,
        zeroed: bool,
    ) {
        let lengths: Vec<usize> = frames.iter().map(|(len, _)| *len).collect();
        let written = payloads(&lengths);
        let (mut file, ends, durable) = log(&written, |number| frames[number].1);
        let mut kept = kept.into_iter().cycle();
        let mut length = durable;
        for at in (durable..file.len()).step_by(SECTOR) {
            if kept.next().unwrap_or(false) {
                length = at + SECTOR;
            } else {
                file[at..at + SECTOR].fill(0);
            }
        }
        if !zeroed {
            file.truncate(length);
        }
        let known = Extent::Unclean { durable: durable as u64 };
        for extent in [UNCLEAN, known] {
            let (payloads, tail) = read(&file, extent).unwrap();
            prop_assert!(tail.end >= durable as u64);
            prop_assert!(ends.contains(&(tail.end as usize)));
            prop_assert_eq!(&payloads[..], &written[..payloads.len()]);
        }
    }

    #[test]
    fn hostile_bytes_are_an_outcome_and_no_panic(
        lengths in proptest::collection::vec(1_usize..1500, 0..6),
        wounds: Vec<(proptest::sample::Index, u8)>,
        cut: proptest::sample::Index,
        extent in proptest::prop_oneof![
            any::<u16>().prop_map(|end| Extent::Closed(end.into())),
            any::<u16>().prop_map(|end| Extent::Live(end.into())),
            any::<u16>().prop_map(|end| Extent::Unclean { durable: end.into() }),
        ],
    ) {
        let (mut file, ..) = log(&payloads(&lengths), |number| number % 2 == 0);
        for (at, byte) in wounds {
            let at = at.index(file.len());
            file[at] = byte;
        }
        file.truncate(cut.index(file.len() + 1));
        let _either = read(&file, extent);
    }
}
