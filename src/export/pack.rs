//! One part of an export packed by itself, so that whoever formats it can pack it too: a Zstandard
//! frame, of which a file may have any number, or a stretch of deflate that ends on a byte and
//! looks back at nothing, of which one gzip member is put together. Equal parts pack to equal
//! bytes, whoever packs them.

use std::io;

use flate2::Compress;
use flate2::Crc;
use flate2::FlushCompress;
use flate2::Status;

use super::Compression;
use super::sink::failed;
use crate::codec::buffer::Buffer;
use crate::error::Result;

/// Zstandard's level: its own default, the best bytes a second of the usual levels.
const ZSTD_LEVEL: i32 = 3;

/// Gzip's head: deflate, no name, no time, no system.
pub(super) const GZIP_HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// A last block of deflate that holds nothing.
pub(super) const DEFLATE_END: [u8; 2] = [3, 0];

/// Packs one part after the other.
pub(super) enum Packer {
    Plain,
    Zstd(zstd::bulk::Compressor<'static>),
    Gzip(Compress),
}

/// A part as it goes into the file.
#[derive(Default)]
pub(super) struct Packed {
    pub(super) bytes: Buffer,
    /// Of what was packed, where gzip asks for it.
    pub(super) crc: Option<Crc>,
}

impl Packer {
    pub(super) fn new(compression: Compression) -> Result<Packer> {
        Ok(match compression {
            Compression::None => Packer::Plain,
            Compression::Zstd => {
                Packer::Zstd(zstd::bulk::Compressor::new(ZSTD_LEVEL).map_err(failed)?)
            }
            Compression::Gzip => Packer::Gzip(Compress::new(flate2::Compression::default(), false)),
        })
    }

    /// Packs `raw` and leaves it empty.
    pub(super) fn pack(&mut self, raw: &mut Buffer) -> Result<Packed> {
        let packed = match self {
            Packer::Plain => {
                let bytes = core::mem::take(raw);
                return Ok(Packed { bytes, crc: None });
            }
            Packer::Zstd(packer) => Packed {
                bytes: packer.compress(raw.as_slice()).map_err(failed)?.into(),
                crc: None,
            },
            Packer::Gzip(packer) => {
                let mut crc = Crc::new();
                crc.update(raw.as_slice());
                Packed {
                    bytes: deflate(packer, raw.as_slice()).map_err(failed)?.into(),
                    crc: Some(crc),
                }
            }
        };
        raw.clear();
        Ok(packed)
    }
}

fn deflate(packer: &mut Compress, raw: &[u8]) -> io::Result<Vec<u8>> {
    packer.reset();
    let mut out = Vec::with_capacity(raw.len() / 3 + 64);
    loop {
        let read = usize::try_from(packer.total_in()).unwrap_or(usize::MAX);
        let rest = raw.get(read..).unwrap_or_default();
        let status = packer.compress_vec(rest, &mut out, FlushCompress::Sync)?;
        let is_whole = packer.total_in() == raw.len() as u64;
        // Room that was left over says that nothing waits inside.
        if is_whole && out.len() < out.capacity() {
            return Ok(out);
        }
        if status == Status::StreamEnd {
            return Err(io::Error::other("deflate ended by itself"));
        }
        out.reserve(out.capacity().max(64));
    }
}
