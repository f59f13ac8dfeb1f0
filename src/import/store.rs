//! The store as the place imported events go to.

use super::Accepted;
use super::ImportMark;
use super::ImportSink;
use super::ImportedEvent;
use crate::error::Result;
use crate::store::Mark;
use crate::store::Store;

impl ImportSink for &Store {
    fn accept(&mut self, batch: Vec<ImportedEvent>) -> Result<Vec<Accepted>> {
        let mark = |mark: ImportMark| Mark {
            mapping: mark.mapping,
            repeat: mark.repeat,
        };
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
