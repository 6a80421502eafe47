//! What the broker refuses each of the fleet's accounts: stolen, one can do no more than its part.

use crate::support::TestVhost;
use docket::fleet::broker::{BrokerUser, Topology, definitions};
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties, ExchangeKind, options as o, types::FieldTable,
};
use serde_json::json;

/// One thing that somebody tries.
#[derive(Clone, Copy, Debug)]
enum Act {
    Publish(&'static str),
    DeclareQueue(&'static str),
    DeclareExchange(&'static str),
    DeleteQueue(&'static str),
    DeleteExchange(&'static str),
    Bind(&'static str, &'static str),
    Unbind(&'static str, &'static str),
    Purge(&'static str),
    Consume(&'static str),
    Get(&'static str),
}

async fn act(channel: &Channel, act: Act) -> lapin::Result<()> {
    use Act as A;
    let none = FieldTable::default;
    match act {
        A::Publish(exchange) => {
            channel.confirm_select(o::ConfirmSelectOptions::default()).await?;
            let (options, properties) = (o::BasicPublishOptions::default(), BasicProperties::default());
            let sent = channel.basic_publish(exchange.into(), "docket.default.high".into(), options, b"{}", properties);
            sent.await?.await.map(drop)
        }
        A::DeclareQueue(name) => {
            let options = o::QueueDeclareOptions { durable: true, ..o::QueueDeclareOptions::default() };
            channel.queue_declare(name.into(), options, none()).await.map(drop)
        }
        A::DeclareExchange(name) => {
            let options = o::ExchangeDeclareOptions { durable: true, ..o::ExchangeDeclareOptions::default() };
            channel.exchange_declare(name.into(), ExchangeKind::Direct, options, none()).await
        }
        A::DeleteQueue(name) => channel.queue_delete(name.into(), o::QueueDeleteOptions::default()).await.map(drop),
        A::DeleteExchange(name) => channel.exchange_delete(name.into(), o::ExchangeDeleteOptions::default()).await,
        A::Bind(queue, exchange) => {
            let options = o::QueueBindOptions::default();
            channel.queue_bind(queue.into(), exchange.into(), "mine".into(), options, none()).await
        }
        A::Unbind(queue, exchange) => channel.queue_unbind(queue.into(), exchange.into(), queue.into(), none()).await,
        A::Purge(queue) => channel.queue_purge(queue.into(), o::QueuePurgeOptions::default()).await.map(drop),
        A::Consume(queue) => {
            let options = o::BasicConsumeOptions::default();
            channel.basic_consume(queue.into(), "".into(), options, none()).await.map(drop)
        }
        A::Get(queue) => channel.basic_get(queue.into(), o::BasicGetOptions::default()).await.map(drop),
    }
}

const LANE: &str = "docket.default.normal";
const JOBS: &str = "docket.jobs";
const DEAD: &str = "docket.dead";
/// Of another tenant of the virtual host.
const FOREIGN: &str = "somebody.else";

/// What none of them may do.
const NOBODY: &[Act] = &[
    Act::Publish(""),
    Act::Publish("amq.topic"),
    Act::DeclareQueue(LANE),
    Act::DeclareQueue("mine"),
    Act::DeclareExchange("mine"),
    Act::DeleteQueue(LANE),
    Act::DeleteQueue(DEAD),
    Act::DeleteExchange(JOBS),
    Act::Bind(LANE, JOBS),
    Act::Bind(DEAD, JOBS),
    Act::Unbind(LANE, JOBS),
    Act::Consume(FOREIGN),
    Act::Get(FOREIGN),
    Act::Purge(FOREIGN),
];
const WORKER: &[Act] = &[
    Act::Publish(JOBS),
    Act::DeclareExchange("docket.gen.9"),
    Act::DeleteExchange("docket.gen.1"),
    Act::Consume(DEAD),
    Act::Get(DEAD),
    Act::Purge(DEAD),
];
const SERVER: &[Act] = &[
    Act::Publish(JOBS),
    Act::Publish(DEAD),
    Act::DeclareExchange("docket.gen.9"),
    Act::Consume(LANE),
    Act::Get(LANE),
    Act::Purge(LANE),
    Act::Get(DEAD),
];

#[tokio::test]
async fn a_stolen_account_of_the_broker_can_do_little() {
    let topology = Topology::new(["default"]).unwrap();
    let vhost = TestVhost::new(&definitions(&topology, "/", &[])).await;
    vhost.import(&json!({"queues": [{"name": FOREIGN, "durable": true, "auto_delete": false, "arguments": {}}]})).await;
    let users: [(BrokerUser, &[Act], &[Act]); 3] = [
        (
            BrokerUser::scheduler("scheduler", "s3cret".into()),
            &[],
            &[Act::Publish(JOBS), Act::DeclareExchange("docket.gen.1")],
        ),
        // A worker may purge its own queue, as whoever may consume can: R3 brings its jobs back.
        (
            BrokerUser::worker("worker", "s3cret".into()),
            WORKER,
            &[Act::Get(LANE), Act::Publish(DEAD), Act::Purge(LANE)],
        ),
        (BrokerUser::server("server", "s3cret".into()), SERVER, &[]),
    ];
    for (user, more, allowed) in users {
        let url = vhost.account(&user).await;
        let connection = Connection::connect(&url, ConnectionProperties::default()).await.unwrap();
        for &abuse in NOBODY.iter().chain(more) {
            // A refusal closes its channel.
            let channel = connection.create_channel().await.unwrap();
            let answer = act(&channel, abuse).await;
            let text = answer.as_ref().map_or_else(ToString::to_string, |()| "it was allowed".to_owned());
            let refused =
                text.contains("ACCESS_REFUSED") || text.contains("ACCESS-REFUSED") || text.contains("access to");
            assert!(refused, "{} {abuse:?}: {text}", user.name);
        }
        for &need in allowed {
            let channel = connection.create_channel().await.unwrap();
            act(&channel, need).await.unwrap_or_else(|error| panic!("{} {need:?}: {error}", user.name));
        }
    }
    for queue in [LANE, DEAD, FOREIGN] {
        vhost.call(reqwest::Method::GET, &format!("queues/{}/{queue}", vhost.name()), &json!(null)).await;
    }
    vhost.delete().await;
}
