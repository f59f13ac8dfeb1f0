//! Archives of several files, cut at every change like the file of any job.

use std::io::ErrorKind::Other;
use std::ops::ControlFlow;

use super::EVENTS;
use super::STEP;
use super::append;
use super::count;
use super::done_as;
use super::filled;
use super::jobs;
use super::keyed;
use super::made_for::for_people;
use super::open;
use super::query;
use crate::disk::ReadDisk;
use crate::disk::names;
use crate::disk::sim::Fault;
use crate::error::ErrorKind;
use crate::export::Export;
use crate::export::ExportJobOptions;
use crate::export::ExportJobState;
use crate::filter::Filter;
use crate::filter::FilterField;
use crate::layout::CsvSafety;
use crate::query::Query;

/// Cut at each change of the disk in turn, as the job of one file, an archive of several is the same
/// bytes; and its files are, put together, the export made in one go.
#[test]
fn mission_d19_an_archive_that_was_cut_anywhere_is_the_same_bytes() {
    let (export, options) = (
        for_people(CsvSafety::Guard),
        ExportJobOptions {
            zip: true,
            rows_per_file: Some(STEP + 5),
            ..keyed("nightly")
        },
    );
    let (disk, store) = filled(1);
    let undisturbed = done_as(&disk, &store, &export, &options).unwrap();
    let (mut whole, mut parts) = (Vec::new(), Vec::new());
    export.run(&store.snapshot(), &query(), &mut whole).unwrap();
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(&undisturbed)).unwrap();
    let names: Vec<String> = archive.file_names().map(str::to_owned).collect();
    assert_eq!(names.len() as u64, (EVENTS - 2).div_ceil(STEP + 5) + 1);
    for name in names.iter().filter(|name| name.ends_with(".csv")) {
        let mut file = archive.by_name(name).unwrap();
        std::io::Read::read_to_end(&mut file, &mut parts).unwrap();
    }
    assert!(parts == whole);
    for n in 0.. {
        // Of the same store: cursors in the manifest name it.
        let (disk, store) = filled(1);
        disk.fail(Fault::any_change(Other).after(n).sticky());
        let is_whole = done_as(&disk, &store, &export, &options).is_ok();
        drop(store);
        for left in [disk.kill(), disk.crash(n), disk.crash(n + 1)] {
            let store = open(&left).unwrap();
            let again = done_as(&left, &store, &export, &options).unwrap();
            assert!(again == undisturbed, "change {n}");
            assert_eq!(count(&store, "audit.exported"), 1, "change {n}");
        }
        if is_whole {
            break;
        }
    }
}

/// What happened: nobody was asked while an archive was packed, so Ctrl-C and `cancel` took effect behind
/// it. Now work that is stopped wherever it asks, read again included, leaves no draft of the archive, and
/// goes on to the same bytes; and cancelled there it leaves nothing.
#[test]
fn mission_e22_an_archive_that_is_being_packed_can_be_stopped() {
    let export = for_people(CsvSafety::Guard);
    let options = ExportJobOptions {
        zip: true,
        rows_per_file: Some(STEP + 5),
        ..keyed("nightly")
    };
    let (disk, store) = filled(1);
    let undisturbed = done_as(&disk, &store, &export, &options).unwrap();
    let mut stopped_packing = 0;
    for n in 0.. {
        for is_cancelled in [false, true] {
            let (disk, store) = filled(1);
            let jobs = jobs(&disk, &store).unwrap();
            let id = jobs.start(&export, &query(), &options).unwrap().id;
            let draft = || disk.len(&names::export_archive_part(id)).unwrap();
            let mut asked = 0;
            let stopped = jobs.run(id, &mut |_| {
                asked += 1;
                match asked > n {
                    false => return ControlFlow::Continue(()),
                    true if is_cancelled => drop(jobs.cancel(id).unwrap()),
                    true => {}
                }
                stopped_packing += usize::from(draft().is_some());
                match is_cancelled {
                    true => ControlFlow::Continue(()),
                    false => ControlFlow::Break(()),
                }
            });
            let state = stopped.unwrap().state;
            if state == ExportJobState::Ready {
                assert!(stopped_packing > 4, "{stopped_packing}");
                return;
            }
            assert_eq!(draft(), None, "ask {n}");
            if is_cancelled {
                assert_eq!(state, ExportJobState::Cancelled, "ask {n}");
                assert_eq!(disk.len(&names::export_part(id)).unwrap(), None);
            } else {
                assert_eq!(state, ExportJobState::Queued, "ask {n}");
                let again = done_as(&disk, &store, &export, &options).unwrap();
                assert!(again == undisturbed, "ask {n}");
            }
        }
    }
}

/// What happened: the record of a job names each file of its archive, and outgrew what it may have with
/// some thousands of them, after hours of work that no retry could bring to an end.
#[test]
fn an_archive_of_more_files_than_a_record_has_room_for_is_refused_at_once() {
    let (disk, store) = filled(1);
    append(&store, EVENTS..6_000);
    let jobs = jobs(&disk, &store).unwrap();
    let start = |key: &str, rows, limit, query: &Query| {
        let export = Export {
            limit,
            ..for_people(CsvSafety::Guard)
        };
        let options = ExportJobOptions {
            zip: true,
            rows_per_file: Some(rows),
            ..keyed(key)
        };
        jobs.start(&export, query, &options)
    };
    let error = start("a", 1, None, &query()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutOfRange);
    let text = error.to_string();
    assert!(
        text.contains("rows_per_file: 1 rows make 6000 files"),
        "{text}"
    );
    assert!(text.contains("take 2 or more"), "{text}");
    start("b", 2, None, &query()).unwrap();
    start("c", 1, Some(3000), &query()).unwrap();
    // By the segments' bounds alone all rows could be meant.
    let few = Query {
        filter: Filter::new().is_entity(FilterField::Subject, "number", "7"),
        ..Query::default()
    };
    start("d", 1, None, &few).unwrap();
}
