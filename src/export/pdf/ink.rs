//! Pages as PDF: every text in its visual order, the headings on each page, and which page of how
//! many it is. The same pages give the same bytes: nothing is asked of clock, chance or environment.

use krilla::Document;
use krilla::SerializeSettings;
use krilla::color::rgb;
use krilla::geom::PathBuilder;
use krilla::geom::Point;
use krilla::geom::Rect;
use krilla::metadata::DateTime;
use krilla::metadata::Metadata;
use krilla::metadata::TextDirection;
use krilla::page::PageSettings;
use krilla::paint::Fill;
use krilla::surface::Surface;
use krilla::text::KrillaGlyph;

use super::bidi;
use super::face::Faces;
use super::face::STAND_IN;
use super::face::STAND_IN_SIDE;
use super::face::Weight;
use super::front::grouped;
use super::paper::HEIGHT;
use super::paper::LEFT;
use super::paper::Line;
use super::paper::Page;
use super::paper::RIGHT;
use super::paper::TOP;
use super::paper::Text;
use super::paper::WIDTH;
use super::table::placed;
use super::wrap::Ink;
use super::wrap::Style;
use super::wrap::words;
use super::wrap::wrap;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::layout::Locale;
use crate::time::Time;

const FOOTER: Style = Style {
    weight: Weight::Regular,
    size: 7.0,
    ink: Ink::Label,
};
/// The footer's base line.
const FOOTER_BASE: f32 = HEIGHT - 24.0;
/// Above and below the headings.
const HEAD_PADDING: f32 = 3.0;
const RULE: f32 = 0.4;

/// What is the same on every page.
pub(super) struct Frame<'a> {
    pub(super) headings: &'a [Line],
    pub(super) locale: Locale,
    /// Which store it is of, at the foot.
    pub(super) store: &'a str,
    /// What no other document is called.
    pub(super) id: String,
    /// When the snapshot was complete, the document's date.
    pub(super) date: Option<Time>,
}

/// The height of the headings.
pub(super) fn head_height(headings: &[Line]) -> f32 {
    headings.iter().map(|line| line.height).sum::<f32>() + 2.0 * HEAD_PADDING
}

/// The document of these pages, with those of `front` on the first ones.
pub(super) fn document(
    faces: &mut Faces<'_>,
    frame: &Frame<'_>,
    front: Vec<Vec<Text>>,
    pages: Vec<Page>,
) -> Result<Vec<u8>> {
    let mut document = Document::new_with(SerializeSettings {
        enable_tagging: false,
        ..SerializeSettings::default()
    });
    document.set_metadata(frame.metadata());
    let count = grouped(pages.len() as u64);
    let mut front = front.into_iter();
    for (number, page) in pages.into_iter().enumerate() {
        let size = PageSettings::from_wh(WIDTH, HEIGHT);
        let size = size.ok_or_else(|| Error::new(ErrorKind::Unsupported, "A4 is no page"))?;
        let mut sheet = document.start_page_with(size);
        let mut pen = Pen {
            surface: sheet.surface(),
            faces,
            ink: None,
        };
        let number = grouped(number as u64 + 1);
        pen.frame(frame, &page, &number, &count);
        let front = front.next().unwrap_or_default();
        for text in front.iter().chain(&page.texts) {
            pen.text(text);
        }
    }
    document.finish().map_err(|error| {
        let what = format!("cannot make a PDF of this: {error:?}");
        Error::new(ErrorKind::Unsupported, what)
    })
}

impl Frame<'_> {
    fn metadata(&self) -> Metadata {
        let direction = match self.locale.is_right_to_left() {
            true => TextDirection::RightToLeft,
            false => TextDirection::LeftToRight,
        };
        let metadata = Metadata::new()
            .title(self.locale.phrase("audit_trail", &[]))
            .language(self.locale.as_str().to_owned())
            .creator("auditdb".to_owned())
            .producer("auditdb".to_owned())
            .document_id(self.id.clone())
            .text_direction(direction);
        match self.date {
            Some(date) => metadata.creation_date(date_time(date)),
            None => metadata,
        }
    }
}

fn date_time(time: Time) -> DateTime {
    let civil = time.to_civil();
    let part = |value: u32| u8::try_from(value).unwrap_or(0);
    let second = civil.second_of_day;
    DateTime::new(u16::try_from(civil.year).unwrap_or(9999))
        .month(part(civil.month))
        .day(part(civil.day))
        .hour(part(second / 3600))
        .minute(part(second / 60 % 60))
        .second(part(second % 60))
        .utc_offset_hour(0)
        .utc_offset_minute(0)
}

/// Draws on one page.
struct Pen<'p, 'f, 's> {
    surface: Surface<'s>,
    faces: &'p mut Faces<'f>,
    ink: Option<Ink>,
}

/// Glyphs of one face that stand behind each other.
#[derive(Default)]
struct Strip {
    face: usize,
    x: f32,
    text: String,
    glyphs: Vec<KrillaGlyph>,
}

