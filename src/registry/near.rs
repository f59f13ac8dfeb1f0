//! Known names that a misspelt one may have meant.

/// Names that are told at most.
const TOLD: usize = 3;

/// The names nearest to `name`, best first: first those that differ by few letters, then those that
/// begin with the same part.
pub(super) fn near<'a>(name: &str, names: impl Iterator<Item = &'a String>) -> Vec<&'a str> {
    let most = 1 + name.len() / 6;
    let stem = name.split('.').next().unwrap_or_default();
    let is_sibling = |other: &str| other.split('.').next() == Some(stem);
    let mut found: Vec<(usize, &str)> = names
        .filter_map(|other| {
            let far = distance(name, other);
            (far <= most || is_sibling(other)).then_some((far, other.as_str()))
        })
        .collect();
    found.sort_unstable();
    found.truncate(TOLD);
    found.into_iter().map(|(_, other)| other).collect()
}

/// How many letters have to be put in, taken out or replaced to make one name the other.
fn distance(this: &str, that: &str) -> usize {
    let mut row: Vec<usize> = (0..=that.len()).collect();
    for (number, letter) in this.bytes().enumerate() {
        let mut diagonal = number;
        let mut left = number + 1;
        let mut next = Vec::with_capacity(row.len());
        next.push(left);
        for (other, above) in that.bytes().zip(row.iter().skip(1)) {
            let changed = diagonal + usize::from(letter != other);
            left = changed.min(left + 1).min(above + 1);
            next.push(left);
            diagonal = *above;
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_single_letters() {
        for (this, that, far) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "abc", 0),
            ("user.upated", "user.updated", 1),
            ("kitten", "sitting", 3),
            ("abc", "", 3),
        ] {
            assert_eq!(distance(this, that), far, "{this} {that}");
            assert_eq!(distance(that, this), far, "{that} {this}");
        }
    }
}
