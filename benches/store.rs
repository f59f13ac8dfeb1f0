//! How quick one store is at the things people do all day: `cargo bench`. The store holds 100,000
//! generated events; `benches/peers` compares with other engines, at any size.

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use auditdb::Compression;
use auditdb::Condition;
use auditdb::Cursor;
use auditdb::Durability;
use auditdb::Event;
use auditdb::Export;
use auditdb::Filter;
use auditdb::FilterField;
use auditdb::Format;
use auditdb::Generator;
use auditdb::Import;
use auditdb::ImportOptions;
use auditdb::OnRefusal;
use auditdb::Options;
use auditdb::Pattern;
use auditdb::Profile;
use auditdb::Query;
use auditdb::ReadMode;
use auditdb::Reader;
use auditdb::Store;
use auditdb::Time;
use criterion::BatchSize;
use criterion::Criterion;
use criterion::Throughput;

const EVENTS: u64 = 100_000;
const SEED: u64 = 20_260_517;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(4))
        .configure_from_args();
    generate(&mut criterion);
    #[cfg(feature = "internals")]
    {
        rows(&mut criterion);
        segment(&mut criterion);
        texts(&mut criterion);
    }
    append(&mut criterion);
    import(&mut criterion);
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path(), Options::default()).expect("a store");
    let lines = lines(EVENTS);
    let mut sink = &store;
    let mut import = Import::new(&mut sink, ImportOptions::default(), OnRefusal::Stop);
    import.read("bench", lines.as_slice()).expect("an import");
    drop(import);
    pages(&mut criterion, &store, "in a memtable");
    store.flush().expect("a flush");
    pages(&mut criterion, &store, "in segments");
    filters(&mut criterion, &store);
    walk(&mut criterion, &store);
    cursor(&mut criterion, &store);
    export(&mut criterion, &store);
    store.close().expect("a clean close");
    open(&mut criterion, folder.path());
    criterion.final_summary();
}

fn events(count: u64) -> Vec<Event> {
    Generator::new(SEED, Profile::realistic(count)).collect()
}

/// The same events as native lines.
fn lines(count: u64) -> Vec<u8> {
    let mut lines = Vec::new();
    for event in Generator::new(SEED, Profile::realistic(count)) {
        serde_json::to_writer(&mut lines, &event).expect("an event is JSON");
        lines.push(b'\n');
    }
    lines
}

fn generate(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("generate");
    group.throughput(Throughput::Elements(1));
    let mut events = Generator::new(SEED, Profile::realistic(u64::MAX));
    group.bench_function("one realistic event", |bench| bench.iter(|| events.next()));
    group.finish();
}

/// How quick a stored row is to read, by each of its readers: `cargo bench --features internals`.
#[cfg(feature = "internals")]
fn rows(criterion: &mut Criterion) {
    use auditdb::internals::Reading;
    let contents: Vec<String> = events(1_000)
        .iter()
        .map(auditdb::internals::content)
        .collect();
    let mut group = criterion.benchmark_group("1,000 rows");
    group.throughput(Throughput::Elements(1_000));
    for (name, reading) in [
        ("event by serde", Reading::Model),
        ("event", Reading::Event),
        ("content taken apart", Reading::Parts),
        ("terms by serde's event", Reading::ModelTerms),
        ("terms", Reading::Terms),
    ] {
        let read = |content: &String| reading.read(black_box(content));
        group.bench_function(name, |bench| {
            bench.iter(|| contents.iter().map(read).sum::<usize>());
        });
    }
    group.finish();
}

/// The structures of one segment, each by what queries call.
#[cfg(feature = "internals")]
fn segment(criterion: &mut Criterion) {
    use auditdb::internals::Sealed;
    const ROWS: u32 = 20_000;
    const BLOCK: u32 = 64;
    let events = events(u64::from(ROWS));
    let mut sealed = Sealed::new(&events).expect("a segment");
    let terms = sealed.terms().expect("terms");
    let (most, _) = terms.first().cloned().expect("a frequent term");
    let middle = terms.iter().find(|(_, rows)| *rows <= 100).cloned();
    let (middle, _) = middle.expect("a term of the middle");
    let mut group = criterion.benchmark_group("segment");
    group
        .sample_size(10)
        .throughput(Throughput::Elements(u64::from(ROWS)));
    group.bench_function("20,000 events written", |bench| {
        bench.iter(|| Sealed::new(black_box(&events)).expect("a segment").rows());
    });
    group.sample_size(20);
    group.throughput(Throughput::Elements(u64::from(BLOCK)));
    let mut first = 0;
    group.bench_function("a row block read", |bench| {
        bench.iter(|| {
            first = (first + BLOCK * 7) % (ROWS - BLOCK);
            sealed.lines(first..first + BLOCK).expect("lines")
        });
    });
    group.throughput(Throughput::Elements(50));
    group.bench_function("50 scattered rows read", |bench| {
        bench.iter(|| {
            let rows = (0..50).map(|row| row * 397 % ROWS);
            sealed.lines(rows).expect("lines")
        });
    });
    group.throughput(Throughput::Elements(1));
    let mut row = 0;
    group.bench_function("a position found", |bench| {
        bench.iter(|| {
            row = (row + 7919) % ROWS;
            sealed.place(row).expect("a row")
        });
    });
    let mut next = terms.iter().map(|(term, _)| term).step_by(97).cycle();
    group.bench_function("a term looked up", |bench| {
        bench.iter(|| sealed.find(next.next().expect("a cycle has no end")));
    });
    group.bench_function("an absent term looked up", |bench| {
        bench.iter(|| sealed.find(black_box(b"\x02absent")));
    });
    group.throughput(Throughput::Elements(u64::from(ROWS) / 40));
    for (name, term) in [
        ("500 seeks in a long list", most),
        ("500 seeks in a list of 100", middle),
    ] {
        group.bench_function(name, |bench| {
            bench.iter(|| sealed.seek(&term, 0..ROWS, 40).expect("seeks"));
        });
    }
    group.finish();
}

