//! Chooses from the first rows of a segment what the leaves of each column can be told from: from an
//! equal leaf earlier in the row, or from a leaf whose value decides this one, as a type decides its
//! number. Every pair of columns is looked at, and the pair that tells most is taken.

use std::collections::HashMap;

use super::gather::Reference;

/// Rows that are looked at.
pub(super) const ROWS: usize = 256;
/// Leaves a column must have among them to be looked at, and columns that are.
const LEAVES_MIN: usize = 8;
const COLUMNS_MAX: usize = 512;
/// Stands for a row without the leaf.
const NONE: u32 = u32::MAX;

/// The leaves of one column in the rows that are looked at.
struct Column {
    number: usize,
    /// The values, numbered through all columns, and each as its place among those of this one.
    values: Vec<u32>,
    kinds: Vec<u32>,
    /// Where in its row each leaf stands.
    places: Vec<u32>,
    leaves: usize,
    different: usize,
}

/// What one column tells of another.
#[derive(Clone, Copy, Default)]
struct Told {
    both: usize,
    equal: usize,
    /// Leaves that a value met before decided, and decided otherwise.
    followed: usize,
    strayed: usize,
}

/// The reference of each column that has enough leaves in `rows`, which are columns with values in
/// the order of each row.
pub(super) fn references(rows: &[Vec<(usize, &[u8])>]) -> Vec<(usize, Reference)> {
    let columns = columns(rows);
    let mut chosen: Vec<(usize, Reference)> = Vec::with_capacity(columns.len());
    let mut copies: Vec<bool> = Vec::with_capacity(columns.len());
    for (place, column) in columns.iter().enumerate() {
        let best = columns
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != place)
            .filter_map(|(other, source)| {
                let is_copy = copies.get(other).is_some_and(|is_copy| *is_copy);
                offer(source, column, is_copy)
            })
            .max_by_key(|(worth, source, _)| (*worth, core::cmp::Reverse(*source)));
        let reference = match best {
            Some((_, source, true)) => Reference::Copy(source),
            Some((_, source, false)) => Reference::Derived(source, Vec::new()),
            None => Reference::None,
        };
        copies.push(matches!(reference, Reference::Copy(_)));
        chosen.push((column.number, reference));
    }
    chosen
}

/// The columns in the order in which rows begin to have them.
fn columns(rows: &[Vec<(usize, &[u8])>]) -> Vec<Column> {
    let mut places: HashMap<usize, usize> = HashMap::new();
    let mut columns: Vec<Column> = Vec::new();
    // One table for all, so that equal values of different columns have one number.
    let mut numbers: HashMap<&[u8], u32> = HashMap::new();
    for (row, leaves) in rows.iter().enumerate() {
        for (place, (number, value)) in leaves.iter().enumerate() {
            let next = numbers.len() as u32;
            let value = *numbers.entry(value).or_insert(next);
            let at = *places.entry(*number).or_insert(columns.len());
            if at == columns.len() {
                columns.push(Column {
                    number: *number,
                    values: vec![NONE; rows.len()],
                    kinds: Vec::new(),
                    places: vec![0; rows.len()],
                    leaves: 0,
                    different: 0,
                });
            }
            let Some(column) = columns.get_mut(at) else {
                continue;
            };
            let slots = column.values.get_mut(row).zip(column.places.get_mut(row));
            // Of a column with several leaves in a row the first is looked at.
            if let Some((slot, stands)) = slots.filter(|(slot, _)| **slot == NONE) {
                *slot = value;
                *stands = place as u32;
                column.leaves += 1;
            }
        }
    }
    columns.retain(|column| column.leaves >= LEAVES_MIN);
    columns.truncate(COLUMNS_MAX);
    for column in &mut columns {
        let mut values = column.values.clone();
        values.sort_unstable();
        values.dedup();
        values.retain(|value| *value != NONE);
        column.different = values.len();
        let kinds = column.values.iter();
        let kinds = kinds.map(|value| values.binary_search(value).map_or(NONE, |kind| kind as u32));
        column.kinds = kinds.collect();
    }
    columns
}

