//! A segment of rows as they arrive says what one says that is written of them in order.

use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;

use super::Folder;
use super::Model;
use super::STORE;
use super::assert_same;
use super::check_lookups;
use super::contents_of;
use super::models;
use crate::disk::Disk;
use crate::disk::File;
use crate::id::SegmentId;
use crate::id::Sequence;
use crate::options::ReadMode;
use crate::segment::load::Arrival;
use crate::segment::load::Load;
use crate::time::Time;

pub(super) fn arrival(model: &Model) -> Arrival {
    let row = model.row();
    let import = row.body.import;
    Arrival {
        time: row.position.occurred_at,
        time_given: row.body.time_given,
        import: import.map(|mark| (Arc::from(mark.mapping), mark.repeat)),
        fingerprints: row.content_fingerprints(&row.content().unwrap()),
    }
}

fn check(seeds: &[(u16, u32)]) {
    let folder = Folder::new();
    let recorded_at = Time::saturating_from_micros(5_000);
    let mut models = models(seeds);
    for model in &mut models {
        model.recorded_at = recorded_at;
    }
    let mut arriving: Vec<&Model> = models.iter().collect();
    arriving.sort_by_key(|model| model.position.seq);
    let file: Arc<dyn File> = Arc::from(folder.disk.create_new(Path::new("1")).unwrap());
    let mut load = Load::begin(&file, STORE, SegmentId(1), Sequence(0)).unwrap();
    for model in arriving {
        load.push(arrival(model), &model.content);
    }
    assert_eq!(load.len(), models.len());
    let summary = load.finish(recorded_at).unwrap();
    let contents = contents_of(&models);
    let reader = folder.open(1, &summary, ReadMode::Positional);
    assert_same(&reader, &contents);
    check_lookups(&reader, &models, &contents);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn rows_that_arrive_in_any_order_are_the_sorted_rows(
        seeds in proptest::collection::vec(any::<(u16, u32)>(), 1..1500),
    ) {
        check(&seeds);
    }
}

#[test]
fn what_was_given_up_ends_its_threads() {
    let folder = Folder::new();
    let file: Arc<dyn File> = Arc::from(folder.disk.create_new(Path::new("1")).unwrap());
    let mut load = Load::begin(&file, STORE, SegmentId(1), Sequence(0)).unwrap();
    for model in &models(&[(1, 2), (3, 4)]) {
        load.push(arrival(model), &model.content);
    }
    load.give_up();
    let empty = Load::begin(&file, STORE, SegmentId(1), Sequence(0)).unwrap();
    assert!(empty.finish(Time::MIN).is_err(), "a segment has rows");
}
