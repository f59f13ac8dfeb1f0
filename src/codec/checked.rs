//! A small file of text that checks itself: one line, and one with the CRC-32 of it as eight lower-case
//! hexadecimal digits. For records that people may want to read.

use std::path::Path;

use super::checksum::crc32;
use crate::error::Error;
use crate::error::Result;

/// Bytes of the second line.
const CHECK_BYTES: usize = 9;

/// The file of a line that has no end yet.
pub(crate) fn seal(mut line: Vec<u8>) -> Vec<u8> {
    line.push(b'\n');
    let check = format!("{:08x}\n", crc32(&line));
    line.extend_from_slice(check.as_bytes());
    line
}

/// The line, with its end, in the bytes of `file`, which are `what`.
pub(crate) fn open<'b>(bytes: &'b [u8], file: &Path, what: &str) -> Result<&'b [u8]> {
    let split = bytes.len().checked_sub(CHECK_BYTES);
    let lines = split.and_then(|at| bytes.split_at_checked(at));
    let (line, check) =
        lines.ok_or_else(|| Error::corrupt(file, 0, format!("{what} is cut short")))?;
    if !cfg!(fuzzing) && check != format!("{:08x}\n", crc32(line)).as_bytes() {
        let what = format!("{what} does not have its checksum");
        return Err(Error::corrupt(file, 0, what));
    }
    Ok(line)
}
