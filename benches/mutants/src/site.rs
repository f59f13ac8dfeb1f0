//! Places in a source text where something can be wrong, and the text in which all of that is there
//! at once: each mutant has a number, and the copy asks `crate::mutants` which one is on. Texts are
//! edited by byte ranges, inner places within outer ones, so that all else stays as it was written.

use std::collections::BTreeSet;
use std::ops::Range;

/// A mutant, told apart from others by where it is and what it does.
pub struct Mutant {
    pub number: u32,
    pub change: String,
}

/// A place with the mutants that it has; their numbers follow one another.
pub struct Site {
    /// The text it replaces; empty where it only puts something in.
    pub range: Range<usize>,
    pub function: String,
    pub mutants: Vec<Mutant>,
    pub pieces: Vec<Piece>,
}

/// What a place becomes, one after the other.
pub enum Piece {
    Text(String),
    /// A part of the source, with what is wrong in there.
    Source(Range<usize>),
    /// A part that goes with one mutant.
    Mutant(u32, String),
}

/// Whose text a range of the copy is.
pub struct Owned {
    pub range: Range<usize>,
    pub numbers: Vec<u32>,
}

/// A source with all its mutants but those that were dropped.
pub struct Rendered {
    pub text: String,
    pub owned: Vec<Owned>,
}

pub fn render(source: &str, sites: &[Site], dropped: &BTreeSet<u32>) -> Rendered {
    let mut order: Vec<&Site> = sites.iter().collect();
    // Outer places first; one that only puts something in stands before what begins there.
    order.sort_by_key(|site| {
        let Range { start, end } = site.range;
        (start, start != end, core::cmp::Reverse(end))
    });
    let mut rendered = Rendered {
        text: String::new(),
        owned: Vec::new(),
    };
    rendered.part(source, 0..source.len(), &order, dropped);
    rendered
}

impl Rendered {
    fn part(
        &mut self,
        source: &str,
        range: Range<usize>,
        sites: &[&Site],
        dropped: &BTreeSet<u32>,
    ) {
        let mut at = range.start;
        let mut rest = sites;
        while let Some((site, behind)) = rest.split_first() {
            rest = behind;
            if site.range.start < at || site.range.end > range.end {
                continue;
            }
            self.text.push_str(&source[at..site.range.start]);
            at = site.range.end;
            let inner = rest
                .iter()
                .take_while(|inner| inner.range.end <= site.range.end && !site.range.is_empty());
            let inner = &rest[..inner.count()];
            self.site(source, site, inner, dropped);
            rest = &rest[inner.len()..];
        }
        self.text.push_str(&source[at..range.end]);
    }

    fn site(&mut self, source: &str, site: &Site, inner: &[&Site], dropped: &BTreeSet<u32>) {
        let numbers: Vec<u32> = site.mutants.iter().map(|mutant| mutant.number).collect();
        if numbers.iter().all(|number| dropped.contains(number)) {
            self.part(source, site.range.clone(), inner, dropped);
            return;
        }
        let start = self.text.len();
        for piece in &site.pieces {
            match piece {
                Piece::Text(text) => self.text.push_str(text),
                Piece::Source(range) => self.part(source, range.clone(), inner, dropped),
                Piece::Mutant(number, _) if dropped.contains(number) => {}
                Piece::Mutant(number, text) => {
                    let start = self.text.len();
                    self.text.push_str(text);
                    self.owned.push(Owned {
                        range: start..self.text.len(),
                        numbers: vec![*number],
                    });
                }
            }
        }
        self.owned.push(Owned {
            range: start..self.text.len(),
            numbers,
        });
    }

    /// The mutants of the smallest text that has the whole of `range`.
    pub fn owner(&self, range: &Range<usize>) -> Option<&[u32]> {
        self.owned
            .iter()
            .filter(|owned| owned.range.start <= range.start && range.end <= owned.range.end)
            .min_by_key(|owned| owned.range.len())
            .map(|owned| owned.numbers.as_slice())
    }

    /// The mutants of every text that has a part of `range`.
    pub fn touching(&self, range: &Range<usize>) -> Vec<u32> {
        self.owned
            .iter()
            .filter(|owned| owned.range.start < range.end && range.start < owned.range.end)
            .flat_map(|owned| owned.numbers.iter().copied())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::find::sites;

    const SOURCE: &str = "fn f(a: u8) -> bool {\n    !(a + 1 == 2 && a < 9)\n}\n";

    #[test]
    fn nothing_is_left_of_mutants_that_are_dropped() {
        let sites = sites("f.rs", SOURCE, 1).expect("a source");
        let all = sites.iter().flat_map(|site| &site.mutants);
        let all = all.map(|mutant| mutant.number).collect();
        assert_eq!(render(SOURCE, &sites, &all).text, SOURCE);
    }

    #[test]
    fn places_within_places_keep_the_lines_and_know_whose_text_is_whose() {
        let sites = sites("f.rs", SOURCE, 1).expect("a source");
        let rendered = render(SOURCE, &sites, &BTreeSet::new());
        assert!(syn::parse_file(&rendered.text).is_ok(), "{}", rendered.text);
        assert_eq!(rendered.text.lines().count(), SOURCE.lines().count());
        let product = rendered.text.find("l * r").expect("`+` to `*`");
        let mutant = sites.iter().flat_map(|site| &site.mutants);
        let mutant = mutant.filter(|mutant| mutant.change == "`+` to `*`");
        let numbers: Vec<u32> = mutant.map(|mutant| mutant.number).collect();
        assert_eq!(
            rendered.owner(&(product..product + 5)),
            Some(numbers.as_slice())
        );
        let dropped: BTreeSet<u32> = numbers.into_iter().collect();
        let without = render(SOURCE, &sites, &dropped).text;
        assert!(!without.contains("l * r") && without.contains("l - r"));
    }
}
