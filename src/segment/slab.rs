//! The values of a short dictionary as they are, one behind the other: what rows ask for all the
//! time costs two offsets and a copy then. Made once a dictionary was looked into often enough, by
//! reading each of its values as rows do; a segment has room for so many bytes of them.

use core::sync::atomic::AtomicUsize;
use core::sync::atomic::Ordering;

use crate::codec::buffer::Buffer;
use crate::codec::buffer::SHORT;
use crate::event;

/// Bytes of one slab, and of all those of a segment with what leads to them ([`super::quick`]). The generator's segments have 190 KB of them:
/// types, sources, agents and 5,000 performers, and leave 50,000 addresses where they lie.
const SLAB_MAX: usize = 128 << 10;
const TOGETHER_MAX: usize = 448 << 10;

/// Values one behind the other.
#[derive(Debug)]
pub(super) struct Slab {
    /// Where each value ends; the first begins at 0.
    bounds: Vec<u32>,
    /// With a little behind the last: see [`crate::codec::buffer`].
    bytes: Vec<u8>,
    is_clean: bool,
}

/// How many bytes the slabs of a segment may still take.
#[derive(Debug)]
pub(super) struct Room(AtomicUsize);

impl Default for Room {
    fn default() -> Room {
        Room(AtomicUsize::new(TOGETHER_MAX))
    }
}

impl Room {
    pub(super) fn take(&self, len: usize) -> bool {
        let left = |room: usize| room.checked_sub(len);
        let taken = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, left);
        taken.is_ok()
    }
}

impl Slab {
    /// A slab of `count` values, each as `read` appends it; `None` where one is not to be read, or
    /// there is no room for all.
    pub(super) fn of(
        count: u32,
        room: &Room,
        mut read: impl FnMut(u32, &mut Buffer) -> Option<()>,
    ) -> Option<Slab> {
        let bounds_len = (count as usize + 1) * size_of::<u32>();
        let bytes_max = SLAB_MAX.checked_sub(bounds_len + SHORT)?;
        let mut values = Buffer::default();
        let mut bounds = Vec::with_capacity(count as usize + 1);
        bounds.push(0);
        for number in 0..count {
            read(number, &mut values)?;
            if values.len() > bytes_max {
                return None;
            }
            bounds.push(values.len() as u32);
        }
        let is_clean = event::clean_bytes(values.as_slice()) == values.len();
        let mut bytes = Vec::with_capacity(values.len() + SHORT);
        bytes.extend_from_slice(values.as_slice());
        bytes.resize(values.len() + SHORT, 0);
        room.take(bounds_len + bytes.len()).then_some(Slab {
            bounds,
            bytes,
            is_clean,
        })
    }

    /// Whether strings hold all of the values as they are.
    #[inline]
    pub(super) const fn is_clean(&self) -> bool {
        self.is_clean
    }

    /// Appends the value with this number; `None` where there is none.
    #[inline(always)]
    pub(super) fn put(&self, number: u32, out: &mut Buffer) -> Option<()> {
        let [start, end] = *self.bounds.get(number as usize..)?.first_chunk::<2>()?;
        out.put(&self.bytes, start as usize, (end - start) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn values_come_back(values in proptest::collection::vec("[a-z]{0,60}", 0..50)) {
            let room = Room::default();
            let read = |number: u32, out: &mut Buffer| {
                out.extend(values.get(number as usize)?.as_bytes());
                Some(())
            };
            let slab = Slab::of(values.len() as u32, &room, read).expect("room for a few");
            for (number, value) in (0..).zip(&values) {
                let mut found = Buffer::default();
                proptest::prop_assert_eq!(slab.put(number, &mut found), Some(()));
                proptest::prop_assert_eq!(found.as_slice(), value.as_bytes());
            }
            let mut found = Buffer::default();
            proptest::prop_assert_eq!(slab.put(values.len() as u32, &mut found), None);
        }
    }

    #[test]
    fn slabs_take_no_more_than_there_is_room_for() {
        let room = Room::default();
        let of = |len: usize, count: u32| {
            let value = vec![b'x'; len];
            Slab::of(count, &room, |_, out| {
                out.extend(&value);
                Some(())
            })
        };
        assert!(of(1000, 200).is_none(), "one that is too long");
        let made = (0..9).filter(|_| of(1000, 100).is_some()).count();
        assert_eq!(made, 4);
    }
}
