//! The two streams of a command and how they look: results on stdout, everything else on stderr,
//! colour and progress only on a terminal.

use std::io;
use std::io::BufWriter;
use std::io::IsTerminal;
use std::io::Write;

use anstream::AutoStream;

use crate::interrupt::Interrupt;
use crate::text::Escaping;

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    Always,
    Never,
}

/// What a command may write to, and whether it should go on.
pub(crate) struct Output {
    pub(crate) interrupt: Interrupt,
    style: Style,
    error_style: Style,
}

/// Colours, or none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style(bool);

impl Output {
    pub(crate) fn new(color: Color, interrupt: Interrupt) -> Output {
        let colored = |automatic: anstream::ColorChoice| match color {
            Color::Auto => automatic != anstream::ColorChoice::Never,
            Color::Always => true,
            Color::Never => false,
        };
        Output {
            interrupt,
            style: Style(colored(AutoStream::choice(&io::stdout()))),
            error_style: Style(colored(AutoStream::choice(&io::stderr()))),
        }
    }

    /// Stdout is a terminal.
    pub(crate) fn is_terminal(&self) -> bool {
        io::stdout().is_terminal()
    }

    /// Stdout for text made by this program, with stored text in it escaped already.
    pub(crate) fn page(&self) -> BufWriter<io::StdoutLock<'static>> {
        BufWriter::new(io::stdout().lock())
    }

    /// Stdout for stored bytes: as they are to files and pipes, escaped to a terminal.
    pub(crate) fn data(&self) -> Box<dyn Write> {
        if self.is_terminal() {
            Box::new(self.escaped())
        } else {
            Box::new(BufWriter::with_capacity(64 << 10, io::stdout().lock()))
        }
    }

    /// Stdout for text about stored bytes, which people read through pagers too.
    pub(crate) fn escaped(&self) -> BufWriter<Escaping<io::StdoutLock<'static>>> {
        BufWriter::new(Escaping::new(io::stdout().lock()))
    }

    pub(crate) fn error(&self) -> io::StderrLock<'static> {
        io::stderr().lock()
    }

    /// One line on stderr; where that is gone, nobody misses it.
    pub(crate) fn note(&self, what: &str) {
        drop(writeln!(self.error(), "{what}"));
    }

    pub(crate) fn style(&self) -> Style {
        self.style
    }

    pub(crate) fn error_style(&self) -> Style {
        self.error_style
    }

    /// Columns of the terminal on stdout; `None` where it is something else.
    pub(crate) fn width(&self) -> Option<usize> {
        let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
        Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
    }
}

impl Style {
    fn paint(self, code: &str, text: &str) -> String {
        if self.0 {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    pub(crate) fn head(self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    pub(crate) fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    pub(crate) fn bad(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    pub(crate) fn name(self, text: &str) -> String {
        self.paint("36", text)
    }
}
