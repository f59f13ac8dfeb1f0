//! Every planted bug (`src/planted.rs`) with the test that finds it. A test binary runs itself once
//! more for each of its rows, with the bug and nothing but the test, which must fail within a minute.
//! That it passes without any bug the test run itself shows; with `AUDITDB_RIG` each is asked once
//! more, all else being equal. Both test binaries hold this file, and each runs its own rows.

use std::io::Read;
use std::io::Seek;
use std::io::Write;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

/// The test binaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    /// The library's unit tests, on the simulated disk: bugs are there in any build of it.
    Unit,
    /// `tests/it`, on real files, if the library has the feature `planted`.
    It,
}

/// Which test finds a bug.
pub(crate) struct Finder {
    pub(crate) bug: &'static str,
    binary: Binary,
    test: &'static str,
}

const fn unit(bug: &'static str, test: &'static str) -> Finder {
    let binary = Binary::Unit;
    Finder { bug, binary, test }
}

const fn it(bug: &'static str, test: &'static str) -> Finder {
    let binary = Binary::It;
    Finder { bug, binary, test }
}

pub(crate) const FINDERS: &[Finder] = &[
    unit(
        "SkipDataSync",
        "store::tests::rig::p1_p2_p3_p7_power_cuts_at_every_change::append",
    ),
    unit(
        "SkipDirectorySync",
        "disk::durable::tests::a_created_file_has_its_head_or_no_name_whenever_the_power_fails",
    ),
    unit(
        "RenameBeforeData",
        "disk::durable::tests::a_replaced_file_is_the_old_or_the_new_one_whenever_the_power_fails",
    ),
    unit(
        "AckBeforeSync",
        "store::tests::rig::p1_p2_p3_p7_power_cuts_at_every_change::append",
    ),
    unit(
        "StrictestIgnored",
        "store::tests::tickets::p1_a_group_is_as_durable_as_its_strictest_member",
    ),
    unit(
        "RetryFailedSync",
        "store::tests::faults::p5_a_failed_sync_is_indeterminate_and_then_poisons",
    ),
    unit(
        "SkipPoison",
        "store::tests::faults::p5_a_failed_sync_is_indeterminate_and_then_poisons",
    ),
    unit(
        "SnapshotSeesUnsynced",
        "store::tests::faults::p5_a_failed_sync_is_indeterminate_and_then_poisons",
    ),
    unit(
        "TrustCacheOnReopen",
        "store::tests::lifecycle::p1_what_only_the_cache_holds_is_written_anew_at_open",
    ),
    unit(
        "TrustManifestOnReopen",
        "store::tests::lifecycle::p1_what_only_the_cache_holds_is_written_anew_at_open",
    ),
    unit(
        "LaunderChecksum",
        "wal::tests::every_flipped_bit_of_a_closed_log_is_damage",
    ),
    unit(
        "CutBelowWatermark",
        "codec::frame::tests::a_flipped_bit_in_a_durable_frame_is_never_cut_off_in_silence",
    ),
    unit(
        "LaterFramesIgnored",
        "codec::frame::tests::a_flipped_bit_in_a_durable_frame_is_never_cut_off_in_silence",
    ),
    unit(
        "DurablePointIgnored",
        "store::tests::copies::p1_a_cut_log_is_not_opened_for_writing",
    ),
    unit(
        "TornBytesLost",
        "store::tests::copies::p5_a_torn_end_is_put_aside_piece_by_piece",
    ),
    unit(
        "KeysForgotten",
        "store::tests::keys::a_key_is_known_in_the_log_in_segments_and_after_restarts",
    ),
    unit(
        "FingerprintBelieved",
        "store::tests::keys::p2_a_conflict_in_a_batch_names_the_event_and_keeps_none",
    ),
    unit(
        "HoleAfterFullDisk",
        "store::tests::faults::p5_a_full_disk_refuses_and_heals_without_reopening",
    ),
    unit(
        "ClockGoesBack",
        "store::tests::times::p3_recorded_at_never_goes_back",
    ),
    unit(
        "LockUnchecked",
        "store::tests::rivals::p1_a_writer_whose_lock_was_replaced_stops",
    ),
    unit(
        "OffByOneAtSeal",
        "store::tests::keys::a_key_is_known_in_the_log_in_segments_and_after_restarts",
    ),
    unit(
        "SealedSeqShort",
        "store::tests::times::p1_a_late_event_is_there_after_a_restart",
    ),
    unit(
        "EditBeforeSegmentSync",
        "store::tests::rig::p1_p2_p3_p7_power_cuts_at_every_change::seal",
    ),
    unit(
        "SegmentFolderUnsynced",
        "store::tests::rig::p1_p2_p3_p7_power_cuts_at_every_change::seal",
    ),
    unit(
        "UnlinkBeforeManifest",
        "store::tests::rig::p1_p2_p3_p7_power_cuts_at_every_change::seal",
    ),
    unit(
        "RecycleNeededLog",
        "store::tests::times::p1_a_late_event_is_there_after_a_restart",
    ),
    unit(
        "NeededByOthers",
        "store::tests::readers::p5_what_others_are_led_to_stays_until_they_are_told",
    ),
    unit(
        "ReuseUnderReader",
        "wal::tests::a_log_is_not_written_over_while_somebody_reads_it",
    ),
    unit(
        "StaleBlock",
        "store::tests::batches::batches_put_together_are_the_scan",
    ),
    unit(
        "MergeDropsStraggler",
        "store::tests::times::segments_stay_bounded_under_single_seals_and_wild_times",
    ),
    unit(
        "CreateOverRemains",
        "store::tests::remains::p1_a_lost_current_loses_nothing_else",
    ),
    unit(
        "OrphanRemoved",
        "store::tests::remains::p1_a_segment_with_events_of_its_own_is_not_removed",
    ),
    unit(
        "LogOfAnyStore",
        "wal::tests::a_log_of_another_store_or_number_is_refused",
    ),
    unit(
        "CurrentUnchecked",
        "manifest::tests::every_changed_byte_of_a_closed_store_is_damage",
    ),
    unit(
        "PageUnchecked",
        "segment::tests::damage::every_flipped_bit_is_noticed_by_reading",
    ),
    unit(
        "PresenceUnchecked",
        "presence::tests::no_changed_byte_loses_a_segment",
    ),
    unit(
        "PresenceFalseNegative",
        "presence::prints::tests::every_term_of_an_event_is_found_by_its_prints",
    ),
    it(
        "SkipLastRowOfBlock",
        "ties::mission_a22_ties_never_repeat_one_by_one",
    ),
    unit(
        "WrongOrderAtTies",
        "store::tests::batches::batches_put_together_are_the_scan",
    ),
    unit(
        "CursorWithoutFilterDigest",
        "store::tests::cursors::each_bad_cursor_has_its_own_error",
    ),
    unit(
        "CursorUnpinned",
        "store::tests::cursors::a_cursor_survives_seals_merges_and_restarts",
    ),
    unit(
        "FollowerSkipsAtSeal",
        "store::tests::followers::what_comes_costs_a_follower_the_same_in_a_large_store",
    ),
    unit(
        "ReaderBeyondPoint",
        "store::tests::readers::p2_a_reader_sees_what_is_durable_and_no_more",
    ),
    unit(
        "ExportLosesOne",
        "export::tests::any_number_of_threads_makes_the_same_file_which_is_the_obvious_one",
    ),
    unit(
        "FormulaUnguarded",
        "layout::tests::the_guard_is_one_apostrophe_and_only_where_needed",
    ),
    unit(
        "VerifyTrustsIndexes",
        "verify::tests::indexes::p4_what_is_stored_beside_the_rows_is_held_against_them",
    ),
    unit(
        "IndexByLengthOnly",
        "segment::tests::damage::p4_another_segment_of_the_same_name_and_length_is_refused",
    ),
    it(
        "AdoptOrphan",
        "damage::p3_the_segment_of_another_store_is_never_salvaged",
    ),
    it(
        "LostPredicate",
        "model::p3_the_store_answers_as_a_sorted_vec_does",
    ),
    unit(
        "VerifyReadsNoBytes",
        "verify::tests::indexes::p4_what_nothing_else_reads_is_read_by_a_check",
    ),
    it(
        "VerifyCountsNothing",
        "damage::p6_damage_in_a_log_keeps_the_groups_around_it",
    ),
    it(
        "SalvageTwice",
        "damage::p3_an_event_in_two_files_is_salvaged_once",
    ),
];

