"""DuckDB, Parquet by DuckDB, and embedded ClickHouse: the same questions as the Rust contenders
are asked, answered through their Python wheels. Called by the peers bench with a group of works,
as `--child GROUP CONTENDER SHARED STORE SCRATCH WANTED CHECK`; prints one JSON object a figure."""

import csv
import fnmatch
import hashlib
import json
import os
import statistics
import subprocess
import sys
import threading
import time

COLUMNS = (
    "seq ts external_id request_id type sub_type org source outcome reason performer_kind "
    "performer_id performer_label performer_email on_behalf_of subject_kind subject_id "
    "subject_label targets ip user_agent entity metadata changes data"
).split()
NAMES = ", ".join(COLUMNS)
PAGE = 50


class Record:
    """The application struct that every returned row fills."""

    __slots__ = COLUMNS

    def __init__(self, row):
        (self.seq, self.ts, self.external_id, self.request_id, self.type, self.sub_type, self.org,
         self.source, self.outcome, self.reason, self.performer_kind, self.performer_id,
         self.performer_label, self.performer_email, self.on_behalf_of, self.subject_kind,
         self.subject_id, self.subject_label, self.targets, self.ip, self.user_agent, self.entity,
         self.metadata, self.changes, self.data) = row


def digest(records):
    """The digest that `record.rs` describes."""
    hashed, count = hashlib.sha256(), 0
    for record in records:
        texts = (getattr(record, name) for name in COLUMNS[2:])
        cells = (b"-" if text is None else b"+" + text.encode() for text in texts)
        hashed.update(b"\x1f".join((str(record.ts).encode(), *cells)) + b"\x1e")
        count += 1
    return f"{count}:{hashed.hexdigest()[:16]}"


