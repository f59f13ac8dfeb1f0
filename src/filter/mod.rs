//! Which events a reader asks for: conditions on fields and a range of times, built by calls or
//! from the words of the command line. Pure: it knows events and index terms, never a store.

pub(crate) mod expression;
pub(crate) mod term;
