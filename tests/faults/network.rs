//! The network between a process and the services: cut, deaf, slow, flapping, without names.

use crate::support::{LONG, Load, Net, REAL, Trial, jobs, trial};
use docket::dev::{
    fleet::{Member, MemberSpec},
    proxy::Mode,
};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

fn port(url: &str) -> u16 {
    url.parse::<url::Url>().expect("a URL").port().expect("a private service's URL names its port")
}

/// The same URL with another host and port.
fn at(url: &str, host: &str, port: u16) -> String {
    let mut url: url::Url = url.parse().expect("a URL");
    url.set_host(Some(host)).expect("a host");
    url.set_port(Some(port)).expect("a port");
    url.into()
}

async fn net(t: &Trial) -> Net {
    Net::new(port(t.fleet().database_url()), port(t.fleet().amqp_url())).await
}

/// A process on the other side of the links. Its endpoint is out of reach, so it is ready when the ledger knows it.
async fn inside(t: &mut Trial, net: &Net, command: &str, env: &[(&str, &str)]) -> Arc<Member> {
    let [database, broker] = [(t.fleet().database_url(), &net.database), (t.fleet().amqp_url(), &net.broker)]
        .map(|(url, link)| at(url, &link.address.ip().to_string(), link.address.port()));
    let known = "select count(*) from workers where state = 'up'";
    let before = t.count(known).await;
    let spec = MemberSpec::new("", command).under(net.prefix());
    let spec = spec.env("DATABASE_URL", &database).env("AMQP_URL", &broker);
    let member = t.made(env.iter().fold(spec, |spec, (name, value)| spec.env(name, value))).await;
    member.start().expect("it starts");
    t.until("it is registered", &format!("select (count(*) > {before})::int::bigint from workers where state = 'up'"))
        .await;
    member
}

/// Two jobs that were lost have begun again.
const ELSEWHERE: &str = "select (count(*) = 2)::int::bigint from jobs
                         where id > $1 and losses = 1 and status in ('processing', 'completed')";
/// Two workers beat.
const BEATING: &str = "select (count(*) >= 2)::int::bigint from workers
                       where state = 'up' and slots > 0 and beat_at > now() - interval '4 s'";

/// A job that runs inside while its link is hurt, and a worker outside that can take over.
async fn running_inside(t: &mut Trial, net: &Net) -> (Arc<Member>, Arc<Member>) {
    t.scheduler().await;
    let far = inside(t, net, &jobs::worker(2), &[]).await;
    t.enqueue(&[Load::slow_effect(2, 6000)]).await;
    t.until_status("processing", 2).await;
    let near = t.worker(2).await;
    (far, near)
}

#[test]
fn a_worker_without_its_database_loses_its_lease_and_writes_nothing_late() {
    trial("F40", "link between a worker and the database down for 40 s (real constants)", async |t| {
        let net = net(t).await;
        t.member("scheduler", REAL).await;
        inside(t, &net, &jobs::worker(2), REAL).await;
        t.enqueue(&[Load::slow_effect(2, 20_000)]).await;
        t.until_status("processing", 2).await;
        t.member(&jobs::worker(2), REAL).await;
        net.database.down();
        let cut = Instant::now();
        t.until("both run elsewhere", ELSEWHERE).await;
        // The worker that can't claim still has its broker, and must not sit on what it is sent.
        let elsewhere = cut.elapsed().as_secs_f64();
        t.measure("elsewhere_seconds", elsewhere);
        assert!(elsewhere < 45.0, "{elsewhere}");
        sleep(Duration::from_secs(40).saturating_sub(cut.elapsed())).await;
        net.database.heal();
        let healed = Instant::now();
        let works = t.works_again(healed).await;
        t.measure("works_seconds", works);
        t.until("the worker is back", BEATING).await;
        t.measure("back_seconds", healed.elapsed().as_secs_f64());
        t.settled().await;
    });
}

#[test]
fn a_worker_without_its_broker_finishes_what_it_has() {
    trial("F41", "link between a worker and the broker down for 30 s", async |t| {
        let net = net(t).await;
        running_inside(t, &net).await;
        net.broker.down();
        let cut = Instant::now();
        t.enqueue(&[Load::effect(100)]).await;
        t.settled().await;
        t.measure("settled_during_seconds", cut.elapsed().as_secs_f64());
        let lost = t.count("select count(*) from jobs where id > $1 and (losses > 0 or failures > 0)").await;
        assert_eq!(lost, 0, "the ledger's lease owns a job, not the delivery");
        sleep(Duration::from_secs(30).saturating_sub(cut.elapsed())).await;
        net.broker.heal();
        let works = t.works_again(Instant::now()).await;
        t.measure("works_seconds", works);
    });
}

#[test]
fn a_scheduler_without_its_broker() {
    trial("F42", "link between the scheduler and the broker down for 20 s", async |t| {
        let net = net(t).await;
        inside(t, &net, "scheduler", &[]).await;
        let worker = t.worker(4).await;
        t.works_again(Instant::now()).await;
        net.broker.down();
        let cut = Instant::now();
        t.enqueue(&[Load::effect(200)]).await;
        let works = t.works_again(cut).await;
        t.measure("works_during_seconds", works);
        sleep(Duration::from_secs(20).saturating_sub(cut.elapsed())).await;
        net.broker.heal();
        let healed = Instant::now();
        t.settled().await;
        t.measure("settled_seconds", healed.elapsed().as_secs_f64());
        // Until the scheduler's messages arrive again.
        worker.broker().cut(docket::dev::proxy::End::Reset);
        let works = t.works_again(healed).await;
        t.measure("works_seconds", works);
    });
}

