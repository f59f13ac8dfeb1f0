//! A set of seqs that stays small where they are dense: chunks of 65,536, each a short list, a bit
//! map, or nothing at all once it is full.

use core::ops::Range;
use std::collections::BTreeMap;

const CHUNK: u64 = 1 << 16;
const WORDS: usize = 1 << 10;
/// Above this many a bit map is smaller than a list.
const LIST_MAX: usize = 4096;

#[derive(Default)]
pub(super) struct Seqs {
    chunks: BTreeMap<u64, Chunk>,
    len: u64,
    end: u64,
}

enum Chunk {
    List(Vec<u16>),
    Bits(Box<[u64; WORDS]>, u64),
    Full,
}

impl Seqs {
    /// Whether `seq` is new.
    pub(super) fn insert(&mut self, seq: u64) -> bool {
        let chunk = self.chunks.entry(seq / CHUNK);
        let chunk = chunk.or_insert_with(|| Chunk::List(Vec::new()));
        let is_new = chunk.insert(seq as u16);
        if is_new {
            self.len += 1;
            self.end = self.end.max(seq.saturating_add(1));
        }
        is_new
    }

    /// How many there are.
    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    /// One more than the highest.
    pub(super) const fn end(&self) -> u64 {
        self.end
    }

    /// The first `max` runs of seqs below `end` that are not in the set.
    pub(super) fn gaps(&self, end: u64, max: usize) -> Vec<Range<u64>> {
        let mut gaps: Vec<Range<u64>> = Vec::new();
        let mut next = 0;
        for (number, chunk) in self.chunks.range(..end.div_ceil(CHUNK)) {
            let base = number * CHUNK;
            if gaps.len() >= max {
                break;
            }
            if matches!(chunk, Chunk::Full) {
                put_gap(&mut gaps, next..base.min(end));
                next = base.saturating_add(CHUNK);
                continue;
            }
            for seq in chunk.members().map(|low| base + u64::from(low)) {
                put_gap(&mut gaps, next..seq.min(end));
                next = seq.saturating_add(1);
            }
        }
        put_gap(&mut gaps, next..end);
        gaps.truncate(max);
        gaps
    }
}

fn put_gap(gaps: &mut Vec<Range<u64>>, gap: Range<u64>) {
    if !gap.is_empty() {
        gaps.push(gap);
    }
}

impl Chunk {
    fn insert(&mut self, low: u16) -> bool {
        match self {
            Chunk::Full => false,
            Chunk::List(list) => {
                let Err(place) = list.binary_search(&low) else {
                    return false;
                };
                list.insert(place, low);
                if list.len() > LIST_MAX {
                    let mut bits = Box::new([0; WORDS]);
                    for low in &*list {
                        set(&mut bits, *low);
                    }
                    *self = Chunk::Bits(bits, list.len() as u64);
                }
                true
            }
            Chunk::Bits(bits, count) => {
                let is_new = set(bits, low);
                *count += u64::from(is_new);
                if *count == CHUNK {
                    *self = Chunk::Full;
                }
                is_new
            }
        }
    }

    fn members(&self) -> impl Iterator<Item = u16> {
        let (list, bits) = match self {
            Chunk::List(list) => (list.as_slice(), None),
            Chunk::Bits(bits, _) => (&[][..], Some(bits)),
            Chunk::Full => (&[][..], None),
        };
        let set = bits.into_iter().flat_map(|bits| {
            (0..=u16::MAX).filter(|low| {
                let word = bits.get(usize::from(*low) / 64).copied().unwrap_or(0);
                word >> (low % 64) & 1 == 1
            })
        });
        list.iter().copied().chain(set)
    }
}

fn set(bits: &mut [u64; WORDS], low: u16) -> bool {
    let Some(word) = bits.get_mut(usize::from(low) / 64) else {
        return false;
    };
    let before = *word;
    *word |= 1 << (low % 64);
    *word != before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seq_counts_once_and_every_gap_is_found() {
        let mut seqs = Seqs::default();
        let missing = [3, 70_000, 70_001, 131_071];
        for seq in (0..200_000).rev().filter(|seq| !missing.contains(seq)) {
            assert!(seqs.insert(seq));
        }
        assert!(!seqs.insert(4) && !seqs.insert(131_072));
        assert_eq!((seqs.len(), seqs.end()), (199_996, 200_000));
        let gaps = [3..4, 70_000..70_002, 131_071..131_072, 200_000..200_002];
        assert_eq!(seqs.gaps(200_002, 9), gaps);
        assert_eq!(seqs.gaps(200_002, 1), gaps[..1]);
        for seq in missing {
            assert!(seqs.insert(seq));
        }
        assert_eq!(seqs.gaps(200_000, 9), []);
    }

    #[test]
    fn a_chunk_is_what_is_smallest_for_it() {
        let mut chunk = Chunk::List(Vec::new());
        for low in 0..=u16::MAX {
            assert!(chunk.insert(low) && !chunk.insert(low));
            let many = usize::from(low) + 1;
            let fits = match &chunk {
                Chunk::List(list) => list.len() == many && many <= LIST_MAX,
                Chunk::Bits(_, count) => *count == many as u64 && many > LIST_MAX,
                Chunk::Full => many as u64 == CHUNK,
            };
            assert!(fits, "{many}");
        }
        assert!(matches!(chunk, Chunk::Full));
    }
}