def quoted(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def conditions(ask, after, quote):
    found = []
    for column, value in (("type", ask["event_type"]), ("org", ask["org"]),
                          ("entity", ask["entity"])):
        if value is not None:
            found.append(f"{column} = {quote(value)}")
    for name in ("subject", "performer"):
        if ask[name] is not None:
            kind, number = ask[name]
            found.append(f"{name}_kind = {quote(kind)} AND {name}_id = {quote(number)}")
    if ask["between"] is not None:
        found.append("ts >= {} AND ts < {}".format(*ask["between"]))
    if after is not None:
        ts, seq = after
        found.append(f"ts <= {ts} AND (ts < {ts} OR seq < {seq})")
    return " WHERE " + " AND ".join(found) if found else ""


class Sql:
    """What the three have in common: the text of the queries."""

    quote = staticmethod(lambda text: "'" + text.replace("'", "''") + "'")

    def select(self, ask, limit, after=None, columns=NAMES):
        sql = f"SELECT {columns} FROM {self.table}{conditions(ask, after, self.quote)}"
        return sql + " ORDER BY ts DESC, seq DESC" + (f" LIMIT {limit}" if limit else "")

    def page(self, ask, limit=PAGE, after=None):
        return [Record(row) for row in self.rows(self.select(ask, limit, after))]

    def kept(self):
        return bytes_below(self.store)

    def mark(self, behind):
        """The place of the row behind which page 1,000 begins."""
        sql = f"SELECT ts, seq FROM {self.table} ORDER BY ts DESC, seq DESC LIMIT 1 OFFSET {behind}"
        return tuple(int(part) for part in self.rows(sql)[0])


class DuckDb(Sql):
    table = "event"

    def __init__(self, store):
        import duckdb
        os.makedirs(store, exist_ok=True)
        self.store = store
        self.connection = duckdb.connect(os.path.join(store, "events.duckdb"))
        self.connection.execute("SET threads = 2")

    def csv_of(self, path):
        types = ", ".join(f"'{name}': '{'BIGINT' if name in ('seq', 'ts') else 'VARCHAR'}'"
                          for name in COLUMNS)
        return (f"read_csv('{path}', header = true, nullstr = '\\N', delim = ',', quote = '\"', "
                f"escape = '\"', max_line_size = 16777216, columns = {{{types}}})")

    def load(self, path):
        self.connection.execute(f"CREATE TABLE event AS SELECT * FROM {self.csv_of(path)}")
        self.connection.execute("CHECKPOINT")

    def close(self):
        self.connection.close()

    def rows(self, sql):
        return self.connection.execute(sql).fetchall()

    def export(self, ask, limit, form, path):
        form = "csv, header" if form == "csv" else "json"
        select = self.select(ask, limit)
        self.connection.execute(f"COPY ({select}) TO '{path}' (FORMAT {form}, USE_TMP_FILE false)")

    def prepare(self, rows):
        """Rows as the quickest way in takes them: one by values, many as a table of Arrow."""
        if len(rows) == 1:
            return rows[0]
        import pyarrow
        columns = list(zip(*rows))
        types = [pyarrow.int64()] * 2 + [pyarrow.string()] * (len(COLUMNS) - 2)
        arrays = [pyarrow.array(column, kind) for column, kind in zip(columns, types)]
        return pyarrow.table(arrays, COLUMNS)

    def append(self, prepared):
        if isinstance(prepared, list):
            places = ", ".join("?" * len(COLUMNS))
            self.connection.execute(f"INSERT INTO event VALUES ({places})", prepared)
        else:
            self.connection.register("batch", prepared)
            self.connection.execute("INSERT INTO event SELECT * FROM batch")
            self.connection.unregister("batch")


class Parquet(DuckDb):
    def __init__(self, store):
        import duckdb
        os.makedirs(store, exist_ok=True)
        self.store = store
        self.connection = duckdb.connect()
        self.connection.execute("SET threads = 2")
        self.path = os.path.join(store, "events.parquet")
        self.table = f"read_parquet('{self.path}')"

    def load(self, path):
        order = "ORDER BY ts DESC, seq DESC"
        self.connection.execute(f"COPY (SELECT * FROM {self.csv_of(path)} {order}) "
                                f"TO '{self.path}' (FORMAT parquet, COMPRESSION zstd)")
        with open(self.path, "rb") as file:
            os.fsync(file.fileno())


class ClickHouse(Sql):
    table = "peers.event"
    quote = staticmethod(quoted)

    def __init__(self, store):
        from chdb import session
        self.session = session.Session(store)
        self.run("SET max_threads = 2")

    def run(self, sql, form="CSV"):
        return self.session.query(sql, form)

    def load(self, path):
        self.create()
        self.run(f"INSERT INTO {self.table} SELECT * FROM file('{path}', 'CSVWithNames', "
                 f"'{self.shape()}') SETTINGS format_csv_null_representation = '\\\\N'")
        self.run(f"OPTIMIZE TABLE {self.table} FINAL")

    def shape(self):
        absent = ("sub_type reason performer_label performer_email on_behalf_of targets changes "
                  "data").split()
        kind = {name: "Nullable(String)" for name in absent} | {"seq": "Int64", "ts": "Int64"}
        return ", ".join(f"{name} {kind.get(name, 'String')}" for name in COLUMNS)

    def create(self):
        self.run("CREATE DATABASE peers ENGINE = Atomic")
        columns = ", ".join(f"{column} CODEC(ZSTD(1))" for column in self.shape().split(", "))
        filters = ", ".join(f"INDEX {name}_filter {name} TYPE bloom_filter GRANULARITY 1"
                            for name in ("subject_id", "performer_id", "type", "entity"))
        self.run(f"CREATE TABLE {self.table} ({columns}, {filters}) ENGINE = MergeTree "
                 "ORDER BY (ts, seq) SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, "
                 "min_rows_to_fsync_after_merge = 1")

    def kept(self):
        """Bytes without the parts that merging has replaced and that go some minutes later."""
        return self.rows("SELECT sum(bytes_on_disk) FROM system.parts WHERE active")[0][0]

    def close(self):
        self.session.close()

    def rows(self, sql):
        text = self.run(sql + " SETTINGS output_format_json_quote_64bit_integers = 0",
                        "JSONCompactEachRow").bytes()
        return [json.loads(line) for line in text.splitlines()]

    def export(self, ask, limit, form, path):
        form = "CSVWithNames" if form == "csv" else "JSONEachRow"
        quoted_numbers = "output_format_json_quote_64bit_integers = 0"
        self.run(f"{self.select(ask, limit)} INTO OUTFILE '{path}' TRUNCATE FORMAT {form} "
                 f"SETTINGS {quoted_numbers}")

    def prepare(self, rows):
        lines = (json.dumps(dict(zip(COLUMNS, row)), ensure_ascii=False) for row in rows)
        return f"INSERT INTO {self.table} FORMAT JSONEachRow\n" + "\n".join(lines)

    def append(self, prepared):
        self.run(prepared)


ENGINES = {"duckdb": DuckDb, "parquet": Parquet, "clickhouse": ClickHouse}


def account(path, name):
    with open(path) as file:
        for line in file:
            if line.startswith(name):
                return int(line.split()[1])
    return 0


class Memory:
    """Watches this process' memory every 10 ms until it is asked for the peaks."""

    def __init__(self):
        self.peaks = [0, 0]
        self.going = True
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def watch(self):
        while self.going:
            for place, name in enumerate(("RssAnon:", "RssFile:")):
                self.peaks[place] = max(self.peaks[place], account("/proc/self/status", name))
            time.sleep(0.01)

    def tell(self, work):
        self.going = False
        self.thread.join()
        for what, peak in zip(("anonymous", "file-backed"), self.peaks):
            tell(f"{work}: peak {what} memory", "MiB", [peak / 1024])


def tell(work, unit, values, rows=None):
    values = sorted(values)
    outcome = {"work": work, "unit": unit, "median": statistics.median(values),
               "low": values[0], "high": values[-1]}
    print(json.dumps(outcome | ({"rows": rows} if rows else {})), flush=True)


def times(work, count, least=3, budget=0.5):
    """Seconds that work takes, after once that does not count."""
    work()
    begin, values = time.perf_counter(), []
    while len(values) < count and (len(values) < least or time.perf_counter() - begin < budget):
        started = time.perf_counter()
        work()
        values.append(time.perf_counter() - started)
    return values


class Task:
    def __init__(self, contender, shared, store, scratch, wanted, check):
        self.engine = ENGINES[contender]
        self.shared, self.store, self.scratch = shared, store, scratch
        self.patterns = [word for word in wanted.split(",") if word]
        self.check = check == "check"
        with open(os.path.join(shared, "asks.json")) as file:
            self.asks = json.load(file)

    def wants(self, work):
        code = work.split(" ")[0]
        fits = any(fnmatch.fnmatchcase(name, pattern)
                   for name in (code, work) for pattern in self.patterns)
        return fits or not self.patterns

    def checked(self, engine, ask, limit, form):
        path = os.path.join(self.scratch, "checked")
        engine.export(ask, limit, form, path)
        found = subprocess.run([os.environ["PEERS"], "--digest", form, path],
                               check=True, capture_output=True, text=True).stdout.strip()
        os.remove(path)
        return found


ALL = dict.fromkeys(("subject", "event_type", "performer", "org", "entity", "between"))


def bytes_below(folder):
    return sum(os.stat(os.path.join(path, name)).st_blocks * 512
               for path, _, names in os.walk(folder) for name in names
               if os.path.isfile(os.path.join(path, name)))


def load(task, work):
    memory = Memory()
    begin = time.perf_counter()
    engine = task.engine(task.store)
    engine.load(os.path.join(task.shared, "events.csv"))
    kept = engine.kept()
    engine.close()
    tell(work, "events/s", [task.asks["events"] / (time.perf_counter() - begin)])
    memory.tell(work)
    written = account("/proc/self/io", "write_bytes:")
    tell(f"{work}: bytes written per byte kept", "", [written / kept])
    if work.startswith("I3 "):
        tell("bytes per event, all indexes", "B", [kept / task.asks["events"]])


def pages(task):
    engine = task.engine(task.store)
    asked = [(work, ask, None) for work, ask in task.asks["pages"]]
    work = "Q5 page 1,000 by cursor"
    if task.wants(work):
        asked.append((work, ALL, engine.mark(PAGE * 999 - 1)))
    for work, ask, after in asked:
        if task.wants(work):
            rows = digest(engine.page(ask, PAGE, after))
            values = times(lambda: engine.page(ask, PAGE, after), 50)
            tell(work, "µs", [value * 1e6 for value in values], rows)


def walk(task):
    engine = task.engine(task.store)
    begin, after, records = time.perf_counter(), None, []
    for _ in range(1000):
        page = engine.page(ALL, PAGE, after)
        records += page
        if len(page) < PAGE:
            break
        after = (page[-1].ts, page[-1].seq)
    took = time.perf_counter() - begin
    tell("Q5 walking 1,000 pages", "ms", [took * 1e3], digest(records))


def files(task):
    engine = task.engine(task.store)
    path = os.path.join(task.scratch, "export")

    def synced():
        engine.export(ALL, 50_000, "csv", path)
        with open(path, "rb") as file:
            os.fsync(file.fileno())

    work = "E1 newest 50,000 as CSV, synced"
    if task.wants(work):
        rows = task.checked(engine, ALL, 50_000, "csv")
        tell(work, "ms", [value * 1e3 for value in times(synced, 5)], rows)
    work = "E3 one type over a quarter as CSV"
    if task.wants(work):
        quarter = task.asks["quarter"]
        rows = task.checked(engine, quarter, None, "csv")
        values = times(lambda: engine.export(quarter, None, "csv", "/dev/null"), 5)
        tell(work, "ms", [value * 1e3 for value in values], rows)


def everything(task, form):
    work = f"E2 everything as {form.upper()}"
    engine = task.engine(task.store)
    memory = Memory()
    begin = time.perf_counter()
    engine.export(ALL, None, form, "/dev/null")
    took = time.perf_counter() - begin
    memory.tell(work)
    rows = task.checked(engine, ALL, None, form) if task.check else None
    tell(work, "events/s", [task.asks["events"] / took], rows)


def packed(task):
    engine = task.engine(task.store)
    begin = time.perf_counter()
    with open("/dev/null", "wb") as out:
        zstd = subprocess.Popen(["zstd", "-1", "-T2", "-q", "-c"], stdin=subprocess.PIPE, stdout=out)
    engine.export(ALL, None, "ndjson", f"/dev/fd/{zstd.stdin.fileno()}")
    zstd.stdin.close()
    assert zstd.wait() == 0
    took = time.perf_counter() - begin
    tell("E2z everything as NDJSON, zstd", "events/s", [task.asks["events"] / took])


def first(task):
    import chdb, duckdb  # noqa: E401,F401 — loading the wheels is not what is measured
    begin = time.perf_counter()
    page = task.engine(task.store).page(ALL)
    took = time.perf_counter() - begin
    tell("O1 new process, cold cache, open and first page", "ms", [took * 1e3], digest(page))


def append(task):
    copy = os.path.join(task.scratch, "copy")
    subprocess.run(["cp", "-a", task.store, copy], check=True)
    os.sync()
    with open(os.path.join(task.shared, "more.csv"), newline="") as file:
        rows = [[int(row[0]), int(row[1])] + [None if text == "\\N" else text for text in row[2:]]
                for row in list(csv.reader(file))[1:]]
    engine = task.engine(copy)
    work = "I1 one durable event, one thread"
    if task.wants(work):
        waiting = iter([engine.prepare([row]) for row in rows[:300]])
        values = times(lambda: engine.append(next(waiting)), 200)
        tell(work, "µs", [value * 1e6 for value in values])
    work = "I2 durable batch of 1,000"
    if task.wants(work):
        waiting = iter([engine.prepare(rows[at:at + 1000]) for at in range(1000, 16_000, 1000)])
        values = times(lambda: engine.append(next(waiting)), 10)
        tell(work, "µs", [value * 1e6 for value in values])
    work = "Q1 newest 50, in the memtable"
    if task.wants(work):
        values = times(lambda: engine.page(ALL), 50)
        tell(work, "µs", [value * 1e6 for value in values])
    engine.close()


GROUPS = {
    "load": lambda task: load(task, "I3 bulk load"),
    "lines": lambda task: load(task, "I3n import of NDJSON"),
    "pages": pages,
    "walk": walk,
    "files": files,
    "csv": lambda task: everything(task, "csv"),
    "ndjson": lambda task: everything(task, "ndjson"),
    "packed": packed,
    "open": first,
    "append": append,
}


def main():
    _, child, group, contender, *rest = sys.argv
    assert child == "--child"
    GROUPS[group](Task(contender, *rest))


if __name__ == "__main__":
    main()
