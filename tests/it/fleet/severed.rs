//! A broker that loses its sessions, played by one that answers as a test needs it.

use super::toys::{Script, TestFleet, plain, registry};
use docket::fleet::{
    Progress,
    job::{Band, Envelope, MessageId},
    ports::{
        Acks, Broker, BrokerError, DeadMessage, DeadPass, Delivery, Outgoing, Prefetch, PublishOutcome, Retention,
        Subscription,
    },
    worker::{Worker, WorkerSettings},
};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio_util::sync::CancellationToken;

/// So many sessions deliver one message each and then fail its ack; those after them are quiet.
const SEVERED: usize = 3;

/// Counts the sessions.
#[derive(Clone, Default)]
struct Severed(Arc<AtomicUsize>);

struct Session {
    delivers: bool,
}

struct NothingDead;

impl Subscription for Session {
    async fn next(&mut self) -> Option<Delivery> {
        if !std::mem::take(&mut self.delivers) {
            return std::future::pending().await;
        }
        let body = Envelope::new(MessageId(5), vec![]).encode();
        Some(Delivery { tag: 1, band: Band::Normal, body, headers: String::new() })
    }

    async fn ack(&mut self, _: Acks) -> Result<(), BrokerError> {
        Err(BrokerError::Away("channel closed".into()))
    }

    async fn cancel(&mut self) -> Result<(), BrokerError> {
        Ok(())
    }

    async fn close(self) {}
}

impl DeadPass for NothingDead {
    async fn next(&mut self) -> Result<Option<DeadMessage>, BrokerError> {
        Ok(None)
    }

    async fn ack(&mut self, _: u64) -> Result<(), BrokerError> {
        Ok(())
    }

    async fn close(self) {}
}

impl Broker for Severed {
    type Subscription = Session;
    type DeadPass = NothingDead;

    fn can_publish(&self) -> bool {
        false
    }

    async fn publish(&self, _: Outgoing) -> PublishOutcome {
        PublishOutcome::Nacked
    }

    async fn depth(&self, _: &str, _: Band) -> Result<u64, BrokerError> {
        Ok(0)
    }

    async fn dead_depth(&self) -> Result<u64, BrokerError> {
        Ok(0)
    }

    async fn has_generation(&self, _: i32) -> Result<bool, BrokerError> {
        Ok(true)
    }

    async fn declare_generation(&self, _: i32) -> Result<(), BrokerError> {
        Ok(())
    }

    async fn subscribe(&self, _: &str, _: Prefetch) -> Result<Session, BrokerError> {
        Ok(Session { delivers: self.0.fetch_add(1, Ordering::SeqCst) < SEVERED })
    }

    async fn dead_pass(&self) -> Result<NothingDead, BrokerError> {
        Ok(NothingDead)
    }
}

#[tokio::test]
async fn a_failed_ack_leads_to_a_new_session_and_intake_goes_on() {
    let fleet = TestFleet::without_broker().await;
    let (broker, stop) = (Severed::default(), CancellationToken::new());
    let settings = WorkerSettings {
        name: "test".into(),
        lanes: vec!["default".into()],
        slots: 2,
        retention: Retention::default(),
        progress: Progress::default(),
    };
    let wake = docket::db::listen(fleet.db.config(), stop.clone()).subscribe();
    let (ledger, protocol) = (fleet.ledger(), fleet.protocol.clone());
    let worker = Worker::start(ledger, broker.clone(), registry(), settings, protocol, wake, stop.clone()).await;
    let worker = worker.unwrap().unwrap();
    for _ in 0..600 {
        if broker.0.load(Ordering::SeqCst) > SEVERED {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(broker.0.load(Ordering::SeqCst), SEVERED + 1, "a session after each that failed, and no more");
    fleet.enqueue(&[plain(Script::default())]).await;
    fleet.settled().await;
    stop.cancel();
    worker.stopped().await;
}
