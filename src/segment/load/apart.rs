//! The thread of a load that takes rows apart, each as soon as it comes but for the first ones, some of
//! which are looked at before. What it needs of those who gather the rows are the names of the
//! members that proved too manifold; rows taken apart without them are taken apart again there.

use std::sync::mpsc::Receiver;
use std::sync::mpsc::SyncSender;

use parking_lot::RwLock;

use super::Arranged;
use super::Batch;
use super::Step;
use crate::segment::sample;
use crate::segment::shape::Shape;

/// Rows that wait until some of them were looked at, to choose what leaves are told from, and bytes
/// of contents from which fewer do; few in tests, so that they get beyond them.
const FIRST_ROWS: usize = if cfg!(test) { 512 } else { 32 << 10 };
const FIRST_BYTES: usize = 16 << 20;

/// What is handed on.
pub(super) enum Apart {
    /// Contents of some of the first rows, before any row.
    Some(Vec<String>),
    /// Rows, each taken apart, with so many names in mind.
    Rows(Batch, Vec<Shape>, usize),
    End(Arranged),
}

/// Names of members whose rendered texts are left as they are.
#[derive(Default)]
pub(super) struct Plain(RwLock<Vec<Vec<u8>>>);

/// The end that hands rows on.
struct Way<'w> {
    full: &'w SyncSender<Apart>,
    /// Rows taken apart that were gathered, for their memory.
    spare: &'w Receiver<Vec<Shape>>,
    plain: &'w Plain,
    names: Vec<Vec<u8>>,
}

/// Takes all rows apart.
pub(super) fn run(
    steps: &Receiver<Step>,
    full: &SyncSender<Apart>,
    spare: &Receiver<Vec<Shape>>,
    plain: &Plain,
) {
    let mut way = Way {
        full,
        spare,
        plain,
        names: Vec::new(),
    };
    let mut first: Vec<Batch> = Vec::new();
    let (mut rows, mut bytes) = (0, 0);
    let mut settled = false;
    while let Ok(step) = steps.recv() {
        let end = match step {
            Step::Rows(batch) => {
                rows += batch.rows.len();
                bytes += batch.contents.len();
                first.push(batch);
                None
            }
            Step::End(arranged) => Some(arranged),
        };
        if !settled {
            if end.is_none() && rows < FIRST_ROWS && bytes < FIRST_BYTES {
                continue;
            }
            settled = true;
            way.send(Apart::Some(some(&first, rows)));
        }
        // Where nobody takes any more, who gathers has ended, and tells why.
        if !first.drain(..).all(|batch| way.hand_on(batch)) {
            return;
        }
        if let Some(end) = end {
            way.send(Apart::End(end));
            return;
        }
    }
}

/// Contents of rows from all over the first ones.
fn some(first: &[Batch], rows: usize) -> Vec<String> {
    let step = rows.div_ceil(sample::ROWS).max(1);
    let all = first.iter().flat_map(Batch::contents);
    all.step_by(step).map(str::to_owned).collect()
}

impl Way<'_> {
    /// `false` when nobody takes any more.
    fn send(&self, apart: Apart) -> bool {
        self.full.send(apart).is_ok()
    }

    fn hand_on(&mut self, batch: Batch) -> bool {
        self.plain.ask(&mut self.names);
        let mut names = self.names.len();
        let mut shapes = self.spare.try_recv().unwrap_or_default();
        shapes.resize_with(batch.rows.len(), Shape::default);
        for (shape, content) in shapes.iter_mut().zip(batch.contents()) {
            if shape.take(content.as_bytes(), &self.names).is_none() {
                // What is no object is refused where it is taken apart again.
                names = usize::MAX;
            }
        }
        self.send(Apart::Rows(batch, shapes, names))
    }
}

impl Plain {
    /// Tells all names there are; they only get more.
    pub(super) fn tell(&self, names: &[Vec<u8>]) {
        if self.0.read().len() < names.len() {
            *self.0.write() = names.to_vec();
        }
    }

    fn ask(&self, known: &mut Vec<Vec<u8>>) {
        let names = self.0.read();
        if known.len() < names.len() {
            known.clone_from(&names);
        }
    }
}
