//! Pages as they fill: rows from top to bottom, whole where they fit and over several pages where
//! they are longer. Only places and texts are kept, not glyphs: the number of pages is written on
//! each of them, so all are laid out before the first is drawn.

use super::table::PADDING;
use super::wrap::Style;

/// A4, lying, in points.
pub(super) const WIDTH: f32 = 841.89;
pub(super) const HEIGHT: f32 = 595.28;
/// What texts stand between.
pub(super) const LEFT: f32 = 36.0;
pub(super) const RIGHT: f32 = WIDTH - 36.0;
pub(super) const TOP: f32 = 34.0;
pub(super) const BOTTOM: f32 = HEIGHT - 42.0;

/// A row goes to the next page whole if it is no higher than this.
const KEPT_TOGETHER: f32 = 150.0;

/// What a page has room for below its headings, or it has none.
const LEAST: f32 = 24.0;

/// From a line's base to its bottom.
const DESCENT: f32 = 2.3;

/// A text at its place, in one line.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) x: f32,
    /// Its base line, from the page's top; from the line's top before it has a page.
    pub(super) y: f32,
    pub(super) text: Box<str>,
    pub(super) style: Style,
    pub(super) right_to_left: bool,
}

/// Texts on one line.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) height: f32,
    pub(super) texts: Vec<Text>,
}

/// One page below its headings.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) texts: Vec<Text>,
    /// Where thin lines run across.
    pub(super) rules: Vec<f32>,
    /// Where the headings stand, if rows stand below them.
    pub(super) top: Option<f32>,
    /// A row of the page before goes on here.
    pub(super) continues: bool,
}

/// All pages so far.
pub(super) struct Paper {
    pub(super) pages: Vec<Page>,
    /// The height of the headings.
    head: f32,
    y: f32,
}

impl Text {
    pub(super) fn new(x: f32, text: &str, style: Style, right_to_left: bool) -> Text {
        Text {
            x,
            y: 0.0,
            text: text.into(),
            style,
            right_to_left,
        }
    }
}

impl Line {
    pub(super) fn new(height: f32) -> Line {
        Line {
            height,
            texts: Vec::new(),
        }
    }

    /// The line's texts with its top at `top`.
    pub(super) fn at(self, top: f32) -> impl Iterator<Item = Text> {
        let base = top + self.height - DESCENT;
        self.texts
            .into_iter()
            .map(move |text| Text { y: base, ..text })
    }
}

impl Paper {
    /// Paper of which so many pages are taken, the last of them down to `front`, with headings of
    /// this height on every page that has rows.
    pub(super) fn new(taken: usize, front: f32, head: f32) -> Paper {
        let has_room = front + head + LEAST <= BOTTOM;
        let mut paper = Paper {
            pages: Vec::new(),
            head,
            y: 0.0,
        };
        let full = taken - usize::from(has_room);
        paper.pages.resize_with(full, Page::default);
        paper.begin_page(if has_room { front } else { TOP });
        paper
    }

    fn begin_page(&mut self, top: f32) {
        self.pages.push(Page {
            top: Some(top),
            ..Page::default()
        });
        self.y = top + self.head;
    }

    /// The numbers of the lines before which a page begins, if this row came next.
    fn breaks(&self, row: &[Line]) -> Vec<usize> {
        let height: f32 = row.iter().map(|line| line.height).sum::<f32>() + 2.0 * PADDING;
        let mut breaks = Vec::new();
        let mut y = self.y;
        let is_fresh = self.y <= TOP + self.head;
        let first = row.first().map_or(0.0, |line| line.height) + 2.0 * PADDING;
        let moves = height <= KEPT_TOGETHER || y + first > BOTTOM;
        if y + height > BOTTOM && moves && !is_fresh {
            breaks.push(0);
            y = TOP + self.head;
        }
        y += PADDING;
        for (number, line) in row.iter().enumerate() {
            if y + line.height + PADDING > BOTTOM && number > 0 {
                breaks.push(number);
                y = TOP + self.head + PADDING;
            }
            y += line.height;
        }
        breaks
    }

    /// The pages there would be with this row.
    pub(super) fn pages_with(&self, row: &[Line]) -> usize {
        self.pages.len() + self.breaks(row).len()
    }

    /// Adds a row below the last.
    pub(super) fn place(&mut self, row: Vec<Line>) {
        let breaks = self.breaks(&row);
        let mut breaks = breaks.into_iter().peekable();
        for (number, line) in row.into_iter().enumerate() {
            if breaks.next_if_eq(&number).is_some() {
                if let Some(page) = self.pages.last_mut() {
                    page.top = page.top.filter(|_| !page.texts.is_empty());
                }
                self.begin_page(TOP);
                if let Some(page) = self.pages.last_mut() {
                    page.continues = number > 0;
                }
                self.y += if number > 0 { PADDING } else { 0.0 };
            }
            if number == 0 {
                self.y += PADDING;
            }
            let (y, height) = (self.y, line.height);
            if let Some(page) = self.pages.last_mut() {
                page.texts.extend(line.at(y));
            }
            self.y += height;
        }
        self.y += PADDING;
        let y = self.y;
        if let Some(page) = self.pages.last_mut() {
            page.rules.push(y);
        }
    }
}
