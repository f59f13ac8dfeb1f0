#!/usr/bin/env python3
"""Prints every event of an auditdb store, newest first, one canonical line each: python3 reader.py STORE

A second witness beside auditdb, written from the format's pages alone, for whoever has a store and nothing
else. It reads a store that nobody is writing to, checks every checksum and hash that the pages describe, and
stops at the first damage with file and offset, before it prints anything. LOCK is scratch (lock.md) and not looked at.
Needs Python 3.8 and zstd: `pip install zstandard`, or Python 3.14.
"""
import bisect, hashlib, io, itertools, re, struct, sys
from collections import namedtuple
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from zlib import crc32
try:
    from compression.zstd import ZstdDict, decompress
except ImportError:
    from zstandard import ZstdCompressionDict as ZstdDict, ZstdDecompressor
    def decompress(data, known): return ZstdDecompressor(known).decompress(data)
Current = namedtuple("Current", "store closed manifest manifest_end wal wal_end events")
Entry = namedtuple("Entry", "number length newest newest_seq oldest oldest_seq lowest_seq highest_seq"
                   " first_recorded last_recorded hash rows year month day level zero")
Schema = namedtuple("Schema", "mappings members shapes shape_classes repeat_width commits columns")
Column = namedtuple("Column", "told always other table base fields")
Values = namedtuple("Values", "dictionaries places tables texts")
Row = namedtuple("Row", "occurred_at seq recorded_at content")
class Damage(Exception): pass
def check(good, path, offset, what):
    if not good: raise Damage(f"{path}: at byte {offset}: {what}")
def need(good, what):
    if not good: raise ValueError(what)
@contextmanager
def reading(path, offset, what):
    try: yield
    except Exception as e:  # whatever goes wrong in here is damage of what stands at this place
        raise Damage(f"{path}: at byte {offset}: {what}: {e}")
# README.md, "What all files of a store share": little endian and LEB128. A stream is an io.BytesIO.
def number(data, at, size): return int.from_bytes(data[at:at + size], "little")
def byte(stream): return take(stream, 1)[0]
def sized(stream): return take(stream, varint(stream))
def many(stream, read): return [read(stream) for _ in range(varint(stream))]
def take(stream, size): return need(len(data := stream.read(size)) == size, "it ends too early") or data
def varint(stream):
    value, shift, b = 0, 0, 128
    while b & 128: value, shift = value | ((b := byte(stream)) & 127) << shift, shift + 7
    return need((b or shift == 7) and value < 1 << 64, "an integer is not in its one form") or value
def zigzag(stream): return (value := varint(stream)) >> 1 ^ -(value & 1)
# log.md, "Header", "Frame" and "Reading"
def mix(v):
    v = v + 0x9e3779b97f4a7c15 & 2**64 - 1
    for shift, by in (30, 0xbf58476d1ce4e5b9), (27, 0x94d049bb133111eb): v = (v ^ v >> shift) * by & 2**64 - 1
    return v ^ v >> 31
def log_header(path, data, magic, store, file_number):
    check(data[:8] == magic and len(data) >= 512, path, 0, f"there is no header of {magic.decode()}")
    check(crc32(data[:508]) == number(data, 508, 4), path, 508, "wrong checksum of the header")
    check(number(data, 8, 8) == 1, path, 8, "the version or a required feature is unknown")
    check(data[24:40] == store and number(data, 40, 8) == file_number, path, 24, "it is of another store or number")
    check(not any(data[20:24] + data[88:508]), path, 20, "bytes of the header are not zero")
    return struct.unpack_from("<4Q", data, 56)  # what the kind of log decides
