//! The reading works: pages asked again and again and once, walks, exports, opening.

use std::fs::File;
use std::io::BufReader;
use std::time::Instant;

use super::Task;
use super::tell;
use super::tell_memory;
use crate::ask::Ask;
use crate::check;
use crate::contenders::Contender;
use crate::contenders::Form;
use crate::contenders::Mark;
use crate::measure::Figure;
use crate::measure::Memory;
use crate::measure::micros;
use crate::record::Rows;

const PAGE: usize = 50;

/// Times a page.
pub fn time_page<C: Contender>(contender: &C, ask: &Ask, from: &Mark) -> Figure {
    micros(200, || {
        std::hint::black_box(contender.page(ask, PAGE, from));
    })
}

/// Times a page and tells the digest of its rows; of a conjunction also what the first time took,
/// since a store may remember what it did not find.
fn page<C: Contender>(contender: &C, work: &str, ask: &Ask, from: &Mark) {
    let mut rows = Rows::default();
    let begin = Instant::now();
    let (page, _) = contender.page(ask, PAGE, from);
    if work.starts_with("Q3") {
        let first = begin.elapsed().as_secs_f64() * 1e6;
        tell(&first_of(work), "µs", Figure::one(first), None);
    }
    page.records().iter().for_each(|record| rows.add(record));
    let figure = time_page(contender, ask, from);
    tell(work, "µs", figure, Some(rows.digest()));
}

/// The name of a work's first time.
fn first_of(work: &str) -> String {
    format!("{work}, first asked")
}

/// What no store can be quicker than: the structs of a page copied from structs that lie in memory.
fn copying<C: Contender>(contender: &C) {
    let (page, _) = contender.page(&Ask::default(), PAGE, &Mark::Top);
    let records = page.records();
    let figure = micros(200, || {
        std::hint::black_box(std::hint::black_box(&records).clone());
    });
    tell("floor: 50 structs copied in memory", "µs", figure, None);
}

pub fn pages<C: Contender>(contender: &C, task: &Task<'_>) {
    if task.wanted.has("Q1 newest 50, in segments") {
        copying(contender);
    }
    for (work, ask) in &task.asks.pages {
        if task.wanted.has(work) {
            page(contender, work, ask, &Mark::Top);
        }
    }
    let work = "Q5 page 1,000 by cursor";
    if task.wanted.has(work) {
        let all = Ask::default();
        let (_, from) = contender.page(&all, PAGE * 999, &Mark::Top);
        page(contender, work, &all, &from);
    }
}

pub fn fresh<C: Contender>(contender: &C, task: &Task<'_>) {
    let mut rows = Rows::default();
    let mut times = Vec::new();
    for ask in &task.asks.fresh {
        let begin = Instant::now();
        let (page, _) = contender.page(ask, PAGE, &Mark::Top);
        times.push(begin.elapsed().as_secs_f64() * 1e6);
        page.records().iter().for_each(|record| rows.add(record));
    }
    let mean = times.iter().sum::<f64>() / times.len().max(1) as f64;
    let digest = rows.digest();
    let median = Figure::of(times);
    tell(
        "Q2r fresh subjects, median",
        "µs",
        median,
        Some(digest.clone()),
    );
    tell(
        "Q2r fresh subjects, mean",
        "µs",
        Figure::one(mean),
        Some(digest),
    );
}

pub fn walk<C: Contender>(contender: &C, _: &Task<'_>) {
    let mut rows = Rows::default();
    let all = Ask::default();
    let walk = |each: &mut dyn FnMut(crate::contenders::Rows)| {
        let mut mark = Mark::Top;
        for _ in 0..1_000 {
            let (page, next) = contender.page(&all, PAGE, &mark);
            each(page);
            mark = next;
            if matches!(mark, Mark::End) {
                break;
            }
        }
    };
    walk(&mut |page| page.records().iter().for_each(|record| rows.add(record)));
    let mut times = Vec::new();
    for _ in 0..3 {
        let begin = Instant::now();
        walk(&mut |page| {
            std::hint::black_box(page);
        });
        times.push(begin.elapsed().as_secs_f64() * 1e3);
    }
    tell(
        "Q5 walking 1,000 pages",
        "ms",
        Figure::of(times),
        Some(rows.digest()),
    );
}

/// Opens and reads the newest page; the files were put out of the cache before.
pub fn first<C: Contender>(open: impl FnOnce() -> C) {
    let begin = Instant::now();
    let contender = open();
    let (page, _) = contender.page(&Ask::default(), PAGE, &Mark::Top);
    let figure = Figure::one(begin.elapsed().as_secs_f64() * 1e3);
    let mut rows = Rows::default();
    page.records().iter().for_each(|record| rows.add(record));
    let work = "O1 new process, cold cache, open and first page";
    tell(work, "ms", figure, Some(rows.digest()));
}

fn nowhere() -> File {
    File::create("/dev/null").expect("the empty device")
}

/// The digest of what an export holds, by way of a file.
fn checked<C: Contender>(
    contender: &C,
    ask: &Ask,
    limit: usize,
    form: Form,
    task: &Task<'_>,
) -> String {
    let path = task.scratch.join("checked");
    let mut file = File::create(&path).expect("a file");
    contender.export(ask, limit, form, &mut file);
    let file = File::open(&path).expect("the file");
    let digest = check::digest(form, BufReader::with_capacity(1 << 20, file));
    std::fs::remove_file(&path).expect("the file goes");
    digest
}

pub fn files<C: Contender>(contender: &C, task: &Task<'_>) {
    let all = Ask::default();
    for (work, ask, limit) in [
        ("E1 newest 50,000 as CSV, synced", &all, 50_000),
        (
            "E3 one type over a quarter as CSV",
            &task.asks.quarter,
            usize::MAX,
        ),
    ] {
        if !task.wanted.has(work) {
            continue;
        }
        let rows = checked(contender, ask, limit, Form::Csv, task);
        let path = task.scratch.join("export");
        let figure = micros(5, || {
            if work.starts_with("E1") {
                let mut out = File::create(&path).expect("a file");
                contender.export(ask, limit, Form::Csv, &mut out);
                out.sync_all().expect("a sync");
            } else {
                contender.export(ask, limit, Form::Csv, &mut nowhere());
            }
        });
        let millis = Figure {
            median: figure.median / 1e3,
            low: figure.low / 1e3,
            high: figure.high / 1e3,
        };
        tell(work, "ms", millis, Some(rows));
        let _ = std::fs::remove_file(&path);
    }
}

pub fn everything<C: Contender>(contender: &C, task: &Task<'_>, form: Form) {
    let work = match form {
        Form::Csv => "E2 everything as CSV",
        Form::Ndjson => "E2 everything as NDJSON",
    };
    let memory = Memory::watch(0);
    let begin = Instant::now();
    let all = Ask::default();
    let count = contender.export(&all, usize::MAX, form, &mut nowhere());
    let rate = count as f64 / begin.elapsed().as_secs_f64();
    tell_memory(work, memory);
    let rows = match task.check {
        true => Some(checked(contender, &all, usize::MAX, form, task)),
        false => None,
    };
    assert_eq!(count, task.asks.events, "rows of {work}");
    tell(work, "events/s", Figure::one(rate), rows);
}

pub fn packed<C: Contender>(contender: &C, task: &Task<'_>) {
    let begin = Instant::now();
    let count = contender.export_packed(nowhere());
    let rate = count as f64 / begin.elapsed().as_secs_f64();
    assert_eq!(count, task.asks.events, "rows of the packed export");
    let figure = Figure::one(rate);
    tell("E2z everything as NDJSON, zstd", "events/s", figure, None);
}
