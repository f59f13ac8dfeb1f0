//! The text of a PDF as its readers get it: the content of each page, glyph by glyph through the
//! fonts' tables to Unicode. Reads what this project writes, and fails on everything else.

use std::collections::BTreeMap;
use std::io::Read;

use flate2::read::ZlibDecoder;

/// A document by its objects.
pub(super) struct Paper<'p> {
    bytes: &'p [u8],
    /// Where the content of each object begins.
    objects: BTreeMap<usize, usize>,
}

type Table = BTreeMap<u16, String>;

impl<'p> Paper<'p> {
    pub(super) fn new(bytes: &'p [u8]) -> Paper<'p> {
        assert!(bytes.starts_with(b"%PDF-1.7"), "no PDF");
        let mut objects = BTreeMap::new();
        let mut at = 0;
        while let Some(found) = find(bytes, at, b" 0 obj\n") {
            let digits = bytes[..found]
                .iter()
                .rev()
                .take_while(|byte| byte.is_ascii_digit());
            let number = String::from_utf8_lossy(&bytes[found - digits.count()..found]).parse();
            at = found + 7;
            objects.insert(number.expect("an object's number"), at);
        }
        Paper { bytes, objects }
    }

    /// The text of each page: what is drawn in one go on a line of its own.
    pub(super) fn pages(&self) -> Vec<String> {
        let list = between(self.head(1), "/Kids[", "]");
        let numbers = list
            .split(" 0 R")
            .filter_map(|number| number.trim().parse().ok());
        numbers.map(|page| self.page(page)).collect()
    }

    fn page(&self, page: usize) -> String {
        let head = self.head(page);
        let resources = self.head(reference(head, "/Resources "));
        let mut fonts = BTreeMap::new();
        for font in between(resources, "/Font<<", ">>").split('/').skip(1) {
            let (name, rest) = font.split_once(' ').expect("a font's name");
            let number = rest
                .split(' ')
                .next()
                .and_then(|number| number.parse().ok());
            let table = self.table(number.expect("a font's number"));
            fonts.insert(name.to_owned(), table);
        }
        shown(&self.stream(reference(head, "/Contents ")), &fonts)
    }

    /// What the codes of a font mean.
    fn table(&self, font: usize) -> Table {
        let stream = self.stream(reference(self.head(font), "/ToUnicode "));
        let text = String::from_utf8_lossy(&stream).into_owned();
        let mut table = Table::new();
        for line in text.lines().filter(|line| line.starts_with('<')) {
            let mut words = line.split(['<', '>', ' ']).filter(|word| !word.is_empty());
            let (Some(code), Some(meaning)) = (words.next(), words.next()) else {
                continue;
            };
            let units: Vec<u16> = meaning.as_bytes().chunks(4).map(hexadecimal).collect();
            table.insert(
                hexadecimal(code.as_bytes()),
                String::from_utf16_lossy(&units),
            );
        }
        table
    }

    /// What stands before an object's end, or its stream.
    fn head(&self, object: usize) -> &str {
        let start = self.objects[&object];
        let end = find(self.bytes, start, b"endobj").expect("an end");
        let end = find(self.bytes, start, b"stream\n").map_or(end, |stream| stream.min(end));
        core::str::from_utf8(&self.bytes[start..end]).expect("a dictionary")
    }

    fn stream(&self, object: usize) -> Vec<u8> {
        let start = find(self.bytes, self.objects[&object], b"stream\n").expect("a stream") + 7;
        let mut unpacked = Vec::new();
        let mut reader = ZlibDecoder::new(&self.bytes[start..]);
        reader.read_to_end(&mut unpacked).expect("packed");
        unpacked
    }
}

/// The texts that a page's content draws.
fn shown(content: &[u8], fonts: &BTreeMap<String, Table>) -> String {
    let (mut text, mut table, mut at) = (String::new(), None, 0);
    while at < content.len() {
        if content[at..].starts_with(b"BT") {
            text.push('\n');
        }
        if content[at] == b'/' && (at == 0 || content[at - 1] != b'<') {
            let name: Vec<u8> = content[at + 1..]
                .iter()
                .copied()
                .take_while(u8::is_ascii_alphanumeric)
                .collect();
            table = fonts.get(&*String::from_utf8_lossy(&name)).or(table);
            at += name.len();
        }
        let codes = match content[at..] {
            [b'(', ..] => literal(content, &mut at),
            [b'<', b'<', ..] => {
                at += 2;
                continue;
            }
            [b'<', ..] => digits(content, &mut at),
            _ => {
                at += 1;
                continue;
            }
        };
        let table = table.expect("a font");
        for code in codes.chunks(2) {
            let code = u16::from(code[0]) << 8 | u16::from(code[1]);
            text.push_str(table.get(&code).map_or("", String::as_str));
        }
    }
    text
}

/// The bytes of a string in hexadecimal, and behind it.
fn digits(content: &[u8], at: &mut usize) -> Vec<u8> {
    let inside: Vec<u8> = content[*at + 1..]
        .iter()
        .copied()
        .take_while(|byte| *byte != b'>')
        .collect();
    *at += inside.len() + 2;
    let units = inside.chunks(4).map(hexadecimal);
    units
        .flat_map(|unit| [(unit >> 8) as u8, unit as u8])
        .collect()
}

/// The bytes of a string between brackets, in which pairs of brackets may stand, and behind it.
fn literal(content: &[u8], at: &mut usize) -> Vec<u8> {
    let (mut bytes, mut depth) = (Vec::new(), 0);
    *at += 1;
    while content[*at] != b')' || depth > 0 {
        let byte = content[*at];
        *at += 1;
        if byte != b'\\' {
            depth += i32::from(byte == b'(') - i32::from(byte == b')');
            bytes.push(byte);
            continue;
        }
        let escaped = content[*at];
        *at += 1;
        bytes.push(match escaped {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'b' => 8,
            b'f' => 12,
            b'0'..=b'7' => {
                let octal = core::str::from_utf8(&content[*at - 1..*at + 2]).expect("octal");
                *at += 2;
                u8::from_str_radix(octal, 8).expect("octal")
            }
            other => other,
        });
    }
    *at += 1;
    bytes
}

fn hexadecimal(digits: &[u8]) -> u16 {
    let digits = core::str::from_utf8(digits).expect("digits");
    u16::from_str_radix(digits, 16).expect("digits")
}

fn between<'t>(text: &'t str, before: &str, behind: &str) -> &'t str {
    let rest = text.split_once(before).map_or("", |(_, rest)| rest);
    rest.split_once(behind).map_or(rest, |(inside, _)| inside)
}

fn reference(head: &str, name: &str) -> usize {
    let number = between(head, name, " ").parse();
    number.unwrap_or_else(|_| panic!("no {name} in {head}"))
}

fn find(bytes: &[u8], from: usize, wanted: &[u8]) -> Option<usize> {
    let place = bytes[from..]
        .windows(wanted.len())
        .position(|window| window == wanted);
    place.map(|place| from + place)
}
