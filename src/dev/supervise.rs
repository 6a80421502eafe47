//! Services that end before their time are started again, in the same place.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::postgres::Postgres;
use super::rabbitmq::RabbitMq;

/// How often they are looked at.
const LOOK: Duration = Duration::from_millis(250);
/// Before the first start of a row; twice as long before each further one.
const DELAY_MIN: Duration = Duration::from_secs(1);
/// Never longer.
const DELAY_MAX: Duration = Duration::from_secs(30);
/// A service that ran for so long begins a new row.
const HELD: Duration = Duration::from_secs(60);

/// A program that can be looked after. One that was told to end is not started again.
pub(super) trait Supervised: Send + Sync + 'static {
    /// For the log.
    const NAME: &'static str;
    /// It ended, and nobody had told it to.
    fn has_died(&self) -> bool;
    /// Starts it again with the data that it left.
    fn revive(&self) -> impl Future<Output = Result<()>> + Send;
}

/// Looks after these until the set is shut down.
pub(super) fn supervise(postgres: Option<&Arc<Postgres>>, rabbitmq: Option<&Arc<RabbitMq>>) -> JoinSet<()> {
    let mut looking = JoinSet::new();
    if let Some(postgres) = postgres {
        looking.spawn(keep(postgres.clone()));
    }
    if let Some(rabbitmq) = rabbitmq {
        looking.spawn(keep(rabbitmq.clone()));
    }
    looking
}

async fn keep<S: Supervised>(service: Arc<S>) {
    let (mut delay, mut started) = (DELAY_MIN, Instant::now());
    loop {
        sleep(LOOK).await;
        if !service.has_died() {
            continue;
        }
        if started.elapsed() >= HELD {
            delay = DELAY_MIN;
        }
        tracing::warn!(event = "service.ended", service = S::NAME, "a private service ended, starting it again");
        sleep(delay).await;
        (delay, started) = ((delay * 2).min(DELAY_MAX), Instant::now());
        if let Err(error) = service.revive().await {
            tracing::error!(event = "service.not_started", service = S::NAME, %error, "a private service can't be started, trying again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[derive(Default)]
    struct Dies {
        revived: AtomicUsize,
    }

    impl Supervised for Dies {
        const NAME: &'static str = "a test's";

        fn has_died(&self) -> bool {
            true
        }

        async fn revive(&self) -> Result<()> {
            anyhow::ensure!(self.revived.fetch_add(1, Ordering::Relaxed) > 2, "not yet");
            Ok(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_dies_again_and_again_is_started_more_and_more_slowly() {
        let service = Arc::new(Dies::default());
        let keeping = tokio::spawn(keep(service.clone()));
        sleep(Duration::from_secs(40)).await;
        // After 1, 3, 7, 15 and 31 s, and five looks.
        assert_eq!(service.revived.load(Ordering::Relaxed), 5);
        keeping.abort();
    }
}
