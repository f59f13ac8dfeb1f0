//! Ctrl-C. A command that can stop between two steps arms the flag and looks at it, and says how to
//! go on; any other is ended at once, with a line that says so and the same exit code. Both leave a
//! consistent store, because the store never relies on a command's end. A second signal ends at
//! once as well, but not one that comes together with the first: whoever tells a whole group of
//! processes to end often sends two.

use std::io;
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use signal_hook::consts::SIGINT;
use signal_hook::consts::SIGTERM;
use signal_hook::low_level::pipe;

use crate::failure::Code;

/// Signals closer together than this are one wish.
const REPEAT: Duration = Duration::from_secs(1);

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
        // Where the system gives no pipe or no thread, its own way of ending the process stays.
        drop(interrupt.watch());
        interrupt
    }

    /// From now on the command looks by itself.
    pub(crate) fn arm(&self) {
        self.at_once.store(false, Ordering::SeqCst);
    }

    pub(crate) fn seen(&self) -> bool {
        self.seen.load(Ordering::SeqCst)
    }

    fn watch(&self) -> io::Result<()> {
        let (mut signals, sent) = UnixStream::pair()?;
        let also_sent = sent.try_clone()?;
        let interrupt = self.clone();
        let watching = thread::Builder::new().name("signals".to_owned());
        watching.spawn(move || {
            let mut first: Option<Instant> = None;
            while signals.read_exact(&mut [0]).is_ok() {
                match first {
                    None => {
                        first = Some(Instant::now());
                        interrupt.seen.store(true, Ordering::SeqCst);
                        if interrupt.at_once.load(Ordering::SeqCst) {
                            end("interrupted; the store is consistent");
                        }
                    }
                    Some(first) if first.elapsed() < REPEAT => {}
                    Some(_) => end("interrupted again and ended at once; the store is consistent"),
                }
            }
        })?;
        pipe::register(SIGINT, sent)?;
        pipe::register(SIGTERM, also_sent)?;
        Ok(())
    }
}

fn end(what: &str) -> ! {
    // Where stderr is gone nobody is left to tell. The command itself may hold its lock for long.
    let line = format!("error: {what}\n");
    let _ = rustix::io::write(io::stderr(), line.as_bytes());
    std::process::exit(Code::Interrupted as i32)
}
