//! Takes the content of an event apart into what repeats and what does not: its members, each a
//! template of key names and punctuation, and the leaves that stand between. Every byte goes into
//! one or the other, so putting both together gives the content back, whatever it was.

use core::ops::Range;

use super::letters::TEXT_MAX;
use super::rendered;
use crate::event::clean_bytes;

/// Stands in a template where a leaf was; canonical JSON has no such bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub(crate) enum Mark {
    /// The inside of a string, or a value in a rendered text.
    Text = 0,
    /// A number, or a truth value.
    Plain = 1,
    /// A text of more than [`TEXT_MAX`] bytes, or a whole member.
    Long = 2,
}

/// Leaves of a member that is taken apart; one of more is kept whole.
const LEAVES_MAX: usize = 128;
/// Bytes of a template; a member with a longer one is kept whole.
const TEMPLATE_MAX: usize = 8192;

/// A leaf: what it is, and where it stands in the content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leaf {
    pub(crate) mark: Mark,
    pub(crate) range: Range<usize>,
}

/// A member of the content: its template, and its leaves in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Member {
    /// The name between the quotation marks.
    pub(crate) name: Range<usize>,
    /// The whole member.
    pub(crate) whole: Range<usize>,
    pub(crate) template: Range<usize>,
    pub(crate) leaves: Range<usize>,
    /// A text in it was taken apart into what was rendered and what was filled in.
    pub(crate) rendered: bool,
}

/// The parts of one content; kept from row to row for its memory.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    pub(crate) members: Vec<Member>,
    pub(crate) leaves: Vec<Leaf>,
    templates: Vec<u8>,
    values: Vec<Range<usize>>,
}

impl Mark {
    pub(crate) const fn of(byte: u8) -> Option<Mark> {
        match byte {
            0 => Some(Mark::Text),
            1 => Some(Mark::Plain),
            2 => Some(Mark::Long),
            _ => None,
        }
    }
}

impl Shape {
    /// Takes `content` apart; `None` if it is no object without white space between its parts.
    /// Rendered texts in members of the names in `plain` are left as they are.
    pub(crate) fn take(&mut self, content: &[u8], plain: &[Vec<u8>]) -> Option<()> {
        self.members.clear();
        self.leaves.clear();
        self.templates.clear();
        let mut at = 0;
        let mut opening = b'{';
        loop {
            if content.get(at) != Some(&opening) {
                return (opening == b',' && content.get(at..) == Some(b"}")).then_some(());
            }
            at = self.member(content, at + 1, plain)?;
            opening = b',';
        }
    }

    /// The templates of all members, one behind the other.
    pub(crate) fn templates(&self) -> &[u8] {
        &self.templates
    }

    pub(crate) fn template(&self, member: &Member) -> &[u8] {
        self.templates
            .get(member.template.clone())
            .unwrap_or_default()
    }

    /// Takes apart the member that begins at `start` and gives back where it ends.
    fn member(&mut self, content: &[u8], start: usize, plain: &[Vec<u8>]) -> Option<usize> {
        let name = string(content, start)?;
        let key = content.get(name.clone())?;
        let mut rendered = !plain.iter().any(|plain| plain == key);
        if content.get(name.end + 1) != Some(&b':') {
            return None;
        }
        let template = self.templates.len();
        let leaves = self.leaves.len();
        let end = self.value(content, start, name.end + 2, &mut rendered)?;
        let whole = self.leaves.len() - leaves > LEAVES_MAX
            || self.templates.len() - template > TEMPLATE_MAX;
        if whole {
            self.templates.truncate(template);
            self.leaves.truncate(leaves);
            self.templates.push(Mark::Long as u8);
            self.leaves.push(Leaf {
                mark: Mark::Long,
                range: start..end,
            });
        }
        self.members.push(Member {
            name,
            whole: start..end,
            template: template..self.templates.len(),
            leaves: leaves..self.leaves.len(),
            rendered: rendered && !whole,
        });
        Some(end)
    }

