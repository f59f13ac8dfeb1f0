//! The ends of jobs' files: what is cut off or refused in the middle is done later, and no file is left
//! behind or taken for another.

use parking_lot::Mutex;

use super::*;
use crate::disk::ReadDisk;
use crate::disk::real::RealDisk;
use crate::export::Audience;
use crate::inbox;
use crate::jobs;

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
    let mut record = jobs::read(folder.0, id).unwrap();
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
    assert_eq!(jobs::read(&disk, id).unwrap().state, State::Ready);
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

/// What happened: whoever cancelled a job while its file had got its name, and its record did not say so
/// yet, found nobody at work on it and removed the file, and the record then called it ready.
#[test]
fn mission_a14_a_job_whose_file_just_got_its_name_keeps_it() {
    let (disk, store) = filled(1);
    let jobs = jobs(&disk, &store).unwrap();
    let id = made(&jobs, "k");
    set_back(Folder(&disk), id);
    let (file, ending) = (names::export(id, "ndjson"), "ndjson");
    let worker = disk.lock(&file).unwrap().unwrap();
    assert!(Folder(&disk).is_worked_on(id, ending).unwrap());
    assert!(Folder(&disk).lock(id, ending).unwrap().is_none());
    assert_eq!(jobs.cancel(id).unwrap().state, ExportJobState::Running);
    assert_eq!(jobs.run(id, &mut on).unwrap_err().kind(), ErrorKind::Locked);
    let names: Vec<String> = disk
        .list(names::export_dir())
        .unwrap()
        .into_iter()
        .map(|entry| entry.name)
        .collect();
    assert_eq!(names, [format!("{id}.ndjson")], "and no other file is made");
    drop(worker);
    assert_eq!(jobs.cancel(id).unwrap().state, ExportJobState::Cancelled);
}

/// What happened: whoever started a job removed the draft of a record that another process was writing
/// at that moment, which then failed.
#[test]
fn p5_a_record_that_is_being_written_is_nobody_elses_to_remove() {
    let (disk, store) = filled(1);
    let jobs = jobs(&disk, &store).unwrap();
    let id = made(&jobs, "k");
    let target = names::job(id);
    let mut draft = Draft::begin_beside(&disk, &target).unwrap();
    draft.write(&bytes(&disk, &target)).unwrap();
    jobs.purge().unwrap();
    assert!(disk.len(draft.path()).unwrap().is_some());
    draft.publish().unwrap();
    // One of a process that ended goes.
    let dead = names::draft_beside(&target, 4711);
    disk.create_new(&dead).unwrap();
    jobs.purge().unwrap();
    assert_eq!(disk.len(&dead).unwrap(), None);
}

/// What happened: of several files whose time had come only the first was told of. Telling of it opened
/// the store, and the writer, which looks for such files itself, removed the others.
#[test]
fn mission_d22_a_purge_tells_of_every_file_that_went() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let store = Store::open(&path, Options::default()).unwrap();
    append(&store, 0..5);
    store.close().unwrap();
    let jobs = ExportJobs::in_folder(&path).unwrap();
    let ids = ["a", "b", "c"].map(|key| {
        let options = ExportJobOptions {
            keep: Duration::from_secs(1),
            ..keyed(key)
        };
        let job = jobs.start(&Export::default(), &query(), &options).unwrap();
        jobs.run(job.id, &mut on).unwrap().id
    });
    std::thread::sleep(Duration::from_millis(1100));
    let mut gone: Vec<ExportId> = jobs.purge().unwrap().iter().map(|job| job.id).collect();
    gone.sort_unstable();
    let mut all = ids.to_vec();
    all.sort_unstable();
    assert_eq!(gone, all);
    assert_eq!(jobs.purge().unwrap().len(), 0);
    let store = Store::open(&path, Options::default()).unwrap();
    assert_eq!(count(&store, "audit.export_purged"), 3);
}

/// What happened: one record that was damaged hid all jobs.
#[test]
fn p6_a_damaged_record_hides_no_other_job() {
    let (disk, store) = filled(1);
    let jobs = jobs(&disk, &store).unwrap();
    let ids = ["a", "b", "c"].map(|key| made(&jobs, key));
    disk.open_write(&names::job(ids[1]))
        .unwrap()
        .write_at(30, b"~")
        .unwrap();
    let listed = jobs.list().unwrap();
    let told: Vec<_> = listed
        .iter()
        .map(|job| job.as_ref().ok().map(|job| job.id))
        .collect();
    let mut wanted = vec![Some(ids[0]), Some(ids[2]), None];
    wanted[..2].sort_unstable();
    assert_eq!(told, wanted);
    assert!(
        listed[2]
            .as_ref()
            .unwrap_err()
            .to_string()
            .contains(&ids[1].to_string())
    );
}

/// What happened: a job whose file somebody had removed was called ready with a file all the same.
#[test]
fn a_job_whose_file_is_gone_names_none() {
    let (disk, store) = filled(1);
    let jobs = jobs(&disk, &store).unwrap();
    let id = made(&jobs, "k");
    assert!(jobs.status(id).unwrap().file.is_some());
    disk.unlink(&names::export(id, "ndjson")).unwrap();
    let job = jobs.status(id).unwrap();
    assert_eq!((job.state, job.file), (ExportJobState::Ready, None));
}