/// The time a bug may go unnoticed.
const PATIENCE: Duration = Duration::from_secs(60);
/// The time that a test may take without a bug, beside whatever else the machine does.
const PATIENCE_WITHOUT: Duration = Duration::from_secs(600);
const POLL: Duration = Duration::from_millis(5);

/// What a binary's own bugs come to. Panics with all that were not found.
pub(crate) fn check(binary: Binary) {
    let own = FINDERS.iter().filter(|finder| finder.binary == binary);
    let mut missed = Vec::new();
    let mut sound = Vec::new();
    let is_rig = std::env::var_os("AUDITDB_RIG").is_some();
    for finder in own {
        if is_rig && !sound.contains(&finder.test) {
            let (passed, took) = run(finder.test, None);
            assert!(
                passed,
                "{} fails without any bug, after {took:?}",
                finder.test
            );
            sound.push(finder.test);
        }
        let (passed, took) = run(finder.test, Some(finder.bug));
        let (bug, seconds) = (finder.bug, took.as_secs_f64());
        let text = format!("{bug:<26} {seconds:>6.2} s  {}\n", finder.test);
        // Told to who asks for the output.
        std::io::stderr().write_all(text.as_bytes()).ok();
        if passed || took >= PATIENCE {
            missed.push(format!("{} by {}, {took:?}", finder.bug, finder.test));
        }
    }
    assert!(
        missed.is_empty(),
        "planted and not found:\n{}",
        missed.join("\n")
    );
}

/// Runs one test of this binary in a process of its own; whether it passed, and how long it took.
fn run(test: &str, bug: Option<&str>) -> (bool, Duration) {
    let began = Instant::now();
    let patience = bug.map_or(PATIENCE_WITHOUT, |_| PATIENCE);
    let mut said = tempfile::tempfile().expect("a file for what the test says");
    let itself = std::env::current_exe().expect("the test binary");
    let mut command = Command::new(itself);
    command.args([test, "--exact"]).stderr(Stdio::null());
    command.stdout(said.try_clone().expect("a handle"));
    command
        .env_remove("AUDITDB_PLANTED")
        .env_remove("AUDITDB_RIG");
    command.envs(bug.map(|bug| ("AUDITDB_PLANTED", bug)));
    let mut child = command.spawn().expect("the test binary starts");
    let status = loop {
        match child.try_wait().expect("a child's end") {
            None if began.elapsed() < patience => std::thread::sleep(POLL),
            None => child.kill().expect("a child can be ended"),
            Some(status) => break status,
        }
    };
    let mut text = String::new();
    said.rewind().expect("a file");
    said.read_to_string(&mut text)
        .expect("what a test says is text");
    // A test of that name has to be there, whatever it comes to.
    assert!(text.contains("running 1 test"), "no test is called {test}");
    (status.success(), began.elapsed())
}