/// Rows whose long texts stand in frames of their own.
#[cfg(feature = "internals")]
fn texts(criterion: &mut Criterion) {
    use auditdb::internals::Sealed;
    let events: Vec<Event> = Generator::new(SEED, Profile::hostile(500)).collect();
    let mut sealed = Sealed::new(&events).expect("a segment");
    let mut group = criterion.benchmark_group("texts");
    let bytes = sealed.lines(0..500).expect("lines");
    group.throughput(Throughput::Bytes(bytes as u64));
    group.bench_function("500 hostile rows read", |bench| {
        bench.iter(|| sealed.lines(0..500).expect("lines"));
    });
    group.finish();
}

fn append(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path(), Options::default()).expect("a store");
    let events = events(10_000);
    let mut next = events.iter().cycle();
    let mut group = criterion.benchmark_group("append");
    group.throughput(Throughput::Elements(1));
    for (name, durability) in [
        ("one, durable", Durability::Durable),
        ("one, buffered", Durability::Buffered),
    ] {
        group.bench_function(name, |bench| {
            bench.iter(|| {
                let event = next.next().expect("a cycle has no end");
                store.append_with(event, durability).expect("an append")
            });
        });
    }
    let mut batches = events.chunks(1_000).cycle();
    group.throughput(Throughput::Elements(1_000));
    group.bench_function("a batch of 1,000, durable", |bench| {
        bench.iter(|| {
            let batch = batches.next().expect("a cycle has no end");
            store.append_batch(batch).expect("a batch")
        });
    });
    group.finish();
    store.close().expect("a clean close");
}

