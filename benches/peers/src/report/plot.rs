//! Drawings as SVG: lines over two logarithmic axes, and bars. Colours are of a middle lightness,
//! and text and axes follow the reader's light or dark page.

use std::fmt::Write;

use super::table::number;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 74.0;
const RIGHT: f64 = 190.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 58.0;

const COLOURS: [&str; 9] = [
    "#2f7ed8", "#d9622b", "#3a9d5d", "#9a5fc0", "#b8860b", "#1aa3a3", "#d6457f", "#6b7fa3",
    "#8a9a1f",
];

const STYLE: &str = "<style>text{font:12px sans-serif;fill:#444}.title{font-size:15px;font-weight:bold}\
    .axis{stroke:#888}.grid{stroke:#888;stroke-opacity:.25}\
    @media (prefers-color-scheme:dark){text{fill:#ccc}}</style>";

/// One line of a plot.
pub struct Line {
    pub name: String,
    pub points: Vec<(f64, f64)>,
    pub is_dashed: bool,
}

/// One bar, made of named pieces.
pub struct Bar {
    pub name: String,
    pub pieces: Vec<(String, f64)>,
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

fn begin(title: &str, height: f64) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\
         {STYLE}\n<title>{title}</title>\n\
         <text class=\"title\" x=\"{LEFT}\" y=\"22\">{title}</text>\n",
        title = escaped(title)
    )
}

fn text(out: &mut String, (x, y): (f64, f64), anchor: &str, text: &str) {
    let text = escaped(text);
    let _ = writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"
    );
}

fn stroke(out: &mut String, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
    let _ = writeln!(
        out,
        "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
    );
}

/// The powers of ten that hold all values.
fn decades(values: impl Iterator<Item = f64>) -> (i32, i32) {
    let (mut low, mut high) = (f64::MAX, f64::MIN);
    for value in values.filter(|value| *value > 0.0) {
        low = low.min(value.log10());
        high = high.max(value.log10());
    }
    let low = low.floor() as i32;
    (low, (high.ceil() as i32).max(low + 1))
}

/// Two logarithmic axes and where values lie on them.
struct Axes {
    x: (i32, i32),
    y: (i32, i32),
}

impl Axes {
    fn along(value: f64, (low, high): (i32, i32)) -> f64 {
        (value.log10() - f64::from(low)) / f64::from(high - low)
    }

    fn place(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        (
            LEFT + Axes::along(x, self.x) * (right - LEFT),
            bottom - Axes::along(y, self.y) * (bottom - TOP),
        )
    }

    fn draw(&self, out: &mut String, x_name: &str, y_name: &str) {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        let corner = (10_f64.powi(self.x.0), 10_f64.powi(self.y.0));
        for decade in self.x.0..=self.x.1 {
            let value = 10_f64.powi(decade);
            let (x, _) = self.place((value, corner.1));
            stroke(out, "grid", (x, TOP), (x, bottom));
            text(out, (x, bottom + 18.0), "middle", &mark(value));
        }
        for decade in self.y.0..=self.y.1 {
            let value = 10_f64.powi(decade);
            let (_, y) = self.place((corner.0, value));
            stroke(out, "grid", (LEFT, y), (right, y));
            text(out, (LEFT - 8.0, y + 4.0), "end", &mark(value));
        }
        stroke(out, "axis", (LEFT, bottom), (right, bottom));
        stroke(out, "axis", (LEFT, TOP), (LEFT, bottom));
        let middle = (LEFT + right) / 2.0;
        text(out, (middle, HEIGHT - 16.0), "middle", x_name);
        text(out, (LEFT, TOP - 6.0), "start", y_name);
    }
}

