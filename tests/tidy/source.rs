//! One source file as the rules see it: its text, and the same text with comments and literals
//! blanked out, so that a rule about code never trips over prose. Offsets and lines of both agree.

/// A file of the repository, by its path from the repository's root.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
    /// `text` with comments, strings and characters as blanks; line breaks stay.
    pub(crate) code: String,
}

/// A broken rule and where it was found.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) path: String,
    pub(crate) line: usize,
    pub(crate) what: String,
}

/// A function with a body.
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) line: usize,
    pub(crate) lines: usize,
    /// Whether it is a test of its own.
    pub(crate) is_test: bool,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Source {
        Source {
            path: path.to_owned(),
            text: text.to_owned(),
            code: blank(text),
        }
    }

    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    pub(crate) fn finding(&self, line: usize, what: impl Into<String>) -> Finding {
        Finding {
            path: self.path.clone(),
            line,
            what: what.into(),
        }
    }

    /// The line, from 1, that the byte at `offset` stands on.
    pub(crate) fn line_at(&self, offset: usize) -> usize {
        self.code
            .bytes()
            .take(offset)
            .filter(|byte| *byte == b'\n')
            .count()
            + 1
    }

    /// Where `word` stands in code with no letter or digit right before it.
    pub(crate) fn places(&self, word: &str) -> Vec<usize> {
        self.code
            .match_indices(word)
            .map(|(offset, _)| offset)
            .filter(|offset| !self.before(*offset).ends_with(is_word))
            .collect()
    }

    pub(crate) fn before(&self, offset: usize) -> &str {
        self.code.get(..offset).unwrap_or_default()
    }

    pub(crate) fn after(&self, offset: usize) -> &str {
        self.code.get(offset..).unwrap_or_default()
    }

    /// The inline modules that hold the byte at `offset`, outermost first.
    pub(crate) fn modules_at(&self, offset: usize) -> Vec<&str> {
        let mut found = Vec::new();
        for start in self.places("mod ") {
            let rest = self.after(start + "mod ".len());
            let name = word_at(rest);
            let body = rest.get(name.len()..).unwrap_or_default();
            let open = start + "mod ".len() + name.len() + (body.len() - body.trim_start().len());
            if body.trim_start().starts_with('{')
                && (open..open + block(self.after(open)).len()).contains(&offset)
            {
                found.push(name);
            }
        }
        found
    }

    /// Whether the byte at `offset` belongs to tests: a test folder, a test file or a test module.
    pub(crate) fn is_test_at(&self, offset: usize) -> bool {
        self.path.starts_with("tests/")
            || self.path.ends_with("/tests.rs")
            || self.path.contains("/tests/")
            || self
                .modules_at(offset)
                .first()
                .is_some_and(|name| name.contains("tests"))
    }

    /// Every function with a body, from its `fn` to its closing brace.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let mut found = Vec::new();
        for start in self.places("fn ") {
            let rest = self.after(start);
            let name = word_at(rest.get("fn ".len()..).unwrap_or_default());
            let Some(open) = body_start(rest) else {
                continue;
            };
            let whole = open + block(rest.get(open..).unwrap_or_default()).len();
            let lines = rest.get(..whole).unwrap_or_default().matches('\n').count() + 1;
            if !name.is_empty() {
                found.push(Function {
                    name: name.to_owned(),
                    line: self.line_at(start),
                    lines,
                    is_test: self.before(start).trim_end().ends_with("#[test]"),
                });
            }
        }
        found
    }
}

pub(crate) fn is_word(letter: char) -> bool {
    letter == '_' || letter.is_alphanumeric()
}

/// The identifier that `text` begins with; empty if it begins with none.
pub(crate) fn word_at(text: &str) -> &str {
    let end = text.find(|letter| !is_word(letter)).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// Where a function's body opens; none for a declaration that ends in `;`.
fn body_start(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (offset, letter) in text.char_indices() {
        match letter {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.checked_sub(1)?,
            '{' if depth == 0 => return Some(offset),
            ';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// The block that `text` opens with, braces included.
fn block(text: &str) -> &str {
    let mut depth = 0_usize;
    for (offset, letter) in text.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth == 0 {
            return text.get(..=offset).unwrap_or_default();
        }
    }
    text
}

/// Comments and literals become blanks of the same width.
fn blank(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let width = literal_width(rest, code.chars().next_back());
        let (piece, tail) = rest.split_at(width.unwrap_or(letter.len_utf8()));
        if width.is_some() {
            for byte in piece.bytes() {
                code.push(if byte == b'\n' { '\n' } else { ' ' });
            }
        } else {
            code.push_str(piece);
        }
        rest = tail;
    }
    code
}

/// How many bytes of comment or literal `rest` begins with, if it begins with one.
fn literal_width(rest: &str, before: Option<char>) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(comment_width(rest));
    }
    if rest.starts_with('"') {
        return Some(quoted_width(rest, '"'));
    }
    if rest.starts_with('\'') {
        let inner = rest.get(1..)?;
        let first = inner.chars().next()?;
        let closes = inner.get(first.len_utf8()..)?.starts_with('\'');
        // A tick that nothing closes is a lifetime.
        return (first == '\\' || closes).then(|| quoted_width(rest, '\''));
    }
    if before.is_some_and(is_word) && !matches!(before, Some('b' | 'c')) {
        return None;
    }
    let hashes = rest.strip_prefix('r')?;
    let marks = hashes.len() - hashes.trim_start_matches('#').len();
    let body = hashes.get(marks..)?.strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(marks));
    let inside = body.find(&close).unwrap_or(body.len());
    Some((1 + marks + 1 + inside + close.len()).min(rest.len()))
}

/// Block comments nest.
fn comment_width(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(tail) = rest.get(at..).filter(|tail| !tail.is_empty()) {
        if tail.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if tail.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += tail.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

fn quoted_width(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (offset, letter) in rest.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if letter == quote => return offset + 1,
            _ => {}
        }
    }
    rest.len()
}
