//! A set-up without a fault, for tests to break.

use super::super::facts::{
    Account, Address, Broker, Clock, Database, Facts, Identity, Machine, Poppler, Rights, Role, Schemas, Server,
    Service, Settings, Transactions,
};
use crate::{
    db,
    fleet::{
        broker::{Topology, definitions, management::Observed},
        settings::Protocol,
    },
};
use serde_json::{Value, json};
use std::time::Duration;

pub(super) fn facts() -> Facts {
    Facts {
        roles: Role::ALL.to_vec(),
        settings: settings(),
        database: Service::Answers(database()),
        broker: Service::Answers(broker()),
        management: Service::Answers(Box::new(observed())),
        machine: machine(),
    }
}

fn topology() -> Topology {
    Topology::new(["default"]).expect("a name")
}

pub(super) fn settings() -> Settings {
    Settings {
        errors: Vec::new(),
        protocol: Protocol::default(),
        topology: topology(),
        slots: 16,
        consumer_timeout: Duration::from_mins(30),
        has_broker: true,
        account: Some(Account { user: "docket".to_owned(), vhost: "/".to_owned() }),
        unencrypted: Vec::new(),
        has_contact: true,
        tls_exceptions: Vec::new(),
        models: vec![("small".to_owned(), Some(30))],
    }
}

pub(super) fn database() -> Database {
    Database {
        identity: Ok(Identity {
            version_number: 150_020,
            version: "15.20".to_owned(),
            user: "docket".to_owned(),
            is_superuser: false,
        }),
        schema: Ok(Schemas {
            applied: Ok(Some(db::newest())),
            newest: db::newest(),
            search_path: "\"$user\", public".to_owned(),
            current: Some("public".to_owned()),
            closed: Vec::new(),
            homes: vec!["public".to_owned()],
            jobs_in: Some("public".to_owned()),
        }),
        rights: Ok(Rights::default()),
        clock: Ok(Clock { ahead: 0.1, uncertain: 0.01 }),
        server: Ok(Server {
            fsync: true,
            full_page_writes: true,
            synchronous_commit: "on".to_owned(),
            connections_max: 97,
            connections_used: 5,
            registered: 2,
            ..Server::default()
        }),
        transactions: Ok(Transactions::default()),
        cities: 3,
    }
}

pub(super) fn broker() -> Broker {
    Broker { version: Ok("3.10.8".to_owned()), heartbeat: Ok(5), topology: Ok(()) }
}

pub(super) fn machine() -> Machine {
    Machine {
        address: Address::Free(([127, 0, 0, 1], 8080).into()),
        poppler: Ok(Poppler { version: "poppler-22.12.0/1".to_owned(), has_tables: true }),
        ocr: None,
        files: Ok(1024),
        room: vec![("/tmp".into(), Ok(1 << 34))],
        time_zones: Ok(()),
    }
}

/// What a broker tells that has imported the definitions.
pub(super) fn observed() -> Observed {
    let mut all = definitions(&topology(), "/", &[]);
    for queue in all["queues"].as_array_mut().expect("queues") {
        queue["type"] = json!("quorum");
        queue["policy"] = json!(if queue["name"] == "docket.dead" { "docket-dead" } else { "docket-lanes" });
    }
    let part = |name: &str| all[name].clone();
    Observed {
        vhost: "/".to_owned(),
        overview: read(json!({"rabbitmq_version": "3.10.8"})),
        caller: read(json!({"name": "docket", "tags": ["administrator"]})),
        exchanges: read(part("exchanges")),
        queues: read(part("queues")),
        queues_left_out: 0,
        bindings: read(part("bindings")),
        policies: read(part("policies")),
        operator_policies: Some(Vec::new()),
        permissions: Some(vec![(
            "docket".to_owned(),
            Some(read(json!({"user": "docket", "configure": ".*", "write": ".*", "read": ".*"}))),
        )]),
        feature_flags: Some(read(json!([
            {"name": "quorum_queue", "state": "enabled", "stability": "required"},
            {"name": "stream_queue", "state": "enabled", "stability": "required"},
        ]))),
        nodes: Some(read(
            json!([{"name": "rabbit@here", "running": true, "mem_alarm": false, "disk_free_alarm": false}]),
        )),
        limits: None,
        unread: Vec::new(),
    }
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("an answer of the API")
}
