//! Completions and effects in one transaction: the fence first, because it locks the rows.

use super::{
    PgTx,
    finish::{COMPLETE_AND_DELETE_ONE, COMPLETE_ONE, Columns, job_ids, message_ids, output},
    pg::{PgLedger, classify, get},
};
use crate::{
    db::{Statements, record},
    fleet::{
        job::{JobId, MessageId},
        ports::{Completion, LedgerError, LedgerResult},
    },
};
use std::collections::HashSet;
use tokio::time::{Instant, timeout};
use tokio_postgres::Row;

/// What several jobs lock, others wait for, so they give up soon and are written apart. Two transactions that wait for each
/// other's rows would do so for a second until PostgreSQL finds out.
const BEGIN_TOGETHER: &str = "begin; set local lock_timeout = '100ms'; set local statement_timeout = '1s'";

impl PgLedger {
    pub(super) async fn begin_with(
        &self,
        batch: &[&Completion],
        spent: &[MessageId],
    ) -> LedgerResult<(PgTx, HashSet<JobId>)> {
        let connection = get(&self.effects).await?;
        let work = async {
            let begin = if batch.len() > 1 { BEGIN_TOGETHER } else { "begin" };
            let tx = PgTx::begin(connection, begin).await?;
            let ours = match batch {
                [one] => complete_one(&tx, one, spent).await?,
                _ => {
                    let columns = Columns::of(batch.iter().copied(), spent);
                    tx.query(columns.sql(), &columns.params()).await?
                }
            };
            Ok::<_, tokio_postgres::Error>((tx, job_ids(&ours)))
        };
        // Whatever goes wrong before the commit: nothing was committed.
        match timeout(self.deadline(), work).await.map(|done| done.map_err(|e| classify(&e))) {
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

async fn complete_one(tx: &PgTx, one: &Completion, spent: &[MessageId]) -> Result<Vec<Row>, tokio_postgres::Error> {
    let (id, epoch, output, spent) = (one.id.0, one.epoch, output(&one.output), message_ids(spent));
    if one.keep {
        return tx.query(&COMPLETE_ONE, &[&id, &epoch, &output, &spent]).await;
    }
    tx.query(&COMPLETE_AND_DELETE_ONE, &[&id, &epoch, &spent]).await
}
