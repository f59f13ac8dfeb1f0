//! The receipt of an event that is still under way.

use core::future::Future;
use core::pin::Pin;
use core::task::Context;
use core::task::Poll;
use std::sync::Arc;

use super::Receipt;
use super::Shared;
use super::commit::Answer;
use super::commit::GROUP_BYTES;
use super::commit::Submission;
use super::prepare::Prepared;
use super::queue::Place;
use crate::error::Result;
use crate::options::Durability;

/// What may be under way before whoever hands in more waits.
const UNDER_WAY_BYTES: usize = 8 << 20;

/// An event handed in by [`crate::Store::append_async`]. It comes true without anybody waiting, also
/// when the ticket is dropped.
///
/// A ticket is a future, for any runtime: it needs no thread and no timer of its own, since the
/// store's threads wake it.
///
/// ```
/// use auditdb::{Event, Options, Receipt, Store};
/// # fn block_on<F: Future>(future: F) -> F::Output {
/// #     struct Unpark(std::thread::Thread);
/// #     impl std::task::Wake for Unpark {
/// #         fn wake(self: std::sync::Arc<Self>) { self.0.unpark() }
/// #     }
/// #     let waker = std::sync::Arc::new(Unpark(std::thread::current())).into();
/// #     let (mut future, mut context) = (std::pin::pin!(future), std::task::Context::from_waker(&waker));
/// #     loop {
/// #         match future.as_mut().poll(&mut context) {
/// #             std::task::Poll::Ready(output) => return output,
/// #             std::task::Poll::Pending => std::thread::park(),
/// #         }
/// #     }
/// # }
/// # let folder = std::env::temp_dir().join(format!("auditdb-doc-await-{}", std::process::id()));
///
/// async fn handle(store: &Store) -> auditdb::Result<Receipt> {
///     store.append_async(&Event::new("request.handled"))?.await
/// }
///
/// let store = Store::open(&folder, Options::default())?;
/// let receipt = block_on(handle(&store))?; // or a runtime's
/// assert_eq!(store.snapshot().seq_count(), receipt.seq.0 + 1);
/// # store.close()?;
/// # std::fs::remove_dir_all(&folder).ok();
/// # Ok::<(), auditdb::Error>(())
/// ```
#[must_use = "the receipt says whether the event was taken"]
pub struct Ticket {
    shared: Arc<Shared>,
    place: Place<Answer>,
}

impl Ticket {
    pub(super) fn new(shared: &Arc<Shared>, row: Prepared) -> Ticket {
        let bytes = row.bytes();
        let submitted = shared
            .queue
            .submit(Submission::one(row, Durability::Durable), bytes);
        if submitted.weight > UNDER_WAY_BYTES {
            shared.settle(&submitted.place);
        } else if submitted.is_unattended {
            let is_first = submitted.weight == bytes;
            let is_enough = submitted.weight >= GROUP_BYTES;
            if is_first || is_enough {
                shared.sync_soon(is_enough);
            }
        }
        Ticket {
            shared: Arc::clone(shared),
            place: submitted.place,
        }
    }

    /// Waits until the event is durable and visible.
    ///
    /// # Errors
    /// As [`crate::Store::append`].
    pub fn wait(self) -> Result<Receipt> {
        self.shared.check_process()?;
        self.shared.settle(&self.place);
        Submission::receipt(self.place.take())
    }

    /// The receipt, once, if there is one by now. Never waits and never writes.
    pub fn try_wait(&mut self) -> Option<Result<Receipt>> {
        self.place
            .take()
            .map(|answer| Submission::receipt(Some(answer)))
    }
}

impl Future for Ticket {
    type Output = Result<Receipt>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<Receipt>> {
        self.place.poll(context.waker()).map(Submission::receipt)
    }
}

impl core::fmt::Debug for Ticket {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("Ticket").finish_non_exhaustive()
    }
}
