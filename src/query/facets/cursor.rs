//! Where to go on in a list of values: the last one given with its place in the order, and the page
//! cursor that pins the snapshot and says of which store and filter it is.

use core::fmt;
use std::cmp::Reverse;

use super::FacetOrder;
use super::count::Place;
use crate::codec::checksum::crc32;
use crate::codec::varint::Bytes;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::query::cursor;
use crate::query::cursor::Cursor;

/// Where a list of values ended: pass it on to go on right behind it. Its text form is URL-safe.
///
/// The text is that of a [`Cursor`] and, in the same letters, one byte for the order, 16 for the rank
/// (a count, or the newest event's time and `seq`), the value's index term, and a CRC-32 of these
/// and the former.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FacetCursor {
    pub(super) page: Cursor,
    pub(super) order: FacetOrder,
    /// The next part begins strictly behind this place.
    pub(super) after: Place,
}

/// The orders by the byte that stands for each.
const ORDERS: [FacetOrder; 3] = [FacetOrder::Count, FacetOrder::Name, FacetOrder::Recency];

impl FacetCursor {
    /// Refuses another order than the one it was made in.
    pub(super) fn check(&self, order: FacetOrder) -> Result<()> {
        if self.order == order {
            return Ok(());
        }
        let what = "the cursor was made for another order of values; repeat that order, or leave \
                    the cursor out to begin at the top";
        Err(Error::new(ErrorKind::CursorDirection, what))
    }

    fn encode(&self, page: &str) -> Vec<u8> {
        let order = ORDERS.iter().position(|order| *order == self.order);
        let mut out = vec![order.unwrap_or(0) as u8];
        out.extend_from_slice(&self.after.rank.0.to_le_bytes());
        out.extend_from_slice(&self.after.term);
        let checksum = crc32(&[page.as_bytes(), &out].concat());
        out.extend_from_slice(&checksum.to_le_bytes());
        out
    }

    fn decode(page: &str, rest: &str) -> Option<FacetCursor> {
        let rest = cursor::from_text(rest)?;
        let (covered, checksum) = rest.split_last_chunk::<4>()?;
        if crc32(&[page.as_bytes(), covered].concat()) != u32::from_le_bytes(*checksum) {
            return None;
        }
        let mut bytes = Bytes::new(covered);
        let order = *ORDERS.get(usize::from(bytes.u8()?))?;
        let rank = Reverse(u128::from_le_bytes(bytes.array()?));
        let term = bytes.rest().to_vec();
        Some(FacetCursor {
            page: page.parse().ok()?,
            order,
            after: Place { rank, term },
        })
    }
}

impl fmt::Display for FacetCursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.page.to_string();
        let rest = cursor::to_text(&self.encode(&text));
        text.push_str(&rest);
        formatter.pad(&text)
    }
}

impl core::str::FromStr for FacetCursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<FacetCursor> {
        if text.is_empty() {
            let what = "the cursor is empty; leave it out to begin at the top";
            return Err(Error::new(ErrorKind::CursorEmpty, what));
        }
        let parts = text.split_at_checked(cursor::TEXT_LEN);
        let cursor = parts.and_then(|(page, rest)| FacetCursor::decode(page, rest));
        cursor.ok_or_else(|| {
            let what = "the cursor is damaged, cut short, or not one of facets; begin again \
                        without one";
            Error::new(ErrorKind::CursorDamaged, what)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Position;
    use crate::id::StoreId;

    fn cursor(order: FacetOrder, term: &[u8]) -> FacetCursor {
        FacetCursor {
            page: Cursor {
                store: StoreId([7; 16]),
                oldest_first: false,
                after: Position::FIRST,
                snapshot_seq: 12,
                complete_through: None,
                query_digest: [9; 16],
                from: Position::FIRST,
                to: Position::LAST,
            },
            order,
            after: Place {
                rank: Reverse(1 << 100),
                term: term.to_vec(),
            },
        }
    }

    #[test]
    fn tokens_of_every_order_and_term_round_trip() -> Result<()> {
        for order in ORDERS {
            for term in ["", "a", "ab", "abc"] {
                let cursor = cursor(order, term.as_bytes());
                assert_eq!(cursor.to_string().parse::<FacetCursor>()?, cursor);
            }
        }
        Ok(())
    }

    #[test]
    fn any_change_of_a_token_is_noticed() {
        let text = cursor(FacetOrder::Name, b"user").to_string();
        for at in 0..text.len() {
            let other = if text.get(at..=at) == Some("A") {
                "B"
            } else {
                "A"
            };
            let mut changed = text.clone();
            changed.replace_range(at..=at, other);
            for token in [&changed, text.get(..at).unwrap_or_default()] {
                let kind = token.parse::<FacetCursor>().map_err(|error| error.kind());
                let wanted = match token {
                    "" => ErrorKind::CursorEmpty,
                    _ => ErrorKind::CursorDamaged,
                };
                assert_eq!(kind, Err(wanted), "{token}");
            }
        }
    }

    #[test]
    fn a_token_goes_on_in_its_own_order_alone() {
        let cursor = cursor(FacetOrder::Count, b"user");
        for order in ORDERS {
            let wanted = match order {
                FacetOrder::Count => None,
                _ => Some(ErrorKind::CursorDirection),
            };
            assert_eq!(cursor.check(order).err().map(|error| error.kind()), wanted);
        }
    }
}