impl Pen<'_, '_, '_> {
    /// What stands around the rows.
    fn frame(&mut self, frame: &Frame<'_>, page: &Page, number: &str, count: &str) {
        if let Some(top) = page.top {
            self.headings(frame.headings, top);
        }
        for rule in &page.rules {
            self.fill(LEFT - 6.0, rule - RULE, RIGHT + 6.0, *rule, (206, 212, 220));
        }
        let locale = frame.locale;
        let title = format!("{} · {}", locale.phrase("audit_trail", &[]), frame.store);
        self.foot(locale, &title, false);
        let of = [("page", number), ("pages", count)];
        self.foot(locale, &locale.phrase("page_of", &of), true);
        if page.continues {
            let text = format!("({})", locale.phrase("continued", &[]));
            let width = self.width(&text);
            let x = placed(LEFT, width, locale.is_right_to_left());
            self.label(x, TOP - 6.0, &text, locale);
        }
    }

    fn headings(&mut self, headings: &[Line], top: f32) {
        let (left, right) = (LEFT - 6.0, RIGHT + 6.0);
        let bottom = top + head_height(headings);
        self.fill(left, top, right, bottom, (231, 236, 242));
        self.fill(left, bottom - 0.8, right, bottom, (96, 112, 134));
        let mut y = top + HEAD_PADDING;
        for line in headings {
            line.clone().at(y).for_each(|text| self.text(&text));
            y += line.height;
        }
    }

    /// A text at the foot, where reading begins or at its other end.
    fn foot(&mut self, locale: Locale, text: &str, at_end: bool) {
        let width = self.width(text);
        let x = if at_end { RIGHT - width } else { LEFT };
        let x = placed(x, width, locale.is_right_to_left());
        self.label(x, FOOTER_BASE, text, locale);
    }

    fn label(&mut self, x: f32, y: f32, text: &str, locale: Locale) {
        let mut text = Text::new(x, text, FOOTER, locale.is_right_to_left());
        text.y = y;
        self.text(&text);
    }

    fn width(&mut self, text: &str) -> f32 {
        let lines = wrap(self.faces, text, FOOTER, f32::MAX, f32::MAX);
        lines.first().map_or(0.0, |line| line.width)
    }

    fn fill(&mut self, left: f32, top: f32, right: f32, bottom: f32, colour: (u8, u8, u8)) {
        let mut path = PathBuilder::new();
        if let Some(area) = Rect::from_ltrb(left, top, right, bottom) {
            path.push_rect(area);
        }
        self.surface.set_fill(Some(fill(colour)));
        self.ink = None;
        if let Some(path) = path.finish() {
            self.surface.draw_path(&path);
        }
    }

    /// Draws a text, stretch by stretch, each word as it was measured.
    fn text(&mut self, text: &Text) {
        let Style { weight, size, ink } = text.style;
        let mut x = text.x;
        let mut strip = Strip::default();
        for stretch in bidi::visual(&text.text, text.right_to_left) {
            let part = text.text.get(stretch.range).unwrap_or_default();
            let mut parts: Vec<_> = words(part).collect();
            if stretch.right_to_left {
                parts.reverse();
            }
            for word in parts {
                let word = part.get(word).unwrap_or_default();
                let shaped = self.faces.shape(word, weight, stretch.right_to_left);
                for piece in &shaped.pieces {
                    if piece.stands_in {
                        self.strip(&mut strip, text.y, size, ink);
                        let side = STAND_IN_SIDE * size;
                        let mut alone = Strip::new(piece.face, x + side);
                        alone.add(&piece.text, &piece.glyphs);
                        self.box_around(x, text.y, piece.width * size, size);
                        self.strip(&mut alone, text.y, size * STAND_IN, Ink::StandIn);
                    } else {
                        if strip.face != piece.face || strip.glyphs.is_empty() {
                            self.strip(&mut strip, text.y, size, ink);
                            strip = Strip::new(piece.face, x);
                        }
                        strip.add(&piece.text, &piece.glyphs);
                    }
                    x += piece.width * size;
                }
            }
        }
        self.strip(&mut strip, text.y, size, ink);
    }

    /// The frame of a stand-in.
    fn box_around(&mut self, x: f32, base: f32, width: f32, size: f32) {
        let (left, right) = (x + 0.05 * size, x + width - 0.05 * size);
        let (top, bottom) = (base - 0.74 * size, base + 0.16 * size);
        self.fill(left, top, right, bottom, (250, 232, 228));
    }

    fn strip(&mut self, strip: &mut Strip, y: f32, size: f32, ink: Ink) {
        let Strip {
            face,
            x,
            text,
            glyphs,
        } = core::mem::take(strip);
        let Some(font) = self.faces.font(face).filter(|_| !glyphs.is_empty()) else {
            return;
        };
        if self.ink != Some(ink) {
            self.surface.set_fill(Some(fill(ink.colour())));
            self.ink = Some(ink);
        }
        let at = Point::from_xy(x, y);
        self.surface
            .draw_glyphs(at, &glyphs, font, &text, size, false);
    }
}

impl Strip {
    fn new(face: usize, x: f32) -> Strip {
        Strip {
            face,
            x,
            ..Strip::default()
        }
    }

    fn add(&mut self, text: &str, glyphs: &[KrillaGlyph]) {
        let before = self.text.len();
        self.text.push_str(text);
        self.glyphs.extend(glyphs.iter().map(|glyph| KrillaGlyph {
            text_range: glyph.text_range.start + before..glyph.text_range.end + before,
            ..glyph.clone()
        }));
    }
}

impl Ink {
    fn colour(self) -> (u8, u8, u8) {
        match self {
            Ink::Text => (24, 28, 34),
            Ink::Label => (92, 104, 122),
            Ink::StandIn => (150, 44, 32),
        }
    }
}

fn fill((red, green, blue): (u8, u8, u8)) -> Fill {
    Fill {
        paint: rgb::Color::new(red, green, blue).into(),
        ..Fill::default()
    }
}