    /// Takes apart the value at `at`, with everything from `clean` on before it, which is literal.
    /// `rendered` says whether rendered texts may be taken apart, and then whether any was.
    fn value(
        &mut self,
        content: &[u8],
        mut clean: usize,
        mut at: usize,
        rendered: &mut bool,
    ) -> Option<usize> {
        let may = core::mem::take(rendered);
        let mut depth = 0_usize;
        loop {
            let byte = *content.get(at)?;
            match byte {
                b'"' => {
                    let inside = string(content, at)?;
                    at = inside.end + 1;
                    if content.get(at) != Some(&b':') && !inside.is_empty() {
                        clean = match may && self.find_values(content, &inside)? {
                            true => {
                                *rendered = true;
                                self.rendered(content, clean, inside.start)?
                            }
                            false => self.leaf(content, clean, inside, true)?,
                        };
                    }
                }
                b'{' | b'[' => {
                    depth += 1;
                    at += 1;
                }
                b'}' | b']' if depth == 0 => break,
                b'}' | b']' => {
                    depth -= 1;
                    at += 1;
                }
                b',' if depth == 0 => break,
                b',' | b':' => at += 1,
                b'n' if content.get(at..at + 4) == Some(b"null") => at += 4,
                _ => {
                    let len = content
                        .get(at..)?
                        .iter()
                        .position(|byte| matches!(byte, b',' | b'}' | b']' | 0..=b' '))?;
                    if len == 0 {
                        return None;
                    }
                    clean = self.leaf(content, clean, at..at + len, false)?;
                    at += len;
                }
            }
        }
        self.templates.extend_from_slice(content.get(clean..at)?);
        Some(at)
    }

    /// Whether the text was rendered from values, which are then in `self.values`; so is a text that
    /// ends with a number of its own.
    fn find_values(&mut self, content: &[u8], inside: &Range<usize>) -> Option<bool> {
        self.values.clear();
        let text = content.get(inside.clone())?;
        if rendered::values(text, &mut self.values) {
            return Some(true);
        }
        let number = rendered::number(text);
        if let Some(start) = number {
            self.values.clear();
            self.values.extend([0..start - 1, start..text.len()]);
            self.values.retain(|value| !value.is_empty());
        }
        Some(number.is_some())
    }

    /// The values in the text that begins at `start` are leaves, the rest of it is literal.
    fn rendered(&mut self, content: &[u8], mut clean: usize, start: usize) -> Option<usize> {
        let mut values = core::mem::take(&mut self.values);
        for value in values.drain(..) {
            clean = self.leaf(content, clean, start + value.start..start + value.end, true)?;
        }
        self.values = values;
        Some(clean)
    }

    fn leaf(
        &mut self,
        content: &[u8],
        clean: usize,
        range: Range<usize>,
        text: bool,
    ) -> Option<usize> {
        self.templates
            .extend_from_slice(content.get(clean..range.start)?);
        let mark = match text {
            _ if range.len() > TEXT_MAX => Mark::Long,
            true => Mark::Text,
            false => Mark::Plain,
        };
        self.templates.push(mark as u8);
        let end = range.end;
        self.leaves.push(Leaf { mark, range });
        Some(end)
    }
}

/// The inside of the string whose quotation mark stands at `at`.
fn string(content: &[u8], at: usize) -> Option<Range<usize>> {
    if content.get(at) != Some(&b'"') {
        return None;
    }
    let start = at + 1;
    let mut end = start;
    loop {
        end += clean_bytes(content.get(end..)?);
        match content.get(end)? {
            b'"' => return Some(start..end),
            b'\\' => end += 2,
            _ => return None,
        }
    }
}

