//! Every damage of a kind to every file of a store: each bit flipped, each length cut to, each sector
//! lost, doubled or exchanged, each file lost, exchanged or older. None may give a wrong answer, and
//! each is found or harmless for a reason that has a name. A plain run takes a sample of each kind;
//! `AUDITDB_RIG` takes so many times more, up to all.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

use auditdb::Options;
use auditdb::ReadMode;
use auditdb::Store;

use super::closed_store;
use super::event;
use super::files;
use super::salvaged;
use crate::support::folder;
use crate::support::lines;
use crate::support::rig;

/// Damages of each kind that a plain run tries on each store.
const SAMPLE: u64 = 150;
/// In which one damage has to be judged by all who read, on a machine with other things to do.
const PATIENCE: Duration = Duration::from_secs(20);
const SECTOR: usize = 512;

/// The files of a store.
type Files = BTreeMap<PathBuf, Vec<u8>>;

/// What files hold after a damage; nothing where one is gone.
type Wound = Vec<(PathBuf, Option<Vec<u8>>)>;

/// A store to be damaged and mended again and again.
struct Patient {
    path: PathBuf,
    closed: bool,
    /// What its files held some events before.
    older: Files,
    whole: Files,
    wanted: Vec<String>,
    _folder: tempfile::TempDir,
}

/// What became of the damages of a kind.
#[derive(Default)]
struct Tally {
    tried: u64,
    found: u64,
    /// By the name of the reason.
    harmless: BTreeMap<&'static str, u64>,
}

fn all_files(path: &Path) -> Files {
    let read = |file: PathBuf| (file.clone(), fs::read(&file).expect("a file"));
    files(path).into_iter().map(read).collect()
}

impl Patient {
    /// One that was closed, or one whose writer is gone without a word.
    fn new(closed: bool) -> Patient {
        let folder = folder();
        let path = folder.path().join("store");
        closed_store(&path);
        let older = all_files(&path);
        let store = Store::open(&path, Options::default()).expect("the store again");
        for number in 11..15 {
            store.append(&event(number)).expect("an append");
        }
        store.flush().expect("a flush");
        for number in 15..17 {
            store.append(&event(number)).expect("an append");
        }
        match closed {
            true => store.close().expect("a close"),
            false => drop(store),
        }
        Patient {
            closed,
            older,
            whole: all_files(&path),
            wanted: lines(&path, ReadMode::Positional).expect("a whole store"),
            path,
            _folder: folder,
        }
    }

    fn write(file: &Path, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => fs::write(file, bytes).expect("a write"),
            None => fs::remove_file(file).expect("a removal"),
        }
    }

    /// Damages the store, has everybody look, and mends it.
    fn try_out(&self, story: &str, wound: &Wound, tally: &mut Tally) {
        for (file, bytes) in wound {
            Patient::write(file, bytes.as_deref());
        }
        let began = Instant::now();
        let found = auditdb::verify(&self.path).map_or(true, |found| !found.is_clean());
        for mode in [ReadMode::Mapped, ReadMode::Positional] {
            if let Ok(read) = lines(&self.path, mode) {
                assert_eq!(read, self.wanted, "{story}: a wrong answer");
            }
        }
        if auditdb::salvage(&self.path, &mut std::io::sink()).is_ok() {
            let (saved, report) = salvaged(&self.path, &self.wanted);
            let (told, all) = (
                saved as u64 + report.missing_total,
                self.wanted.len() as u64,
            );
            assert!(told <= all, "{story}: {report:?}");
            // How many events there were says CURRENT, and LOCK where the store was not closed; where
            // two files are damaged at once, perhaps nobody does.
            let counts =
                |file: &Path| file.ends_with("CURRENT") || (!self.closed && file.ends_with("LOCK"));
            let is_known = wound.len() == 1 && !wound.iter().any(|(file, _)| counts(file));
            assert!(told == all || !is_known, "{story}: {report:?}");
        }
        assert!(began.elapsed() < PATIENCE, "{story}: took too long");
        tally.tried += 1;
        if found {
            tally.found += 1;
        } else {
            let reason = self.harmless(wound);
            let reason = reason.unwrap_or_else(|| panic!("{story}: not found"));
            *tally.harmless.entry(reason).or_default() += 1;
        }
        for (file, _) in wound {
            Patient::write(file, self.whole.get(file).map(Vec::as_slice));
        }
    }

    /// Why a damage that was not found means nothing for any answer.
    fn harmless(&self, wound: &Wound) -> Option<&'static str> {
        let reasons = wound
            .iter()
            .map(|(file, bytes)| self.reason(file, bytes.as_deref()));
        reasons.collect::<Option<Vec<_>>>()?.into_iter().next()
    }

    fn reason(&self, file: &Path, bytes: Option<&[u8]>) -> Option<&'static str> {
        let Some(whole) = self.whole.get(file) else {
            return Some("a file that no record names");
        };
        if file.parent().is_some_and(|folder| folder.ends_with("tmp")) {
            return Some("a draft, or a log that is no more");
        }
        let used = whole.iter().rposition(|byte| *byte != 0).unwrap_or(0) + 1;
        let used = used.next_multiple_of(SECTOR).min(whole.len());
        let is_run = |file: &Path| file.extension().is_some_and(|end| end == "flt");
        let runs = self
            .whole
            .iter()
            .chain(&self.older)
            .filter(|(file, _)| is_run(file));
        match file.extension().and_then(|end| end.to_str()) {
            None if file.ends_with("LOCK") => Some("LOCK says nothing that the files do not"),
            Some("flt") if bytes.is_none() => Some("a presence run that is gone is made again"),
            Some("flt")
                if runs
                    .into_iter()
                    .any(|(_, run)| Some(run.as_slice()) == bytes) =>
            {
                Some("a presence run says itself what it is about")
            }
            Some("wal") if !self.closed && bytes?.get(..used) == whole.get(..used) => {
                Some("behind the end of a log that was not closed")
            }
            _ => None,
        }
    }
}

