//! What an export as PDF is set in beside the faces that come along, and what no face had.

use core::fmt;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::jobs::MissingRecord;

/// Bytes of a font; the largest that are in use have some 30 million.
const FONT_BYTES: u64 = 64 << 20;

/// A font of the caller's for exports as PDF, TrueType or OpenType. The faces that come along have
/// Latin, Greek and Cyrillic letters; stored text in more scripts is set in fonts that are given.
///
/// ```
/// use auditdb::ExportFont;
///
/// let font = ExportFont::new("Deva.ttf", vec![0; 4]);
/// assert_eq!(font.name(), "Deva.ttf");
/// assert!(ExportFont::read(std::path::Path::new("nothing.ttf")).is_err());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ExportFont {
    name: String,
    bytes: Arc<[u8]>,
}

/// Characters that no face of an export as PDF had. In the document stands the number of each in
/// place of its shape, such as U+0E01.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MissingGlyphs {
    /// How often one was missing.
    pub count: u64,
    /// Which ones; of more than a thousand the first by number.
    pub characters: BTreeSet<char>,
}

impl ExportFont {
    /// Characters listed at the most: a list for people, who give a font for a script.
    const LISTED_MAX: usize = 1000;

    /// A font of these bytes; whether it is one shows when an export is checked.
    #[must_use]
    pub fn new(name: &str, bytes: Vec<u8>) -> ExportFont {
        ExportFont {
            name: name.to_owned(),
            bytes: bytes.into(),
        }
    }

    /// The font in a file.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] where the file cannot be read, [`ErrorKind::OutOfRange`] where it has more
    /// than 64 MiB.
    pub fn read(path: &Path) -> Result<ExportFont> {
        // Not by its length: that of a device says nothing.
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|file| file.take(FONT_BYTES + 1).read_to_end(&mut bytes))
            .map_err(|error| Error::io("read", path, error))?;
        if bytes.len() as u64 > FONT_BYTES {
            let what = "font: a font has no more than 64 MiB";
            return Err(Error::new(ErrorKind::OutOfRange, what).in_file(path));
        }
        Ok(ExportFont::new(&path.display().to_string(), bytes))
    }

    /// What it is called in messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The font itself.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl MissingGlyphs {
    /// Adds those of another file.
    pub(super) fn add_all(&mut self, other: &MissingGlyphs) {
        self.count += other.count;
        other
            .characters
            .iter()
            .for_each(|letter| self.list(*letter));
    }

    /// As the record of a job keeps them.
    pub(super) fn of_record(record: Option<&MissingRecord>) -> MissingGlyphs {
        record.map_or_else(MissingGlyphs::default, |record| MissingGlyphs {
            count: record.count,
            characters: record.characters.chars().collect(),
        })
    }

    /// Nothing where there are none.
    pub(super) fn to_record(&self) -> Option<MissingRecord> {
        (self.count > 0).then(|| MissingRecord {
            count: self.count,
            characters: self.characters.iter().collect(),
        })
    }

    fn list(&mut self, letter: char) {
        self.characters.insert(letter);
        if self.characters.len() > ExportFont::LISTED_MAX {
            self.characters.pop_last();
        }
    }
}

/// Adds those that were missing in some more text.
impl Extend<char> for MissingGlyphs {
    fn extend<I: IntoIterator<Item = char>>(&mut self, missing: I) {
        for letter in missing {
            self.count += 1;
            self.list(letter);
        }
    }
}

/// The numbers of the characters.
impl fmt::Display for MissingGlyphs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, letter) in self.characters.iter().enumerate() {
            let between = if number == 0 { "" } else { " " };
            write!(formatter, "{between}U+{:04X}", u32::from(*letter))?;
        }
        Ok(())
    }
}

impl fmt::Debug for ExportFont {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("ExportFont");
        shown
            .field("name", &self.name)
            .field("bytes", &self.bytes.len());
        shown.finish()
    }
}
