//! The memory of contents that were committed, for those of the next events: what one thread encodes
//! and another commits would else go through the allocator twice for each event.

use parking_lot::Mutex;

/// Texts kept, and the longest: 8 MiB of events of the usual size, as many as may be under way.
const KEPT_MAX: usize = 8 << 10;
const LEN_MAX: usize = 4 << 10;
/// Room that a new text has from the start: most contents fit.
const LEN_MIN: usize = 1 << 10;

/// Empty texts.
#[derive(Default)]
pub(super) struct Texts(Mutex<Vec<String>>);

impl Texts {
    /// A text that was used before, or a new one.
    pub(super) fn take(&self) -> String {
        let kept = self.0.lock().pop();
        kept.unwrap_or_else(|| String::with_capacity(LEN_MIN))
    }

    /// Keeps the memory of texts that nobody needs any more.
    pub(super) fn give_back(&self, texts: impl Iterator<Item = String>) {
        let mut kept = self.0.lock();
        for mut text in texts {
            if text.capacity() <= LEN_MAX && kept.len() < KEPT_MAX {
                text.clear();
                kept.push(text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_comes_again_and_is_bounded() {
        let texts = Texts::default();
        let mut text = texts.take();
        text.push_str("content");
        let memory = text.as_ptr();
        texts.give_back([text, String::with_capacity(LEN_MAX + 1)].into_iter());
        let again = texts.take();
        assert_eq!((again.as_str(), again.as_ptr()), ("", memory));
        assert!(texts.0.lock().is_empty(), "what is large is not kept");
        texts.give_back((0..2 * KEPT_MAX).map(|_| String::new()));
        assert_eq!(texts.0.lock().len(), KEPT_MAX);
    }
}
