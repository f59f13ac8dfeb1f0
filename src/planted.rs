//! Defects that can be switched on, one at a time, to see that the tests find them: a rig that never
//! failed proves nothing. In a build that is no test and lacks the feature `planted` every question
//! here is a constant `false` and nothing is left of it. In the others `AUDITDB_PLANTED` names the
//! bug that is there; `tests/rig/planted.rs` knows who has to find each, and makes sure they do.

#[cfg(any(test, feature = "planted"))]
use std::sync::LazyLock;

/// Declares the bugs, and the list of them all.
macro_rules! bugs {
    ($($(#[doc = $what:literal])+ $bug:ident,)+) => {
        /// What can be wrong with the store, by the line that is wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Bug {
            $($(#[doc = $what])+ $bug,)+
        }

        #[cfg(any(test, feature = "planted"))]
        const ALL: &[Bug] = &[$(Bug::$bug,)+];
    };
}

bugs! {
    /// The log is acknowledged without a sync that anybody asked the disk for.
    SkipDataSync,
    /// A new name is taken for durable as soon as it is there.
    SkipDirectorySync,
    /// A draft takes its name before its bytes are on the disk.
    RenameBeforeData,
    /// A group is answered before its sync.
    AckBeforeSync,
    /// A group is synced only if all of it asked for that.
    StrictestIgnored,
    /// A sync that failed is asked for again, and believed.
    RetryFailedSync,
    /// After a failed sync the store goes on.
    SkipPoison,
    /// What an open store shows may not be durable yet.
    SnapshotSeesUnsynced,
    /// Rows that recovery read are not written to the disk again.
    TrustCacheOnReopen,
    /// Edits of a writer that did not end well are not written to the disk again.
    TrustManifestOnReopen,
    /// Recovery writes bytes anew, under a fresh checksum, whose own did not match.
    LaunderChecksum,
    /// Damage below the durable end is cut off as if a crash had torn it.
    CutBelowWatermark,
    /// Damage before frames that say it was written is cut off too.
    LaterFramesIgnored,
    /// What the writer before had published is not held against the files.
    DurablePointIgnored,
    /// Torn bytes are gone instead of put aside.
    TornBytesLost,
    /// The keys of events in the log are not known again after opening.
    KeysForgotten,
    /// Who has the fingerprint of a key has the key.
    FingerprintBelieved,
    /// An append that a full disk refused uses up its number.
    HoleAfterFullDisk,
    /// Moments of recording follow the clock back.
    ClockGoesBack,
    /// Another writer's lock goes unnoticed.
    LockUnchecked,
    /// A seal leaves out the oldest row.
    OffByOneAtSeal,
    /// The manifest says that one row fewer was sealed.
    SealedSeqShort,
    /// Segments come into force before their bytes are on the disk.
    EditBeforeSegmentSync,
    /// Segments come into force before their names are on the disk.
    SegmentFolderUnsynced,
    /// Logs go before the manifest knows of the segments that replace them.
    UnlinkBeforeManifest,
    /// The file of a log is used anew that is still needed.
    RecycleNeededLog,
    /// Files go that readers elsewhere are led to by the last point that could be written.
    NeededByOthers,
    /// The file of a log is used anew while somebody reads it.
    ReuseUnderReader,
    /// The block of one segment is taken for that of another.
    StaleBlock,
    /// A merge leaves out the oldest row of its inputs.
    MergeDropsStraggler,
    /// A new store is made over what is left of one.
    CreateOverRemains,
    /// A segment goes that may hold the only copy of an event.
    OrphanRemoved,
    /// The segment of another store is salvaged as one of this.
    AdoptOrphan,
    /// A log says of itself which store and number it is, and nobody compares.
    LogOfAnyStore,
    /// A segment of the right name, number and length is the right one.
    IndexByLengthOnly,
    /// `CURRENT` is believed whatever its checksum says.
    CurrentUnchecked,
    /// Pages of segments are believed whatever their checksums say.
    PageUnchecked,
    /// Buckets of presence runs are believed whatever their checksums say.
    PresenceUnchecked,
    /// Of an entity the id alone is not told to the presence run.
    PresenceFalseNegative,
    /// A conjunction keeps to its two rarest parts.
    LostPredicate,
    /// A walk passes over the last row of each block.
    SkipLastRowOfBlock,
    /// Sources take turns the wrong way round within a microsecond.
    WrongOrderAtTies,
    /// A cursor goes on under any filter.
    CursorWithoutFilterDigest,
    /// A cursor's pages see what came after the first of them.
    CursorUnpinned,
    /// A follower passes over an event that is the last one of its segment or memtable.
    FollowerSkipsAtSeal,
    /// A reader beside the writer shows what is not durable yet.
    ReaderBeyondPoint,
    /// An export counts every row and leaves one out where a part ends.
    ExportLosesOne,
    /// A spreadsheet sees a formula in a stored text.
    FormulaUnguarded,
    /// A check does not read what nobody reads.
    VerifyReadsNoBytes,
    /// A check does not ask whether all events are there.
    VerifyCountsNothing,
    /// A check believes what is stored beside the rows.
    VerifyTrustsIndexes,
    /// Salvage hands out an event as often as it finds it.
    SalvageTwice,
}

/// The bug that is planted in this process.
#[cfg(any(test, feature = "planted"))]
static PLANTED: LazyLock<Option<Bug>> = LazyLock::new(|| {
    let name = std::env::var("AUDITDB_PLANTED").ok()?;
    let bug = ALL.iter().find(|bug| format!("{bug:?}") == name).copied();
    assert!(bug.is_some(), "AUDITDB_PLANTED: no bug is called {name}");
    bug
});

/// Whether this bug is there.
#[cfg(any(test, feature = "planted"))]
pub(crate) fn planted(bug: Bug) -> bool {
    *PLANTED == Some(bug)
}

/// Whether this bug is there: none ever is.
#[cfg(not(any(test, feature = "planted")))]
pub(crate) const fn planted(_: Bug) -> bool {
    false
}

/// Takes a step that the bug leaves out.
pub(crate) fn unless<E>(bug: Bug, step: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
    if planted(bug) { Ok(()) } else { step() }
}

/// Takes a step; if it fails and the bug is there, once more.
pub(crate) fn again<E>(bug: Bug, step: impl Fn() -> Result<(), E>) -> Result<(), E> {
    step().or_else(|error| if planted(bug) { step() } else { Err(error) })
}

/// What is right, or what the bug puts in its place.
pub(crate) fn instead<T>(bug: Bug, right: T, wrong: impl FnOnce(T) -> T) -> T {
    if planted(bug) { wrong(right) } else { right }
}

#[cfg(test)]
#[path = "../tests/rig/planted.rs"]
mod rig;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_planted_bug_has_its_finders() {
        let names: Vec<String> = ALL.iter().map(|bug| format!("{bug:?}")).collect();
        let all: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        let found: BTreeSet<&str> = rig::FINDERS.iter().map(|finder| finder.bug).collect();
        assert_eq!(found, all);
    }

    #[test]
    fn planted_bugs_are_found_by_the_unit_tests() {
        rig::check(rig::Binary::Unit);
    }
}
