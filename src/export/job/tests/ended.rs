//! The ends of jobs' files: what is cut off or refused in the middle is done later, and no file is left
//! behind or taken for another.

use super::*;

fn made(jobs: &ExportJobs<'_>, key: &str) -> ExportId {
    let id = jobs.start(&Export::default(), &query(), &keyed(key));
    jobs.run(id.unwrap().id, &mut on).unwrap().id
}

fn bytes(disk: &SimDisk, path: &Path) -> Vec<u8> {
    let file = disk.open_read(path).unwrap();
    let mut bytes = vec![0; file.len().unwrap() as usize];
    file.read_at(0, &mut bytes).unwrap();
    bytes
}

/// The record of a job as it was before it said that the file is made, which has its name already.
fn set_back(folder: Folder<'_>, id: ExportId) {
    let mut record = folder.read(id).unwrap();
    record.state = State::Running;
    (record.ended_at, record.expires_at) = (None, None);
    folder.replace(id, &record).unwrap();
}

/// What happened: the record said `expired` before the trail was told, so that after a refusal the file
/// went at the next look, and nothing was told of it.
#[test]
fn mission_d22_a_file_whose_end_cannot_be_told_of_stays_until_it_can() {
    let (disk, store) = filled(1);
    let jobs = jobs(&disk, &store).unwrap();
    let id = made(&jobs, "k");
    let file = names::export(id, "ndjson");
    let later = Time::saturating_from_micros(BASE + 8 * 24 * 3600 * 1_000_000);
    let refuse = || Err(Error::new(ErrorKind::Full, "no room"));
    assert!(Folder(&disk).purge(later, &mut |_| refuse()).is_err());
    assert_eq!(Folder(&disk).read(id).unwrap().state, State::Ready);
    assert!(disk.len(&file).unwrap().is_some());
    let mut told = Vec::new();
    let mut tell = |event: &Event| {
        told.push(event.event_type.clone());
        Ok(true)
    };
    assert_eq!(Folder(&disk).purge(later, &mut tell).unwrap(), [id]);
    assert_eq!(told, ["audit.export_purged"]);
    assert_eq!(disk.len(&file).unwrap(), None);
}

/// What happened: the file of a job that was cut off before its record called it ready, and was then
/// cancelled, stayed for ever.
#[test]
fn mission_a14_a_job_that_is_cancelled_leaves_no_file_behind() {
    let (disk, store) = filled(1);
    let jobs = jobs(&disk, &store).unwrap();
    let id = made(&jobs, "k");
    set_back(Folder(&disk), id);
    let job = jobs.cancel(id).unwrap();
    assert_eq!(job.state, ExportJobState::Cancelled);
    assert_eq!(disk.list(names::export_dir()).unwrap(), []);
}

/// What happened: a file of the right name and length passed for the job's own.
#[test]
fn mission_d22_a_file_that_was_changed_meanwhile_is_made_anew_under_its_name_too() {
    let (disk, store) = filled(1);
    let jobs = jobs(&disk, &store).unwrap();
    let id = made(&jobs, "k");
    let file = names::export(id, "ndjson");
    let wanted = bytes(&disk, &file);
    set_back(Folder(&disk), id);
    let zeros = vec![0; wanted.len()];
    let changed = disk.open_write(&file).unwrap();
    changed.write_at(0, &zeros).unwrap();
    drop(changed);
    let job = jobs.run(id, &mut on).unwrap();
    assert_eq!(job.state, ExportJobState::Ready);
    assert!(bytes(&disk, &file) == wanted);
}