/// The names of keys and brackets that lead to each mark of a template, array places left out: leaves
/// of one path are alike. A mark's own number is the path's last byte. In a rendered text what stands
/// before a value leads to it, with how often the same stood there before.
pub(crate) fn paths(template: &[u8]) -> Vec<Vec<u8>> {
    let mut found: Vec<Vec<u8>> = Vec::new();
    let mut path: Vec<u8> = Vec::new();
    // Where the path ended when each open bracket was met.
    let mut open: Vec<usize> = Vec::new();
    let mut at = 0;
    let mut base = 0;
    while let Some(byte) = template.get(at).copied() {
        at += 1;
        match byte {
            0..=2 => found.push(with(&path, &[byte])),
            b'"' => {
                let inside = string_end(template, at);
                let text = template.get(at..inside).unwrap_or_default();
                at = inside + 1;
                if template.get(at) == Some(&b':') {
                    path.truncate(base);
                    path.push(b'.');
                    path.extend_from_slice(text);
                    at += 1;
                } else {
                    text_paths(text, &path, &mut found);
                }
            }
            b'{' | b'[' => {
                open.push(base);
                path.push(byte);
                base = path.len();
            }
            b'}' | b']' => {
                base = open.pop().unwrap_or(0);
                path.truncate(base);
            }
            _ => {}
        }
    }
    found
}

/// The paths of the marks in a string that stands at `path`.
fn text_paths(text: &[u8], path: &[u8], found: &mut Vec<Vec<u8>>) {
    if let [mark @ 0..=2] = text {
        found.push(with(path, &[*mark]));
        return;
    }
    let first = found.len();
    let mut clean = 0;
    for (at, mark) in text.iter().enumerate().filter(|(_, byte)| **byte <= 2) {
        let lead = rendered::lead(text.get(clean..at).unwrap_or_default());
        let lead = with(&with(path, b"\""), lead);
        let before = found.get(first..).unwrap_or_default();
        let again = before.iter().filter(|path| path.starts_with(&lead)).count();
        found.push(with(&lead, &[b'0' + again.min(9) as u8, *mark]));
        clean = at + 1;
    }
}

fn with(path: &[u8], more: &[u8]) -> Vec<u8> {
    [path, more].concat()
}

/// Where the string of a template ends whose inside begins at `at`.
fn string_end(template: &[u8], at: usize) -> usize {
    let mut end = at;
    while let Some(byte) = template.get(end) {
        match byte {
            b'"' => break,
            b'\\' => end += 2,
            _ => end += 1,
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rebuilt(content: &[u8]) -> Option<Vec<u8>> {
        let mut shape = Shape::default();
        shape.take(content, &[])?;
        let mut out = Vec::new();
        for (number, member) in shape.members.iter().enumerate() {
            out.push(if number == 0 { b'{' } else { b',' });
            let mut leaves = shape.leaves.get(member.leaves.clone())?.iter();
            for byte in shape.template(member) {
                match Mark::of(*byte) {
                    Some(_) => out.extend_from_slice(content.get(leaves.next()?.range.clone())?),
                    None => out.push(*byte),
                }
            }
            assert_eq!(leaves.next(), None);
        }
        out.push(b'}');
        Some(out)
    }

    #[test]
    fn every_golden_content_is_put_together_again() {
        let lines = include_str!("../../tests/golden/canonical.ndjson");
        for line in lines.lines() {
            assert_eq!(rebuilt(line.as_bytes()).as_deref(), Some(line.as_bytes()));
        }
    }

    #[test]
    fn leaves_of_one_path_are_alike_wherever_they_stand() {
        let content = br#"{"changes":[{"path":"a","after":1},{"path":"b","before":"","after":"x"}],"data":{"k\"":[true,null,"y"]}}"#;
        let mut shape = Shape::default();
        assert_eq!(shape.take(content, &[]), Some(()));
        let templates: Vec<&[u8]> = shape
            .members
            .iter()
            .map(|member| shape.template(member))
            .collect();
        let found: Vec<Vec<u8>> = templates
            .iter()
            .flat_map(|template| paths(template))
            .collect();
        let wanted: [&[u8]; 6] = [
            b".changes[{.path\0",
            b".changes[{.after\x01",
            b".changes[{.path\0",
            b".changes[{.after\0",
            b".data{.k\\\"[\x01",
            b".data{.k\\\"[\0",
        ];
        assert_eq!(found, wanted);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_come_back_or_are_refused(content in "[\\[\\]{}\",:a1\\\\ n]{0,40}") {
            if let Some(rebuilt) = rebuilt(content.as_bytes()) {
                proptest::prop_assert_eq!(rebuilt, content.into_bytes());
            }
        }
    }
}
