//! The topology as RabbitMQ's definitions: what `docket topology export` writes and `apply` posts. Pure.
//!
//! Arguments say only `x-queue-type`: they are frozen when a queue is declared. All else is policy and can change.

use super::topology::{DEAD, JOBS_EXCHANGE, Topology};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

/// Policies of a lane and of docket.dead win over catch-all policies, which have priority 0: only one policy applies.
const POLICY_PRIORITY: i32 = 10;

/// An account that the broker creates when it boots with an empty data directory. `guest` does not exist there.
#[derive(Clone, Debug)]
pub struct BrokerUser {
    /// Its name.
    pub name: String,
    /// Its password, written to the definitions in plain text: for development and tests.
    pub password: SecretString,
    /// RabbitMQ's tags, such as `administrator`; none for the fleet's own accounts.
    pub tags: Vec<String>,
    /// What it may declare and delete: a pattern of names.
    pub configure: String,
    /// What it may publish to.
    pub write: String,
    /// What it may consume and count.
    pub read: String,
}

impl BrokerUser {
    fn new(name: impl Into<String>, password: SecretString, [configure, write, read]: [&str; 3]) -> Self {
        let [configure, write, read] = [configure, write, read].map(str::to_owned);
        Self { name: name.into(), password, tags: Vec::new(), configure, write, read }
    }

    /// May do everything, in the management UI too.
    #[must_use]
    pub fn administrator(name: impl Into<String>, password: SecretString) -> Self {
        Self { tags: vec!["administrator".to_owned()], ..Self::new(name, password, [".*", ".*", ".*"]) }
    }

    /// Publishes jobs and dead letters, declares generations, counts queues and audits docket.dead.
    #[must_use]
    pub fn scheduler(name: impl Into<String>, password: SecretString) -> Self {
        let read = r"^docket\.(dead|[a-z0-9_-]+\.(high|normal|low))$";
        Self::new(name, password, [r"^docket\.gen\.[0-9]+$", r"^docket\.(jobs|dead)$", read])
    }

    /// Consumes the lanes; its only write right is docket.dead.
    #[must_use]
    pub fn worker(name: impl Into<String>, password: SecretString) -> Self {
        Self::new(name, password, ["^$", r"^docket\.dead$", r"^docket\.[a-z0-9_-]+\.(high|normal|low)$"])
    }

    /// Connects and looks which names there are: for the API server, which tells whether the broker is there and neither
    /// publishes nor consumes.
    #[must_use]
    pub fn server(name: impl Into<String>, password: SecretString) -> Self {
        Self::new(name, password, ["^$", "^$", "^$"])
    }
}

/// The definitions of one virtual host: for boot (`definitions.import_backend = local_filesystem`) and for
/// `POST /api/definitions/<vhost>`, which ignores the users. Importing them again changes nothing.
///
/// docket.dead has one binding: workers publish with its name as routing key, and the lanes' dead-letter policy sets
/// the same key, because a dead-letter exchange otherwise gets the original one.
#[must_use]
pub fn definitions(topology: &Topology, vhost: &str, users: &[BrokerUser]) -> Value {
    let exchange = |name: &str| {
        json!({"name": name, "vhost": vhost, "type": "direct", "durable": true, "auto_delete": false,
            "internal": false, "arguments": {}})
    };
    let queue = |name: &str| {
        json!({"name": name, "vhost": vhost, "durable": true, "auto_delete": false,
            "arguments": {"x-queue-type": "quorum"}})
    };
    let binding = |source: &str, key: &str| {
        json!({"source": source, "vhost": vhost, "destination": key, "destination_type": "queue",
            "routing_key": key, "arguments": {}})
    };
    // The dead queue comes before the lanes that point to it.
    let names: Vec<String> = topology.queues().collect();
    let queues = std::iter::once(DEAD).chain(names.iter().map(String::as_str));
    let bindings = std::iter::once((DEAD, DEAD)).chain(names.iter().map(|name| (JOBS_EXCHANGE, name.as_str())));
    let mut all = json!({
        "vhosts": [{"name": vhost}],
        "exchanges": [exchange(JOBS_EXCHANGE), exchange(DEAD)],
        "queues": queues.map(queue).collect::<Vec<_>>(),
        "bindings": bindings.map(|(source, key)| binding(source, key)).collect::<Vec<_>>(),
        "policies": policies(topology, vhost),
    });
    if !users.is_empty() {
        all["users"] = users.iter().map(user).collect();
        all["permissions"] = users.iter().map(|user| permission(user, vhost)).collect();
    }
    all
}