/// The damages of a kind that a store can have, by number; some numbers change nothing.
type Wounds<'p> = (usize, Box<dyn Fn(usize) -> Option<(String, Wound)> + 'p>);

/// Tries a sample of all damages, or as many more as the rig asks for.
fn every(kind: &str, wounds: for<'p> fn(&'p Patient) -> Wounds<'p>) {
    for patient in [true, false].map(Patient::new) {
        let (count, nth) = wounds(&patient);
        let step = count as u64 / (SAMPLE * rig()) + 1;
        let mut tally = Tally::default();
        for (story, wound) in (0..count).step_by(step as usize).filter_map(nth) {
            patient.try_out(&story, &wound, &mut tally);
        }
        let Tally {
            tried,
            found,
            harmless,
        } = tally;
        let state = if patient.closed { "closed" } else { "left" };
        let text = format!("{kind}, {state}: {tried} of {count}, {found} found, {harmless:?}\n");
        // Told to who asks for the output.
        std::io::stderr().write_all(text.as_bytes()).ok();
        let after = auditdb::verify(&patient.path).expect("a store");
        assert!(after.is_clean() && found > 0, "{:?}", after.damages);
    }
}

/// The file and the place in it that a number means, counting through all files in parts of `size`.
fn place(patient: &Patient, mut number: usize, size: usize) -> (&PathBuf, &Vec<u8>, usize) {
    for (file, bytes) in &patient.whole {
        let parts = bytes.len().div_ceil(size);
        if number < parts {
            return (file, bytes, number * size);
        }
        number -= parts;
    }
    panic!("there are not so many parts of {size} bytes");
}

fn parts(patient: &Patient, size: usize) -> usize {
    let files = patient.whole.values();
    files.map(|bytes| bytes.len().div_ceil(size)).sum()
}

/// A file with other bytes from `at` on, if that changes it.
fn patched(
    file: &Path,
    whole: &[u8],
    at: usize,
    with: &[u8],
) -> Option<(PathBuf, Option<Vec<u8>>)> {
    let mut bytes = whole.to_vec();
    bytes
        .iter_mut()
        .skip(at)
        .zip(with)
        .for_each(|(byte, with)| *byte = *with);
    (bytes != whole).then(|| (file.to_owned(), Some(bytes)))
}

