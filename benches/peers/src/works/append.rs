//! I1, I1p and I2 on a copy of the loaded store, the disk's own floor measured in the same minute.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Instant;

use auditdb::Event;
use auditdb::Generator;
use auditdb::Profile;

use super::Task;
use super::read;
use super::tell;
use crate::ask::Ask;
use crate::contenders::Contender;
use crate::contenders::Mark;
use crate::measure::Figure;
use crate::measure::micros;

/// Events that are appended, of a seed of their own.
pub const MORE: u64 = 25_000;
const SINGLE: usize = 600;
const THREADED: usize = 3_200;

pub fn all<C: Contender>(task: &Task<'_>) {
    let wanted = |work| task.wanted.has(work);
    let copy = task.scratch.join("copy");
    copy_folder(task.store, &copy);
    let contender = C::open(&copy);
    let more: Vec<Event> = Generator::new(task.asks.seed + 1, Profile::realistic(MORE)).collect();
    let (single, rest) = more.split_at(SINGLE);
    let (threaded, batches) = rest.split_at(THREADED);
    if wanted("I1 one durable event, one thread") {
        floors(task.scratch);
        let mut next = single.iter();
        let figure = micros(400, || {
            if let Some(event) = next.next() {
                contender.append(event);
            }
        });
        tell("I1 one durable event, one thread", "µs", figure, None);
    }
    for (work, threads) in [
        ("I1p durable events, 16 threads", 16),
        ("I1p durable events, 64 threads", 64),
    ] {
        if wanted(work) {
            let share = threaded.len() / 2;
            let part = if threads == 16 {
                &threaded[..share]
            } else {
                &threaded[share..]
            };
            tell(
                work,
                "events/s",
                Figure::one(side_by_side(&contender, threads, part)),
                None,
            );
        }
    }
    if wanted("I2 durable batch of 1,000") {
        let floor = sync_floor(task.scratch, 600_000, 20, Floor::Growing);
        tell("floor: 600 KB and fdatasync", "µs", floor, None);
        let mut next = batches.chunks_exact(1_000);
        let figure = micros(10, || {
            if let Some(batch) = next.next() {
                contender.append_batch(batch);
            }
        });
        tell("I2 durable batch of 1,000", "µs", figure, None);
    }
    if wanted("Q1 newest 50, in the memtable") {
        // New events, so that the newest page is not yet where the loaded events are.
        contender.append_batch(&batches[batches.len() - 1_000..]);
        let figure = read::time_page(&contender, &Ask::default(), &Mark::Top);
        tell("Q1 newest 50, in the memtable", "µs", figure, None);
    }
    contender.close();
    std::fs::remove_dir_all(&copy).expect("the copy goes");
}

/// Events a second that so many threads append, each waiting for each of its events.
fn side_by_side<C: Contender>(contender: &C, threads: usize, events: &[Event]) -> f64 {
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for share in events.chunks(events.len().div_ceil(threads)) {
            scope.spawn(move || share.iter().for_each(|event| contender.append(event)));
        }
    });
    events.len() as f64 / begin.elapsed().as_secs_f64()
}

#[derive(Clone, Copy, PartialEq)]
enum Floor {
    /// The file grows with each write.
    Growing,
    /// Its bytes were written before and are written over.
    Rewritten,
}

fn floors(scratch: &Path) {
    for (what, floor) in [
        ("floor: 600 B and fdatasync, growing file", Floor::Growing),
        (
            "floor: 600 B and fdatasync, pre-zeroed file",
            Floor::Rewritten,
        ),
    ] {
        tell(what, "µs", sync_floor(scratch, 600, 200, floor), None);
    }
}

/// Microseconds of a write of `len` bytes and its `fdatasync`.
fn sync_floor(scratch: &Path, len: usize, times: usize, floor: Floor) -> Figure {
    let path = scratch.join("floor");
    let mut file = File::create(&path).expect("a file");
    if floor == Floor::Rewritten {
        file.write_all(&vec![0; len * (times + 10)]).expect("zeros");
        file.sync_all().expect("a sync");
    }
    let bytes = vec![7_u8; len];
    let mut offset = 0;
    let figure = micros(times, || {
        file.write_all_at(&bytes, offset).expect("a write");
        file.sync_data().expect("a sync");
        offset += len as u64;
    });
    let _ = std::fs::remove_file(&path);
    figure
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("the store").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).expect("a copy");
            File::open(&target)
                .and_then(|file| file.sync_all())
                .expect("a sync");
        }
    }
}
