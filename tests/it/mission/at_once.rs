//! Rows A4 and B4: what was acknowledged is visible in that moment, to whoever reads, and every
//! answer says how far it is complete.

use auditdb::Event;
use auditdb::Options;
use auditdb::Query;
use auditdb::ReadMode;
use auditdb::Reader;
use auditdb::Store;

use crate::support::folder;

#[test]
fn mission_a4_b4_what_was_acknowledged_is_visible_at_once() -> auditdb::Result<()> {
    let folder = folder();
    let store = Store::open(folder.path(), Options::default())?;
    let reader = Reader::open(folder.path(), ReadMode::default())?;
    let newest = Query {
        limit: 1,
        ..Query::default()
    };
    for number in 0..50 {
        let receipt = store.append(&Event::new(format!("event.number{number}")))?;
        for page in [store.page(&newest)?, reader.snapshot()?.page(&newest)?] {
            assert_eq!(page.events[0].id, receipt.id);
            assert_eq!(page.snapshot_seq, number + 1);
            assert_eq!(page.complete_through, Some(receipt.recorded_at));
        }
    }
    store.close()
}
