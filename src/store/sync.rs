//! What `queue` knows of threads. The models put others of the same names in their place.

pub(super) use std::sync::Arc;

pub(super) use parking_lot::Condvar;
pub(super) use parking_lot::Mutex;
