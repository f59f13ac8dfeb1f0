//! A progress line on stderr, if that is a terminal.

use std::fmt;

use indicatif::ProgressBar;
use indicatif::ProgressDrawTarget;
use indicatif::ProgressState;
use indicatif::ProgressStyle;

use crate::table;

/// Counts up; removed when it is dropped.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Counts `things`, such as `events`, towards `total` where that is known.
    pub(crate) fn new(things: &'static str, total: Option<u64>) -> Progress {
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
        let template = match total {
            Some(_) => "{bar:30} {human_pos}/{human_len} {msg}, {rate}/s, {eta} left",
            None => "{spinner} {human_pos} {msg}, {rate}/s, {elapsed}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.with_key("rate", rate));
        }
        bar.set_message(things);
        Progress(bar)
    }

    pub(crate) fn at(&self, position: u64) {
        self.0.set_position(position);
    }
}

/// The speed in whole things a second.
fn rate(state: &ProgressState, out: &mut dyn fmt::Write) {
    // What is written for the eyes only may go wrong.
    let _ = write!(out, "{}", table::grouped(state.per_sec() as u64));
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