def head_at(data, at, salt):
    """The head of a frame at `at`: none without its stamp, and an empty one if its checksum does not fit."""
    if len(data) < at + 512 or number(data, at, 8) != mix(mix(salt) ^ at // 512) | 1: return None
    fits = crc32(struct.pack("<QQ", salt, at // 512) + data[at + 12:at + 32]) == number(data, at + 8, 4)
    return struct.unpack_from("<4IQ", data, at + 8) if fits else ()
def frame(path, data, at, salt, before):
    """Payload, checksum, synced and end of the frame at `at`; nothing if there is none."""
    if (head := head_at(data, at, salt)) is None: return None
    check(head, path, at + 8, "wrong checksum of a frame's head")
    crc, length, payload_crc, follows, synced = head
    check(1 <= length <= 1 << 27, path, at + 12, "impossible length of a payload")
    end = at + 512 + 512 * ((max(0, length - 480) + 503) // 504)
    further = range(at + 512, end, 512)
    stamps = [(mix(mix(salt) ^ sector // 512 ^ 1 << 63) | 1) ^ crc << 32 for sector in further]
    if follows != before or end > len(data) or [number(data, sector, 8) for sector in further] != stamps:
        return None
    payload = data[at + 32:at + 512] + b"".join(data[sector + 8:sector + 512] for sector in further)
    check(not any(payload[length:]), path, end - 512, "bytes behind a payload are not zero")
    check(crc32(payload[:length]) == payload_crc, path, at + 16, "wrong checksum of a payload")
    return payload[:length], crc, synced, end
def frames(path, data, end, exact):
    """Offset, payload and synced of each frame of a log that ends at `end` (exact), or not before it."""
    salt, before, at, found = number(data, 48, 8), number(data, 508, 4), 512, []
    while (not exact or at < end) and (read := frame(path, data, at, salt, before)):
        found.append((at, read[0], read[2]))
        before, at = read[1], read[3]
    check(at == end or at > end and not exact, path, at, f"there is no frame, but the log reached byte {end}")
    rest = len(data[at:].lstrip(b"\0"))
    check(not rest or not exact, path, len(data) - rest, "bytes behind the end of the log are not zero")
    for later in range(at + 512, len(data), 512):
        proof = head_at(data, later, salt)
        check(not proof or proof[4] <= at, path, at, f"a durable frame is missing, as the one at {later} proves")
    if rest: print(f"note: {path}: stale or torn bytes left out from byte {at} on", file=sys.stderr)
    return found
# manifest.md, "CURRENT", "Head" and "Entry"
def read_current(path):
    data = path.read_bytes()
    numbers = "".join(f"{name} (0|[1-9][0-9]*)\n" for name in Current._fields[2:])
    form = f"auditdb store 1\nid ([0-9a-f]{{32}})\nstate (open|closed)\n{numbers}crc ([0-9a-f]{{8}})\n"
    read = re.fullmatch(form.encode(), data)
    check(read, path, 0, "it has not the lines of a CURRENT of version 1")
    check(crc32(data[:-13]) == int(read[8], 16), path, len(data) - 13, "wrong checksum")
    return Current(bytes.fromhex(read[1].decode()), read[2] == b"closed", *map(int, read.groups()[2:7]))
def read_manifest(path, current):
    """The first log that is needed, and the segments by number."""
    data = path.read_bytes()
    check(not any(log_header(path, data, b"auditman", current.store, current.manifest)), path, 56, "not zero")
    segments, before = {}, None
    for at, payload, synced in frames(path, data, current.manifest_end, current.closed):
        check(synced == at, path, at + 24, "the frame before this one was not synced")
        with reading(path, at, "in the frame here"):
            kind, width, zero, removed, added, zeros, *values = struct.unpack_from("<BBHIIIQQQQqQ", payload)
            need(kind == (2 if before else 1) and 1 <= width <= 3 and not zero | zeros, "bad head")
            need(len(payload) == 64 + 8 * removed + 124 * added, "it has another length than its head says")
            back = before and ((width, values[0]) != before[:2] or any(a < b for a, b in zip(values, before[1:])))
            need(not back, "a value changes that is fixed, or goes back")
            for gone, in struct.iter_unpack("<Q", payload[64:64 + 8 * removed]):
                need(segments.pop(gone, None), f"segment {gone} is removed and was not there")
            for entry in map(Entry._make, struct.iter_unpack("<QQ8q32s2I4B", payload[64 + 8 * removed:])):
                need(entry.number not in segments and entry.number < values[1], "a segment's number is taken")
                segments[entry.number] = entry
            before = width, *values
    # Behind the width stand: made, next segment, sealed, first log.
    return check(before, path, 512, "there is no state") or (before[4], segments)
# wal.md, "Group" and "Row", "Where a log ends"
def read_log(path, data, end, exact):
    next_seq, _, former, former_end = struct.unpack_from("<4Q", data, 56)
    check(former < number(data, 40, 8) and former_end % 512 == 0, path, 72, "impossible former log of the file")
    rows, last_recorded = [], 0
    for at, payload, _ in frames(path, data, end, exact):
        with reading(path, at, "in the frame here"):
            stream = io.BytesIO(payload)
            first, recorded, count = struct.unpack("<QqI", take(stream, 20))
            need(count and first >= next_seq and recorded >= last_recorded, "a group goes back or is empty")
            occurred, next_seq, last_recorded = recorded, first + count, recorded
            for seq in range(first, next_seq):
                occurred += zigzag(stream)
                rows.append(checked_row(occurred, seq, recorded, read_body(stream)))
            need(not stream.read(1), "bytes behind the last row")
    return rows
def read_logs(folder, current, first_needed):
    """The rows of the logs. A store that was not closed can have newer logs than CURRENT names."""
    there, last = folder.glob("*.wal"), current.wal if current.closed else sys.maxsize
    there = sorted((int(path.stem), path) for path in there if path.stem.isdigit())
    logs, rows = [(n, path, path.read_bytes()) for n, path in there if first_needed <= n <= last], []
    check(not current.closed or logs and logs[-1][0] == last, folder, 0, f"log {last} is missing")
    ends = {n - 1: log_header(path, data, b"auditwal", current.store, n)[1] for n, path, data in logs}
    for n, path, data in logs:
        named = current.wal_end if n == current.wal else 0
        rows += read_log(path, data, ends.get(n) or named, bool(ends.get(n) or named and current.closed))
    return rows
# segment.md, introduction, and "Checksums" to "Directory"
def width(n): return n.bit_length()
def bit_reader(data):
    """A function that takes the next number of so many bits, and one that checks the end."""
    at = 0
    def code(size):
        nonlocal at
        start, at = at, at + size
        return int.from_bytes(data[start // 8:(at + 7) // 8], "little") >> start % 8 & (1 << size) - 1
    def finish():
        need(0 <= (rest := 8 * len(data) - at) < 8 and code(rest) == 0, "packed numbers do not end with their byte")
    return code, finish
def packed(stream, count, size):
    code, finish = bit_reader(take(stream, (count * size + 7) // 8))
    return [code(size) for _ in range(count)] + (finish() or [])
def checked_sections(path, data, entry, store):
    """Offset, length and items of each section by kind, every byte of the file verified."""
    end = len(data) - 68
    check(len(data) == entry.length >= 132, path, len(data), f"the manifest says {entry.length} bytes")
    check(data[:8] == b"AUDITDBS" and data[-8:] == b"GESTIDUA", path, 0, "it does not begin and end as a segment")
    check(crc32(data[:60]) == number(data, 60, 4), path, 60, "wrong checksum of the header")
    check(data[8:16] == struct.pack("<HHI", 1, 64, 0), path, 8, "the version or a required feature is unknown")
    check(data[20:60] == store + struct.pack("<Q16x", entry.number), path, 20, "it is of another store or number")
    check(crc32(data[end:end + 56]) == number(data, end + 56, 4), path, end + 56, "wrong checksum of the footer")
    begin, length, crc, rows, zero, file_hash = struct.unpack_from("<Q4I32s", data, end)
    check(begin + length == end and length % 32 == 0 and not zero and rows == entry.rows, path, end, "bad footer")
    check(crc32(data[begin:end]) == crc, path, begin, "wrong checksum of the directory")
    sections, crcs, at = {}, {}, 64
    for kind, flags, crc, offset, size, items in struct.iter_unpack("<HHIQQQ", data[begin:end]):
        check(kind not in sections and offset == at and at + size <= begin, path, begin, "bad directory")
        check(1 <= kind <= 13 or not flags & 1, path, begin, f"the required section {kind} is unknown")
        sections[kind], crcs[kind], at = (offset, size, items), crc, at + size
    check(at == begin - length - 68 and data[at:at + length] == data[begin:end], path, at, "the first end differs")
    check(crc32(data[at + length:begin - 12]) == number(data, begin - 12, 4), path, begin - 12, "wrong first footer")
    check(all(kind in sections for kind in range(1, 12)), path, begin, "a section is missing")
    sums, size, _ = sections[11]
    check(crc32(data[sums:sums + size]) == crcs[11] and size == 4 * -(-sums // 4096), path, sums, "wrong page sums")
    for page, crc in enumerate(struct.unpack(f"<{size // 4}I", data[sums:sums + size])):
        check(crc32(data[4096 * page:min(4096 * page + 4096, sums)]) == crc, path, 4096 * page, "wrong page checksum")
    for kind, (offset, size, _) in sections.items():
        check(crc32(data[offset:offset + size]) == crcs[kind], path, offset, f"wrong checksum of section {kind}")
    check(hashlib.sha256(data[:end]).digest() == file_hash == entry.hash, path, end + 24, "wrong content hash")
    return sections
def read_segment(path, entry, store):
    """The rows of a segment, compared with what its row index and the manifest say of them."""
    data, rows = path.read_bytes(), []
    sections = checked_sections(path, data, entry, store)
    bytes_of = {kind: data[at:at + size] for kind, (at, size, _) in sections.items()}
    def read(kind, what, function, *more):
        with reading(path, sections[kind][0], what): return function(bytes_of[kind], *more)
    schema = read(5, "in the schema", read_schema, sections[5][2])
    texts = read(2, "in the texts' index", read_texts, data, sections[1], sections[2][2])
    values = read(6, "in the dictionaries", read_values, schema.columns, texts)
    blocks = read(4, "in the row index", lambda index: list(struct.iter_unpack("<IBqHH", index[9:])))
    lowest, shift = struct.unpack_from("<QB", bytes_of[4])
    ends = [low + (high << 32) for low, high, *_ in blocks[1:]] + [sections[3][1]]
    for (low, high, *said), end in zip(blocks, ends):
        start, count = low + (high << 32), min(64, entry.rows - len(rows))
        with reading(path, sections[3][0] + start, "in the row block here"):
            block = read_block(bytes_of[3][start:end], count, schema, values)
            seqs = [row.seq - lowest >> shift for row in block]
            need((block[0].occurred_at, min(seqs), max(seqs)) == tuple(said), "the row index says otherwise")
            rows += block
    with reading(path, sections[3][0], "in the rows"):
        places, (_, seqs, recorded, _) = [row[:2] for row in rows], zip(*rows)
        need(all(a > b for a, b in zip(places, places[1:])) and lowest == min(seqs), "they are out of order")
        bounds = *places[0], *places[-1], min(seqs), max(seqs), min(recorded), max(recorded)
        need(bounds == entry[2:10] and len(rows) == entry.rows, "the manifest's entry says otherwise")
    return rows
# segment.md, "Schema"
def read_alphabet(stream): return take(stream, byte(stream) or 256)
def read_fixed(stream): return byte(stream), [read_alphabet(stream) for _ in range(byte(stream))]
def read_integer(stream): return zigzag(stream), byte(stream)
def read_time(stream): return byte(stream), *read_integer(stream)
def read_member(stream): return many(stream, read_template), read_classes(stream)
def read_shape(stream): return varint(stream), many(stream, varint)
def read_schema(section, count):
    stream = io.BytesIO(decompress(section[4:], None))
    need(len(stream.getbuffer()) == number(section, 0, 4), "wrong length")
    mappings, members, shapes = many(stream, sized), many(stream, read_member), many(stream, read_shape)
    schema = Schema(mappings, members, shapes, read_classes(stream), byte(stream),
                    many(stream, lambda commit: (varint(commit), zigzag(commit))), many(stream, read_column))
    need(not stream.read(1) and len(schema.columns) == count, "wrong number of columns or bytes behind them")
    return schema._replace(commits=[list(itertools.accumulate(numbers)) for numbers in zip(*schema.commits)])
def read_template(stream):  # between each two literals the leaf of a column
    return (literals := re.split(rb"[\0-\2]", sized(stream))), [varint(stream) for _ in literals[1:]]
def read_dictionary_fields(stream):
    count, offset, run = varint(stream), varint(stream), byte(stream)
    more = [] if run == 255 else [byte(stream), varint(stream)] if run else [*read_fixed(stream)]
    return count, offset, run, more, read_classes(stream)
def read_column(stream):
    flags = byte(stream)
    other, table = varint(stream) if flags & 3 else None, varint(stream) if flags & 3 == 2 else None
    base = byte(stream)
    need(flags < 8 and flags & 3 != 3 and base < 7, "an unknown kind of column")
    read = (None, read_dictionary_fields, read_integer, read_fixed, read_alphabet, byte, read_time)[base]
    return Column(flags & 3, flags & 4, other, table, base, read and read(stream))
# segment.md, "Numbers"
def read_classes(stream):
    """Of each class, by its prefix, the bits of a place and the numbers it lists; none for the rest."""
    classes, at = {}, 0
    for size, place in [(head & 7, head >> 3) for head in take(stream, byte(stream))]:
        listed = place < 31 and [varint(stream) for _ in range(1 << place)]
        classes[f"{at >> 6 - size:0{size}b}"], at = (place, listed), at + (64 >> size)
    return need(at in (0, 64), "the prefixes are no whole code") or classes
def read_number(code, count, classes):
    prefix = ""
    while classes and prefix not in classes: prefix += "01"[code(1)]
    place, listed = classes.get(prefix, (0, None))
    return listed[code(place)] if listed else code(width(count - 1))
# segment.md, "Dictionaries" and "Texts and text index"
def read_values(section, columns, texts):
    """The values of each dictionary, the place of each value, and the tables of derived columns."""
    values = Values({}, {}, {}, texts)
    for n, column in enumerate(columns):
        if column.base == 1:
            count, offset, run, more, _ = column.fields
            ascending = values.dictionaries[n] = read_dictionary(section, texts, count, offset, run, *more)
            need(len(ascending) == count, f"those of column {n} are too few")
            values.places[n] = {value: place for place, value in enumerate(ascending)}
            need(all(a < b for a, b in zip(ascending, ascending[1:])), f"those of column {n} do not ascend")
    for n, column in enumerate(columns):
        if column.told == 2:
            size = width(column.fields[0] - 1) if column.base == 1 else column.fields
            values.tables[n] = packed(io.BytesIO(section[column.table:]), len(values.dictionaries[column.other]), size)
    return values
def fixed_text(code, alphabets): return bytes(alphabet[code(width(len(alphabet) - 1))] for alphabet in alphabets)
def read_dictionary(section, texts, count, offset, run, *more):
    if run == 255: return texts[offset:offset + count]
    stream, found = io.BytesIO(section[offset:]), []
    if not run:
        code, finish = bit_reader(take(stream, (count * sum(width(len(a) - 1) for a in more[1]) + 7) // 8))
        return [fixed_text(code, more[1]) for _ in range(count)] + (finish() or [])
    bounds = packed(stream, -(-count // run) + 1, more[0])
    runs = io.BytesIO(take(stream, more[1]))
    for start, end in zip(bounds, bounds[1:]):
        need(runs.tell() == start, "a run does not begin where the one before ends")
        value = b""
        for _ in range(min(run, count - len(found))):
            value = take(runs, end - start) if run == 1 else value[:byte(runs)] + take(runs, byte(runs))
            found.append(value)
    return need(runs.tell() == bounds[-1] == more[1], "the last run ends elsewhere") or found
def read_texts(index, data, section, frame_count):
    if not index: return [] if section[2] == 0 else need(False, "there is no index")
    count, size = struct.unpack_from("<II", index)
    heads = list(struct.iter_unpack("<QII", index[8 + size:-8]))
    bounds, texts = [head[0] for head in heads] + [number(index, len(index) - 8, 8)], []
    need(count == len(heads) == frame_count and bounds[0] == section[0], "wrong number or place of frames")
    for start, end, (_, first, length) in zip(bounds, bounds[1:], heads):
        unpacked = io.BytesIO(decompress(data[start:end], ZstdDict(index[8:8 + size]) if size else None))
        need(len(unpacked.getbuffer()) == length and first == len(texts), "the index says otherwise of a frame")
        texts += [take(unpacked, size_of_text) for size_of_text in many(unpacked, varint)]
        need(not unpacked.read(1), "bytes behind the last text of a frame")
    return need(len(texts) == section[2] and bounds[-1] == sum(section[:2]), "wrong number or end of texts") or texts
# segment.md, "Row block"
def read_block(data, count, schema, values):
    stream = io.BytesIO(data)
    time_line, end_line, seqs = read_line(stream), read_line(stream), read_steps(stream, count, -1)
    recorded = None if schema.commits else read_steps(stream, count, 0)
    times, ends = line(stream, count, *time_line), line(stream, count, *end_line)
    if isinstance(seqs, tuple): seqs = line(stream, count, *seqs)
    if isinstance(recorded, tuple): recorded = map(int.__add__, times, line(stream, count, *recorded))
    if schema.commits: recorded = [schema.commits[1][bisect.bisect_right(schema.commits[0], seq) - 1] for seq in seqs]
    need(len(bits := stream.read()) == ends[-1], "it does not end with its last row")
    rows = zip([0] + ends, ends, zip(times, seqs))
    contents = [read_row(bits[start:end], place, schema, values) for start, end, place in rows]
    return list(map(checked_row, times, seqs, recorded, contents))
def read_line(stream):
    first, size = zigzag(stream), byte(stream)
    return first, size & 127, varint(stream) if size & 128 else 1, zigzag(stream), zigzag(stream)
def line(stream, count, first, size, unit, span, low):
    sign, s = -1 if span < 0 else 1, max(1, count - 1)
    return [first + unit * (sign * (abs(span) * i // s) + low + n) for i, n in enumerate(packed(stream, count, size))]
def read_steps(stream, count, step):
    """The numbers, or the line by which they are told."""
    first, exceptions = varint(stream), byte(stream)
    if exceptions == 255: return read_line(stream)
    exceptions = {byte(stream): zigzag(stream) for _ in range(exceptions)}
    return list(itertools.accumulate((step if i else first) + exceptions.get(i, 0) for i in range(count)))
def read_leaf(code, n, last, place, schema, values):
    column = schema.columns[n]
    if column.told and (column.always or code(1)):
        if column.told == 1: return last[column.other]
        follows = values.tables[n][values.places[column.other][last[column.other]]]
        return values.dictionaries[n][follows] if column.base == 1 else values.texts[follows]
    if column.base == 1: return values.dictionaries[n][read_number(code, column.fields[0], column.fields[4])]
    if column.base == 2: return b"%d" % (column.fields[0] + code(column.fields[1]))
    if column.base == 3 and column.fields[0]:
        return fixed_text(code, column.fields[1][:-26]) + ulid(*place)[:10] + fixed_text(code, column.fields[1][-16:])
    if 2 < column.base < 5: return fixed_text(code, column.fields[1] if column.base == 3 else code(8) * [column.fields])
    if column.base == 6: return spelled(*column.fields[:2], code(column.fields[2]), *place)
    return need(column.base == 5, "nothing tells a leaf") or values.texts[code(column.fields)]
SPELLINGS = (("{:%Y-%m-%dT%H:%M:%S}Z", 6), ("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", 3), ("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", 0),
             ("{:%Y-%m-%d %H:%M:%S}", 6), ("{:%Y-%m-%d %H:%M:%S}.{:03}", 3), ("{:%m-%d-%Y %H:%M:%S}.{:03}", 3))
def spelled(spelling, lowest, above, occurred_at, seq):
    if spelling == 6: return b"%d" % (seq + lowest + above)
    text, unit = SPELLINGS[spelling][0], 10 ** SPELLINGS[spelling][1]
    time = EPOCH + timedelta(microseconds=(occurred_at // unit + lowest + above) * unit)
    return text.format(time, time.microsecond // unit).encode()
def read_row(data, place, schema, values):
    code, finish = bit_reader(data)
    source, members = schema.shapes[read_number(code, len(schema.shapes), schema.shape_classes)]
    code(schema.repeat_width if source > 1 else 0)
    parts, last = [], {}
    for member in members:
        templates, classes = schema.members[member]
        literals, columns = templates[read_number(code, len(templates), classes)]
        text = [literals[0]]
        for n, literal in zip(columns, literals[1:]):
            last[n] = read_leaf(code, n, last, place, schema, values)
            text += last[n], literal
        parts.append(b"".join(text))
    return finish() or b"{" + b",".join(parts) + b"}"
# canonical.md, "The stored body of a row"
EPOCH, TEXT = datetime(1970, 1, 1), rb'"(?:[^"\\]|\\.)*"'
CONTENT = re.compile(rb'\{("type":"[^"\\]*"(?:,"sub_type":(?:null|%s))?)(,"offset":(?:null|-?\d+))?(.*\})' % TEXT)
def read_body(stream):
    need((flags := byte(stream)) < 4, "unknown flags")
    if flags & 2: sized(stream).decode(), varint(stream)  # mapping and repeat
    return sized(stream)
def checked_row(occurred_at, seq, recorded_at, content):
    need(CONTENT.fullmatch(content) and content.decode(), "content that does not begin and end as a content does")
    need(all(0 <= time <= 253402300799999999 for time in (occurred_at, recorded_at)), "no time of 1970 to 9999")
    return Row(occurred_at, seq, recorded_at, content)
def ulid(occurred_at, seq):
    """An event's id without `evt_`: 48 bits milliseconds, 10 microseconds, 6 zero, 64 seq, 5 bits a letter."""
    bits = occurred_at // 1000 << 80 | occurred_at % 1000 << 70 | seq
    return bytes(b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"[bits >> 5 * i & 31] for i in range(25, -1, -1))
def timestamp(us): return (EPOCH + timedelta(microseconds=us)).isoformat(timespec="microseconds").encode() + b"Z"
def canonical_line(row):
    front, offset, rest = CONTENT.fullmatch(row.content).groups(b"")
    return b'{"id":"evt_%s","seq":%d,%s,"occurred_at":"%s"%s,"recorded_at":"%s"%s\n' % (
        ulid(*row[:2]), row.seq, front, timestamp(row.occurred_at), offset, timestamp(row.recorded_at), rest)
def read_store(store):
    """The rows of the segments that the manifest names (manifest.md), and those of the logs that are in none."""
    current = read_current(store / "CURRENT")
    (first_log, segments), rows = read_manifest(store / f"MANIFEST-{current.manifest:06}", current), []
    for entry in segments.values():
        folder = "-".join([f"{entry.year:04}"] + [f"{part:02}" for part in (entry.month, entry.day) if part])
        rows += read_segment(store / "seg" / folder / f"{entry.number:016x}.seg", entry, current.store)
    stored = {row.seq for row in rows}
    rows += [row for row in read_logs(store / "wal", current, first_log) if row.seq not in stored]
    check(sorted(row.seq for row in rows) == list(range(len(rows))), store, 0, "its files lack or repeat a seq")
    more = len(rows) - current.events
    check(more == 0 or more > 0 and not current.closed, store, 0, f"{more} events more than CURRENT says")
    return sorted(rows, key=lambda row: row[:2], reverse=True)
if __name__ == "__main__":
    folder = sys.argv[1] if len(sys.argv) == 2 else sys.exit("usage: python3 reader.py STORE")
    try: sys.stdout.buffer.writelines(map(canonical_line, read_store(Path(folder))))
    except (Damage, OSError) as damage: sys.exit(f"damage: {damage}")
