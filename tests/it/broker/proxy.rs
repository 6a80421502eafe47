//! Traps in front of a real broker: what a publisher can't know, the queue knows.

use super::support::{Host, connected, message};
use docket::{
    dev::proxy::{Protocol, Proxy, Trap},
    fleet::{
        job::Band,
        ports::{Broker as _, PublishOutcome},
    },
};
use secrecy::ExposeSecret as _;

#[tokio::test]
async fn a_publish_or_its_confirm_is_lost_and_the_publisher_cant_tell() {
    let host = Host::new().await;
    let mut url: url::Url = host.url().expose_secret().parse().unwrap();
    let proxy = Proxy::start(([127, 0, 0, 1], url.port().unwrap()).into(), Protocol::Amqp).await.unwrap();
    url.set_port(Some(proxy.address().port())).unwrap();
    let direct = host.broker().await;
    for (trap, depth) in [(Trap::publish_lost(), 0), (Trap::confirm_lost(), 1)] {
        let broker = connected(&url.to_string().into()).await;
        let mut sprung = proxy.trap(trap.clone());
        assert_eq!(broker.publish(message(1)).await, PublishOutcome::Unknown, "{trap:?}");
        assert!(sprung.wait().await);
        assert_eq!(direct.depth("default", Band::Normal).await.unwrap(), depth, "{trap:?}");
        broker.shutdown().await;
    }
}
