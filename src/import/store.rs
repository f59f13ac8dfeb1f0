//! The store as the place imported events go to: through its log, so that others append meanwhile, or
//! in bulk.

use super::Accepted;
use super::ImportMark;
use super::ImportSink;
use super::ImportedEvent;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::store::Bulk;
use crate::store::Mark;
use crate::store::Store;

fn mark(mark: ImportMark) -> Mark {
    Mark {
        mapping: mark.mapping,
        repeat: mark.repeat,
    }
}

/// The event was refused, and not the load.
fn is_refusal(kind: ErrorKind) -> bool {
    use ErrorKind as Kind;
    matches!(
        kind,
        Kind::Invalid | Kind::KeyConflict | Kind::UnknownType | Kind::Secret
    )
}

/// What it calls stored is durable and visible when the load has committed it.
impl ImportSink for Bulk<'_> {
    fn accept(&mut self, batch: Vec<ImportedEvent>) -> Result<Vec<Accepted>> {
        let take = |one: ImportedEvent| match self.offer(one.offer, one.mark.map(mark)) {
            Ok(Some(seq)) => Ok(Accepted::Stored(seq)),
            Ok(None) => Ok(Accepted::Duplicate),
            Err(error) if is_refusal(error.kind()) => Ok(Accepted::Refused(error.to_string())),
            Err(error) => Err(error),
        };
        batch.into_iter().map(take).collect()
    }
}

impl ImportSink for &Store {
    fn accept(&mut self, batch: Vec<ImportedEvent>) -> Result<Vec<Accepted>> {
        let batch = batch
            .into_iter()
            .map(|one| (one.offer, one.mark.map(mark)))
            .collect();
        let answers = self.import_batch(batch)?;
        Ok(answers
            .into_iter()
            .map(|answer| match answer {
                Ok(receipt) if receipt.duplicate => Accepted::Duplicate,
                Ok(receipt) => Accepted::Stored(receipt.seq),
                Err(error) => Accepted::Refused(error.to_string()),
            })
            .collect())
    }
}
