//! What the rows of a segment are found by, gathered while they are taken in: their terms and their
//! fingerprints. A value that was met before brings its terms by its number, so that nothing of the
//! row is looked at again; what templates do not tell is taken apart as the slow way does it.

use std::path::Path;
use std::sync::Arc;

use super::builder::Builder;
use super::builder::Taken;
use super::by_value::ByValue;
use super::drawn::Draw;
use super::drawn::Drawn;
use super::drawn::Leaf;
use super::fingerprints::Gathered;
use super::index::Index;
use super::term_writer::TermWriter;
use super::writer::Indexes;
use super::writer::Printed;
use crate::codec::content::Text;
use crate::codec::row::Row;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::filter::term;

/// Terms and fingerprints so far.
#[derive(Default)]
pub(super) struct Indexing {
    index: Index,
    fingerprints: Gathered,
    values: ByValue,
    /// By member and template.
    drawn: Vec<Vec<Option<Drawn>>>,
    rows: u32,
    /// The draws of the present row's members.
    current: Vec<Arc<[Draw]>>,
}

impl Indexing {
    /// Takes in the row that `builder` took in last.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] with the file `path` if the content is no event, as far as it is looked
    /// at.
    pub(super) fn take(
        &mut self,
        builder: &Builder,
        printed: &Printed<'_>,
        path: &Path,
    ) -> Result<()> {
        let Printed { row, fingerprints } = printed;
        self.learn(builder, row, path)?;
        let number = self.rows;
        self.rows += 1;
        let Some(known) = fingerprints.filter(|_| self.gather(builder)) else {
            let content = self.fingerprints.look(row, *fingerprints, number, path)?;
            self.index.add(&content);
            return Ok(());
        };
        let text = row.body.content;
        let (mut has_key, values) = (false, &mut self.values);
        for (member, draws) in builder.taken().zip(&self.current) {
            for draw in draws.iter() {
                match draw {
                    Draw::Key => has_key = true,
                    Draw::Term(number) => self.index.put(*number),
                    Draw::Leaf(head, leaf) => {
                        let number = find(values, &mut self.index, *head, leaf, &member, text);
                        self.index.put(number);
                    }
                }
            }
        }
        self.index.end_row();
        let marked = row.body.import.is_some() && !has_key;
        self.fingerprints.add(known, marked, number);
        Ok(())
    }

    /// Learns of the templates that are new.
    fn learn(&mut self, builder: &Builder, row: &Row<'_>, path: &Path) -> Result<()> {
        let mut content = None;
        for member in builder.taken() {
            if self.drawn.len() <= member.member {
                self.drawn.resize_with(member.member + 1, Vec::new);
            }
            let Some(templates) = self.drawn.get_mut(member.member) else {
                continue;
            };
            let place = member.template as usize;
            if templates.len() <= place {
                templates.resize(place + 1, None);
            }
            let Some(slot @ None) = templates.get_mut(place) else {
                continue;
            };
            if content.is_none() {
                content = row.content();
            }
            let Some(content) = &content else {
                let what = format!("the content of event {} is no event", row.position.seq);
                return Err(Error::new(ErrorKind::Corrupt, what).in_file(path));
            };
            let (index, values) = (&mut self.index, &mut self.values);
            let text = row.body.content;
            *slot = Some(Drawn::learn(text, content, &member, index, values));
        }
        Ok(())
    }

    /// Gathers the draws of the row's members; `false` if its content has to be taken apart.
    fn gather(&mut self, builder: &Builder) -> bool {
        self.current.clear();
        for member in builder.taken() {
            let templates = self.drawn.get(member.member);
            let drawn = templates.and_then(|templates| templates.get(member.template as usize));
            let Some(Some(Drawn::Clear(draws))) = drawn else {
                return false;
            };
            self.current.push(Arc::clone(draws));
        }
        true
    }

    /// Bytes of memory taken, about.
    pub(super) fn memory(&self) -> usize {
        self.index.memory() + self.values.memory() + self.fingerprints.memory()
    }

    /// What was gathered, of rows that are read in the order of `order`, which names each by when it
    /// came.
    ///
    /// # Errors
    /// As [`TermWriter::of`].
    pub(super) fn finish(mut self, order: Option<&[u32]>, path: &Path) -> Result<Indexes> {
        let Indexing { index, rows, .. } = self;
        let terms = match order {
            None => TermWriter::of(rows, path, |take| index.each(0..rows, take))?,
            Some(order) => {
                let mut places = vec![0; order.len()];
                for (place, number) in (0..).zip(order) {
                    if let Some(slot) = places.get_mut(*number as usize) {
                        *slot = place;
                    }
                }
                self.fingerprints.renumber(&places);
                TermWriter::of(rows, path, |take| index.each(order.iter().copied(), take))?
            }
        };
        Ok(Indexes {
            fingerprints: self.fingerprints,
            terms,
        })
    }
}

/// The number of the term that a leaf tells.
fn find(
    values: &mut ByValue,
    index: &mut Index,
    head: u32,
    leaf: &Leaf,
    member: &Taken<'_>,
    content: &str,
) -> u32 {
    let text = |place: usize| {
        let leaf = member.leaves.get(place);
        let raw = leaf.and_then(|leaf| content.get(leaf.range.clone()));
        Text::inside(raw.unwrap_or_default()).text()
    };
    let value = |place: usize| member.leaves.get(place).and_then(|leaf| leaf.value);
    let (head, place) = match leaf {
        Leaf::Text(_, place) | Leaf::Ip(place) | Leaf::Meta(_, place) | Leaf::Kind(_, place) => {
            (head, *place)
        }
        Leaf::Pair(role, kind, id) => {
            let known = value(*kind).and_then(|value| values.find(head, value));
            let own = known.unwrap_or_else(|| {
                let own = values.head(&[&[role.pair, role.pair], text(*kind).as_bytes()].concat());
                if let Some(value) = value(*kind) {
                    values.learn(head, value, own);
                }
                own
            });
            (own, *id)
        }
    };
    let known = value(place).and_then(|value| values.find(head, value));
    known.unwrap_or_else(|| {
        let number = index.term(|term| match leaf {
            Leaf::Text(code, place) => term::put_text(term, *code, &text(*place)),
            Leaf::Ip(place) => term::put_ip(term, &text(*place)),
            Leaf::Meta(key, place) => term::put_meta(term, key, &text(*place)),
            Leaf::Kind(role, kind) => term::put_pair(term, *role, &text(*kind), None),
            Leaf::Pair(role, kind, id) => {
                term::put_pair(term, *role, &text(*kind), Some(&text(*id)));
            }
        });
        if let Some(value) = value(place) {
            values.learn(head, value, number);
        }
        number
    })
}
