//! Settings that do not go together; what needs a store is tested in `tests/it/`.

use super::Export;
use super::Format;
use crate::layout::Layout;

#[test]
fn settings_that_do_not_go_together_are_named() {
    for (export, named) in [
        (
            Export {
                format: Format::Json,
                layout: Layout::Entries,
                ..Export::default()
            },
            "csv+entries",
        ),
        (
            Export {
                limit: Some(0),
                ..Export::default()
            },
            "limit",
        ),
        (
            Export {
                format: Format::Json,
                header: false,
                ..Export::default()
            },
            "header",
        ),
    ] {
        let error = export.validate().map_err(|error| error.to_string());
        assert!(error.is_err_and(|error| error.contains(named)), "{named}");
    }
}