fn policies(topology: &Topology, vhost: &str) -> Value {
    let policy = |name: &str, pattern: &str, definition: Value| {
        json!({"name": name, "vhost": vhost, "pattern": pattern, "apply-to": "queues",
            "priority": POLICY_PRIORITY, "definition": definition})
    };
    // At-least-once dead-lettering falls back to at-most-once without reject-publish.
    let lanes = json!({
        "dead-letter-exchange": DEAD, "dead-letter-routing-key": DEAD, "dead-letter-strategy": "at-least-once",
        "delivery-limit": topology.delivery_limit,
        "max-length": topology.max_length, "overflow": "reject-publish",
    });
    // No length limit and no delivery limit: every audit delivers each message once more. The overflow has no effect
    // without a length; it is there because a policy can't be empty, and the policy keeps catch-all policies away.
    let mut dead = json!({"overflow": "reject-publish"});
    if topology.broker_major >= 4 {
        dead["delivery-limit"] = json!(-1); // 3.x has none by default, and refuses this value
    }
    json!([
        policy("docket-dead", r"^docket\.dead$", dead),
        policy("docket-lanes", r"^docket\.[a-z0-9_-]+\.(high|normal|low)$", lanes),
    ])
}

fn user(user: &BrokerUser) -> Value {
    json!({"name": user.name, "password": user.password.expose_secret(), "tags": user.tags.join(",")})
}

fn permission(user: &BrokerUser, vhost: &str) -> Value {
    json!({"user": user.name, "vhost": vhost, "configure": user.configure, "write": user.write, "read": user.read})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definitions_are_pinned() {
        let topology = Topology::new(["default"]).expect("good name");
        let exchange = |name| {
            json!({"name": name, "vhost": "/", "type": "direct", "durable": true, "auto_delete": false,
            "internal": false, "arguments": {}})
        };
        let queue = |name| {
            json!({"name": name, "vhost": "/", "durable": true, "auto_delete": false,
            "arguments": {"x-queue-type": "quorum"}})
        };
        let binding = |source, name| {
            json!({"source": source, "vhost": "/", "destination": name, "destination_type": "queue",
            "routing_key": name, "arguments": {}})
        };
        let expected = json!({
            "vhosts": [{"name": "/"}],
            "exchanges": [exchange("docket.jobs"), exchange("docket.dead")],
            "queues": [queue("docket.dead"), queue("docket.default.high"), queue("docket.default.normal"),
                queue("docket.default.low")],
            "bindings": [binding("docket.dead", "docket.dead"), binding("docket.jobs", "docket.default.high"),
                binding("docket.jobs", "docket.default.normal"), binding("docket.jobs", "docket.default.low")],
            "policies": [
                {"name": "docket-dead", "vhost": "/", "pattern": "^docket\\.dead$", "apply-to": "queues",
                    "priority": 10, "definition": {"overflow": "reject-publish"}},
                {"name": "docket-lanes", "vhost": "/", "pattern": "^docket\\.[a-z0-9_-]+\\.(high|normal|low)$",
                    "apply-to": "queues", "priority": 10, "definition": {
                        "dead-letter-exchange": "docket.dead", "dead-letter-routing-key": "docket.dead",
                        "dead-letter-strategy": "at-least-once", "delivery-limit": 50,
                        "max-length": 50_000, "overflow": "reject-publish"}},
            ],
        });
        assert_eq!(definitions(&topology, "/", &[]), expected);
    }

    #[test]
    fn rabbitmq_4_is_told_to_never_drop_a_dead_letter() {
        let mut topology = Topology::new(["default"]).expect("good name");
        topology.broker_major = 4;
        let dead = &definitions(&topology, "/", &[])["policies"][0];
        assert_eq!(dead["definition"], json!({"overflow": "reject-publish", "delivery-limit": -1}));
    }

    #[test]
    fn users_come_with_their_rights() {
        let users = [BrokerUser::administrator("dev", "s3cret".into()), BrokerUser::worker("w", "x".into())];
        let all = definitions(&Topology::new(["default"]).expect("good name"), "v", &users);
        assert_eq!(all["users"][0], json!({"name": "dev", "password": "s3cret", "tags": "administrator"}));
        assert_eq!(all["permissions"][1]["write"], r"^docket\.dead$");
        assert_eq!(all["permissions"][1]["vhost"], "v");
        assert!(!format!("{users:?}").contains("s3cret"), "a password was printed");
    }
}
