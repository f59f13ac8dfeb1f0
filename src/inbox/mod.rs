//! What processes beside the writer leave for it: events that tell of exports and of reading, one small
//! file each in `inbox/`. The writer appends each once, by its key, and then removes the file; until then
//! it is no part of the trail.

mod folder;
pub(crate) mod format;

pub(crate) use folder::Inbox;
pub(crate) use folder::list;
pub(crate) use folder::read;
