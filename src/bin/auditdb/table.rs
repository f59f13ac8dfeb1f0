//! Tables of text: columns as wide as what they hold. Where a terminal is too narrow, cells are cut,
//! or in a table whose cells are wanted whole go on below.

use std::io;
use std::io::Write;

use crate::output::Output;
use crate::output::Style;
use crate::text;

/// Rows of cells under a heading. Cells are escaped here.
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
    wrapped: bool,
}

struct Column {
    name: &'static str,
    paint: fn(Style, &str) -> String,
    right: bool,
    whole: bool,
}

/// No column is cut narrower than this.
const NARROWEST: usize = 8;
const GAP: &str = "  ";

impl Table {
    pub(crate) fn new() -> Table {
        Table {
            columns: Vec::new(),
            rows: Vec::new(),
            wrapped: false,
        }
    }

    /// Cells that are too wide take several lines instead of being cut.
    pub(crate) fn wrapped(mut self) -> Table {
        self.wrapped = true;
        self
    }

    pub(crate) fn column(mut self, name: &'static str, paint: fn(Style, &str) -> String) -> Table {
        self.columns.push(Column {
            name,
            paint,
            right: false,
            whole: false,
        });
        self
    }

    /// A column whose cells are of use only whole, such as ids.
    pub(crate) fn whole(self, name: &'static str, paint: fn(Style, &str) -> String) -> Table {
        let mut table = self.column(name, paint);
        if let Some(column) = table.columns.last_mut() {
            column.whole = true;
        }
        table
    }

    /// A column of numbers.
    pub(crate) fn number(mut self, name: &'static str) -> Table {
        self.columns.push(Column {
            name,
            paint: plain,
            right: true,
            whole: true,
        });
        self
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let shown = |cell: String| text::one_line(&cell).into_owned();
        self.rows.push(cells.into_iter().map(shown).collect());
    }

    pub(crate) fn write(&self, output: &Output, out: &mut impl Write) -> io::Result<()> {
        let widths = self.widths(output.width());
        let style = output.style();
        let names = self.columns.iter().map(|column| column.name.to_owned());
        self.line(
            &names.collect::<Vec<_>>(),
            &widths,
            |_, cell| style.dim(cell),
            out,
        )?;
        let paint = |column: &Column, cell: &str| (column.paint)(style, cell);
        for row in &self.rows {
            if self.wrapped {
                for cells in wrap(row, &widths) {
                    self.line(&cells, &widths, paint, out)?;
                }
            } else {
                self.line(row, &widths, paint, out)?;
            }
        }
        Ok(())
    }

    fn line(
        &self,
        cells: &[String],
        widths: &[usize],
        paint: impl Fn(&Column, &str) -> String,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let last = self.columns.len().saturating_sub(1);
        for (number, ((column, cell), width)) in
            self.columns.iter().zip(cells).zip(widths).enumerate()
        {
            let cell = cut(cell, *width);
            let fill = " ".repeat(width.saturating_sub(cell.chars().count()));
            let painted = paint(column, &cell);
            let end = if number == last { "" } else { GAP };
            match (column.right, number == last) {
                (true, _) => write!(out, "{fill}{painted}{end}")?,
                (false, true) => write!(out, "{painted}")?,
                (false, false) => write!(out, "{painted}{fill}{end}")?,
            }
        }
        writeln!(out)
    }

    fn widths(&self, terminal: Option<usize>) -> Vec<usize> {
        let widest = |(number, column): (usize, &Column)| {
            let cells = self.rows.iter().filter_map(|row| row.get(number));
            let longest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
            longest.max(column.name.chars().count())
        };
        let mut widths: Vec<usize> = self.columns.iter().enumerate().map(widest).collect();
        let Some(terminal) = terminal else {
            return widths;
        };
        let gaps = GAP.len() * widths.len().saturating_sub(1);
        while widths.iter().sum::<usize>() + gaps > terminal {
            // The widest gives way; where all are narrow the lines wrap.
            let columns = widths.iter_mut().zip(&self.columns);
            let cuttable = columns.filter(|(_, column)| !column.whole);
            match cuttable.map(|(width, _)| width).max() {
                Some(width) if *width > NARROWEST => *width -= 1,
                _ => break,
            }
        }
        widths
    }
}

/// The lines that a row takes when no cell is wider than its column.
fn wrap(row: &[String], widths: &[usize]) -> Vec<Vec<String>> {
    let pieces = |(cell, width): (&String, &usize)| -> Vec<String> {
        let letters: Vec<char> = cell.chars().collect();
        let pieces = letters.chunks((*width).max(1));
        pieces.map(|piece| piece.iter().collect()).collect()
    };
    let columns: Vec<Vec<String>> = row.iter().zip(widths).map(pieces).collect();
    let lines = columns.iter().map(Vec::len).max().unwrap_or(0);
    let piece = |column: &Vec<String>, line| column.get(line).cloned().unwrap_or_default();
    let line = |line| columns.iter().map(|column| piece(column, line)).collect();
    (0..lines).map(line).collect()
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept = text.chars().take(width.saturating_sub(1));
    kept.chain(['…']).collect()
}

/// Text as it is.
pub(crate) fn plain(_: Style, text: &str) -> String {
    text.to_owned()
}

/// A number with its thousands apart.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number of things: `1 event`, `2 events`.
pub(crate) fn counted(number: u64, thing: &str) -> String {
    let more = if number == 1 { "" } else { "s" };
    format!("{} {thing}{more}", grouped(number))
}

/// Bytes in the unit that leaves up to four digits.
pub(crate) fn bytes(count: u64) -> String {
    let mut value = count as f64;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if value < 1024.0 {
            let digits = if unit == "B" { 0 } else { 1 };
            return format!("{value:.digits$} {unit}");
        }
        value /= 1024.0;
    }
    format!("{value:.1} TiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        for (number, shown) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), shown);
        }
        for (count, shown) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1536, "1.5 KiB"),
            (5 << 40, "5.0 TiB"),
        ] {
            assert_eq!(bytes(count), shown);
        }
        assert_eq!(cut("abcdef", 4), "abc…");
    }

    #[test]
    fn what_is_wrapped_is_whole() {
        let row = ["a", "bcdefgh", ""].map(str::to_owned);
        let lines = wrap(&row, &[2, 3, 4]);
        assert_eq!(lines, [["a", "bcd", ""], ["", "efg", ""], ["", "h", ""]]);
        assert!(wrap(&[String::new()], &[1]).is_empty());
    }
}
