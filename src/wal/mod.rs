//! Write-ahead logs: where a commit becomes durable before anything else knows of it. A log is a
//! stamped log (`docs/format/log.md`) whose frames each hold one group of rows; the store writes
//! one log at a time, and every log says where the one before it ended. Its file may have been an
//! earlier log. Normative page:
//! `docs/format/wal.md`.

mod format;
mod reader;
mod spare;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use crate::codec::frame::Extent;
pub(crate) use crate::codec::frame::Tail;
pub(crate) use format::Group;
pub(crate) use reader::Reader;
pub(crate) use reader::is_blank;
pub(crate) use spare::Spare;
pub(crate) use writer::Writer;
