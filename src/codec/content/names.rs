//! The keys of one object as they come: each may come once, and no more than a bound of them, which
//! keeps the search among them short whatever the object holds.

/// Keys kept without memory of their own; usual objects have fewer.
const FEW: usize = 8;

/// The keys seen so far, as they stand escaped: canonical text has one form only.
#[derive(Default)]
pub(super) struct Names<'a> {
    few: [&'a str; FEW],
    count: usize,
    many: Vec<&'a str>,
}

impl<'a> Names<'a> {
    /// Takes the next key; `false` when it came before, or is one more than `most`.
    pub(super) fn add(&mut self, name: &'a str, most: usize) -> bool {
        let few = self.few.get(..self.count.min(FEW)).unwrap_or_default();
        if self.count >= most || few.contains(&name) || self.many.contains(&name) {
            return false;
        }
        match self.few.get_mut(self.count) {
            Some(slot) => *slot = name,
            None => self.many.push(name),
        }
        self.count += 1;
        true
    }
}
