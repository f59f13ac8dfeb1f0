//! Where an export's bytes go: packed if asked for, counted and hashed as they leave.

use std::io;
use std::io::Write;

use sha2::Digest;
use sha2::Sha256;

use super::Compression;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

/// Zstandard's level: its own default, the best bytes a second of the usual levels.
const ZSTD_LEVEL: i32 = 3;

/// Packs, then counts.
pub(super) enum Sink<W: Write> {
    Plain(Counted<W>),
    Zstd(zstd::Encoder<'static, Counted<W>>),
    Gzip(flate2::write::GzEncoder<Counted<W>>),
}

/// Counts and hashes what passes.
pub(super) struct Counted<W> {
    out: W,
    hash: Sha256,
    bytes: u64,
}

impl<W: Write> Sink<W> {
    pub(super) fn new(out: W, compression: Compression) -> Result<Sink<W>> {
        let counted = Counted {
            out,
            hash: Sha256::new(),
            bytes: 0,
        };
        Ok(match compression {
            Compression::None => Sink::Plain(counted),
            Compression::Zstd => {
                Sink::Zstd(zstd::Encoder::new(counted, ZSTD_LEVEL).map_err(failed)?)
            }
            Compression::Gzip => {
                Sink::Gzip(flate2::GzBuilder::new().write(counted, flate2::Compression::default()))
            }
        })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        match self {
            Sink::Plain(out) => out.write_all(bytes),
            Sink::Zstd(out) => out.write_all(bytes),
            Sink::Gzip(out) => out.write_all(bytes),
        }
        .map_err(failed)
    }

    /// Ends the packing; gives the number of bytes that left and their SHA-256.
    pub(super) fn finish(self) -> Result<(u64, String)> {
        let mut counted = match self {
            Sink::Plain(out) => Ok(out),
            Sink::Zstd(out) => out.finish(),
            Sink::Gzip(out) => out.finish(),
        }
        .map_err(failed)?;
        counted.out.flush().map_err(failed)?;
        let digest = counted.hash.finalize();
        let digits = digest.iter().map(|byte| format!("{byte:02x}"));
        Ok((counted.bytes, digits.collect()))
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write_all(bytes)?;
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
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
