//! A segment file while it is written: front to back, buffered, with the checksum of each section
//! and the hash of the whole taken on the way. Syncing and naming the file are the caller's.

use sha2::Digest;
use sha2::Sha256;

use super::format;
use super::format::Footer;
use super::format::Header;
use super::format::Kind;
use super::format::Section;
use crate::codec::checksum::Running;
use crate::codec::checksum::crc32;
use crate::disk::File;
use crate::error::Result;
use crate::id::SegmentId;
use crate::id::StoreId;

/// Bytes collected before they are handed to the file.
const BUFFER_BYTES: usize = 256 << 10;

pub(crate) struct Output<'f> {
    file: &'f dyn File,
    buffer: Vec<u8>,
    /// Where the buffer will lie in the file.
    flushed: u64,
    hash: Sha256,
    section: Running,
    /// Of the pages so far; the last one may be open.
    page: Running,
    page_len: usize,
    page_sums: Vec<u8>,
    section_start: u64,
    sections: Vec<Section>,
}

impl<'f> Output<'f> {
    /// Begins a file with its header; `file` is empty.
    pub(crate) fn begin(
        file: &'f dyn File,
        store: StoreId,
        segment: SegmentId,
    ) -> Result<Output<'f>> {
        let mut output = Output {
            file,
            buffer: Vec::with_capacity(BUFFER_BYTES),
            flushed: 0,
            hash: Sha256::new(),
            section: Running::default(),
            page: Running::default(),
            page_len: 0,
            page_sums: Vec::new(),
            section_start: 0,
            sections: Vec::new(),
        };
        let header = Header {
            version: format::VERSION,
            incompatible: 0,
            compatible: 0,
            store,
            segment,
        };
        output.put(&header.encode())?;
        output.begin_section();
        Ok(output)
    }

    /// Where the next byte goes.
    pub(crate) fn offset(&self) -> u64 {
        self.flushed + self.buffer.len() as u64
    }

    pub(crate) fn file(&self) -> &'f dyn File {
        self.file
    }

    pub(crate) fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.hash.update(bytes);
        self.section.update(bytes);
        self.sum_pages(bytes);
        self.put_unhashed(bytes)
    }

    fn sum_pages(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = (format::PAGE_BYTES - self.page_len).min(bytes.len());
            let (now, later) = bytes.split_at(room);
            self.page.update(now);
            self.page_len += now.len();
            bytes = later;
            if self.page_len == format::PAGE_BYTES {
                self.close_page();
            }
        }
    }

    fn close_page(&mut self) {
        let sum = core::mem::take(&mut self.page).finish();
        self.page_sums.extend_from_slice(&sum.to_le_bytes());
        self.page_len = 0;
    }

    fn put_unhashed(&mut self, bytes: &[u8]) -> Result<()> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        self.file.write_at(self.flushed, &self.buffer)?;
        self.flushed += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    fn begin_section(&mut self) {
        self.section = Running::default();
        self.section_start = self.offset();
    }

    /// Closes the section that holds everything put since the last one.
    pub(crate) fn end_section(&mut self, kind: Kind, items: u64) {
        let crc = core::mem::take(&mut self.section).finish();
        self.sections.push(Section {
            kind: kind as u16,
            flags: match kind {
                Kind::SchemaTwin | Kind::PageSumsTwin => 0,
                _ => format::REQUIRED,
            },
            crc,
            offset: self.section_start,
            len: self.offset() - self.section_start,
            items,
        });
        self.begin_section();
    }

    /// Writes the checksums of the pages, and the end of the file twice. Gives back the file's length
    /// and the content hash.
    pub(crate) fn finish(mut self, rows: u32) -> Result<(u64, [u8; 32])> {
        if self.page_len > 0 {
            self.close_page();
        }
        let sums = core::mem::take(&mut self.page_sums);
        for kind in [Kind::PageSums, Kind::PageSumsTwin] {
            self.put(&sums)?;
            self.end_section(kind, sums.len() as u64 / 4);
        }
        let mut directory = Vec::with_capacity(self.sections.len() * format::SECTION_LEN);
        for section in &self.sections {
            section.encode(&mut directory);
        }
        let first = self.end(&directory, rows)?;
        self.put(&first.encode())?;
        let last = self.end(&directory, rows)?;
        self.put_unhashed(&last.encode())?;
        self.flush()?;
        Ok((self.flushed, last.content_hash))
    }

    /// Writes the directory; gives back the footer that belongs behind it.
    fn end(&mut self, directory: &[u8], rows: u32) -> Result<Footer> {
        let directory_offset = self.offset();
        self.put(directory)?;
        Ok(Footer {
            directory_offset,
            directory_len: directory.len() as u32,
            directory_crc: crc32(directory),
            rows,
            content_hash: self.hash.clone().finalize().into(),
        })
    }
}
