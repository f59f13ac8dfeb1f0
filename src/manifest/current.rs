//! `CURRENT`: a few lines of text that name the manifest in force and say how far its files are
//! known to reach. In a closed store these ends are exact; in an open one everything up to them is
//! durable and more may follow. Always replaced as a whole, so that it is never torn.

use crate::codec::checksum::crc32;
use crate::codec::frame::Extent;
use crate::disk::Disk;
use crate::disk::ReadDisk;
use crate::disk::durable;
use crate::disk::names;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::ManifestId;
use crate::id::StoreId;
use crate::id::WalId;
use crate::planted::Bug;
use crate::planted::planted;

const TITLE: &str = "auditdb store ";
const VERSION: &str = "1";
/// More than the longest text there is.
const BYTES_MAX: usize = 512;

/// What `CURRENT` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Current {
    /// The store.
    pub(crate) store: StoreId,
    /// The manifest in force.
    pub(crate) manifest: ManifestId,
    /// Whether the store was closed.
    pub(crate) phase: Phase,
    /// Where the manifest ends.
    pub(crate) manifest_end: u64,
    /// Where the logs end.
    pub(crate) ends: Ends,
}

/// Whether a store was closed by its writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// A writer is at work, or ended without closing the store.
    Open,
    /// Nobody writes, and every byte is accounted for.
    Closed,
}

/// How far the logs are known to reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ends {
    /// The newest log.
    pub(crate) wal: WalId,
    /// Where it ends.
    pub(crate) wal_end: u64,
    /// The events of the store.
    pub(crate) events: u64,
}

impl Current {
    /// Reads `CURRENT`; [`ErrorKind::Missing`] if the folder holds no store.
    pub(crate) fn read(disk: &dyn ReadDisk) -> Result<Current> {
        let bytes = durable::read(disk, names::current(), BYTES_MAX)?;
        let path = disk.place(names::current());
        let damaged = |what: &str| Error::corrupt(&path, 0, what);
        let text = core::str::from_utf8(&bytes).map_err(|_| damaged("the file is not text"))?;
        let (body, crc) = text
            .rfind("crc ")
            .and_then(|at| text.split_at_checked(at))
            .ok_or_else(|| damaged("the file's checksum is missing"))?;
        if crc != checksum_line(body) && !planted(Bug::CurrentUnchecked) {
            return Err(damaged("the file's checksum does not match"));
        }
        let version = body
            .strip_prefix(TITLE)
            .and_then(|rest| rest.lines().next());
        if let Some(version) = version.filter(|version| *version != VERSION) {
            let what = format!(
                "the store has format {version}; this library reads {VERSION}: use a newer one"
            );
            return Err(Error::new(ErrorKind::Unsupported, what).at(&path, 0));
        }
        let current = Current::decode(body).filter(|current| current.encode() == text);
        current.ok_or_else(|| damaged("the file's lines are not the ones that are written"))
    }

    pub(super) fn write(&self, disk: &dyn Disk) -> Result<()> {
        durable::replace(disk, names::current(), self.encode().as_bytes())
    }

    /// What is known of the manifest's end.
    pub(crate) fn manifest_extent(&self) -> Extent {
        self.extent(self.manifest_end)
    }

    /// What is known of a log's end. `end_before` is what the log with the next number says of
    /// this one ([`None`] if there is none, or it does not say).
    pub(crate) fn wal_extent(&self, wal: WalId, end_before: Option<u64>) -> Extent {
        match end_before {
            Some(end) => Extent::Closed(end),
            None if wal == self.ends.wal => self.extent(self.ends.wal_end),
            None => Extent::Unclean { durable: 0 },
        }
    }

    fn extent(&self, end: u64) -> Extent {
        match self.phase {
            Phase::Open => Extent::Unclean { durable: end },
            Phase::Closed => Extent::Closed(end),
        }
    }

    pub(super) fn encode(&self) -> String {
        let Current {
            store,
            manifest,
            phase,
            manifest_end,
            ends,
        } = self;
        let state = match phase {
            Phase::Open => "open",
            Phase::Closed => "closed",
        };
        let mut text = format!(
            "{TITLE}{VERSION}\nid {store}\nstate {state}\nmanifest {}\nmanifest_end {manifest_end}\n\
             wal {}\nwal_end {}\nevents {}\n",
            manifest.0, ends.wal.0, ends.wal_end, ends.events
        );
        text += &checksum_line(&text);
        text
    }

    /// Reads lines of the right names; that they are spelled as written is for the caller to check.
    fn decode(body: &str) -> Option<Current> {
        let mut lines = body.lines().skip(1);
        let mut value = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
        let store = u128::from_str_radix(value("id")?, 16).ok()?;
        let phase = match value("state")? {
            "open" => Phase::Open,
            "closed" => Phase::Closed,
            _ => return None,
        };
        let mut number = |name: &str| value(name)?.parse::<u64>().ok();
        let mut store_bytes = store.to_le_bytes();
        store_bytes.reverse();
        Some(Current {
            store: StoreId(store_bytes),
            phase,
            manifest: ManifestId(number("manifest")?),
            manifest_end: number("manifest_end")?,
            ends: Ends {
                wal: WalId(number("wal")?),
                wal_end: number("wal_end")?,
                events: number("events")?,
            },
        })
    }
}

fn checksum_line(body: &str) -> String {
    format!("crc {:08x}\n", crc32(body.as_bytes()))
}
