//! The faces that a document is set in: those that come along, and those given with the export. A
//! character is set in the first face that has it; one that no face has is drawn as its number.

use core::ops::Range;
use std::collections::HashMap;
use std::rc::Rc;

use harfrust::Direction;
use harfrust::FontRef;
use harfrust::ShapeOptions;
use harfrust::ShaperData;
use harfrust::UnicodeBuffer;
use krilla::text::Font;
use krilla::text::GlyphId;
use krilla::text::KrillaGlyph;
use skrifa::MetadataProvider;
use skrifa::Tag;

use super::bidi;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::export::ExportFont;
use crate::layout::Locale;

/// Words kept shaped; at so many all are forgotten, which bounds the memory and changes no result.
const KEPT_MAX: usize = 50_000;
/// Bytes of a word that is kept.
const KEPT_BYTES: usize = 64;

macro_rules! face {
    ($name:literal) => {
        include_bytes!(concat!("fonts/", $name))
    };
}

pub(super) const SANS: &[u8] = face!("NotoSans-Regular.ttf");
const SANS_BOLD: &[u8] = face!("NotoSans-Bold.ttf");
const MATH: &[u8] = face!("NotoSansMath-Regular.ttf");
const ARABIC: &[u8] = face!("NotoSansArabic-Regular.ttf");
const ARABIC_BOLD: &[u8] = face!("NotoSansArabic-Bold.ttf");
const JAPANESE: &[u8] = face!("NotoSansJP-Regular.otf");
const JAPANESE_BOLD: &[u8] = face!("NotoSansJP-Bold.otf");
const CHINESE: &[u8] = face!("NotoSansSC-Regular.otf");
const CHINESE_BOLD: &[u8] = face!("NotoSansSC-Bold.otf");

/// How heavy a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Weight {
    Regular,
    /// For the document's own words, which the bold faces have the letters of.
    Bold,
}

/// All faces, and what was shaped with them.
pub(super) struct Faces<'f> {
    faces: Vec<Face<'f>>,
    /// Which faces a weight tries, in order.
    regular: Vec<usize>,
    bold: Vec<usize>,
    known: HashMap<(Weight, char), Option<usize>>,
    kept: HashMap<(Weight, bool, Box<str>), Rc<Shaped>>,
}

struct Face<'f> {
    font: Font,
    tables: FontRef<'f>,
    shaper: ShaperData,
}

/// A text as glyphs, from left to right.
pub(super) struct Shaped {
    pub(super) pieces: Vec<Piece>,
    /// In units of the type's size.
    pub(super) width: f32,
}

/// Glyphs of one face.
pub(super) struct Piece {
    pub(super) face: usize,
    pub(super) text: Box<str>,
    pub(super) glyphs: Vec<KrillaGlyph>,
    pub(super) width: f32,
    /// The number of a character that no face has.
    pub(super) stands_in: bool,
}

/// Whether each name of a font lies where 16 bits can tell, which is relied on when it is embedded.
fn has_sound_names(font: &FontRef<'_>) -> bool {
    const HEAD: usize = 6;
    const RECORD: usize = 12;
    let Some(names) = font.table_data(Tag::new(b"name")) else {
        return true;
    };
    let number = |at: usize| names.read_at::<u16>(at).ok();
    let count = usize::from(number(2).unwrap_or(0));
    let mut records = (0..count).map(|record| HEAD + RECORD * record);
    records.all(|at| match (number(at + 8), number(at + 10)) {
        (Some(length), Some(offset)) => offset.checked_add(length).is_some(),
        _ => false,
    })
}

