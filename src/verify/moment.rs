//! At which moment of its life a store's records are read, and which looks at a store count. A
//! writer beside replaces files while others read, and removes one only after records that do
//! without it are in force and published. So records read between two equal moments belong
//! together, and a file that is missed may have been replaced since; one that records read later
//! still name is lost.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use super::report::Report;
use crate::disk::ReadDisk;
use crate::disk::lock;
use crate::disk::lock::Durable;
use crate::error::Result;
use crate::id::ManifestId;
use crate::id::WalId;
use crate::manifest::Current;

/// How often a store that changes underfoot is looked at.
pub(super) const LOOKS_MAX: usize = 64;
/// Looks that follow each other at once; then the writer may need the processor to get on.
const LOOKS_HASTY: usize = 8;
const PAUSE: Duration = Duration::from_millis(5);

/// What changes when files do: not by an append.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    live: bool,
    wal: Option<WalId>,
    manifest: Option<(ManifestId, u64)>,
    current: Option<Current>,
}

impl Moment {
    pub(super) fn of(disk: &dyn ReadDisk) -> Result<Moment> {
        let status = lock::status(disk)?;
        let point = match status.durable {
            Durable::UpTo(point) => Some(point),
            Durable::Unpublished | Durable::Everything => None,
        };
        Ok(Moment {
            live: status.holder.is_some(),
            wal: point.map(|point| point.wal),
            manifest: point.map(|point| (point.manifest, point.manifest_end)),
            current: Current::read(disk).ok(),
        })
    }

    /// Whether what is published goes with `CURRENT`. It does not while a writer opens the store:
    /// the last point is then its predecessor's.
    pub(super) fn agrees(&self) -> bool {
        let (Some(wal), Some((manifest, _)), Some(current)) =
            (self.wal, self.manifest, self.current)
        else {
            return true;
        };
        !self.live || (wal >= current.ends.wal && manifest >= current.manifest)
    }
}

/// The looks at a store so far.
#[derive(Default)]
pub(super) struct Looks {
    taken: usize,
    /// Files that were not there in a look.
    missed: BTreeSet<PathBuf>,
}

/// What is to be done with what a look found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is so.
    Counts,
    /// The store changed meanwhile: look again.
    Again,
    /// The store changed in every look, and there is an end to looking.
    Unsettled,
}

impl Looks {
    /// Judges a look by what it found in the files, and by what was then missing of the count.
    /// Wrong bytes are wrong at any moment; a file has to be missed twice, and what follows from
    /// records must follow from such as belong together, which `is_settled` says.
    pub(super) fn judge(
        &mut self,
        is_settled: bool,
        look: &Report<'_>,
        count: &Report<'_>,
    ) -> Verdict {
        self.taken += 1;
        let is_clean = look.is_clean() && count.is_clean();
        let known = look.missing().is_subset(&self.missed);
        if is_clean || (is_settled && known) {
            return Verdict::Counts;
        }
        if self.taken >= LOOKS_MAX {
            return Verdict::Unsettled;
        }
        self.missed.extend(look.missing().iter().cloned());
        if self.taken >= LOOKS_HASTY {
            thread::sleep(PAUSE);
        }
        Verdict::Again
    }

    /// The files that looks before the last one missed.
    pub(super) const fn missed(&self) -> &BTreeSet<PathBuf> {
        &self.missed
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::id::StoreId;
    use crate::manifest::Ends;
    use crate::manifest::Phase;

    /// What a writer at work has published, beside a `CURRENT` that names log 5 and manifest 5.
    fn published(live: bool, wal: u64, manifest: u64) -> Moment {
        Moment {
            live,
            wal: Some(WalId(wal)),
            manifest: Some((ManifestId(manifest), 512)),
            current: Some(Current {
                store: StoreId([7; 16]),
                manifest: ManifestId(5),
                phase: Phase::Open,
                manifest_end: 512,
                ends: Ends {
                    wal: WalId(5),
                    ..Ends::default()
                },
            }),
        }
    }

    #[test]
    fn a_look_counts_when_all_is_well_or_the_same_was_missed_before() {
        let clean = Report::silent();
        let mut wrong = Report::silent();
        wrong.damage(Path::new("segment"), None, "a page is damaged");
        let mut missing = Report::silent();
        missing.missing_file(Path::new("log"), "the log is missing");
        for (is_settled, look, count, verdict) in [
            (false, &clean, &clean, Verdict::Counts),
            (false, &wrong, &clean, Verdict::Again),
            (false, &clean, &wrong, Verdict::Again),
            (true, &wrong, &clean, Verdict::Counts),
            (true, &missing, &clean, Verdict::Again),
        ] {
            let judged = Looks::default().judge(is_settled, look, count);
            assert_eq!(judged, verdict);
        }
        let mut looks = Looks::default();
        assert_eq!(looks.judge(true, &missing, &clean), Verdict::Again);
        assert_eq!(looks.judge(true, &missing, &clean), Verdict::Counts);
    }

    #[test]
    fn there_is_an_end_to_looking() {
        let mut wrong = Report::silent();
        wrong.damage(Path::new("segment"), None, "a page is damaged");
        let mut looks = Looks::default();
        for _ in 1..LOOKS_MAX {
            assert_eq!(looks.judge(false, &wrong, &wrong), Verdict::Again);
        }
        assert_eq!(looks.judge(false, &wrong, &wrong), Verdict::Unsettled);
    }

    #[test]
    fn what_a_writer_published_goes_with_records_that_are_no_newer() {
        for (wal, manifest, agrees) in [
            (5, 5, true),
            (6, 5, true),
            (5, 6, true),
            (4, 5, false),
            (5, 4, false),
            (4, 9, false),
            (9, 4, false),
        ] {
            let moment = published(true, wal, manifest);
            assert_eq!(moment.agrees(), agrees, "log {wal}, manifest {manifest}");
            assert!(published(false, wal, manifest).agrees(), "nobody writes");
            let unknown = Moment {
                current: None,
                ..moment
            };
            assert!(unknown.agrees(), "nothing to compare with");
        }
    }
}
