//! A filter that was kept is the filter that it was.

use proptest::prelude::*;

use super::arbitrary::condition;
use super::at;
use super::read;
use crate::error::ErrorKind;
use crate::filter::Filter;

proptest! {
    #[test]
    fn a_filter_comes_back_from_its_json(
        conditions in proptest::collection::vec(condition(), 0..4),
    ) {
        let times = [("since", "2026-05-17"), ("before", "2026-05-18T10:00:00Z")];
        let filter = conditions.into_iter().fold(read(&times), Filter::and);
        let text = filter.to_json().to_string();
        let back = Filter::from_json(&serde_json::from_str(&text).unwrap()).unwrap();
        prop_assert_eq!(back, filter);
    }
}

#[test]
fn relative_times_are_fixed_once() {
    let now = at("2026-05-17T08:00:00Z");
    let filter = read(&[("since", "-24h"), ("type", "a.*")]);
    let fixed = filter.fixed(now).unwrap();
    assert_eq!(fixed.range(now).unwrap(), filter.range(now).unwrap());
    let later = at("2027-05-17T08:00:00Z");
    assert_eq!(fixed.range(later).unwrap(), filter.range(now).unwrap());
    assert_eq!(Filter::from_json(&fixed.to_json()).unwrap(), fixed);
}

#[test]
fn another_form_is_refused() {
    for text in [
        "null",
        "{}",
        r#"{"conditions":[{"some":[]}],"times":[]}"#,
        r#"{"conditions":[{"field":"no such","is":"a"}],"times":[]}"#,
        r#"{"conditions":[{"field":"type","like":"a"}],"times":[]}"#,
        r#"{"conditions":[{"field":"ip","network":"10.0.0.0","bits":999}],"times":[]}"#,
        r#"{"conditions":[],"times":[{"since":"soon"}]}"#,
    ] {
        let value = serde_json::from_str(text).unwrap();
        let error = Filter::from_json(&value).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{text}");
    }
}
