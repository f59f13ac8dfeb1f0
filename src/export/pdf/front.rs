//! The top of the first page, or more where a filter is long: what the document is of, and what of it. Everything here follows from
//! the snapshot, the query and the rows, so that the same file can be made again at any time.

use core::ops::Range;

use super::bidi;
use super::face::Faces;
use super::face::Weight;
use super::paper::BOTTOM;
use super::paper::LEFT;
use super::paper::Line;
use super::paper::RIGHT;
use super::paper::TOP;
use super::paper::Text;
use super::table::placed;
use super::wrap::Ink;
use super::wrap::Style;
use super::wrap::wrap;
use crate::export::Export;
use crate::id::Position;
use crate::layout::Locale;
use crate::layout::printable;
use crate::query::Order;
use crate::query::Query;
use crate::snapshot::Snapshot;

const TITLE: Style = Style {
    weight: Weight::Bold,
    size: 18.0,
    ink: Ink::Text,
};
const LABEL: Style = Style {
    weight: Weight::Bold,
    size: 8.0,
    ink: Ink::Label,
};
const VALUE: Style = Style {
    weight: Weight::Regular,
    size: 8.0,
    ink: Ink::Text,
};
const TITLE_LEADING: f32 = 21.0;
const BELOW_TITLE: f32 = 7.0;
const LEADING: f32 = 12.2;
/// The room of labels.
const LABELS: f32 = 168.0;
/// Between the facts and the table.
const BELOW: f32 = 12.0;

/// Where the next line goes.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
struct Place {
    page: usize,
    y: f32,
}

/// What is known when all rows are laid out.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Came {
    pub(super) rows: u64,
    pub(super) first: Option<Position>,
    pub(super) last: Option<Position>,
    pub(super) more: bool,
    pub(super) missing: u64,
}

/// What is known before.
pub(super) struct Front<'a> {
    pub(super) export: &'a Export,
    pub(super) snapshot: &'a Snapshot,
    pub(super) query: &'a Query,
    /// Events of the snapshot under the query's cursor.
    pub(super) snapshot_seq: u64,
    /// Events that the query selects, from its cursor on, where that is known.
    pub(super) selected: Option<u64>,
}

impl Front<'_> {
    fn locale(&self) -> Locale {
        self.export.audience.locale()
    }

    /// The title and the facts, page by page, and where they end on the last. What comes of the rows
    /// is one line each, so the end is the same before and after.
    pub(super) fn pages(&self, faces: &mut Faces<'_>, came: &Came) -> (Vec<Vec<Text>>, f32) {
        let right_to_left = self.locale().is_right_to_left();
        let mut pages = vec![Vec::new()];
        let mut put = |place: Place, height: f32, room: Range<f32>, text: &str, style: Style| {
            let reads = bidi::is_right_to_left(text);
            let width = room.end - room.start;
            let mut place = place;
            for found in wrap(faces, text, style, width, width) {
                if place.y + height > BOTTOM {
                    place = Place {
                        page: place.page + 1,
                        y: TOP,
                    };
                    pages.resize_with(pages.len().max(place.page + 1), Vec::new);
                }
                let part = text.get(found.range).unwrap_or_default();
                let mut line = Line::new(height);
                let x = placed(room.start, found.width, right_to_left);
                line.texts.push(Text::new(x, part, style, reads));
                if let Some(page) = pages.get_mut(place.page) {
                    page.extend(line.at(place.y));
                }
                place.y += height;
            }
            place
        };
        let title = self.locale().phrase("audit_trail", &[]);
        let top = Place { page: 0, y: TOP };
        let mut place = put(top, TITLE_LEADING, LEFT..RIGHT, &title, TITLE);
        place.y += BELOW_TITLE;
        let labels = LEFT..LEFT + LABELS - BELOW;
        let values = LEFT + LABELS..RIGHT;
        for (key, value) in self.facts(came) {
            let heading = self.locale().heading(key);
            let label = put(place, LEADING, labels.clone(), heading, LABEL);
            let behind = put(place, LEADING, values.clone(), &value, VALUE);
            place = if label > behind { label } else { behind };
        }
        (pages, place.y + BELOW)
    }

    fn facts(&self, came: &Came) -> Vec<(&'static str, String)> {
        let (locale, zone) = (self.locale(), &self.export.audience.zone);
        let phrase = |key| locale.phrase(key, &[]);
        let time = |time| zone.show(time).replacen('T', " ", 1);
        let filter = self.query.filter.to_string();
        let filter = match filter.as_str() {
            "every event" => phrase("no_filter"),
            _ => printable(&filter, &[]).into_owned(),
        };
        let order = match self.query.order {
            Order::NewestFirst => "newest_first",
            Order::OldestFirst => "oldest_first",
        };
        let recorded = self
            .snapshot
            .complete_through()
            .map_or_else(|| "–".to_owned(), time);
        let ends = came.first.zip(came.last).map(|(one, other)| {
            let (first, last) = (one.min(other), one.max(other));
            format!("{} – {}", time(first.occurred_at), time(last.occurred_at))
        });
        let more = if came.more {
            "more_follow"
        } else {
            "all_of_them"
        };
        let mut facts = vec![
            ("store", self.snapshot.store_id().to_string()),
            ("snapshot", grouped(self.snapshot_seq)),
            ("recorded_through", recorded),
        ];
        let org = self.export.view.iter();
        facts.extend(org.map(|org| ("organization", printable(org, &[]).into_owned())));
        facts.extend([("filtered_by", filter), ("order", phrase(order))]);
        let selected = self.selected.into_iter();
        facts.extend(selected.map(|selected| ("events_selected", grouped(selected))));
        facts.extend([
            ("events_in_file", grouped(came.rows)),
            ("completeness", phrase(more)),
            ("covered_time", ends.unwrap_or_else(|| "–".to_owned())),
            ("time_zone", printable(zone.name(), &[]).into_owned()),
            ("missing_glyphs", grouped(came.missing)),
        ]);
        facts
    }
}

/// A number with a thin blank between thousands, as ISO 80000 has it in every language.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 * 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}
