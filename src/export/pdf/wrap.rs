//! Where a text is broken into lines that fit. Nothing is left out but the blanks at a line's end:
//! what finds no blank is broken behind punctuation, and what finds none of that between characters.

use core::ops::Range;

use super::bidi;
use super::face::Faces;
use super::face::Weight;

/// How a text looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Style {
    pub(super) weight: Weight,
    pub(super) size: f32,
    pub(super) ink: Ink,
}

/// What a text is coloured for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    Text,
    Label,
    StandIn,
}

/// One line of a text, without the blanks at its end.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    pub(super) range: Range<usize>,
    pub(super) width: f32,
}

/// Behind these a word that is too long is broken.
const BREAKS_BEHIND: &[u8] = b",;:/\\_-.&=?|}])>@+";
/// These begin no line in Chinese and Japanese, and the next ones end none.
const BEGIN_NO_LINE: &str =
    "、。，．）」』】〕〉》！？：；・ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ";
const END_NO_LINE: &str = "（「『【〔〈《";
/// A longer word is longer than every line.
const WORD_BYTES: usize = 512;
/// Less than this is no overflow but the end of a number's precision.
const HAIR: f32 = 0.01;

/// Lines under way.
struct Wrapping<'w, 'f> {
    faces: &'w mut Faces<'f>,
    style: Style,
    text: &'w str,
    /// The room in the line under way, and in those behind it.
    room: f32,
    width: f32,
    lines: Vec<Line>,
    line: Line,
    /// Blanks behind the line so far.
    blank: f32,
}

/// The lines of `text`, the first in `first` points of room, which may be too little for any of it,
/// the others in `width`.
pub(super) fn wrap(
    faces: &mut Faces<'_>,
    text: &str,
    style: Style,
    first: f32,
    width: f32,
) -> Vec<Line> {
    let begun = Line {
        range: 0..0,
        width: 0.0,
    };
    let mut wrapping = Wrapping {
        faces,
        style,
        text,
        room: first,
        width,
        lines: Vec::new(),
        line: begun,
        blank: 0.0,
    };
    for word in split(0..text.len(), text, breaks_words) {
        wrapping.word(word);
    }
    wrapping.lines.push(wrapping.line);
    wrapping.lines
}

impl Wrapping<'_, '_> {
    fn word(&mut self, word: Range<usize>) {
        let text = self.text.get(word.clone()).unwrap_or_default();
        let solid = word.start..word.start + text.trim_end_matches(' ').len();
        let blank = solid.end..word.end;
        // Words that no line can hold are not measured whole.
        let short = solid.len() <= WORD_BYTES;
        let width = if short {
            self.measure(&solid)
        } else {
            f32::MAX
        };
        if width <= self.width + HAIR {
            self.add(&solid, width);
        } else {
            self.long(solid);
        }
        self.blank += self.measure(&blank);
    }

    /// A word that is longer than a line.
    fn long(&mut self, word: Range<usize>) {
        for part in split(word, self.text, breaks_long_words) {
            let short = part.len() <= WORD_BYTES;
            let width = if short { self.measure(&part) } else { f32::MAX };
            if width <= self.width + HAIR {
                self.add(&part, width);
                continue;
            }
            for cluster in split(part, self.text, |_, next| !bidi::is_mark(next)) {
                let width = self.measure(&cluster);
                self.add(&cluster, width);
            }
        }
    }

    fn measure(&mut self, range: &Range<usize>) -> f32 {
        let text = self.text.get(range.clone()).unwrap_or_default();
        if text.is_empty() {
            return 0.0;
        }
        let right_to_left = bidi::has_right_to_left(text);
        let shaped = self.faces.shape(text, self.style.weight, right_to_left);
        shaped.width * self.style.size
    }

    fn add(&mut self, part: &Range<usize>, width: f32) {
        let begun = self.line.range.end > self.line.range.start || self.lines.is_empty();
        if begun && self.line.width + self.blank + width > self.room + HAIR {
            let next = Line {
                range: part.start..part.start,
                width: 0.0,
            };
            self.lines.push(core::mem::replace(&mut self.line, next));
            self.room = self.width;
            self.blank = 0.0;
        }
        self.line.width += self.blank + width;
        self.line.range.end = part.end;
        self.blank = 0.0;
    }
}

/// The words of a text, each with the blanks behind it; one that is too long to be measured whole in
/// the parts in which it is measured.
pub(super) fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    split(0..text.len(), text, breaks_words).flat_map(move |word| {
        let long = word.len() > WORD_BYTES;
        split(word, text, move |before, behind| {
            long && breaks_long_words(before, behind)
        })
    })
}

/// `range` of `text` in parts, broken where `breaks` says so of the characters on both sides.
fn split(
    range: Range<usize>,
    text: &str,
    breaks: impl Fn(char, char) -> bool,
) -> impl Iterator<Item = Range<usize>> {
    let whole = text.get(range.clone()).unwrap_or_default();
    let mut letters = whole.char_indices().peekable();
    let mut start = 0;
    core::iter::from_fn(move || {
        while let Some((at, letter)) = letters.next() {
            let end = at + letter.len_utf8();
            let next = letters.peek().map(|(_, next)| *next);
            if next.is_none_or(|next| breaks(letter, next)) {
                let part = range.start + start..range.start + end;
                start = end;
                return Some(part);
            }
        }
        None
    })
}

fn breaks_words(before: char, behind: char) -> bool {
    if before == ' ' || behind == ' ' {
        return before == ' ' && behind != ' ';
    }
    let between_signs = is_wide(before) || is_wide(behind);
    between_signs && !BEGIN_NO_LINE.contains(behind) && !END_NO_LINE.contains(before)
}

fn breaks_long_words(before: char, behind: char) -> bool {
    let at = |letter: char| u8::try_from(letter).is_ok_and(|byte| BREAKS_BEHIND.contains(&byte));
    at(before) && !at(behind)
}

/// Whether a character is of a script without blanks between words, and lines break anywhere.
fn is_wide(letter: char) -> bool {
    matches!(letter,
        '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}'
        | '\u{ff01}'..='\u{ff60}' | '\u{20000}'..='\u{3ffff}')
}