/// A value as it stands at an axis: without digits that say nothing.
fn mark(value: f64) -> String {
    if value < 1.0 {
        return value.to_string();
    }
    let text = number(value);
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// Lines over two logarithmic axes.
pub fn lines(title: &str, x_name: &str, y_name: &str, lines: &[Line]) -> String {
    let mut out = begin(title, HEIGHT);
    let points = || lines.iter().flat_map(|line| line.points.iter());
    let axes = Axes {
        x: decades(points().map(|point| point.0)),
        y: decades(points().map(|point| point.1)),
    };
    axes.draw(&mut out, x_name, y_name);
    for (row, line) in lines.iter().enumerate() {
        let colour = COLOURS[row % COLOURS.len()];
        let dash = match line.is_dashed {
            true => " stroke-dasharray=\"5 4\"",
            false => "",
        };
        let places: Vec<_> = line.points.iter().map(|point| axes.place(*point)).collect();
        let way: Vec<String> = places
            .iter()
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        let _ = writeln!(
            out,
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dash} points=\"{}\"/>",
            way.join(" ")
        );
        for (x, y) in places {
            let _ = writeln!(
                out,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>"
            );
        }
        let (left, y) = (WIDTH - RIGHT + 12.0, TOP + 8.0 + 18.0 * row as f64);
        let _ = writeln!(
            out,
            "<line x1=\"{left:.1}\" y1=\"{y:.1}\" x2=\"{:.1}\" y2=\"{y:.1}\" stroke=\"{colour}\" stroke-width=\"2\"{dash}/>",
            left + 22.0
        );
        text(&mut out, (left + 28.0, y + 4.0), "start", &line.name);
    }
    out + "</svg>\n"
}

fn block(out: &mut String, (x, y): (f64, f64), (width, height): (f64, f64), piece: usize) {
    let colour = COLOURS[piece % COLOURS.len()];
    let _ = writeln!(
        out,
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{colour}\"/>"
    );
}

/// Bars from the left, one below the other, with a legend where they have several pieces.
pub fn bars(title: &str, x_name: &str, bars: &[Bar]) -> String {
    const ROW: f64 = 24.0;
    const NAMES: f64 = 290.0;
    let mut pieces: Vec<&str> = Vec::new();
    for (name, _) in bars.iter().flat_map(|bar| &bar.pieces) {
        if !pieces.contains(&name.as_str()) {
            pieces.push(name);
        }
    }
    if pieces.len() < 2 {
        pieces.truncate(0);
    }
    let top = TOP + 18.0 * pieces.len().div_ceil(5) as f64;
    let bottom = top + ROW * bars.len() as f64;
    let mut out = begin(title, bottom + BOTTOM);
    for (place, name) in pieces.iter().enumerate() {
        let left = LEFT + 132.0 * (place % 5) as f64;
        let y = TOP - 4.0 + 18.0 * (place / 5) as f64;
        block(&mut out, (left, y - 9.0), (10.0, 10.0), place);
        text(&mut out, (left + 15.0, y), "start", name);
    }
    let total = |bar: &Bar| bar.pieces.iter().map(|piece| piece.1).sum::<f64>();
    let most = bars.iter().map(total).fold(f64::MIN_POSITIVE, f64::max);
    let right = WIDTH - 90.0;
    let x = |value: f64| NAMES + value / most * (right - NAMES);
    let mut at = 0.0;
    while at <= most {
        stroke(&mut out, "grid", (x(at), top), (x(at), bottom));
        text(&mut out, (x(at), bottom + 18.0), "middle", &mark(at));
        at += step(most);
    }
    for (row, bar) in bars.iter().enumerate() {
        let y = top + ROW * row as f64;
        text(&mut out, (NAMES - 8.0, y + 16.0), "end", &bar.name);
        let mut from = 0.0;
        for (name, value) in &bar.pieces {
            let piece = pieces.iter().position(|piece| piece == name).unwrap_or(0);
            let width = x(from + value) - x(from);
            block(&mut out, (x(from), y + 4.0), (width, ROW - 8.0), piece);
            from += value;
        }
        text(&mut out, (x(from) + 5.0, y + 16.0), "start", &number(from));
    }
    stroke(&mut out, "axis", (NAMES, top), (NAMES, bottom));
    let middle = (NAMES + right) / 2.0;
    text(&mut out, (middle, bottom + 40.0), "middle", x_name);
    out + "</svg>\n"
}

/// A round distance of marks of which there are four to ten.
fn step(most: f64) -> f64 {
    let decade = 10_f64.powf(most.log10().floor());
    match most / decade {
        share if share < 2.0 => decade / 4.0,
        share if share < 5.0 => decade / 2.0,
        _ => decade,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_within_the_axes() {
        assert_eq!(decades([3.0, 250.0].into_iter()), (0, 3));
        assert_eq!(decades([10.0].into_iter()), (1, 2));
        assert_eq!((step(64.0), step(1_300.0)), (10.0, 250.0));
    }
}
