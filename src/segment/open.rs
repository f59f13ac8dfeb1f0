//! The fixed parts of a segment file as they are read when it is opened: header, footer and
//! directory, each verified and bounded before anything is believed. Called by the reader alone.

use std::path::Path;

use super::format;
use super::format::Footer;
use super::format::Header;
use super::format::Kind;
use super::format::Section;
use crate::codec::checksum::crc32;
use crate::codec::varint::Bytes;
use crate::disk::blob::Blob;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

pub(crate) fn read_header(blob: &Blob) -> Result<Header> {
    let path = blob.path();
    let bytes = blob.read(0, format::HEADER_LEN)?;
    if bytes.starts_with(&format::DRAFT_MAGIC) {
        let what = "this segment is of the first draft of the format; export it with the \
                    auditdb that wrote it and import that";
        return Err(Error::new(ErrorKind::Unsupported, what).at(path, 0));
    }
    let header = Header::decode(&bytes)
        .ok_or_else(|| Error::corrupt(path, 0, "the segment's header is damaged"))?;
    let unknown = header.incompatible & !format::INCOMPATIBLE_KNOWN;
    if header.version != format::VERSION || unknown != 0 {
        let what = format!(
            "segment format version {} with flags {unknown:#x} needs a newer auditdb",
            header.version
        );
        return Err(Error::new(ErrorKind::Unsupported, what).at(path, 0));
    }
    Ok(header)
}

/// Reads the footer that ends at `end`.
pub(crate) fn read_footer(blob: &Blob, end: u64) -> Result<Footer> {
    let path = blob.path();
    let offset = end.saturating_sub(format::FOOTER_LEN as u64);
    let bytes = blob.read(offset, format::FOOTER_LEN)?;
    let footer = Footer::decode(&bytes)
        .ok_or_else(|| Error::corrupt(path, offset, "the segment's footer is damaged"))?;
    let len = u64::from(footer.directory_len);
    let ends_there = footer.directory_offset.checked_add(len) == Some(offset);
    let sections_max = (format::SECTIONS_MAX * format::SECTION_LEN) as u64;
    if !ends_there || len > sections_max || !len.is_multiple_of(format::SECTION_LEN as u64) {
        return Err(Error::corrupt(
            path,
            offset,
            "the segment's footer points nowhere",
        ));
    }
    Ok(footer)
}

/// The end of the first of the two footers, in a file whose last one is damaged or gone: where the
/// last [`format::END_MAGIC`] stands that a footer ends with.
pub(crate) fn find_footer(blob: &Blob) -> Result<Option<u64>> {
    let reach = (2 * (format::SECTIONS_MAX * format::SECTION_LEN + format::FOOTER_LEN)) as u64;
    let start = blob.len().saturating_sub(reach);
    let tail = blob.read(start, (blob.len() - start) as usize)?;
    let ends = tail.windows(format::END_MAGIC.len()).enumerate().rev();
    let mut ends = ends
        .filter(|(_, bytes)| **bytes == format::END_MAGIC)
        .map(|(place, bytes)| start + (place + bytes.len()) as u64);
    Ok(ends.find(|end| read_footer(blob, *end).is_ok()))
}

/// Reads the directory, whose sections must fill the file from the header to the first directory.
pub(crate) fn read_directory(blob: &Blob, footer: &Footer) -> Result<Vec<Section>> {
    let offset = footer.directory_offset;
    let damaged = || Error::corrupt(blob.path(), offset, "the section directory is damaged");
    let bytes = blob.read(offset, footer.directory_len as usize)?;
    if crc32(&bytes) != footer.directory_crc {
        return Err(damaged());
    }
    let mut sections: Vec<Section> = Vec::new();
    let mut end = format::HEADER_LEN as u64;
    let mut bytes = Bytes::new(&bytes);
    while !bytes.is_empty() {
        let section = Section::decode(&mut bytes).ok_or_else(damaged)?;
        let known = Kind::ALL.iter().any(|kind| *kind as u16 == section.kind);
        if !known && section.flags & format::REQUIRED != 0 {
            let what = format!("section kind {} needs a newer auditdb", section.kind);
            return Err(Error::new(ErrorKind::Unsupported, what).at(blob.path(), offset));
        }
        let repeated = sections.iter().any(|other| other.kind == section.kind);
        if section.offset != end || repeated {
            return Err(damaged());
        }
        end = section.end().ok_or_else(damaged)?;
        sections.push(section);
    }
    let between = u64::from(footer.directory_len) + format::FOOTER_LEN as u64;
    if end != offset && end + between != offset {
        return Err(damaged());
    }
    Ok(sections)
}

pub(crate) fn find(
    path: &Path,
    footer: &Footer,
    directory: &[Section],
    kind: Kind,
) -> Result<Section> {
    let found = directory.iter().find(|section| section.kind == kind as u16);
    found.copied().ok_or_else(|| {
        let what = format!("the segment has no section of kind {}", kind as u16);
        Error::corrupt(path, footer.directory_offset, what)
    })
}
