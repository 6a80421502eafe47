//! A lane's three consumers on one channel.

use super::{
    endpoint::broker_error,
    headers,
    inspect::Inspector,
    session::{Session, rpc},
    topology::queue_name,
};
use crate::fleet::{
    job::Band,
    ports::{Acks, BrokerError, Delivery, Prefetch, Subscription},
};
use futures_util::{
    StreamExt as _,
    stream::{self, BoxStream, SelectAll},
};
use lapin::{
    Channel, Consumer,
    options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicQosOptions},
    types::{FieldTable, ShortString},
};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

/// A delivery of a band; none at the end of its stream, which `select_all` would not tell.
type Item = (Band, Option<lapin::Result<lapin::message::Delivery>>);

/// A lane's consumers. It owns its channel, so a delivery can only be acknowledged where it came from.
pub struct AmqpSubscription {
    session: Arc<Session>,
    channel: Channel,
    streams: SelectAll<BoxStream<'static, Item>>,
    tags: Vec<ShortString>,
    lane: String,
    /// Bands whose stream has not ended.
    open: usize,
    cancelled: bool,
    over: bool,
    limit: Duration,
}

impl std::fmt::Debug for AmqpSubscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AmqpSubscription").field("lane", &self.lane).field("over", &self.over).finish_non_exhaustive()
    }
}

impl AmqpSubscription {
    /// Consumes the bands of a lane. A failure after the first consumer gives the whole connection up: a channel that
    /// dies while deliveries stream often takes it along, half dead. A refusal before costs its channel only.
    pub(super) async fn open(
        session: Arc<Session>,
        lane: &str,
        prefetch: Prefetch,
        limit: Duration,
    ) -> Result<Self, BrokerError> {
        // A queue that is missing closes the channel that asks for it: ask before deliveries stream.
        for band in Band::ALL {
            Inspector { session: &session, limit }.depth(&queue_name(lane, band)).await?;
        }
        let channel = session.channel(limit).await?;
        let mut subscription = Self {
            session,
            channel,
            streams: SelectAll::new(),
            tags: Vec::new(),
            lane: lane.to_owned(),
            open: 0,
            cancelled: false,
            over: false,
            limit,
        };
        for (band, prefetch) in Band::ALL.into_iter().zip(prefetch.0) {
            if let Err(error) = subscription.consume(band, prefetch).await {
                if subscription.open > 0 || !matches!(error, BrokerError::Refused(_) | BrokerError::Topology(_)) {
                    subscription.session.fail(error.to_string());
                }
                return Err(error);
            }
        }
        Ok(subscription)
    }

    async fn consume(&mut self, band: Band, prefetch: u16) -> Result<(), BrokerError> {
        let queue = ShortString::try_new(queue_name(&self.lane, band))
            .map_err(|e| BrokerError::Topology(format!("lane {:?} has no queue: {e}", self.lane)))?;
        // Applies to the consumers that come after it. 0 would mean no limit.
        rpc(self.limit, self.channel.basic_qos(prefetch.max(1), BasicQosOptions { global: false })).await?;
        let options = BasicConsumeOptions::default();
        let consume = self.channel.basic_consume(queue, ShortString::default(), options, FieldTable::default());
        let consumer: Consumer = rpc(self.limit, consume).await?;
        self.tags.push(consumer.tag());
        let deliveries = consumer.map(move |delivery| (band, Some(delivery)));
        self.streams.push(deliveries.chain(stream::iter([(band, None)])).boxed());
        self.open += 1;
        Ok(())
    }

    /// The end by a fault.
    fn end(&mut self, band: Band, error: Option<lapin::Error>) {
        self.over = true;
        let queue = queue_name(&self.lane, band);
        match error {
            Some(error) => self.session.fail(format!("consuming {queue} failed: {error}")),
            None if self.channel.status().connected() => {
                tracing::warn!(
                    event = "broker.consumer_cancelled",
                    queue,
                    "broker ended a consumer: was its queue deleted?"
                );
            }
            None => self.session.fail(format!("the channel of {queue} was closed")),
        }
    }

    /// A failed round trip on a consuming channel gives the connection up.
    fn check(&self, answer: Result<lapin::Result<()>, tokio::time::error::Elapsed>) -> Result<(), BrokerError> {
        let error = match answer {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => broker_error(&error),
            Err(_) => BrokerError::Timeout(self.limit),
        };
        self.session.fail(error.to_string());
        Err(error)
    }
}

impl Subscription for AmqpSubscription {
    async fn next(&mut self) -> Option<Delivery> {
        while !self.over {
            match self.streams.next().await {
                // Buffered deliveries of a lost channel can't be acknowledged any more.
                Some((_, Some(Ok(delivery)))) if !delivery.acker.usable() => {}
                Some((band, Some(Ok(delivery)))) => {
                    let headers = headers::as_text(&delivery.properties);
                    return Some(Delivery { tag: delivery.delivery_tag, band, body: delivery.data, headers });
                }
                Some((band, Some(Err(error)))) => self.end(band, Some(error)),
                Some((_, None)) if self.cancelled => {
                    self.open -= 1;
                    self.over = self.open == 0;
                }
                Some((band, None)) => self.end(band, None),
                None => self.over = true,
            }
        }
        None
    }

    async fn ack(&mut self, acks: Acks) -> Result<(), BrokerError> {
        let answer = timeout(self.limit, acknowledge(&self.channel, acks)).await;
        self.check(answer)
    }

    async fn cancel(&mut self) -> Result<(), BrokerError> {
        self.cancelled = true;
        let cancel = async {
            for tag in std::mem::take(&mut self.tags) {
                self.channel.basic_cancel(tag, BasicCancelOptions::default()).await?;
            }
            Ok(())
        };
        let answer = timeout(self.limit, cancel).await;
        self.check(answer)
    }

    async fn close(self) {
        let close = self.channel.close(200, "bye".into());
        if self.channel.status().connected() && timeout(self.limit, close).await.is_err() {
            self.session.fail("a channel did not close in time");
        }
    }
}

async fn acknowledge(channel: &Channel, acks: Acks) -> lapin::Result<()> {
    // Tag 0 would mean all there are.
    let up_to = acks.up_to.filter(|tag| *tag > 0);
    if let Some(tag) = up_to {
        channel.basic_ack(tag, BasicAckOptions { multiple: true }).await?;
    }
    // A tag twice closes the channel.
    for tag in acks.single.into_iter().filter(|tag| *tag > up_to.unwrap_or(0)) {
        channel.basic_ack(tag, BasicAckOptions { multiple: false }).await?;
    }
    Ok(())
}
