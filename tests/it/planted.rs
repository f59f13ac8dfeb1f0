//! The planted bugs that are found on real files, each by the test that the rig names.

#[path = "../rig/planted.rs"]
mod rig;

#[test]
fn planted_bugs_are_found_on_real_files() {
    rig::check(rig::Binary::It);
}
