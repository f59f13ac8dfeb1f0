//! In place of `map.rs` where the feature `mmap` is off: nothing is ever mapped, every read is
//! positional, and the crate has no `unsafe` at all.

use core::convert::Infallible;
use core::ops::Deref;
use std::fs::File;
use std::io;

/// Never made.
pub(crate) struct Mapping(Infallible);

impl Deref for Mapping {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self.0 {}
    }
}

impl Mapping {
    /// Nothing is there to be read ahead.
    pub(crate) fn will_need(&self, _offset: usize, _len: usize) {
        match self.0 {}
    }
}

/// Says that files cannot be mapped.
pub(crate) fn map(_file: &File) -> io::Result<Option<Mapping>> {
    Ok(None)
}
