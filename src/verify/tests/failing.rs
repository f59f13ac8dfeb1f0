//! A disk that fails while it is checked, at each of its reads in turn.

use std::io::ErrorKind::Other;

use super::records::sealed;
use super::*;
use crate::disk::sim::Fault;
use crate::disk::sim::Operation;
use crate::error::ErrorKind;

const EIO: i32 = 5;
const EMFILE: i32 = 24;

/// Has each of these operations of a check fail, once and from then on.
fn at_each(operations: &[Operation], code: i32, judge: impl Fn(&SimDisk, &str)) {
    let sound = sealed(|_, _| ()).unwrap();
    let whole = sound.kill();
    assert!(verify_on(&whole, &mut |_, _| ()).unwrap().is_clean());
    for operation in operations {
        for at in 0..whole.count(*operation) {
            for sticky in [false, true] {
                let disk = sound.kill();
                let fault = Fault::new(*operation, Other).code(code).after(at);
                disk.fail(if sticky { fault.sticky() } else { fault });
                judge(&disk, &format!("{operation:?} {at}, {sticky}"));
                disk.heal();
                let after = verify_on(&disk, &mut |_, _| ()).unwrap();
                assert!(after.is_clean(), "{:?}", after.damages);
            }
        }
    }
}

/// What happened: with too few file handles a check called sound segments damaged, and their events
/// missing.
#[test]
fn p5_too_many_open_files_are_no_damage() {
    at_each(&[Operation::Open], EMFILE, |disk, story| {
        match verify_on(disk, &mut |_, _| ()) {
            Ok(found) => assert!(found.is_clean(), "{story}: {:?}", found.damages),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Full, "{story}"),
        }
        let disk = disk.kill();
        disk.fail(Fault::new(Operation::Open, Other).code(EMFILE).sticky());
        let error = salvage_on(&disk, &mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Full, "{story}");
    });
}

/// A place that cannot be read is told as damage of a file of ours, or as an error; whatever else can
/// be read is still checked, and nobody panics.
#[test]
fn p5_a_disk_that_fails_between_two_reads_is_told_of() {
    at_each(&Operation::ALL, EIO, |disk, story| {
        match verify_on(disk, &mut |_, _| ()) {
            Ok(found) => {
                let is_ours = |damage: &Damage| damage.file.starts_with("/sim");
                assert!(found.damages.iter().all(is_ours), "{story}");
            }
            Err(error) => assert!(error.place().is_some(), "{story}: {error}"),
        }
    });
}

/// A folder of logs that cannot be listed is not one that is not there: nothing is known of its logs.
#[test]
fn p5_logs_that_cannot_be_listed_are_not_taken_for_none() -> Result<()> {
    let disk = sealed(|_, _| ())?.kill();
    let logs = names::wal_dir().to_str().unwrap();
    let fault = Fault::new(Operation::Look, Other).code(EIO);
    disk.fail(fault.within(logs).sticky());
    let error = verify_on(&disk, &mut |_, _| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    Ok(())
}
