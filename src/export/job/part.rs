//! The unfinished file of a job: what is in it, counted and hashed as it comes, so that after a kill
//! the same is known of what was made durable.

use std::io;
use std::io::Write;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use sha2::Digest;
use sha2::Sha256;

use crate::disk::Disk;
use crate::disk::File;
use crate::error::Result;
use crate::export::sink;
use crate::jobs::Reached;

/// Bytes that are read at once when a file is hashed again.
const READ_BYTES: u64 = 1 << 20;

/// Is asked before each piece of a file that is read; its error ends the reading.
pub(super) type GoesOn<'w> = &'w mut dyn FnMut() -> Result<()>;

/// A file that grows.
pub(super) struct Part {
    file: Arc<dyn File>,
    bytes: u64,
    hash: Sha256,
}

/// Whether a file is there and has just these bytes.
pub(super) fn is_whole(
    disk: &dyn Disk,
    path: &Path,
    bytes: u64,
    sha256: &str,
    goes_on: GoesOn<'_>,
) -> Result<bool> {
    if disk.len(path)? != Some(bytes) {
        return Ok(false);
    }
    let file = disk.open_read(path)?;
    let hash = hash_of(&*file, 0..bytes, &mut io::sink(), goes_on)?;
    Ok(sink::hexadecimal(hash) == sha256)
}

/// Writes these bytes of a file to `out`, and hashes them.
fn hash_of(
    file: &dyn File,
    bytes: Range<u64>,
    out: &mut dyn Write,
    goes_on: GoesOn<'_>,
) -> Result<Sha256> {
    let (mut hash, mut at, mut buffer) = (Sha256::new(), bytes.start, Vec::new());
    while at < bytes.end {
        goes_on()?;
        let next = READ_BYTES.min(bytes.end - at);
        buffer.resize(usize::try_from(next).unwrap_or(0), 0);
        file.read_at(at, &mut buffer)?;
        hash.update(&buffer);
        out.write_all(&buffer).map_err(sink::failed)?;
        at += next;
    }
    Ok(hash)
}

impl Part {
    /// The file up to where it was made durable, cut there; from its beginning where it does not hold
    /// any more what it did then.
    pub(super) fn resume(
        file: Arc<dyn File>,
        reached: &Reached,
        goes_on: GoesOn<'_>,
    ) -> Result<Part> {
        let mut part = Part {
            file,
            bytes: 0,
            hash: Sha256::new(),
        };
        if reached.bytes > 0 && part.file.len()? >= reached.bytes {
            let hash = part.copy(0..reached.bytes, &mut io::sink(), goes_on)?;
            if sink::hexadecimal(hash.clone()) == reached.sha256 {
                (part.bytes, part.hash) = (reached.bytes, hash);
            }
        }
        part.file.set_len(part.bytes)?;
        Ok(part)
    }

    /// Writes these bytes to `out`, and hashes them.
    pub(super) fn copy(
        &self,
        bytes: Range<u64>,
        out: &mut dyn Write,
        goes_on: GoesOn<'_>,
    ) -> Result<Sha256> {
        hash_of(&*self.file, bytes, out, goes_on)
    }

    /// Makes what was written durable.
    pub(super) fn sync(&self) -> Result<()> {
        self.file.sync_data()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Of all that was written so far.
    pub(super) fn sha256(&self) -> String {
        sink::hexadecimal(self.hash.clone())
    }
}

impl Write for Part {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write_at(self.bytes, bytes);
        written.map_err(io::Error::other)?;
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
