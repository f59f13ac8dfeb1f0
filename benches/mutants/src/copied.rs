//! Which mutant is on: `MUTANT` in the environment is its number. Of `MUTANT=0` none is, and with
//! `MUTANTS_REACHED` the first number of every place that is reached is added to that file.

use std::fs::OpenOptions;
use std::io::Write;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

const UNREAD: u32 = u32::MAX;
const RECORDING: u32 = u32::MAX - 1;
const PLACES: usize = 1 << 16;

static ACTIVE: AtomicU32 = AtomicU32::new(UNREAD);
static REACHED: [AtomicBool; PLACES] = [const { AtomicBool::new(false) }; PLACES];

/// Whether the mutant `number` is on.
#[inline]
pub fn on(number: u32) -> bool {
    at(number, number + 1) == number
}

/// The mutant that is on, if it is one of those from `first` to before `end`; else something else.
#[inline]
pub fn at(first: u32, end: u32) -> u32 {
    let active = ACTIVE.load(Relaxed);
    if active < RECORDING { active } else { slowly(first, active) }
}

#[cold]
fn slowly(first: u32, active: u32) -> u32 {
    static FILE: OnceLock<Mutex<std::fs::File>> = OnceLock::new();
    if active == UNREAD {
        let number = std::env::var("MUTANT").ok().and_then(|text| text.parse().ok());
        let records = std::env::var_os("MUTANTS_REACHED").is_some();
        let number = if records { RECORDING } else { number.unwrap_or(0) };
        ACTIVE.store(number, Relaxed);
        return if records { slowly(first, number) } else { number };
    }
    if !REACHED[first as usize].swap(true, Relaxed) {
        let file = FILE.get_or_init(|| {
            let path = std::env::var_os("MUTANTS_REACHED").unwrap();
            Mutex::new(OpenOptions::new().create(true).append(true).open(path).unwrap())
        });
        let mut file = file.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        file.write_all(format!("{first}\n").as_bytes()).unwrap();
    }
    0
}
