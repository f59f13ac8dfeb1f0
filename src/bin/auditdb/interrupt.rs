//! Ctrl-C. A command that can stop between two steps arms the flag and looks at it; any other is
//! ended at once, with the same exit code. Both leave a consistent store, because the store never
//! relies on a command's end. A second Ctrl-C always ends at once.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use signal_hook::consts::SIGINT;
use signal_hook::consts::SIGTERM;
use signal_hook::flag;

use crate::failure::Code;

/// Whether the user wants it to end.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt {
    seen: Arc<AtomicBool>,
    at_once: Arc<AtomicBool>,
}

impl Interrupt {
    pub(crate) fn install() -> Interrupt {
        let interrupt = Interrupt {
            seen: Arc::new(AtomicBool::new(false)),
            at_once: Arc::new(AtomicBool::new(true)),
        };
        for signal in [SIGINT, SIGTERM] {
            // In this order: the first signal only marks, the second finds `at_once` set. Where the
            // system takes no handler, its own way of ending the process stays.
            let code = Code::Interrupted as i32;
            let at_once = || Arc::clone(&interrupt.at_once);
            drop(flag::register_conditional_shutdown(signal, code, at_once()));
            drop(flag::register(signal, Arc::clone(&interrupt.seen)));
            drop(flag::register(signal, at_once()));
        }
        interrupt
    }

    /// From now on the command looks by itself.
    pub(crate) fn arm(&self) {
        self.at_once.store(false, Ordering::SeqCst);
    }

    pub(crate) fn seen(&self) -> bool {
        self.seen.load(Ordering::SeqCst)
    }
}
