//! Jobs that take what exports take beside format and filter: zone, language, packs, Excel.

use std::sync::Arc;

use super::EVENTS;
use super::INDIA;
use super::clock;
use super::done;
use super::filled;
use super::india;
use super::jobs;
use super::keyed;
use super::query;
use crate::export::Export;
use crate::export::ExportJobs;
use crate::export::Format;
use crate::export::audit::Keep;
use crate::id::ExportId;
use crate::layout::Audience;
use crate::layout::CsvSafety;
use crate::layout::Layout;
use crate::layout::Locale;
use crate::registry::Pack;
use crate::registry::Registry;

/// For people in India, in German, and with a pack of the application's own.
pub(super) fn for_people(csv_safety: CsvSafety) -> Export {
    let pack = r#"{"name": "jobs", "types": [{"name": "job.tested", "label": "Job Tested"}]}"#;
    let registry = Registry::built_in().with(Pack::parse(pack).unwrap());
    Export {
        format: Format::Csv,
        layout: Layout::Trail,
        csv_safety,
        limit: Some(EVENTS - 2),
        audience: Audience {
            locale: Some(Locale::find("de").unwrap()),
            zone: india(),
            registry: Arc::new(registry.unwrap()),
        },
        ..Export::default()
    }
}

/// A job takes what an export takes: the file is the export made in one go, for whomever it is.
#[test]
fn mission_a27_a_job_is_made_for_people_as_an_export_is() {
    for csv_safety in [CsvSafety::Guard, CsvSafety::Excel] {
        let (disk, store) = filled(1);
        let (export, mut whole) = (for_people(csv_safety), Vec::new());
        export.run(&store.snapshot(), &query(), &mut whole).unwrap();
        assert!(done(&disk, &store, &export).unwrap() == whole);
        let text = String::from_utf8(whole).unwrap();
        assert!(
            text.contains("+05:30") && text.contains("Job Tested"),
            "{text}"
        );
        let id = ExportId::of_key("nightly");
        let record = jobs::read(&disk, id).unwrap().encode().unwrap();
        assert!(record.starts_with(b"{\"auditdb_job\":2,"));
        // Whoever goes on with it must know the zone.
        let (clock, keep) = (clock(), Keep::Store(&store));
        let strangers = ExportJobs::on(Arc::new(disk.clone()), clock, keep);
        let other = strangers
            .start(&export, &query(), &keyed("other"))
            .unwrap_err();
        assert!(other.to_string().contains(INDIA), "{other}");
    }
    let (disk, store) = filled(1);
    let plain = jobs(&disk, &store).unwrap();
    let id = plain
        .start(&Export::default(), &query(), &keyed("k"))
        .unwrap()
        .id;
    let record = jobs::read(&disk, id).unwrap().encode().unwrap();
    assert!(
        record.starts_with(b"{\"auditdb_job\":1,"),
        "as all versions read it"
    );
}
