//! What can be asked of the broker over AMQP. Each question takes a channel of its own, because an answer of "no"
//! closes the channel; no deliveries stream on it, so the connection stays unharmed.

use super::{
    endpoint::{broker_error, is_mismatch, is_not_found},
    session::Session,
    topology::{DEAD, JOBS_EXCHANGE, generation_exchange},
};
use crate::fleet::ports::BrokerError;
use lapin::{
    ExchangeKind,
    options::{ExchangeDeclareOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable, ShortString},
};
use std::{future::Future, time::Duration};
use tokio::time::timeout;

/// What the broker says of an exchange or a queue.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It is there; for a queue, with its ready messages.
    Here(u64),
    Missing,
    /// It is there and not as asked, in the broker's words.
    Mismatch(String),
}

/// Asks questions with a deadline each.
pub(super) struct Inspector<'a> {
    pub(super) session: &'a Session,
    pub(super) limit: Duration,
}

impl Inspector<'_> {
    pub(super) async fn depth(&self, queue: &str) -> Result<u64, BrokerError> {
        match self.queue(queue, true).await? {
            Found::Here(ready) => Ok(ready),
            Found::Missing | Found::Mismatch(_) => Err(BrokerError::Topology(format!(
                "queue {queue} is missing: import the topology (docket topology apply)"
            ))),
        }
    }

    /// False only if the rest of the topology answers: then the broker was wiped.
    pub(super) async fn has_generation(&self, generation: i32) -> Result<bool, BrokerError> {
        if self.exchange(&generation_exchange(generation), true).await? != Found::Missing {
            return Ok(true);
        }
        for exchange in [JOBS_EXCHANGE, DEAD] {
            if self.exchange(exchange, true).await? == Found::Missing {
                return Err(BrokerError::Topology(format!(
                    "exchange {exchange} is missing: import the topology (docket topology apply)"
                )));
            }
        }
        // The lanes' queues are not known here; an import that is under way shows by this one, which is like them.
        self.depth(DEAD).await.map(|_| false)
    }

    pub(super) async fn declare_generation(&self, generation: i32) -> Result<(), BrokerError> {
        match self.exchange(&generation_exchange(generation), false).await? {
            Found::Here(_) => Ok(()),
            Found::Missing => Err(BrokerError::Topology("the broker declares no exchange".to_owned())),
            Found::Mismatch(why) => Err(BrokerError::Topology(why)),
        }
    }

    /// Looks an exchange up, or declares it as Docket wants it.
    pub(super) async fn exchange(&self, name: &str, passive: bool) -> Result<Found, BrokerError> {
        let channel = self.session.channel(self.limit).await?;
        let options = ExchangeDeclareOptions { passive, durable: true, ..ExchangeDeclareOptions::default() };
        let declare = channel.exchange_declare(short(name)?, ExchangeKind::Direct, options, FieldTable::default());
        self.found(async { declare.await.map(|()| 0) }).await
    }

    /// Looks a queue up, or declares it as Docket wants it.
    pub(super) async fn queue(&self, name: &str, passive: bool) -> Result<Found, BrokerError> {
        let channel = self.session.channel(self.limit).await?;
        let options = QueueDeclareOptions { passive, durable: true, ..QueueDeclareOptions::default() };
        let mut arguments = FieldTable::default();
        if !passive {
            arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
        }
        let declare = channel.queue_declare(short(name)?, options, arguments);
        self.found(async { declare.await.map(|queue| u64::from(queue.message_count())) }).await
    }

    async fn found(&self, declare: impl Future<Output = lapin::Result<u64>>) -> Result<Found, BrokerError> {
        match timeout(self.limit, declare).await {
            Ok(Ok(ready)) => Ok(Found::Here(ready)),
            Ok(Err(error)) if is_not_found(&error) => Ok(Found::Missing),
            Ok(Err(error)) if is_mismatch(&error) => Ok(Found::Mismatch(error.to_string())),
            Ok(Err(error)) => Err(broker_error(&error)),
            Err(_) => Err(BrokerError::Timeout(self.limit)),
        }
    }
}

fn short(name: &str) -> Result<ShortString, BrokerError> {
    ShortString::try_new(name).map_err(|e| BrokerError::Topology(format!("no such name in AMQP: {e}")))
}