/// What `source`, which may be a copy itself, is worth to tell `column`, and whether by copying; if
/// it is worth anything.
fn offer(source: &Column, column: &Column, source_is_copy: bool) -> Option<(usize, usize, bool)> {
    let told = told(source, column);
    let misses = column.leaves - told.equal;
    if told.equal > misses / 4 && column.different > 1 {
        // A leaf told for certain is worth a number; one told sometimes pays a bit for each.
        let worth = match misses {
            0 => 8 * told.equal + 4,
            _ => (8 * told.equal).checked_sub(2 * column.leaves)?,
        };
        return Some((worth, source.number, true));
    }
    // The number of a leaf that is itself a copy is not known where it is read.
    let misses = column.leaves - told.both + told.strayed;
    let decided = told.followed >= LEAVES_MIN && misses * 16 <= told.followed;
    if source_is_copy || !decided || column.different == 1 {
        return None;
    }
    // The table has an entry for each value of the source: the fewer, the better.
    let worth = (8 * told.followed).checked_sub(2 * source.different + 4 * misses)?;
    (worth > 0).then_some((worth, source.number, false))
}

fn told(source: &Column, column: &Column) -> Told {
    let mut told = Told::default();
    let mut decided = vec![NONE; source.different];
    let values = source.values.iter().zip(&column.values);
    let places = source.places.iter().zip(&column.places);
    for (((from, value), (before, behind)), kind) in values.zip(places).zip(&source.kinds) {
        if *from == NONE || *value == NONE || before >= behind {
            continue;
        }
        told.both += 1;
        told.equal += usize::from(from == value);
        if let Some(known) = decided.get_mut(*kind as usize) {
            told.followed += usize::from(*known == *value);
            told.strayed += usize::from(*known != *value && *known != NONE);
            *known = *value;
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is chosen for columns whose values in row `row` are `values(row)`.
    fn chosen(values: impl Fn(usize) -> Vec<String>) -> Vec<Reference> {
        let rows: Vec<Vec<String>> = (0..ROWS).map(values).collect();
        let rows: Vec<Vec<(usize, &[u8])>> = rows
            .iter()
            .map(|row| row.iter().map(String::as_bytes).enumerate().collect())
            .collect();
        let references = references(&rows).into_iter();
        references.map(|(_, reference)| reference).collect()
    }

    #[test]
    fn a_leaf_is_copied_from_the_one_it_always_equals() {
        // By chance the second column has the value of the first row's third one.
        let found = chosen(|row| {
            let host = format!("h{}", row % 7);
            vec![format!("p{row}"), "h0".to_owned(), host.clone(), host]
        });
        assert_eq!(found.get(1), Some(&Reference::None));
        assert_eq!(found.get(3), Some(&Reference::Copy(2)));
    }

    #[test]
    fn a_leaf_is_derived_from_the_fewest_values_that_decide_it() {
        let found = chosen(|row| {
            let kind = row % 9;
            vec![
                format!("fine{}", row % 90),
                format!("kind{kind}"),
                format!("code{}", kind / 2),
                format!("none{}", row * row % 83),
            ]
        });
        let derived = Some(Reference::Derived(1, Vec::new()));
        assert_eq!(found.get(2), derived.as_ref());
        assert_eq!(found.get(3), Some(&Reference::None));
    }

    /// Numbers of values once had 16 bits, and all values beyond shared the last one: in wide records
    /// every leaf of the last columns looked like a copy of its neighbour.
    #[test]
    fn values_of_wide_records_stay_different() {
        let found = chosen(|row| (0..400).map(|leaf| format!("{row} {leaf}")).collect());
        assert_eq!(found, vec![Reference::None; 400]);
    }

    #[test]
    fn what_follows_from_a_copy_follows_from_what_it_copies() {
        let found = chosen(|row| {
            let kind = format!("kind{}", row % 9);
            vec![kind.clone(), kind, format!("code{}", row % 9)]
        });
        assert_eq!(found.get(1), Some(&Reference::Copy(0)));
        assert_eq!(found.get(2), Some(&Reference::Derived(0, Vec::new())));
    }
}
