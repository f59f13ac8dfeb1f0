//! The manifest: which segments the store consists of, and from which log on rows are not in them
//! yet. What no manifest names does not exist. `CURRENT` names the manifest in force and says
//! whether the store was closed and where its files then ended. A manifest is a stamped log
//! (`docs/format/log.md`); its normative page is `docs/format/manifest.md`.

mod current;
mod format;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use current::Current;
pub(crate) use current::Ends;
pub(crate) use current::Phase;
pub(crate) use format::Edit;
pub(crate) use format::SegmentEntry;
pub(crate) use format::State;
pub(crate) use reader::View;
pub(crate) use reader::is_blank;
pub(crate) use reader::view;
pub(crate) use reader::view_live;
pub(crate) use writer::Manifest;
