//! Where an export's bytes go: the packed parts in their order, counted and hashed as they leave,
//! with what stands around all of them.

use std::io;
use std::io::Write;

use flate2::Crc;
use sha2::Digest;
use sha2::Sha256;

use super::Compression;
use super::pack;
use super::pack::Packed;
use crate::codec::digits::hex;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

/// Counts and hashes what passes.
pub(super) struct Sink<W> {
    out: W,
    hash: Sha256,
    bytes: u64,
    /// Of all that was packed, where the file ends with it.
    crc: Option<Crc>,
}

impl<W: Write> Sink<W> {
    pub(super) fn new(out: W, compression: Compression) -> Result<Sink<W>> {
        let mut sink = Sink {
            out,
            hash: Sha256::new(),
            bytes: 0,
            crc: None,
        };
        if compression == Compression::Gzip {
            sink.crc = Some(Crc::new());
            sink.put(&pack::GZIP_HEAD)?;
        }
        Ok(sink)
    }

    pub(super) fn write(&mut self, part: &Packed) -> Result<()> {
        if let (Some(whole), Some(part)) = (&mut self.crc, &part.crc) {
            whole.combine(part);
        }
        self.put(part.bytes.as_slice())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.out.write_all(bytes).map_err(failed)?;
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Ends the packing; gives the number of bytes that left and their SHA-256.
    pub(super) fn finish(mut self) -> Result<(u64, String)> {
        if let Some(crc) = self.crc.take() {
            self.put(&pack::DEFLATE_END)?;
            self.put(&crc.sum().to_le_bytes())?;
            self.put(&crc.amount().to_le_bytes())?;
        }
        self.out.flush().map_err(failed)?;
        Ok((self.bytes, hexadecimal(self.hash)))
    }
}

/// What was hashed, in hexadecimal.
pub(super) fn hexadecimal(hash: Sha256) -> String {
    hex(&hash.finalize())
}

/// A failed write of the caller's own sink. The disk's errors come through unchanged.
pub(super) fn failed(error: io::Error) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => error,
        Err(error) => {
            let kind = match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::Full,
                _ => ErrorKind::Io,
            };
            Error::new(kind, format!("cannot write the export: {error}")).with_source(error)
        }
    }
}
