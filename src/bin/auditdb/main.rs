//! The `auditdb` binary: commands over the library, by its root names only.

fn main() {}