fn import(criterion: &mut Criterion) {
    let lines = lines(EVENTS);
    let mut group = criterion.benchmark_group("import");
    group
        .sample_size(10)
        .throughput(Throughput::Elements(EVENTS));
    group.bench_function("100,000 native lines, sealed", |bench| {
        bench.iter_batched(
            || tempfile::tempdir().expect("a folder"),
            |folder| {
                let store = Store::open(folder.path(), Options::default()).expect("a store");
                let mut sink = &store;
                let mut import = Import::new(&mut sink, ImportOptions::default(), OnRefusal::Stop);
                import.read("bench", lines.as_slice()).expect("an import");
                drop(import);
                store.close().expect("a clean close");
                folder
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn pages(criterion: &mut Criterion, store: &Store, place: &str) {
    let mut group = criterion.benchmark_group("page");
    group.bench_function(format!("newest 50, {place}"), |bench| {
        bench.iter(|| black_box(store.page(&Query::default()).expect("a page")));
    });
    group.finish();
}

/// Filters whose terms come from the events of two ranks: one that is everywhere, one that is not.
fn filters(criterion: &mut Criterion, store: &Store) {
    let mut events = events(EVENTS);
    let rare = events.pop().expect("there are events");
    let entity = |field, kind: &str, id: Option<&str>| {
        Condition::Field(field, Pattern::entity(kind, id.unwrap_or_default()))
    };
    let most = most_frequent(&events);
    let of_event = |event: &Event| {
        let subject = event.subject.value().expect("every event has a subject");
        let performer = event
            .performer
            .value()
            .expect("every event has a performer");
        let subject = entity(FilterField::Subject, &subject.kind, subject.id.as_deref());
        let performer = entity(
            FilterField::Performer,
            &performer.kind,
            performer.id.as_deref(),
        );
        let both = Filter::new()
            .is(FilterField::Type, &event.event_type)
            .and(performer);
        (Filter::new().and(subject), both)
    };
    let (hot_subject, hot_both) = of_event(&most);
    let (rare_subject, rare_both) = of_event(&rare);
    let entity_id = rare
        .metadata
        .value()
        .and_then(|pairs| pairs.get("entity_id"));
    let metadata = FilterField::Meta("entity_id".to_owned());
    let metadata = Filter::new().is(metadata, entity_id.unwrap_or_default());
    let absent = entity(FilterField::Subject, "user", Some("usr_ABSENT"));
    let day = |day: i64| {
        let start = Profile::realistic(1).start.as_micros();
        Time::saturating_from_micros(start + day * 86_400_000_000)
    };
    let month = Filter::new()
        .is(FilterField::Type, &most.event_type)
        .is(FilterField::Org, most.org.as_deref().unwrap_or_default())
        .since(day(90))
        .before(day(120));
    let mut group = criterion.benchmark_group("filtered page");
    for (name, filter) in [
        ("a hot subject", hot_subject),
        ("a rare subject", rare_subject),
        ("an absent subject", Filter::new().and(absent)),
        ("type AND performer, hot", hot_both),
        ("type AND performer, rare", rare_both),
        ("a metadata value", metadata),
        ("a past month, type and org", month),
    ] {
        let query = Query {
            filter,
            ..Query::default()
        };
        group.bench_function(name, |bench| {
            bench.iter(|| black_box(store.page(&query).expect("a page")));
        });
    }
    group.finish();
}

/// The event that comes first among those of the most frequent subject.
fn most_frequent(events: &[Event]) -> Event {
    let mut counts = std::collections::HashMap::new();
    let subject = |event: &Event| event.subject.value().and_then(|s| s.id.value().cloned());
    for event in events {
        *counts.entry(subject(event)).or_insert(0_u32) += 1;
    }
    let best = counts
        .into_iter()
        .max_by_key(|(_, count)| *count)
        .and_then(|(id, _)| id);
    let found = events.iter().find(|event| subject(event) == best);
    found.cloned().unwrap_or_default()
}

fn walk(criterion: &mut Criterion, store: &Store) {
    let mut group = criterion.benchmark_group("walk");
    group.sample_size(10);
    group.bench_function("100 pages of 50 by cursor", |bench| {
        bench.iter(|| {
            let mut query = Query::default();
            for _ in 0..100 {
                let page = store.page(&query).expect("a page");
                query.cursor = black_box(page).next_cursor;
            }
        });
    });
    group.finish();
}

fn cursor(criterion: &mut Criterion, store: &Store) {
    let page = store.page(&Query::default()).expect("a page");
    let cursor = page.next_cursor.expect("there is more");
    let token = cursor.to_string();
    let mut group = criterion.benchmark_group("cursor");
    group.bench_function("to a token", |bench| {
        bench.iter(|| black_box(&cursor).to_string());
    });
    group.bench_function("from a token", |bench| {
        bench.iter(|| black_box(&token).parse::<Cursor>().expect("a cursor"));
    });
    group.finish();
}

fn export(criterion: &mut Criterion, store: &Store) {
    let mut group = criterion.benchmark_group("export");
    group
        .sample_size(10)
        .throughput(Throughput::Elements(EVENTS));
    let plain = Compression::None;
    for (name, format, compression) in [
        ("everything as NDJSON", Format::Ndjson, plain),
        ("everything as CSV", Format::Csv, plain),
        ("everything as JSON", Format::Json, plain),
        (
            "everything as NDJSON, zstd",
            Format::Ndjson,
            Compression::Zstd,
        ),
        (
            "everything as NDJSON, gzip",
            Format::Ndjson,
            Compression::Gzip,
        ),
    ] {
        let export = Export {
            format,
            compression,
            ..Export::default()
        };
        group.bench_function(name, |bench| {
            bench.iter(|| {
                let all = Query::default();
                let report = export.run(&store.snapshot(), &all, std::io::sink());
                assert_eq!(report.expect("an export").rows, EVENTS);
            });
        });
    }
    group.finish();
}

/// A folder of files as they are at this moment, which is what a process leaves that is killed.
fn copied(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copied(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).expect("a copy");
        }
    }
}

fn open(criterion: &mut Criterion, folder: &Path) {
    let mut group = criterion.benchmark_group("open");
    let killed = tempfile::tempdir().expect("a folder");
    {
        // Nothing is sealed before the log is as long as a memtable may be, which is never shorter.
        let folder = tempfile::tempdir().expect("a folder");
        let full = Options::default().memtable_bytes_max as u64;
        let options = Options {
            memory_bytes_max: 1 << 30,
            memtable_bytes_max: 128 << 20,
            ..Options::default()
        };
        let store = Store::open(folder.path(), options).expect("a store");
        for batch in events(EVENTS).chunks(1_000) {
            store
                .append_batch_with(batch, Durability::Buffered)
                .expect("a batch");
            if store.stats().expect("stats").wal_bytes >= full {
                break;
            }
        }
        store.sync().expect("a sync");
        copied(folder.path(), killed.path());
        store.close().expect("a clean close");
    }
    group.sample_size(10);
    group.bench_function("for writing, after a kill with a full log", |bench| {
        bench.iter_batched(
            || {
                let folder = tempfile::tempdir().expect("a folder");
                copied(killed.path(), folder.path());
                folder
            },
            |folder| {
                let store = Store::open(folder.path(), Options::default()).expect("a store");
                (store, folder)
            },
            BatchSize::PerIteration,
        );
    });
    group.sample_size(20);
    group.bench_function("read-only, and the newest page", |bench| {
        bench.iter(|| {
            let reader = Reader::open(folder, ReadMode::default()).expect("a reader");
            let snapshot = reader.snapshot().expect("a snapshot");
            black_box(snapshot.page(&Query::default()).expect("a page"))
        });
    });
    group.finish();
}