#[test]
fn answers_that_vanish() {
    trial("F43", "what the database sends to a worker vanishes (one way), for 20 s", async |t| {
        let net = net(t).await;
        running_inside(t, &net).await;
        net.database.deafen();
        let cut = Instant::now();
        t.until("both run elsewhere", ELSEWHERE).await;
        t.measure("elsewhere_seconds", cut.elapsed().as_secs_f64());
        sleep(Duration::from_secs(20).saturating_sub(cut.elapsed())).await;
        net.database.heal();
        let healed = Instant::now();
        t.settled().await;
        t.until("the worker is back", BEATING).await;
        t.measure("back_seconds", healed.elapsed().as_secs_f64());
    });
}

#[test]
fn a_machine_that_vanishes_without_a_word() {
    trial("F44", "both links of a worker down, then the worker killed: neither FIN nor RST", async |t| {
        let net = net(t).await;
        let (far, _) = running_inside(t, &net).await;
        net.database.down();
        net.broker.down();
        far.kill9().await;
        let gone = Instant::now();
        t.enqueue(&[Load::effect(50)]).await;
        t.settled().await;
        t.measure("settled_seconds", gone.elapsed().as_secs_f64());
    });
}

#[test]
fn a_slow_network_makes_nobody_look_dead() {
    trial(
        "F45",
        "64 kbit/s and 500 ms each way between a worker and both services for 30 s (real constants)",
        async |t| {
            let net = net(t).await;
            t.member("scheduler", REAL).await;
            inside(t, &net, &jobs::worker(4), REAL).await;
            let delayed = t.member(&jobs::worker(4), REAL).await;
            net.database.slow("64kbit");
            net.broker.slow("64kbit");
            for proxy in [delayed.database(), delayed.broker()] {
                proxy.set_both(Mode::Delay(Duration::from_millis(500)));
            }
            let slow = Instant::now();
            t.enqueue(&[Load::slow_effect(8, 20_000), Load::effect(40)]).await;
            sleep(Duration::from_secs(30)).await;
            let done = t.count("select count(*) from jobs where id > $1 and finished_at is not null").await;
            t.measure("done_in_30_seconds", done);
            let reaped = t.count("select count(*) from jobs where id > $1 and losses > 0").await;
            t.measure("reaped", reaped);
            net.database.heal();
            net.broker.heal();
            delayed.database().heal();
            delayed.broker().heal();
            assert_eq!(reaped, 0);
            t.settled().await;
            t.measure("settled_seconds", slow.elapsed().as_secs_f64());
        },
    );
}

#[test]
fn a_link_that_flaps() {
    trial("F46", "both links of a worker 1 s up, 1 s down, for 30 s", async |t| {
        let net = net(t).await;
        t.scheduler().await;
        inside(t, &net, &jobs::worker(4), &[]).await;
        t.worker(2).await;
        let before = (net.database.opened(), net.broker.opened());
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(30) {
            t.enqueue(&[Load::effect(4), Load::ok(4)]).await;
            net.database.down();
            net.broker.down();
            sleep(Duration::from_secs(1)).await;
            net.database.up();
            net.broker.up();
            sleep(Duration::from_secs(1)).await;
        }
        let seconds = began.elapsed().as_secs_f64();
        t.measure("database_connections_a_second", f64::from(net.database.opened() - before.0) / seconds);
        t.measure("broker_connections_a_second", f64::from(net.broker.opened() - before.1) / seconds);
        let healed = Instant::now();
        t.settled().await;
        t.measure("settled_seconds", healed.elapsed().as_secs_f64());
        let works = t.works_again(healed).await;
        t.measure("works_seconds", works);
        assert!(f64::from(net.broker.opened() - before.1) / seconds <= 2.0);
    });
}

#[test]
fn names_that_are_not_found() {
    trial("F57", "the services' names can't be resolved for 15 s", async |t| {
        let net = net(t).await;
        let names = net.names("db.docket.test", "mq.docket.test");
        t.scheduler().await;
        let database = at(t.fleet().database_url(), "db.docket.test", net.database.address.port());
        let broker = at(t.fleet().amqp_url(), "mq.docket.test", net.broker.address.port());
        let env = [("DATABASE_URL", database.as_str()), ("AMQP_URL", broker.as_str())];
        let far = inside(t, &net, &jobs::worker(4), &env).await;
        t.enqueue(&[Load::effect(20)]).await;
        t.settled().await;
        names.forget();
        // Those connections that are open would do for ever.
        net.database.cut();
        net.broker.cut();
        let forgotten = Instant::now();
        sleep(Duration::from_secs(15)).await;
        assert!(far.pid().is_some(), "it waits: {}", far.log_end());
        t.enqueue(&[Load::effect(20)]).await;
        names.remember();
        let healed = Instant::now();
        t.settled().await;
        t.measure("settled_seconds", healed.elapsed().as_secs_f64());
        t.measure("away_seconds", healed.duration_since(forgotten).as_secs_f64());
        assert!(healed.elapsed() < LONG);
    });
}
