//! One pass over docket.dead.

use super::{
    headers,
    message::dead_pointer,
    session::{Session, rpc},
    topology::DEAD,
};
use crate::fleet::ports::{BrokerError, DeadMessage, DeadPass};
use lapin::{
    Channel,
    options::{BasicAckOptions, BasicGetOptions},
};
use std::time::Duration;
use tokio::time::timeout;

/// Gets message by message: unlike a consumer it needs no memory for a long queue, and it knows the end. What it keeps
/// returns when the channel closes, in another order.
#[derive(Debug)]
pub struct AmqpDeadPass {
    channel: Channel,
    limit: Duration,
}

impl AmqpDeadPass {
    pub(super) async fn open(session: &Session, limit: Duration) -> Result<Self, BrokerError> {
        Ok(Self { channel: session.channel(limit).await?, limit })
    }
}

impl DeadPass for AmqpDeadPass {
    async fn next(&mut self) -> Result<Option<DeadMessage>, BrokerError> {
        let got = rpc(self.limit, self.channel.basic_get(DEAD.into(), BasicGetOptions { no_ack: false })).await?;
        Ok(got.map(|message| {
            let delivery = message.delivery;
            let id = delivery.properties.message_id().as_ref();
            DeadMessage {
                tag: delivery.delivery_tag,
                pointer: id.and_then(|id| dead_pointer(id.as_str())),
                headers: headers::as_text(&delivery.properties),
                body: delivery.data,
            }
        }))
    }

    async fn ack(&mut self, tag: u64) -> Result<(), BrokerError> {
        rpc(self.limit, self.channel.basic_ack(tag, BasicAckOptions { multiple: false })).await
    }

    async fn close(self) {
        // If it fails, the channel is dropped, which closes it too.
        let _ = timeout(self.limit, self.channel.close(200, "bye".into())).await;
    }
}
