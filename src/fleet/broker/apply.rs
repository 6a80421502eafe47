//! Doing what a plan says, over the management API.
//!
//! Every step may be repeated, and two may do the same plan at once: the broker answers that it is so already. Nothing is
//! deleted but by [`prune`].

use super::{
    management::{Binding, Management, ManagementError},
    plan::Step,
    topology::JOBS_EXCHANGE,
};

/// A step that the broker refused; what came before it is done and stays.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{step}: {error}")]
pub struct ApplyError {
    /// The step's words.
    pub step: String,
    /// Why not.
    pub error: ManagementError,
}

/// Does steps in their order and tells `done` of each.
///
/// # Errors
/// The first one that fails; later ones are not tried.
pub async fn apply(
    management: &Management,
    vhost: &str,
    steps: &[Step],
    mut done: impl FnMut(&Step),
) -> Result<(), ApplyError> {
    for step in steps {
        one(management, vhost, step).await.map_err(|error| ApplyError { step: step.to_string(), error })?;
        done(step);
    }
    Ok(())
}

async fn one(management: &Management, vhost: &str, step: &Step) -> Result<(), ManagementError> {
    match step {
        Step::DeclareExchange(exchange) => management.put_exchange(vhost, exchange).await,
        Step::DeclareQueue(queue) => management.put_queue(vhost, queue).await,
        Step::Bind(binding) => management.bind_queue(vhost, binding).await,
        Step::SetPolicy { policy, .. } => management.put_policy(vhost, policy).await,
    }
}

/// What became of a queue that was to be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pruned {
    /// Gone.
    Deleted,
    /// Something is in it, or listens to it: left as it was.
    InUse,
}

/// Deletes the queue of a lane that is gone, if nothing is in it and nobody listens to it.
///
/// RabbitMQ refuses to check that itself for quorum queues (`if-empty` and `if-unused` are errors). So the queue is
/// unbound first, which keeps new messages out, then looked at, then deleted. What is counted is up to five seconds old,
/// so a message that was just delivered could be missed; it is a pointer, and the ledger brings its job back.
///
/// # Errors
/// See [`ManagementError`]. The queue may then be unbound, and `prune` again finishes it.
pub async fn prune(management: &Management, vhost: &str, queue: &str) -> Result<Pruned, ManagementError> {
    let binding = Binding {
        source: JOBS_EXCHANGE.to_owned(),
        destination: queue.to_owned(),
        destination_type: "queue".to_owned(),
        routing_key: queue.to_owned(),
        arguments: serde_json::Map::new(),
    };
    let was_bound = management.unbind_queue(vhost, &binding).await?;
    if is_idle(management, vhost, queue).await? {
        management.delete_queue(vhost, queue).await?;
        return Ok(Pruned::Deleted);
    }
    if was_bound {
        management.bind_queue(vhost, &binding).await?;
    }
    Ok(Pruned::InUse)
}

async fn is_idle(management: &Management, vhost: &str, queue: &str) -> Result<bool, ManagementError> {
    let Some(there) = management.queue(vhost, queue).await? else { return Ok(true) };
    if there.messages != Some(0) || there.consumers != Some(0) {
        return Ok(false);
    }
    Ok(!management.has_ready_message(vhost, queue).await?)
}
