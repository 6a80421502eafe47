//! Where the topology is looked at, and with whose eyes.

use crate::{
    cli::exit::{Failure, Outcome},
    config::{self, Environment},
    fleet::broker::{
        Topology,
        management::{Management, ManagementError, Observed},
        plan::{Plan, Roles, plan},
        virtual_host,
    },
};

/// Arguments of plan, apply and check.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Place {
    /// Virtual host
    #[arg(long, value_name = "NAME", help = "Virtual host [default: that of AMQP_URL, or /]")]
    pub(super) vhost: Option<String>,
    /// The schedulers' account at the broker: check its rights
    #[arg(long, value_name = "USER")]
    pub(super) scheduler_user: Option<String>,
    /// The workers' account at the broker: check its rights
    #[arg(long, value_name = "USER")]
    pub(super) worker_user: Option<String>,
}

/// A virtual host of a broker that answers.
pub(super) struct Site {
    pub(super) management: Management,
    pub(super) vhost: String,
    topology: Topology,
    roles: Roles,
}

const UNSET: &str = "DOCKET_MANAGEMENT_URL: not set: name RabbitMQ's management API, such as \
    http://user:password@host:15672, with a user that has the tag administrator";

impl Place {
    /// The management API, if it is configured.
    pub(super) fn site(&self, env: &Environment) -> Result<Option<Site>, Failure> {
        let Some(url) = config::management(env)? else { return Ok(None) };
        let management = Management::new(&url).map_err(|e| Failure::usage(format!("DOCKET_MANAGEMENT_URL: {e}")))?;
        let topology = config::fleet(env)?.topology;
        let roles = Roles { scheduler: self.scheduler_user.clone(), worker: self.worker_user.clone() };
        if roles.users().iter().any(|user| is_odd(user)) {
            return Err(Failure::usage("--scheduler-user, --worker-user: a name without control characters"));
        }
        Ok(Some(Site { management, vhost: self.vhost(env)?, topology, roles }))
    }

    /// The same where nothing can be done without it.
    pub(super) fn needed(&self, env: &Environment) -> Result<Site, Failure> {
        self.site(env)?.ok_or_else(|| Failure::usage(UNSET))
    }

    fn vhost(&self, env: &Environment) -> Result<String, Failure> {
        let vhost = match &self.vhost {
            Some(vhost) => vhost.clone(),
            None => config::amqp(env)?.as_ref().and_then(virtual_host).unwrap_or_else(|| "/".to_owned()),
        };
        check_vhost(&vhost)?;
        Ok(vhost)
    }
}

/// Refuses what can't be a part of the API's paths.
pub(super) fn check_vhost(vhost: &str) -> Outcome {
    if is_odd(vhost) {
        return Err(Failure::usage("--vhost: a name without control characters, such as / or docket"));
    }
    Ok(())
}

/// A URL takes `.` and `..` for steps.
fn is_odd(name: &str) -> bool {
    name.is_empty() || matches!(name, "." | "..") || name.chars().any(char::is_control)
}

impl Site {
    /// Looks, and compares.
    pub(super) async fn plan(&self) -> Result<(Observed, Plan), Failure> {
        let users = self.roles.users();
        let observed = self.management.observe(&self.vhost, &self.topology, &users).await;
        let observed = observed.map_err(|error| failure(&error))?;
        let plan = plan(&self.topology, &self.roles, &observed);
        Ok((observed, plan))
    }

    /// What nobody asked for, and so is not compared.
    pub(super) fn unasked(&self) -> Option<&'static str> {
        self.roles.users().is_empty().then_some("users' rights: name them with --scheduler-user and --worker-user")
    }
}

/// 69 if waiting may help.
pub(super) fn failure(error: &ManagementError) -> Failure {
    if error.is_unavailable() { Failure::unavailable(error) } else { Failure::usage(error) }
}
