//! Memory follows the limits, not the data: a line with more keys than an event may have is not
//! read to its end.

use auditdb::Event;

/// One line with 80,000 metadata keys took 22 seconds: each key was looked for among all before
/// it, and only then were they counted. Now reading ends at the first key too many.
#[test]
fn a_line_with_too_many_keys_is_refused_before_its_end() {
    for field in ["metadata", "context"] {
        let keys: String = (0..65)
            .map(|number| format!("\"k{number}\":\"\","))
            .collect();
        // What stands behind the bound is never looked at, or its number would be the complaint.
        let line = format!("{{\"type\":\"a.b\",\"{field}\":{{{keys}\"k65\":65}}}}");
        let error = Event::from_native_line(&line).expect_err("65 keys are too many");
        assert!(error.to_string().contains("at most 64"), "{field}: {error}");
        let keys = (0..400_000).map(|number| format!("\"k{number}\":\"\""));
        let keys = keys.collect::<Vec<_>>().join(",");
        let line = format!("{{\"type\":\"a.b\",\"{field}\":{{{keys}}}}}");
        let begun = std::time::Instant::now();
        assert!(Event::from_native_line(&line).is_err());
        assert!(begun.elapsed().as_secs() < 10, "{field}");
    }
    let keys = (0..64).map(|number| format!("\"k{number}\":\"\""));
    let keys = keys.collect::<Vec<_>>().join(",");
    let line =
        format!("{{\"type\":\"a.b\",\"metadata\":{{{keys}}},\"context\":{{\"ip\":\"\",{keys}}}}}");
    let event = Event::from_native_line(&line).expect("64 keys are within the bound");
    assert!(event.validate().is_ok());
}