/// What happened: an event whose key was that of a record to come, or a job of the same name in the
/// store that events were saved from, was taken for the record, so that the trail told of nobody.
#[test]
fn mission_d24_another_event_is_never_taken_for_the_record_of_a_job() {
    let (disk, store) = filled(1);
    let jobs = jobs(&disk, &store).unwrap();
    let id = ExportId::of_key("k");
    let ours = |id: ExportId| format!("audit.export_started:{id}");
    for event_type in ["audit.export_started", "audit.exported"] {
        store
            .append(&Event::new("forged").key(format!("{event_type}:{id}")))
            .unwrap();
    }
    assert_eq!(made(&jobs, "k"), id);
    assert!(jobs.status(id).unwrap().audited);
    let counts = || ["audit.export_started", "audit.exported"].map(|name| count(&store, name));
    assert_eq!(counts(), [1, 1]);
    // The same name once more, after its record and its file are gone, at another moment.
    for path in [names::job(id), names::export(id, "ndjson")] {
        disk.unlink(&path).unwrap();
    }
    let later = Arc::new(TestClock(AtomicI64::new(BASE + 1)));
    let jobs = ExportJobs::on(Arc::new(disk.clone()), later, Keep::Store(&store));
    let jobs = jobs.require_audit();
    made(&jobs, "k");
    assert_eq!(counts(), [2, 2]);
    // Whoever knows the moment, too, only keeps the export from being made.
    let other = jobs
        .start(&Export::default(), &query(), &keyed("other"))
        .unwrap();
    let key = format!("{}:{}", ours(other.id), other.created_at);
    store.append(&Event::new("forged").key(key)).unwrap();
    let error = jobs.run(other.id, &mut on).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::KeyConflict);
    assert_eq!(disk.len(&names::export(other.id, "ndjson")).unwrap(), None);
}

/// What happened: a job whose beginning was recorded beside a writer, with the moment of that, and which
/// was gone on with in the writer's own process, contradicted its own record, and could not be made.
#[test]
fn mission_d24_a_job_is_recorded_once_whether_its_store_is_open_elsewhere_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Store::open(folder.path(), Options::default()).unwrap();
    let store = open();
    store.append(&Event::new("job.tested")).unwrap();
    let beside = ExportJobs::in_folder(folder.path())
        .unwrap()
        .require_audit();
    let id = made(&beside, "k");
    store.close().unwrap();
    // Whoever opens the store next takes the records over.
    let store = open();
    let counts = || ["audit.export_started", "audit.exported"].map(|name| count(&store, name));
    assert_eq!(counts(), [1, 1]);
    set_back(Folder(&RealDisk::open(folder.path()).unwrap()), id);
    let jobs = ExportJobs::in_store(&store).unwrap().require_audit();
    assert!(jobs.run(id, &mut on).unwrap().audited);
    assert_eq!(counts(), [1, 1]);
    store.close().unwrap();
}

/// What happened: beside a writer a record was left under a key that some other event had, whoever
/// required it was content, and the writer never took it over.
#[test]
fn mission_d24_a_record_that_could_not_be_taken_over_is_not_left() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), Options::default()).unwrap();
    store.append(&Event::new("job.tested")).unwrap();
    let beside = ExportJobs::in_folder(folder.path())
        .unwrap()
        .require_audit();
    let job = beside
        .start(&Export::default(), &query(), &keyed("k"))
        .unwrap();
    let key = format!("audit.export_started:{}:{}", job.id, job.created_at);
    store.append(&Event::new("forged").key(key)).unwrap();
    let error = beside.run(job.id, &mut on).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::KeyConflict);
    let disk = RealDisk::open(folder.path()).unwrap();
    assert_eq!(
        inbox::list(&disk).unwrap().len(),
        1,
        "that of the failure alone"
    );
    store.close().unwrap();
}

/// What happened: the file was let go before the record said that its making had failed, so that what
/// somebody else wrote there meanwhile was lost.
#[test]
fn p5_a_job_that_fails_is_nobody_elses_until_its_record_says_so() {
    let (disk, store) = filled(1);
    let id = ExportId::of_key("k");
    let held = Arc::new(Mutex::new(Vec::new()));
    // The record's zone is looked up when the work begins, and once more when its failure is told.
    let (looks, looked_at) = (Arc::clone(&held), disk.clone());
    let jobs = jobs(&disk, &store).unwrap().zones(move |name| {
        looks
            .lock()
            .push(Folder(&looked_at).is_worked_on(id, "csv").unwrap());
        (name == INDIA).then(india)
    });
    let export = Export {
        format: Format::Csv,
        audience: Audience {
            zone: india(),
            ..Audience::default()
        },
        ..Export::default()
    };
    jobs.start(&export, &query(), &keyed("k")).unwrap();
    held.lock().clear();
    let full = Fault::new(Operation::Write, Other)
        .within("exports")
        .sticky();
    disk.fail(full);
    assert!(jobs.run(id, &mut on).is_err());
    disk.heal();
    let looks = held.lock().clone();
    assert!(
        looks.len() >= 2 && looks.iter().all(|held| *held),
        "{looks:?}"
    );
    assert!(!Folder(&disk).is_worked_on(id, "csv").unwrap());
    assert_eq!(jobs.run(id, &mut on).unwrap().state, ExportJobState::Ready);
}
