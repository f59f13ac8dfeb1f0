//! Rows that are read again and again: their columns are read in fewer and fewer steps, and hold
//! what they held at first.

use proptest::prelude::*;

use super::Folder;
use super::Model;
use super::contents_of;
use super::models;
use super::read_all;
use crate::options::ReadMode;

/// Reads all rows five times in either mode; gives how many columns were read quickly in the end.
fn check(models: &[Model]) -> usize {
    let folder = Folder::new();
    let summary = folder.write(1, models);
    let wanted = contents_of(models).lines;
    let modes = [ReadMode::Mapped, ReadMode::Positional];
    let quick = modes.map(|mode| {
        let reader = folder.open(1, &summary, mode);
        for _ in 0..5 {
            assert_eq!(read_all(&reader).unwrap().lines, wanted);
        }
        reader.quick_columns()
    });
    quick.into_iter().min().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn rows_hold_the_same_however_often_they_are_read(
        seeds in prop::collection::vec((any::<u16>(), any::<u32>()), 1..200),
        kinds in 1_u32..60,
    ) {
        let seeds: Vec<(u16, u32)> = seeds.iter().map(|(time, seed)| (*time, seed % kinds)).collect();
        check(&models(&seeds));
    }
}

#[test]
fn columns_that_are_read_often_are_read_quickly() {
    let seeds: Vec<(u16, u32)> = (0..400_u16).map(|row| (row, u32::from(row) % 60)).collect();
    assert!(check(&models(&seeds)) > 5);
}
