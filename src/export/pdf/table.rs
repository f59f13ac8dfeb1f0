//! An event as a row of the table: a few columns that people look for first, each wrapped in its
//! width, and below them everything else that the event says, heading by heading, across the page.

use std::borrow::Cow;

use super::bidi;
use super::face::Faces;
use super::face::Weight;
use super::paper::LEFT;
use super::paper::Line;
use super::paper::RIGHT;
use super::paper::Text;
use super::wrap::Ink;
use super::wrap::Style;
use super::wrap::wrap;
use crate::event::StoredEvent;
use crate::layout::Audience;
use crate::layout::Layout;
use crate::layout::printable;

pub(super) const CELL: Style = Style {
    weight: Weight::Regular,
    size: 7.5,
    ink: Ink::Text,
};
pub(super) const HEADING: Style = Style {
    weight: Weight::Bold,
    size: 7.2,
    ink: Ink::Text,
};
const FURTHER: Style = Style {
    weight: Weight::Regular,
    size: 6.4,
    ink: Ink::Text,
};
const FURTHER_LABEL: Style = Style {
    weight: Weight::Bold,
    size: 6.0,
    ink: Ink::Label,
};

/// From line to line, in a column and below.
const CELL_LEADING: f32 = 9.6;
const FURTHER_LEADING: f32 = 8.4;
/// Between the columns and what stands below them.
const ABOVE_FURTHER: f32 = 1.8;
/// Above and below a row.
pub(super) const PADDING: f32 = 3.2;
/// Between two columns, a heading and what it is of, and two of those.
const GUTTER: f32 = 9.0;
const BEHIND_LABEL: f32 = 3.0;
const BETWEEN: f32 = 9.0;

/// The columns that stand on the page as columns, by what the catalogues call their headings, and
/// their shares of its width.
const TRAIL: [(&str, f32); 7] = [
    ("date_and_time", 94.0),
    ("date_and_time_utc", 88.0),
    ("event", 126.0),
    ("subject", 146.0),
    ("performed_by", 130.0),
    ("details", 112.0),
    ("outcome", 62.0),
];
const SENTINEL: [(&str, f32); 7] = [
    ("date_and_time", 94.0),
    ("date_and_time_utc", 88.0),
    ("type", 130.0),
    ("auditee_id", 110.0),
    ("entity_id", 110.0),
    ("system_source", 84.0),
    ("sub_type", 84.0),
];

/// Values that are JSON, which is read from left to right whatever stands in it.
const JSON: [&str; 5] = ["targets", "metadata", "changes", "data", "details"];

/// How rows are laid out.
pub(super) struct Table<'a> {
    audience: &'a Audience,
    layout: Layout,
    right_to_left: bool,
    columns: Vec<Column>,
}

struct Column {
    key: &'static str,
    /// From the side where reading begins.
    x: f32,
    width: f32,
}

impl<'a> Table<'a> {
    pub(super) fn new(layout: Layout, audience: &'a Audience) -> Table<'a> {
        let all = if layout == Layout::Sentinel {
            SENTINEL
        } else {
            TRAIL
        };
        let utc = audience.zone.is_utc();
        // Beside UTC there is no second time to tell.
        let shown = all
            .iter()
            .filter(|(key, _)| !(utc && *key == "date_and_time_utc"));
        let shares: f32 = shown.clone().map(|(_, share)| share).sum();
        let mut x = LEFT;
        let mut columns = Vec::new();
        for (key, share) in shown {
            let width = share / shares * (RIGHT - LEFT);
            columns.push(Column {
                key,
                x,
                width: width - GUTTER,
            });
            x += width;
        }
        Table {
            audience,
            layout,
            right_to_left: audience.locale().is_right_to_left(),
            columns,
        }
    }

    /// The lines with the columns' headings.
    pub(super) fn headings(&self, faces: &mut Faces<'_>) -> Vec<Line> {
        let heading = |column: &Column| {
            let heading = self.audience.locale().heading(column.key);
            (column.x, column.width, heading, self.right_to_left)
        };
        let cells: Vec<_> = self.columns.iter().map(heading).collect();
        self.side_by_side(faces, &cells, HEADING)
    }

    /// What an event shows, as it is printed: nothing in it acts on its reader but by being read.
    pub(super) fn cells<'e>(&'e self, event: &'e StoredEvent) -> Vec<(&'static str, Cow<'e, str>)> {
        let shown = self.layout.shown(event, self.audience);
        let shown =
            shown.filter(|(key, _)| *key != "date_and_time_utc" || !self.audience.zone.is_utc());
        shown
            .map(|(key, text)| (key, as_printed(key, text)))
            .collect()
    }

