//! Mapping of files that are final: the crate's only `unsafe`. Only [`crate::disk::real`] calls it,
//! and only for files whose content is complete, so that reading a page costs no system call.

use core::ops::Deref;
use std::fs::File;
use std::io;

/// A mapped file, read-only, for as long as this value lives.
pub(crate) struct Mapping(memmap2::Mmap);

impl Deref for Mapping {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Mapping {
    /// Has the system read these bytes ahead. A hint: where it is not taken, reads take longer.
    pub(crate) fn will_need(&self, offset: usize, len: usize) {
        let len = len.min(self.0.len().saturating_sub(offset));
        drop(self.0.advise_range(memmap2::Advice::WillNeed, offset, len));
    }
}

/// Maps the whole of `file`, of which a read wants a few pages here and there.
#[expect(
    unsafe_code,
    reason = "a mapping is sound only while nobody changes the file, which no type can say"
)]
pub(crate) fn map(file: &File) -> io::Result<Option<Mapping>> {
    // SAFETY: `Mmap::map` asks that the bytes do not change while the slice lives. The mapping is
    // read-only, so this process cannot write through it; it is shared, so a write to the file
    // would show in it. Of the store's own files only sealed segments and presence runs get here,
    // and nothing in this crate writes to such a file or cuts it once it has its name: it appears
    // whole by a rename from `tmp/` (`disk::durable`) and goes only by unlink, after which the
    // kernel keeps the pages until this mapping is dropped. A name that comes again, as the numbers
    // of runs do, is that of another file. What remains is somebody else changing or cutting the
    // file, or its device failing, under the mapping. The public documentation of
    // `ReadMode::Mapped` excludes that and offers `ReadMode::Positional` for it. No reference
    // outlives the mapping: the slice borrows from `self`. Bytes are valid for any bit pattern.
    let mapping = unsafe { memmap2::Mmap::map(file) }?;
    // Without this hint the first touch of a page may read megabytes around it.
    drop(mapping.advise(memmap2::Advice::Random));
    Ok(Some(Mapping(mapping)))
}
