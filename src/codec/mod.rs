//! The primitives that every stored byte is built of: integers, checksums, and the two forms of an
//! event, its content and its canonical line, written and read. Pure: bytes in, bytes out, no I/O.
//! Used by all formats above.

pub(crate) mod bits;
pub(crate) mod buffer;
pub(crate) mod canonical;
pub(crate) mod checked;
pub(crate) mod checksum;
pub(crate) mod content;
pub(crate) mod digits;
pub(crate) mod fingerprint;
pub(crate) mod frame;
pub(crate) mod hash;
pub(crate) mod row;
pub(crate) mod varint;