impl<'f> Faces<'f> {
    /// The faces that come along, with those of `fonts` before the ones that have little more than
    /// the document's own words.
    pub(super) fn new(fonts: &'f [ExportFont], locale: Locale) -> Result<Faces<'f>> {
        let mut faces = Faces {
            faces: Vec::new(),
            regular: Vec::new(),
            bold: Vec::new(),
            known: HashMap::new(),
            kept: HashMap::new(),
        };
        let (first, second) = match locale.as_str() {
            "ja" => ((JAPANESE, JAPANESE_BOLD), (CHINESE, CHINESE_BOLD)),
            _ => ((CHINESE, CHINESE_BOLD), (JAPANESE, JAPANESE_BOLD)),
        };
        let heavy = [SANS_BOLD, ARABIC_BOLD, first.1, second.1];
        faces.bold = faces.add_all(&heavy)?;
        faces.regular = faces.add_all(&[SANS])?;
        for font in fonts {
            let face = faces.add(font.bytes(), font.bytes().to_vec().into());
            let face = face.ok_or_else(|| {
                let what = format!("font {:?}: this is no font that can be read", font.name());
                Error::new(ErrorKind::OutOfRange, what)
            })?;
            faces.regular.push(face);
        }
        let light = faces.add_all(&[MATH, ARABIC, first.0, second.0])?;
        faces.regular.extend(light);
        let light = faces.regular.clone();
        faces.bold.extend(light);
        Ok(faces)
    }

    fn add_all(&mut self, own: &[&'static [u8]]) -> Result<Vec<usize>> {
        let broken = || Error::new(ErrorKind::Unsupported, "a font that comes along is no font");
        let add = |bytes: &&'static [u8]| self.add(bytes, (*bytes).into()).ok_or_else(broken);
        own.iter().map(add).collect()
    }

    fn add(&mut self, bytes: &'f [u8], data: krilla::Data) -> Option<usize> {
        let tables = FontRef::from_index(bytes, 0).ok()?;
        if !has_sound_names(&tables) {
            return None;
        }
        let face = Face {
            font: Font::new(data, 0)?,
            shaper: ShaperData::new(&tables),
            tables,
        };
        self.faces.push(face);
        Some(self.faces.len() - 1)
    }

    /// The font of a piece.
    pub(super) fn font(&self, face: usize) -> Option<Font> {
        self.faces.get(face).map(|face| face.font.clone())
    }

    /// The characters of a text that no face has, each as often as it stands there.
    pub(super) fn missing(&mut self, text: &str) -> Vec<char> {
        let mut has =
            |letter: &char| letter.is_ascii() || self.face_of(*letter, Weight::Regular).is_some();
        match text.is_ascii() {
            true => Vec::new(),
            false => text.chars().filter(|letter| !has(letter)).collect(),
        }
    }

    fn face_of(&mut self, letter: char, weight: Weight) -> Option<usize> {
        if let Some(known) = self.known.get(&(weight, letter)) {
            return *known;
        }
        let order = match weight {
            Weight::Regular => &self.regular,
            Weight::Bold => &self.bold,
        };
        let has = |face: &&usize| {
            self.faces
                .get(**face)
                .is_some_and(|face| face.draws(letter))
        };
        let found = order.iter().find(has).copied();
        self.known.insert((weight, letter), found);
        found
    }

    /// The text's glyphs, read in this direction throughout.
    pub(super) fn shape(&mut self, text: &str, weight: Weight, right_to_left: bool) -> Rc<Shaped> {
        if text.len() > KEPT_BYTES {
            return Rc::new(self.shape_anew(text, weight, right_to_left));
        }
        let key = (weight, right_to_left, Box::from(text));
        if let Some(kept) = self.kept.get(&key) {
            return Rc::clone(kept);
        }
        let shaped = Rc::new(self.shape_anew(text, weight, right_to_left));
        if self.kept.len() >= KEPT_MAX {
            self.kept.clear();
        }
        self.kept.insert(key, Rc::clone(&shaped));
        shaped
    }

    fn shape_anew(&mut self, text: &str, weight: Weight, right_to_left: bool) -> Shaped {
        let mut pieces = Vec::new();
        for (range, face) in self.runs(text, weight) {
            let run = text.get(range).unwrap_or_default();
            match face {
                Some(face) => pieces.extend(self.piece(run, face, right_to_left)),
                None => {
                    for letter in run.chars() {
                        let number = format!("U+{:04X}", u32::from(letter));
                        let face = self.regular.first().copied().unwrap_or(0);
                        let piece = self.piece(&number, face, false);
                        pieces.extend(piece.map(|piece| Piece {
                            stands_in: true,
                            width: piece.width * STAND_IN + 2.0 * STAND_IN_SIDE,
                            ..piece
                        }));
                    }
                }
            }
        }
        if right_to_left {
            pieces.reverse();
        }
        let width = pieces.iter().map(|piece| piece.width).sum();
        Shaped { pieces, width }
    }

    /// Stretches of one face each. A mark stays with the character that it stands on.
    fn runs(&mut self, text: &str, weight: Weight) -> Vec<(Range<usize>, Option<usize>)> {
        let mut runs: Vec<(Range<usize>, Option<usize>)> = Vec::new();
        for (at, letter) in text.char_indices() {
            let end = at + letter.len_utf8();
            let before = runs.last().and_then(|(_, face)| *face);
            let stays = bidi::is_mark(letter)
                && before
                    .and_then(|face| self.faces.get(face))
                    .is_some_and(|face| face.draws(letter));
            let face = if stays {
                before
            } else {
                self.face_of(letter, weight)
            };
            match runs.last_mut() {
                Some((range, last)) if *last == face => range.end = end,
                _ => runs.push((at..end, face)),
            }
        }
        runs
    }

    fn piece(&self, text: &str, face: usize, right_to_left: bool) -> Option<Piece> {
        let face_of = self.faces.get(face)?;
        let shaper = face_of.shaper.shaper(&face_of.tables).build();
        let mut buffer = UnicodeBuffer::new();
        buffer.push_str(text);
        buffer.guess_segment_properties();
        buffer.set_direction(match right_to_left {
            true => Direction::RightToLeft,
            false => Direction::LeftToRight,
        });
        let shaped = shaper.shape(buffer, ShapeOptions::new());
        let em = shaper.units_per_em() as f32;
        let mut starts: Vec<usize> = shaped.glyph_infos().iter().map(cluster).collect();
        starts.sort_unstable();
        let (mut glyphs, mut width) = (Vec::with_capacity(shaped.len()), 0.0);
        for (info, place) in shaped.glyph_infos().iter().zip(shaped.glyph_positions()) {
            let start = cluster(info);
            let next = starts.partition_point(|other| *other <= start);
            let end = starts.get(next).copied().unwrap_or(text.len());
            let advance = place.x_advance as f32 / em;
            width += advance;
            glyphs.push(KrillaGlyph::new(
                GlyphId::new(info.glyph_id),
                advance,
                place.x_offset as f32 / em,
                place.y_offset as f32 / em,
                0.0,
                start..end,
                None,
            ));
        }
        Some(Piece {
            face,
            text: text.into(),
            glyphs,
            width,
            stands_in: false,
        })
    }
}

/// The size of a stand-in's number, and the room on each of its sides, of the text's.
pub(super) const STAND_IN: f32 = 0.72;
pub(super) const STAND_IN_SIDE: f32 = 0.14;

fn cluster(info: &harfrust::GlyphInfo) -> usize {
    info.cluster as usize
}

impl Face<'_> {
    /// Whether the face has a shape for the character, be it a blank one. A face of pictures has a
    /// glyph but no shape.
    fn draws(&self, letter: char) -> bool {
        let outlines = self.tables.outline_glyphs();
        let glyph = self.tables.charmap().map(letter);
        glyph.is_some_and(|glyph| outlines.get(glyph).is_some())
    }
}
