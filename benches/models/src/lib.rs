//! The queue of commits, `src/store/queue.rs` itself, under two model checkers: loom runs every
//! schedule of up to three threads, shuttle 100,000 random ones of more. What is checked stands in
//! `scenario.rs`: each submission is committed once and gets its own answer, no two threads lead at
//! once, nobody waits for ever, and whatever is left that nobody waits for, somebody was told of.
//!
//! `cargo test --release --manifest-path benches/models/Cargo.toml`
#![cfg(test)]

mod under_loom;
mod under_shuttle;
