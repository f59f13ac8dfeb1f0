//! Jobs of documents: each is a step of its own and whole, and they come in one archive.

use std::io::ErrorKind::Other;
use std::ops::ControlFlow;

use super::EVENTS;
use super::STEP;
use super::count;
use super::done_as;
use super::filled;
use super::jobs;
use super::keyed;
use super::on;
use super::open;
use super::query;
use super::read;
use crate::disk::names;
use crate::disk::sim::Fault;
use crate::error::ErrorKind;
use crate::export::Export;
use crate::export::ExportFont;
use crate::export::ExportJobOptions;
use crate::export::ExportJobState;
use crate::export::Format;
use crate::layout::Layout;

fn pages() -> Export {
    Export {
        format: Format::Pdf,
        layout: Layout::Trail,
        limit: Some(EVENTS - 2),
        ..Export::default()
    }
}

fn archive(rows_per_file: Option<u64>) -> ExportJobOptions {
    ExportJobOptions {
        zip: true,
        rows_per_file,
        ..keyed("nightly")
    }
}

/// Documents that end behind so many rows, and those whose pages are full, are those of the export made
/// in one go, by the same names.
#[test]
fn mission_d19_a_job_of_documents_is_the_archive_of_the_export() {
    for rows_per_file in [Some(STEP + 5), None] {
        let (disk, store) = filled(1);
        let mut whole = Vec::new();
        let made = pages()
            .zip_into(
                &store.snapshot(),
                &query(),
                &mut whole,
                rows_per_file,
                &mut on,
            )
            .unwrap();
        assert!(made.files.len() > 1, "{}", made.files.len());
        let archive = done_as(&disk, &store, &pages(), &archive(rows_per_file)).unwrap();
        assert!(archive == whole, "{rows_per_file:?}");
    }
}

/// Cut at changes of the disk, or ended by its watcher between two rows, it goes on behind the last
/// whole document.
#[test]
fn mission_d19_a_job_of_documents_that_was_cut_is_the_same_bytes() {
    let (disk, store) = filled(1);
    let undisturbed = done_as(&disk, &store, &pages(), &archive(None)).unwrap();
    for n in (0..).step_by(11) {
        // Of the same store: cursors in the manifest name it.
        let (disk, store) = filled(1);
        disk.fail(Fault::any_change(Other).after(n).sticky());
        let is_whole = done_as(&disk, &store, &pages(), &archive(None)).is_ok();
        drop(store);
        let left = disk.crash(n);
        let store = open(&left).unwrap();
        let again = done_as(&left, &store, &pages(), &archive(None)).unwrap();
        assert!(again == undisturbed, "change {n}");
        assert_eq!(count(&store, "audit.exported"), 1, "change {n}");
        if is_whole {
            break;
        }
    }
    let (disk, store) = filled(1);
    let jobs = jobs(&disk, &store).unwrap();
    let id = jobs.start(&pages(), &query(), &archive(None)).unwrap().id;
    // Each run is left a little longer than the one before: what is packed is packed in one go.
    let mut looks = 0_u64;
    let mut stop = |_| {
        looks += 1;
        match looks.isqrt().pow(2) == looks {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    };
    let mut runs = 0;
    while jobs.run(id, &mut stop).unwrap().state != ExportJobState::Ready {
        runs += 1;
        assert!(runs < 100, "it gets on");
    }
    assert!(runs > 2 && read(&disk, &names::export(id, "zip")) == undisturbed);
}

#[test]
fn what_a_job_of_documents_cannot_be_is_refused() {
    let (disk, store) = filled(1);
    let jobs = jobs(&disk, &store).unwrap();
    let refused = |export: &Export, options: &ExportJobOptions| {
        let error = jobs.start(export, &query(), options).expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::OutOfRange);
        error.to_string()
    };
    let alone = refused(&pages(), &keyed("alone"));
    assert!(alone.contains("zip"), "{alone}");
    let latin = include_bytes!("../../pdf/fonts/NotoSans-Regular.ttf");
    let set = Export {
        fonts: vec![ExportFont::new("own.ttf", latin.to_vec())],
        ..pages()
    };
    let set = refused(&set, &archive(None));
    assert!(set.contains("fonts"), "{set}");
}
