//! The generator gives the same bytes everywhere and keeps to its profile's shares.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;

use sha2::Digest;

use super::Generator;
use super::Profile;
use crate::codec::buffer::Buffer;
use crate::codec::canonical;
use crate::codec::content::Parts;
use crate::codec::row::Body;
use crate::codec::row::ImportMark;
use crate::codec::row::Row;
use crate::event::Event;
use crate::event::Outcome;
use crate::filter::indexed;
use crate::filter::term;
use crate::id::Position;
use crate::id::Sequence;
use crate::layout::Audience;
use crate::layout::CsvSafety;
use crate::layout::Layout;
use crate::segment::tests::kinds::rows;
use crate::segment::tests::written::compare;
use crate::time::Time;

fn line(event: &Event) -> String {
    serde_json::to_string(event).unwrap()
}

fn digest(seed: u64, profile: Profile) -> String {
    let mut hash = sha2::Sha256::new();
    for event in Generator::new(seed, profile) {
        hash.update(line(&event));
        hash.update("\n");
    }
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

/// Whoever changes the generator on purpose puts the new digests here: fixtures and published
/// measurements then speak of other events than before.
#[test]
fn a_seed_gives_the_same_bytes_for_ever() {
    let digests = [
        digest(1, Profile::realistic(1_000)),
        digest(1, Profile::hostile(200)),
        digest(1, Profile::administration(1_000)),
    ];
    let pinned = [
        "d44320e8a3931ea32ee2b74b168b386e1708547c9b0d9ec442d2c6cd377a6ac9",
        "b3e8611140f2fcdb84e86c9212d196c12e1bab9112a0a1634893ce0f459c5c9a",
        "e13d2c99e95194e22148c7cdae949c2610d9fa76c1ab619812b2e37dba54ef58",
    ];
    assert_eq!(digests, pinned);
    assert_ne!(
        digest(1, Profile::realistic(10)),
        digest(2, Profile::realistic(10))
    );
}

#[test]
fn every_event_is_valid_and_its_line_gives_it_back() {
    for profile in [
        Profile::realistic(500),
        Profile::hostile(500),
        Profile::administration(500),
    ] {
        for event in Generator::new(3, profile) {
            event.validate().unwrap();
            assert_eq!(Event::from_native_line(&line(&event)).unwrap(), event);
        }
    }
}

/// The pass over a stored content, and what is derived from it, say the same as serde's event.
#[test]
fn every_stored_row_reads_alike_by_both_readers() {
    for profile in [Profile::realistic(500), Profile::hostile(500)] {
        for event in Generator::new(4, profile) {
            let content = canonical::content(&event);
            let mark = ImportMark {
                mapping: "native",
                repeat: 1,
            };
            let occurred_at = event.occurred_at.value().copied();
            let row = Row {
                position: Position {
                    occurred_at: occurred_at.unwrap_or(Time::MIN),
                    seq: Sequence(7),
                },
                recorded_at: Time::MAX,
                body: Body {
                    time_given: occurred_at.is_some(),
                    import: Some(mark),
                    content: &content,
                },
            };
            assert_eq!(row.application_event().as_ref(), Some(&event));
            assert_eq!(row.model_event().as_ref(), Some(&event));
            let parts = row.content().unwrap();
            assert_eq!(row.content_fingerprints(&parts), row.fingerprints(&event));
            let (mut found, mut wanted) = (Vec::new(), Vec::new());
            indexed::terms(&parts, |term| found.push(term.to_vec()));
            term::terms(&event, |term| wanted.push(term.to_vec()));
            found.sort();
            wanted.sort();
            assert_eq!(found, wanted, "{content}");
            let stored = row.to_event().unwrap();
            for layout in Layout::ALL {
                let (mut found, mut wanted) = (Buffer::default(), Vec::new());
                let (guard, all) = (CsvSafety::Guard, &Audience::default());
                layout.csv_row(&row, Parts::Parsed(&parts), guard, all, &mut found);
                layout.csv_record(&stored, guard, all, &mut wanted);
                if matches!(layout, Layout::Native | Layout::Entries) {
                    layout.json_row(&row, &mut found).unwrap();
                    layout.json_line(&stored, &mut wanted);
                }
                assert!(found.as_slice() == wanted, "{content}");
            }
        }
    }
}

fn close(measured: f64, wanted: f64, by: f64, what: &str) {
    assert!(
        (measured - wanted).abs() <= by,
        "{what}: {measured} is not {wanted}"
    );
}

#[test]
fn the_realistic_profile_keeps_its_shares() {
    let count = 50_000_u32;
    let (mut bytes, mut carried, mut success) = (0_usize, 0_usize, 0_u32);
    let mut types: HashMap<String, u32> = HashMap::new();
    let mut subjects: HashMap<String, u32> = HashMap::new();
    let mut lists = [const { std::collections::BTreeSet::new() }; 5];
    let mut pairs = [0_u32; 5];
    for event in Generator::new(11, Profile::realistic(count.into())) {
        // The store adds `"id":"evt_…",`, `"seq":1234567,` and `"recorded_at":"…",`.
        bytes += line(&event).len() + 38 + 14 + 44;
        carried += event.data.value().map_or(0, |json| json.as_str().len() + 8);
        carried += event
            .changes
            .value()
            .map_or(0, |c| serde_json::to_string(c).unwrap().len() + 11);
        success += u32::from(event.outcome.value() == Some(&Outcome::Success));
        *types.entry(event.event_type.clone()).or_default() += 1;
        let subject = event.subject.value().unwrap();
        *subjects
            .entry(subject.id.value().unwrap().clone())
            .or_default() += 1;
        let context = event.context.value().unwrap();
        let texts = [
            event.performer.value().unwrap().id.as_deref(),
            event.org.as_deref(),
            event.source.as_deref(),
            context.ip.as_deref(),
            context.user_agent.as_deref(),
        ];
        for (list, text) in lists.iter_mut().zip(texts) {
            list.insert(text.unwrap().to_owned());
        }
        *pairs
            .get_mut(event.metadata.value().unwrap().len())
            .unwrap() += 1;
    }
    let share = |count: u32| f64::from(count) / 50_000.0;
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let mean = |bytes: usize| bytes as f64 / 50_000.0;
    close(
        mean(carried),
        141.0,
        5.0,
        "bytes of data and changes with their keys",
    );
    close(mean(bytes), 758.0, 4.0, "bytes of a line");
    close(share(success), 0.92, 0.005, "success");
    assert_eq!(types.len(), 45);
    let most = types.values().copied().max().unwrap();
    close(share(most), 0.2661, 0.005, "the most frequent type");
    let most = subjects.values().copied().max().unwrap();
    close(share(most), 0.1029, 0.005, "the most frequent subject");
    let [performers, orgs, sources, ips, agents] = lists.map(|list| list.len());
    assert!(
        (4_000..=5_000).contains(&performers),
        "{performers} performers"
    );
    assert_eq!((orgs, sources, agents), (20, 8, 300));
    assert!((15_000..=50_000).contains(&ips), "{ips} addresses");
    assert_eq!((pairs[0], pairs[1], pairs[4]), (0, 0, 0));
}

#[test]
fn times_keep_the_span_the_ties_and_the_delays() {
    for (ties, late) in [
        (5.0, 1.0),
        (20.0, 1.0),
        (0.0, 0.0),
        (100.0, 0.0),
        (50.0, 5.0),
    ] {
        let profile = Profile {
            tie_percent: ties,
            late_percent: late,
            ..Profile::realistic(40_000)
        };
        let start = profile.start.as_micros();
        let times: Vec<i64> = Generator::new(5, profile)
            .map(|event| event.occurred_at.value().unwrap().as_micros())
            .collect();
        let mut groups: HashMap<i64, u32> = HashMap::new();
        let (mut newest, mut delayed) = (i64::MIN, 0_u32);
        for time in &times {
            *groups.entry(*time).or_default() += 1;
            // Few of the late ones are so little late that they still come in order.
            delayed += u32::from(*time < newest);
            assert!(*time > newest.saturating_sub(3 * 3_600_000_000 + 1));
            newest = newest.max(*time);
        }
        let tied: u32 = groups.values().filter(|size| **size > 1).sum();
        assert!(groups.values().all(|size| *size <= 400));
        close(f64::from(tied) / 400.0, ties, 1.0, "tied");
        close(f64::from(delayed) / 400.0, late, 0.1 + late / 8.0, "late");
        let days = (newest - start) / 86_400_000_000;
        assert!((397..=400).contains(&days), "{days} days");
    }
}

#[test]
fn few_events_still_spread_over_the_span() {
    for events in [1, 2, 100, 1_000] {
        let profile = Profile::realistic(events);
        let end = profile.start.as_micros() + 400 * 86_400_000_000;
        for event in Generator::new(9, profile) {
            assert!(event.occurred_at.value().unwrap().as_micros() < end);
        }
    }
}

/// See `segment::tests::written`.
#[test]
fn segments_of_generated_events_are_what_was_written_down() {
    let segment = |profile: Profile| {
        let events: Vec<Event> = Generator::new(5, profile).collect();
        rows(events.len() as u64, |number| {
            events.get(number as usize).unwrap().clone()
        })
    };
    compare(
        "tests/golden/segments-generated.txt",
        vec![
            (
                "an administration's events",
                segment(Profile::realistic(6_000)),
            ),
            ("hostile events", segment(Profile::hostile(300))),
        ],
    );
}