#[test]
fn p4_every_bit_of_every_file() {
    every("bits", |patient| {
        let nth = |number: usize| {
            let (file, bytes, at) = place(patient, number / 8, 1);
            let flipped = bytes[at] ^ 1 << (number % 8);
            let story = format!("{} byte {at} bit {}", file.display(), number % 8);
            Some((story, vec![patched(file, bytes, at, &[flipped])?]))
        };
        (parts(patient, 1) * 8, Box::new(nth))
    });
}

#[test]
fn p4_every_length_of_every_file() {
    every("lengths", |patient| {
        let nth = |number: usize| {
            let (file, bytes, len) = place(patient, number, 1);
            let story = format!("{} cut to {len}", file.display());
            Some((story, vec![(file.clone(), Some(bytes[..len].to_vec()))]))
        };
        (parts(patient, 1), Box::new(nth))
    });
}

#[test]
fn p4_every_lost_sector() {
    every("sectors of zeros", |patient| {
        let nth = |number: usize| {
            let (file, bytes, at) = place(patient, number, SECTOR);
            let story = format!("{} zeros at {at}", file.display());
            Some((story, vec![patched(file, bytes, at, &[0; SECTOR])?]))
        };
        (parts(patient, SECTOR), Box::new(nth))
    });
}

/// A write that went to another place is one that is missing in its own: sectors of one file or two.
#[test]
fn p4_every_pair_of_exchanged_and_every_doubled_sector() {
    every("pairs of sectors", |patient| {
        let count = parts(patient, SECTOR);
        let nth = move |number: usize| {
            let (exchanged, from, to) = (
                number.is_multiple_of(2),
                number / 2 / count,
                number / 2 % count,
            );
            let (file, bytes, at) = place(patient, from, SECTOR);
            let (other, others, there) = place(patient, to, SECTOR);
            let sector = |bytes: &[u8], at: usize| bytes[at..bytes.len().min(at + SECTOR)].to_vec();
            let (own, its) = (sector(bytes, at), sector(others, there));
            let verb = if exchanged {
                "exchanged with"
            } else {
                "copied to"
            };
            let story = format!("{} {at} {verb} {} {there}", file.display(), other.display());
            let to = patched(other, others, there, &own);
            // The last event of a store that was not closed is known to these two, and to nobody else.
            let is_end = |file: &Path| file.extension().is_some_and(|end| end == "wal");
            let witnesses = [(file, other), (other, file)];
            let lost =
                |(file, other): &(&PathBuf, &PathBuf)| file.ends_with("LOCK") && is_end(other);
            if exchanged && !patient.closed && witnesses.iter().any(lost) {
                return None;
            }
            if !exchanged {
                return Some((story, vec![to?]));
            }
            let from = match file == other {
                true => patched(file, to.as_ref()?.1.as_ref()?, at, &its),
                false => patched(file, bytes, at, &its),
            };
            let both = if file == other {
                vec![from?]
            } else {
                vec![to?, from?]
            };
            Some((story, both))
        };
        (2 * count * count, Box::new(nth))
    });
}

#[test]
fn p4_every_file_lost_emptied_exchanged_doubled_or_older() {
    every("files", |patient| {
        let mut wounds: Vec<(String, Wound)> = Vec::new();
        for (file, bytes) in &patient.whole {
            let name = file.display();
            wounds.push((format!("{name} lost"), vec![(file.clone(), None)]));
            wounds.push((
                format!("{name} emptied"),
                vec![(file.clone(), Some(Vec::new()))],
            ));
            for (other, its) in patient.whole.iter().filter(|(other, _)| *other != file) {
                let copied = (file.clone(), Some(its.clone()));
                let story = format!("{name} is {}", other.display());
                wounds.push((story.clone(), vec![copied.clone()]));
                let back = (other.clone(), Some(bytes.clone()));
                wounds.push((
                    format!("{story}, and the other way round"),
                    vec![copied, back],
                ));
            }
        }
        for (file, bytes) in &patient.older {
            // Of a store that was not closed nothing but LOCK says what was acknowledged last.
            let is_word = file.ends_with("LOCK") && !patient.closed;
            if patient.whole.get(file) != Some(bytes) && !is_word {
                let story = format!("{} as it was", file.display());
                wounds.push((story, vec![(file.clone(), Some(bytes.clone()))]));
            }
        }
        let count = wounds.len();
        (count, Box::new(move |number| wounds.get(number).cloned()))
    });
}
