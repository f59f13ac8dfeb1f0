//! The calls by which an application hands in events: one and wait, many as one and wait, or one
//! now and its receipt later.

use super::Receipt;
use super::Store;
use super::Ticket;
use super::prepare::Prepared;
use super::prepare::check_batch;
#[cfg(doc)]
use crate::error::Error;
#[cfg(doc)]
use crate::error::ErrorKind;
use crate::error::Result;
use crate::event::Event;
use crate::options::Durability;

impl Store {
    /// Appends one event with the store's own durability.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] names the field, and so do [`ErrorKind::UnknownType`] and
    /// [`ErrorKind::Secret`] where the store has a registry; [`ErrorKind::KeyConflict`] if its key was
    /// used with other content; [`ErrorKind::Full`] if there is no room, and the call may be repeated (see
    /// [`crate::OnFull`]);
    /// [`ErrorKind::Indeterminate`] and then [`ErrorKind::Poisoned`] if the disk fails, after
    /// which the store must be reopened.
    pub fn append(&self, event: &Event) -> Result<Receipt> {
        self.append_with(event, self.shared.options.durability)
    }

    /// As [`Store::append`], with at least this durability.
    ///
    /// # Errors
    /// As [`Store::append`].
    pub fn append_with(&self, event: &Event, durability: Durability) -> Result<Receipt> {
        let text = self.shared.texts.take();
        let row = Prepared::new(event, None, None, &self.shared.rules, text)?;
        self.shared.commit_one(row, durability)
    }

    /// Appends up to 100,000 events as one: all become durable and visible at once, or none.
    /// `caused_by` may name an earlier event of the batch as `#n`, counted from 0.
    ///
    /// # Errors
    /// As [`Store::append`]; [`Error::batch_index`] says which event an error is about.
    ///
    /// ```
    /// use auditdb::{Event, Options, Store};
    /// # let folder = std::env::temp_dir().join(format!("auditdb-doc-batch-{}", std::process::id()));
    ///
    /// let store = Store::open(&folder, Options::default())?;
    /// let receipts = store.append_batch(&[
    ///     Event::new("import.started"),
    ///     Event::new("user.created").caused_by("#0"),
    /// ])?;
    /// let second = store.get(receipts[1].id)?.expect("it was appended");
    /// assert_eq!(second.event.caused_by.as_deref(), Some(receipts[0].id.to_string().as_str()));
    ///
    /// let error = store.append_batch(&[Event::new("fine"), Event::new("not fine")]).unwrap_err();
    /// assert_eq!(error.batch_index(), Some(1));
    /// # store.close()?;
    /// # std::fs::remove_dir_all(&folder).ok();
    /// # Ok::<(), auditdb::Error>(())
    /// ```
    pub fn append_batch(&self, events: &[Event]) -> Result<Vec<Receipt>> {
        self.append_batch_with(events, self.shared.options.durability)
    }

    /// As [`Store::append_batch`], with at least this durability.
    ///
    /// # Errors
    /// As [`Store::append_batch`].
    pub fn append_batch_with(
        &self,
        events: &[Event],
        durability: Durability,
    ) -> Result<Vec<Receipt>> {
        let rows = events.iter().enumerate().map(|(number, event)| {
            let text = self.shared.texts.take();
            Prepared::new(event, None, Some(number), &self.shared.rules, text)
                .map_err(|error| error.of_member(number))
        });
        let rows: Vec<_> = rows.collect::<Result<_>>()?;
        check_batch(&rows)?;
        self.shared.commit_all(rows, durability)
    }

    /// Hands in one event and comes back before it is durable: many can be under way from one
    /// thread, and share their syncs. It becomes durable within 20 ms or 1 MiB without anybody
    /// waiting for its [`Ticket`], in the order of the calls. Waits only while more than 8 MiB are
    /// under way.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] names the field. What else [`Store::append`] refuses, the ticket says.
    ///
    /// ```
    /// use auditdb::{Event, Options, Store, Ticket};
    /// # let folder = std::env::temp_dir().join(format!("auditdb-doc-tickets-{}", std::process::id()));
    ///
    /// let store = Store::open(&folder, Options::default())?;
    /// let tickets: Vec<Ticket> = (0..1000)
    ///     .map(|number| store.append_async(&Event::new("page.seen").reason(number.to_string())))
    ///     .collect::<Result<_, _>>()?;
    /// for ticket in tickets {
    ///     let receipt = ticket.wait()?;
    ///     assert!(store.get(receipt.id)?.is_some(), "durable, and visible");
    /// }
    /// # store.close()?;
    /// # std::fs::remove_dir_all(&folder).ok();
    /// # Ok::<(), auditdb::Error>(())
    /// ```
    pub fn append_async(&self, event: &Event) -> Result<Ticket> {
        let text = self.shared.texts.take();
        let row = Prepared::new(event, None, None, &self.shared.rules, text)?;
        self.shared.check_process()?;
        Ok(Ticket::new(&self.shared, row))
    }
}
