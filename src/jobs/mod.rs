//! The records of export jobs, one small file each in `jobs/`, and the files that they are about in
//! `exports/`. A record is replaced as a whole, by whoever has its job's file locked.

mod folder;
mod format;
mod purge;

pub(crate) use folder::Folder;
pub(crate) use folder::list;
pub(crate) use folder::read;
pub(crate) use format::ArchiveRecord;
pub(crate) use format::Asked;
pub(crate) use format::AskedAudience;
pub(crate) use format::AskedZip;
pub(crate) use format::ChunkRecord;
pub(crate) use format::MissingRecord;
pub(crate) use format::Reached;
pub(crate) use format::Record;
pub(crate) use format::State;
