//! Completion and effects in one transaction: the fence first, because it locks the row.

use super::{
    PgTx,
    finish::{COMPLETE_AND_DELETE_ONE, COMPLETE_ONE, message_ids, output},
    pg::{Params, PgLedger, classify, get},
};
use crate::{
    db::record,
    fleet::{
        job::MessageId,
        ports::{Completion, LedgerError, LedgerResult},
    },
};
use tokio::time::{Instant, timeout};

impl PgLedger {
    pub(super) async fn begin_with(&self, completion: &Completion, spent: &[MessageId]) -> LedgerResult<Option<PgTx>> {
        let connection = get(&self.effects).await?;
        let work = async {
            let tx = PgTx::begin(connection).await.map_err(|e| classify(&e))?;
            let (id, epoch, output) = (completion.id.0, completion.epoch, output(&completion.output));
            let spent = message_ids(spent);
            let sql: &str = if completion.keep { &COMPLETE_ONE } else { &COMPLETE_AND_DELETE_ONE };
            let kept: Params<'_> = &[&id, &epoch, &output, &spent];
            let deleted: Params<'_> = &[&id, &epoch, &spent];
            let params = if completion.keep { kept } else { deleted };
            let statement = tx.prepare_cached(sql).await.map_err(|e| classify(&e))?;
            let rows = tx.query(&statement, params).await.map_err(|e| classify(&e))?;
            if rows.is_empty() {
                tx.rollback().await;
                return Ok(None);
            }
            Ok(Some(tx))
        };
        // Whatever goes wrong before the commit: nothing was committed.
        match timeout(self.deadline(), work).await {
            Ok(Err(LedgerError::Unknown(text))) => Err(LedgerError::Unavailable(text)),
            Ok(result) => result,
            Err(_) => Err(LedgerError::Unavailable(format!("no answer within {:?}", self.deadline()))),
        }
    }

    pub(super) async fn commit_tx(&self, tx: PgTx) -> LedgerResult<()> {
        let begun = Instant::now();
        let result = match timeout(self.deadline(), tx.commit()).await {
            Ok(result) => result.map_err(|e| classify(&e)),
            Err(_) => Err(LedgerError::Unknown(format!("no answer to COMMIT within {:?}", self.deadline()))),
        };
        record("commit", begun, result.is_ok());
        result
    }

    pub(super) async fn rollback_tx(&self, tx: PgTx) {
        // A rollback that gets no answer: dropping the transaction ends its connection.
        let _ = timeout(self.deadline(), tx.rollback()).await;
    }
}
