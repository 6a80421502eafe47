//! A site with RabbitMQ, or without.

use super::{AmqpBroker, AmqpDeadPass, AmqpSubscription, BrokerStatus};
use crate::fleet::{
    job::Band,
    ports::{Broker, BrokerError, Outgoing, Prefetch, PublishOutcome},
};

/// RabbitMQ, where there is one. Without one it is like a broker that is away for ever: nothing is published, workers
/// lease from the ledger, and docket.dead is empty until a broker comes.
#[derive(Clone, Debug)]
pub enum OptionalBroker {
    /// RabbitMQ.
    Amqp(AmqpBroker),
    /// None.
    None,
}

impl OptionalBroker {
    /// RabbitMQ, where there is one.
    #[must_use]
    pub const fn amqp(&self) -> Option<&AmqpBroker> {
        match self {
            Self::Amqp(broker) => Some(broker),
            Self::None => None,
        }
    }

    /// What is known of the connections, where there are some.
    #[must_use]
    pub fn status(&self) -> Option<BrokerStatus> {
        self.amqp().map(AmqpBroker::status)
    }

    /// As [`AmqpBroker::shutdown`].
    pub async fn shutdown(&self) {
        if let Self::Amqp(broker) = self {
            broker.shutdown().await;
        }
    }

    fn there(&self) -> Result<&AmqpBroker, BrokerError> {
        self.amqp().ok_or_else(|| BrokerError::Away("this site has none".to_owned()))
    }
}

impl Broker for OptionalBroker {
    type Subscription = AmqpSubscription;
    type DeadPass = AmqpDeadPass;

    fn can_publish(&self) -> bool {
        self.amqp().is_some_and(Broker::can_publish)
    }

    async fn publish(&self, message: Outgoing) -> PublishOutcome {
        match self {
            Self::Amqp(broker) => broker.publish(message).await,
            // Certainly not written.
            Self::None => PublishOutcome::Nacked,
        }
    }

    async fn depth(&self, lane: &str, band: Band) -> Result<u64, BrokerError> {
        self.there()?.depth(lane, band).await
    }

    async fn dead_depth(&self) -> Result<u64, BrokerError> {
        self.there()?.dead_depth().await
    }

    async fn has_generation(&self, generation: i32) -> Result<bool, BrokerError> {
        self.there()?.has_generation(generation).await
    }

    async fn declare_generation(&self, generation: i32) -> Result<(), BrokerError> {
        self.there()?.declare_generation(generation).await
    }

    async fn subscribe(&self, lane: &str, prefetch: Prefetch) -> Result<AmqpSubscription, BrokerError> {
        self.there()?.subscribe(lane, prefetch).await
    }

    async fn dead_pass(&self) -> Result<AmqpDeadPass, BrokerError> {
        self.there()?.dead_pass().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn without_a_broker_nothing_is_sent_and_nothing_is_known() {
        let none = OptionalBroker::None;
        assert!(!none.can_publish() && none.status().is_none());
        let probe = Outgoing::Probe { lane: "default".to_owned(), band: Band::Normal };
        assert_eq!(none.publish(probe).await, PublishOutcome::Nacked);
        assert!(matches!(none.depth("default", Band::Normal).await, Err(BrokerError::Away(_))));
        assert!(matches!(none.has_generation(1).await, Err(BrokerError::Away(_))));
        assert!(none.subscribe("default", Prefetch([1; 3])).await.is_err());
        none.shutdown().await;
    }
}
