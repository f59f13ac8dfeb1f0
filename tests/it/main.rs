//! The promises of the public interface, a module each, in one test binary.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that is wrong should stop where it is wrong"
)]

mod arrival;
mod bounded;
mod canonical;
#[cfg(feature = "cli")]
mod cli;
mod corpus;
#[cfg(feature = "cli")]
mod crash;
mod damage;
mod golden;
mod mission;
mod model;
#[cfg(all(feature = "cli", feature = "pdf"))]
mod pdf;
#[cfg(feature = "planted")]
mod planted;
mod readers;
mod support;
mod threats;
mod ties;
