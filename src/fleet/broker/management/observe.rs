//! All that a plan compares, in one look.

use super::{
    client::Management,
    error::ManagementError,
    wire::{Binding, Caller, Exchange, FeatureFlag, Limits, Node, Overview, Permission, Policy, Queue},
};
use crate::fleet::broker::topology::{DEAD, JOBS_EXCHANGE, Topology};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;

/// Requests at once. A broker answers small questions in milliseconds; this spares it.
const AT_ONCE: usize = 8;
/// The names of lanes' queues and of docket.dead, for RabbitMQ's own filter: there `$` would let a line end through.
const OWN_QUEUES: &str = r"^docket\.(dead|[a-z0-9_-]+\.(high|normal|low))\z";

/// A part of the broker that this account may not read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unread {
    /// Such as `feature flags`.
    pub what: &'static str,
    /// Why, with what gives the right.
    pub why: String,
}

/// What the broker holds in one virtual host, as far as Docket's names go. What others have there is seen only where it
/// touches these names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Observed {
    /// The virtual host.
    pub vhost: String,
    /// The broker's version and node.
    pub overview: Overview,
    /// Who asked.
    pub caller: Caller,
    /// docket.jobs and docket.dead, those that are there.
    pub exchanges: Vec<Exchange>,
    /// docket.dead and the queues that are named like a lane's, of lanes that are configured or not.
    pub queues: Vec<Queue>,
    /// Queues of such names beyond those listed.
    pub queues_left_out: u64,
    /// Bindings of docket.jobs and docket.dead in both directions, and of the configured lanes' queues; each once.
    pub bindings: Vec<Binding>,
    /// All policies of the virtual host.
    pub policies: Vec<Policy>,
    /// All operator policies; `None`: may not be read.
    pub operator_policies: Option<Vec<Policy>>,
    /// Of the users that were asked for, in their order; `None` inside: no rights at all, or no such user. `None`: may
    /// not be read.
    pub permissions: Option<Vec<(String, Option<Permission>)>>,
    /// `None`: may not be read.
    pub feature_flags: Option<Vec<FeatureFlag>>,
    /// `None`: may not be read.
    pub nodes: Option<Vec<Node>>,
    /// Limits of the virtual host; `None`: may not be read.
    pub limits: Option<Limits>,
    /// What this account may not read.
    pub unread: Vec<Unread>,
}

impl Management {
    /// Reads what a plan for `topology` compares, and the rights of `users` in the virtual host. What this account may
    /// not read is told in [`Observed::unread`]; all else that can't be read is an error.
    ///
    /// # Errors
    /// See [`ManagementError`].
    pub async fn observe(&self, vhost: &str, topology: &Topology, users: &[&str]) -> Result<Observed, ManagementError> {
        let (overview, caller) = (self.overview().await?, self.whoami().await?);
        // The first question about the virtual host tells whether it is there.
        let (queues, queues_left_out) = self.queues(vhost, OWN_QUEUES).await?;
        let exchanges = [self.exchange(vhost, JOBS_EXCHANGE).await?, self.exchange(vhost, DEAD).await?];
        let bindings = self.bindings(vhost, topology, &queues).await?;
        let policies = self.policies(vhost).await?;
        let mut unread = Vec::new();
        let operator_policies = told(&mut unread, "operator policies", self.operator_policies(vhost).await)?;
        let permissions = told(&mut unread, "users' rights", self.permissions(vhost, users).await)?;
        let feature_flags = told(&mut unread, "feature flags", self.feature_flags().await)?;
        let nodes = told(&mut unread, "nodes and their alarms", self.nodes().await)?;
        let limits = told(&mut unread, "limits", self.limits(vhost).await)?;
        Ok(Observed {
            vhost: vhost.to_owned(),
            overview,
            caller,
            exchanges: exchanges.into_iter().flatten().collect(),
            queues,
            queues_left_out,
            bindings,
            policies,
            operator_policies,
            permissions,
            feature_flags,
            nodes,
            limits,
            unread,
        })
    }

    async fn bindings(
        &self,
        vhost: &str,
        topology: &Topology,
        queues: &[Queue],
    ) -> Result<Vec<Binding>, ManagementError> {
        let mut bindings = Vec::new();
        for exchange in [JOBS_EXCHANGE, DEAD] {
            bindings.extend(self.bindings_from(vhost, exchange).await?);
            bindings.extend(self.bindings_into_exchange(vhost, exchange).await?);
        }
        let is_there = |name: &String| queues.iter().any(|queue| queue.name == *name);
        let names: Vec<String> = std::iter::once(DEAD.to_owned()).chain(topology.queues()).filter(is_there).collect();
        let asked = names.iter().map(|queue| self.bindings_into_queue(vhost, queue));
        let of_queues: Vec<Vec<Binding>> = stream::iter(asked).buffered(AT_ONCE).try_collect().await?;
        for binding in of_queues.into_iter().flatten() {
            if !bindings.contains(&binding) {
                bindings.push(binding);
            }
        }
        Ok(bindings)
    }

    async fn permissions(
        &self,
        vhost: &str,
        users: &[&str],
    ) -> Result<Vec<(String, Option<Permission>)>, ManagementError> {
        let mut permissions = Vec::with_capacity(users.len());
        for user in users {
            permissions.push(((*user).to_owned(), self.permission(vhost, user).await?));
        }
        Ok(permissions)
    }
}

fn told<T>(
    unread: &mut Vec<Unread>,
    what: &'static str,
    asked: Result<T, ManagementError>,
) -> Result<Option<T>, ManagementError> {
    match asked {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_forbidden() => {
            unread.push(Unread { what, why: error.to_string() });
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
