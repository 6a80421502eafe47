//! The questions.

use super::{
    client::Management,
    error::ManagementError,
    wire::{
        Binding, Caller, Exchange, FeatureFlag, Limits, Node, Overview, Page, Permission, Policy, Queue, VhostLimits,
    },
};

/// Most entries of a page that RabbitMQ gives.
const PAGE: &str = "500";
/// Pages that are read: what matches beyond is counted, not listed.
const MAX_PAGES: u64 = 10;
/// What is read of a queue.
const QUEUE_COLUMNS: &str = "name,type,durable,auto_delete,exclusive,arguments,policy,operator_policy,messages,\
    messages_ready,messages_unacknowledged,messages_dlx,consumers,state,members,online";
/// What is read of a node.
const NODE_COLUMNS: &str = "name,running,mem_alarm,disk_free_alarm,mem_used,mem_limit,disk_free,disk_free_limit,\
    fd_used,fd_total";

/// Most queues that [`Management::queues`] lists.
pub const MAX_QUEUES: usize = 5_000;

impl Management {
    /// The broker's version and node.
    ///
    /// # Errors
    /// See [`ManagementError`]; so for all questions.
    pub async fn overview(&self) -> Result<Overview, ManagementError> {
        self.get("the overview", &["overview"]).await
    }

    /// Who asks.
    ///
    /// # Errors
    /// As [`Management::overview`].
    pub async fn whoami(&self) -> Result<Caller, ManagementError> {
        self.get("the caller's account", &["whoami"]).await
    }

    /// The nodes with their alarms; needs the tag `monitoring`.
    ///
    /// # Errors
    /// As [`Management::overview`].
    pub async fn nodes(&self) -> Result<Vec<Node>, ManagementError> {
        self.get_with("the nodes", &["nodes"], &[("columns", NODE_COLUMNS)]).await
    }

    /// The feature flags; needs the tag `administrator`.
    ///
    /// # Errors
    /// As [`Management::overview`].
    pub async fn feature_flags(&self) -> Result<Vec<FeatureFlag>, ManagementError> {
        self.get("the feature flags", &["feature-flags"]).await
    }

    /// Whether no memory or disk alarm holds publishers back, anywhere in the cluster; any management user may ask.
    ///
    /// # Errors
    /// As [`Management::overview`].
    pub async fn no_alarm(&self) -> Result<bool, ManagementError> {
        let asked = self.get::<serde_json::Value>("the alarms", &["health", "checks", "alarms"]).await;
        match asked {
            Ok(_) => Ok(true),
            Err(ManagementError::Server { status: 503, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// An exchange, if it is there.
    ///
    /// # Errors
    /// As [`Management::overview`].
    pub async fn exchange(&self, vhost: &str, name: &str) -> Result<Option<Exchange>, ManagementError> {
        let what = format!("exchange {name}");
        missing_is_none(self.get(&what, &["exchanges", vhost, name]).await)
    }

    /// A queue, if it is there.
    ///
    /// # Errors
    /// As [`Management::overview`].
    pub async fn queue(&self, vhost: &str, name: &str) -> Result<Option<Queue>, ManagementError> {
        let what = format!("queue {name}");
        let path = ["queues", vhost, name];
        missing_is_none(self.get_with(&what, &path, &[("columns", QUEUE_COLUMNS)]).await)
    }

    /// The queues whose name matches a pattern, at most [`MAX_QUEUES`], and how many more there are. The broker filters,
    /// so queues of others cost nothing here.
    ///
    /// # Errors
    /// As [`Management::overview`]; a virtual host that is not there is [`ManagementError::NotFound`].
    pub async fn queues(&self, vhost: &str, pattern: &str) -> Result<(Vec<Queue>, u64), ManagementError> {
        let mut queues: Vec<Queue> = Vec::new();
        for number in 1..=MAX_PAGES {
            let number_text = number.to_string();
            let query = [
                ("page", number_text.as_str()),
                ("page_size", PAGE),
                ("name", pattern),
                ("use_regex", "true"),
                ("columns", QUEUE_COLUMNS),
            ];
            let what = format!("queues in virtual host {vhost:?}");
            let page = match self.get_with::<Page<Queue>>(&what, &["queues", vhost], &query).await {
                Ok(page) => page,
                // Queues went away meanwhile, and the page with them.
                Err(ManagementError::Refused { reason, .. }) if number > 1 && reason.contains("out of range") => break,
                Err(error) => return Err(error),
            };
            queues.extend(page.items);
            if number >= page.page_count || number == MAX_PAGES {
                let more = page.filtered_count.saturating_sub(queues.len() as u64);
                return Ok((queues, more));
            }
        }
        Ok((queues, 0))
    }

    /// The bindings that leave an exchange.
    ///
    /// # Errors
    /// As [`Management::overview`].
    pub async fn bindings_from(&self, vhost: &str, exchange: &str) -> Result<Vec<Binding>, ManagementError> {
        let what = format!("bindings of exchange {exchange}");
        self.get(&what, &["exchanges", vhost, exchange, "bindings", "source"]).await
    }

    /// The bindings that lead into an exchange.
    ///
    /// # Errors
    /// As [`Management::overview`].
    pub async fn bindings_into_exchange(&self, vhost: &str, exchange: &str) -> Result<Vec<Binding>, ManagementError> {
        let what = format!("bindings into exchange {exchange}");
        self.get(&what, &["exchanges", vhost, exchange, "bindings", "destination"]).await
    }

    /// The bindings that lead into a queue, without the default exchange's own.
    ///
    /// # Errors
    /// As [`Management::overview`].
    pub async fn bindings_into_queue(&self, vhost: &str, queue: &str) -> Result<Vec<Binding>, ManagementError> {
        let what = format!("bindings of queue {queue}");
        let mut bindings: Vec<Binding> = self.get(&what, &["queues", vhost, queue, "bindings"]).await?;
        bindings.retain(|binding| !binding.source.is_empty());
        Ok(bindings)
    }

    /// The policies.
    ///
    /// # Errors
    /// As [`Management::overview`].
    pub async fn policies(&self, vhost: &str) -> Result<Vec<Policy>, ManagementError> {
        self.get("the policies", &["policies", vhost]).await
    }

    /// The operator policies.
    ///
    /// # Errors
    /// As [`Management::overview`].
    pub async fn operator_policies(&self, vhost: &str) -> Result<Vec<Policy>, ManagementError> {
        self.get("the operator policies", &["operator-policies", vhost]).await
    }

    /// What a user may do in a virtual host; `None` if nothing, or if there is no such user. Needs the tag
    /// `administrator`.
    ///
    /// # Errors
    /// As [`Management::overview`].
    pub async fn permission(&self, vhost: &str, user: &str) -> Result<Option<Permission>, ManagementError> {
        missing_is_none(self.get("permissions", &["permissions", vhost, user]).await)
    }

    /// The limits of a virtual host.
    ///
    /// # Errors
    /// As [`Management::overview`].
    pub async fn limits(&self, vhost: &str) -> Result<Limits, ManagementError> {
        let limits: Vec<VhostLimits> = self.get("the virtual host's limits", &["vhost-limits", vhost]).await?;
        Ok(limits.first().map(|limits| limits.value).unwrap_or_default())
    }
}

fn missing_is_none<T>(asked: Result<T, ManagementError>) -> Result<Option<T>, ManagementError> {
    match asked {
        Ok(found) => Ok(Some(found)),
        Err(ManagementError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