    /// The row of an event with these cells.
    pub(super) fn row(
        &self,
        faces: &mut Faces<'_>,
        cells: &[(&'static str, Cow<'_, str>)],
    ) -> Vec<Line> {
        let mut main = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            let cell = cells.iter().find(|(key, _)| *key == column.key);
            if let Some((key, text)) = cell.filter(|(_, text)| !text.is_empty()) {
                main.push((
                    column.x,
                    column.width,
                    &**text,
                    self.is_right_to_left(key, text),
                ));
            }
        }
        let mut lines = self.side_by_side(faces, &main, CELL);
        let is_main = |key: &str| self.columns.iter().any(|column| column.key == key);
        let further = cells
            .iter()
            .filter(|(key, text)| !text.is_empty() && !is_main(key));
        let mut flow = Flow::new(self.right_to_left);
        for (key, text) in further {
            let heading = self.audience.locale().heading(key);
            flow.add(faces, heading, text, self.is_right_to_left(key, text));
        }
        lines.extend(flow.lines);
        lines
    }

    fn is_right_to_left(&self, key: &str, text: &str) -> bool {
        !JSON.contains(&key) && bidi::is_right_to_left(text)
    }

    /// Texts beside each other, each wrapped in its width.
    fn side_by_side(
        &self,
        faces: &mut Faces<'_>,
        cells: &[(f32, f32, &str, bool)],
        style: Style,
    ) -> Vec<Line> {
        let mut lines: Vec<Line> = Vec::new();
        for (x, width, text, right_to_left) in cells {
            for (number, found) in wrap(faces, text, style, *width, *width)
                .into_iter()
                .enumerate()
            {
                let x = placed(*x, found.width, self.right_to_left);
                let text = text.get(found.range).unwrap_or_default();
                let text = Text::new(x, text, style, *right_to_left);
                if lines.len() <= number {
                    lines.push(Line::new(CELL_LEADING));
                }
                if let Some(line) = lines.get_mut(number) {
                    line.texts.push(text);
                }
            }
        }
        lines
    }
}

/// What stands `x` from the page's left where reading begins there, on the page as it is read.
pub(super) fn placed(x: f32, width: f32, right_to_left: bool) -> f32 {
    match right_to_left {
        true => LEFT + RIGHT - x - width,
        false => x,
    }
}

/// A time reads better, and wraps, with a blank between day and hour, which RFC 3339 allows.
fn as_printed<'e>(key: &str, text: Cow<'e, str>) -> Cow<'e, str> {
    if key.starts_with("date_and_time") {
        return Cow::Owned(text.replacen('T', " ", 1));
    }
    match text {
        Cow::Borrowed(text) => printable(text, &[]),
        Cow::Owned(text) => Cow::Owned(printable(&text, &[]).into_owned()),
    }
}

/// Headings and values one behind the other, in lines across the page.
struct Flow {
    lines: Vec<Line>,
    right_to_left: bool,
    x: f32,
}

impl Flow {
    fn new(right_to_left: bool) -> Flow {
        Flow {
            lines: Vec::new(),
            right_to_left,
            x: RIGHT,
        }
    }

    fn add(&mut self, faces: &mut Faces<'_>, heading: &str, text: &str, right_to_left: bool) {
        let all = f32::MAX;
        let width_of = |lines: Vec<super::wrap::Line>| lines.first().map_or(0.0, |line| line.width);
        let label = width_of(wrap(faces, heading, FURTHER_LABEL, all, all));
        let room = |x: f32| RIGHT - x - label - BEHIND_LABEL;
        let mut lines = wrap(faces, text, FURTHER, room(self.x), RIGHT - LEFT);
        // A heading stands on the line on which its value begins.
        let begins = lines.first().is_some_and(|line| !line.range.is_empty());
        if self.lines.is_empty() || !begins || room(self.x) < 0.0 {
            self.begin_line();
            lines = wrap(faces, text, FURTHER, room(self.x), RIGHT - LEFT);
        }
        self.put(heading, label, FURTHER_LABEL, self.right_to_left);
        self.x += BEHIND_LABEL;
        for (number, line) in lines.into_iter().enumerate() {
            if number > 0 {
                self.begin_line();
            }
            let part = text.get(line.range).unwrap_or_default();
            self.put(part, line.width, FURTHER, right_to_left);
        }
        self.x += BETWEEN;
    }

    fn begin_line(&mut self) {
        let above = if self.lines.is_empty() {
            ABOVE_FURTHER
        } else {
            0.0
        };
        self.lines.push(Line::new(FURTHER_LEADING + above));
        self.x = LEFT;
    }

    fn put(&mut self, text: &str, width: f32, style: Style, right_to_left: bool) {
        let x = placed(self.x, width, self.right_to_left);
        if let Some(line) = self.lines.last_mut().filter(|_| !text.is_empty()) {
            line.texts.push(Text::new(x, text, style, right_to_left));
        }
        self.x += width;
    }
}
