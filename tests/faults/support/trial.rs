//! One fault: the processes that it hits, the jobs that must not notice, and the line that says what was measured.

use super::{audit, jobs::Load, promise};
use docket::{
    dev::fleet::{Fleet, Member, MemberSpec},
    fleet::{
        broker::{Topology, definitions},
        enqueue::{Notify, enqueue},
        job::NewJob,
    },
};
use serde_json::{Map, Value, json};
use std::{io::Write as _, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::{Client, Row, types::ToSql};

/// Nothing here takes so long, however busy the machine is.
pub(crate) const LONG: Duration = Duration::from_secs(90);
/// For a process with the protocol's own constants, not those five times shorter.
pub(crate) const REAL: &[(&str, &str)] = &[("DOCKET_PROFILE", "production")];
/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// What comes of something that never takes [`LONG`].
pub(crate) fn in_time<T>(what: &str, done: impl Future<Output = T>) -> impl Future<Output = T> {
    // Boxed here, so that those who wait for several things stay small.
    let done = timeout(LONG, Box::pin(done));
    async move { done.await.unwrap_or_else(|_| panic!("not within {LONG:?}: {what}")) }
}

/// A test on the arena.
pub(crate) struct Trial {
    fleet: Fleet,
    id: &'static str,
    what: &'static str,
    /// Jobs above this one are this test's.
    first: i64,
    accepted: Vec<i64>,
    members: Vec<Arc<Member>>,
    measured: Map<String, Value>,
}

impl Trial {
    pub(super) async fn new(fleet: Fleet, id: &'static str, what: &'static str) -> Self {
        super::jobs::prepare(&fleet).await;
        let mut trial =
            Self { fleet, id, what, first: 0, accepted: Vec::new(), members: Vec::new(), measured: Map::new() };
        trial.first = trial.count("select coalesce(max(id), 0) from jobs").await;
        trial
    }

    pub(crate) const fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    /// Starts a process and waits until it is ready. `command` is a role with its arguments.
    pub(crate) async fn member(&mut self, command: &str, env: &[(&str, &str)]) -> Arc<Member> {
        let member = self.unready(command, env).await;
        member.start().unwrap_or_else(|error| panic!("{error:#}"));
        member.ready(LONG).await.unwrap_or_else(|error| panic!("{error:#}"));
        member
    }

    /// A process whose first run dies at a point, given as `after_claim` or `after_claim:3`; started again, it lives.
    pub(crate) async fn mortal(&mut self, command: &str, at: &str) -> Arc<Member> {
        let member = self.unready(command, &[]).await;
        member.start_with(&[("DOCKET_CRASH_AT", at)]).unwrap_or_else(|error| panic!("{error:#}"));
        member.ready(LONG).await.unwrap_or_else(|error| panic!("{error:#}"));
        member
    }

    /// Makes a process without starting it.
    pub(crate) async fn unready(&mut self, command: &str, env: &[(&str, &str)]) -> Arc<Member> {
        let spec = MemberSpec::new("", command);
        self.made(env.iter().fold(spec, |spec, (name, value)| spec.env(name, value))).await
    }

    /// The same with all that a process can have; its name is given here.
    pub(crate) async fn made(&mut self, spec: MemberSpec) -> Arc<Member> {
        let role = spec.args.first().expect("a role").clone();
        // Unique in the fleet, which lives longer than this test.
        let name = format!("{}-{}-{role}", self.id, self.fleet.members().len());
        let member = self.fleet.member(MemberSpec { name, ..spec }).await.unwrap_or_else(|error| panic!("{error:#}"));
        self.members.push(member.clone());
        member
    }

    /// A scheduler.
    pub(crate) async fn scheduler(&mut self) -> Arc<Member> {
        self.member("scheduler", &[]).await
    }

    /// A worker of the tests' kinds.
    pub(crate) async fn worker(&mut self, slots: u32) -> Arc<Member> {
        self.member(&super::jobs::worker(slots), &[]).await
    }

    /// Jobs that the fleet has accepted from here on: each must end as it should.
    pub(crate) async fn enqueue(&mut self, load: &[Load]) -> Vec<i64> {
        let jobs: Vec<NewJob> = load.iter().flat_map(Load::jobs).collect();
        let db = self.db().await;
        let enqueued = in_time("an enqueue", enqueue(&db, &jobs, Notify::Yes)).await.expect("the database takes jobs");
        let ids: Vec<i64> = enqueued.into_iter().map(|one| one.id().0).collect();
        self.accepted.extend(&ids);
        ids
    }

    /// A connection past all faults; it waits until there is one.
    pub(crate) async fn db(&self) -> Client {
        let begun = Instant::now();
        loop {
            match in_time("a connection to the database", self.fleet.connect()).await {
                Ok(client) => return client,
                Err(error) if begun.elapsed() > LONG => panic!("no database: {error}"),
                Err(_) => sleep(LOOK).await,
            }
        }
    }

    /// One row; `$1` is the id that this test's jobs are above, where the query names it.
    async fn ask(&self, db: &Client, sql: &str) -> Result<Row, tokio_postgres::Error> {
        let first: [&(dyn ToSql + Sync); 1] = [&self.first];
        let parameters = if sql.contains("$1") { &first[..] } else { &[] };
        in_time(sql, db.query_one(sql, parameters)).await
    }

    /// One number; `$1` as in [`Trial::ask`].
    pub(crate) async fn count(&self, sql: &str) -> i64 {
        let row = self.ask(&self.db().await, sql).await;
        row.unwrap_or_else(|error| panic!("{sql}: {error}")).get(0)
    }

    /// Waits until a query, as in [`Trial::count`], answers more than 0; returns the seconds that it took.
    pub(crate) async fn until(&self, what: &str, sql: &str) -> f64 {
        let (mut db, begun) = (self.db().await, Instant::now());
        loop {
            match self.ask(&db, sql).await {
                Ok(row) if row.get::<_, i64>(0) > 0 => return begun.elapsed().as_secs_f64(),
                Err(error) if !db.is_closed() => panic!("{sql}: {error}"),
                // The fault took the connection too.
                Err(_) => db = self.db().await,
                Ok(_) => {}
            }
            assert!(begun.elapsed() < LONG, "{}: never: {what}; {}", self.id, self.story().await);
            sleep(LOOK).await;
        }
    }

    /// Waits until so many of this test's jobs are in this status.
    pub(crate) async fn until_status(&self, status: &str, number: i64) -> f64 {
        let sql = format!("select (count(*) >= {number})::int::bigint from jobs where id > $1 and status = '{status}'");
        self.until(&format!("{number} {status}"), &sql).await
    }

    /// Waits until no job of this test is open; returns the seconds that it took.
    pub(crate) async fn settled(&self) -> f64 {
        let open = "select (not exists (select 1 from jobs where id > $1 and finished_at is null))::int::bigint";
        self.until("all jobs have ended", open).await
    }

    /// Enqueues a job of each band and waits until they are done: work goes on. Returns the seconds since `healed`.
    pub(crate) async fn works_again(&mut self, healed: Instant) -> f64 {
        let ids = self.enqueue(&[Load::ok(1).priority(900), Load::ok(1), Load::ok(1).priority(-900)]).await;
        let ids = ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let sql = format!("select (count(*) = 3)::int::bigint from jobs where id in ({ids}) and status = 'completed'");
        self.until("a new job of each band is done", &sql).await;
        healed.elapsed().as_secs_f64()
    }

    /// The same through the broker: a message is confirmed, and a job claimed from a message completes.
    pub(crate) async fn dispatches_again(&mut self, scheduler: &Member, healed: Instant) -> f64 {
        let confirmed = || metric(scheduler, "docket_messages_published_total", r#"outcome="confirmed""#);
        let before = confirmed().await;
        while confirmed().await <= before {
            assert!(healed.elapsed() < LONG, "{}: no message is confirmed again; {}", self.id, scheduler.log_end());
            self.enqueue(&[Load::ok(4)]).await;
            sleep(4 * LOOK).await;
        }
        healed.elapsed().as_secs_f64()
    }

    /// Puts the topology back, as `docket topology apply` would.
    pub(crate) async fn import_topology(&self) {
        let topology = Topology::new(["default"]).expect("a good name");
        let definitions = definitions(&topology, self.fleet.vhost(), &[]);
        self.fleet.management().import(self.fleet.vhost(), &definitions).await.expect("the broker takes it");
    }

    /// Rows that a rule has brought back.
    pub(crate) async fn rescued(&self, rule: &str) -> i64 {
        let sql = "select count(*) from job_events where event = 'rescued' and actor = '{rule}' and job_id > $1";
        self.count(&sql.replace("{rule}", rule)).await
    }

    /// A counter, summed over the processes that run.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let mut sum = 0.0;
        for member in self.members.iter().filter(|member| member.pid().is_some()) {
            sum += metric(member, name, "").await;
        }
        sum
    }

    /// A number for the line.
    pub(crate) fn measure(&mut self, what: &str, value: impl Into<Value>) {
        let value = match value.into() {
            // A hundredth of a second is exact enough.
            Value::Number(n) if n.is_f64() => json!((n.as_f64().unwrap_or_default() * 100.0).round() / 100.0),
            other => other,
        };
        self.measured.insert(what.to_owned(), value);
    }

    /// What the test's jobs are doing.
    async fn story(&self) -> String {
        let sql = "select coalesce(string_agg(format('%s %s/%s/%s', n, kind, status, hold), ', '), 'no jobs') \
                   from (select kind, status, hold, count(*) n from jobs where id > $1 group by 1, 2, 3) t";
        let mut story: String = self.ask(&self.db().await, sql).await.expect("a story").get(0);
        for member in &self.members {
            story.extend([format!("\n--- {} ({:?})\n", member.name(), member.pid()), member.log_end()]);
        }
        story
    }

    /// All jobs end as they should, the audit finds nothing, the line is printed, the processes end.
    pub(super) async fn proven(mut self) -> Fleet {
        if self.members.iter().all(|member| member.pid().is_none() || !member.name().ends_with("-scheduler")) {
            self.scheduler().await;
        }
        self.settled().await;
        let since = Instant::now();
        promise::kept(&self).await;
        audit::assert_accounted(&mut self, since).await;
        for (name, metric) in [
            ("duplicates_dropped", "docket_duplicate_deliveries_total"),
            ("fenced", "docket_fenced_writes_total"),
            ("direct_leases", "docket_direct_leases_total"),
        ] {
            let sum = self.metric(metric).await;
            if sum > 0.0 && !self.measured.contains_key(name) {
                self.measure(name, sum as u64);
            }
        }
        for rule in ["R1", "R2", "R3", "R4"] {
            let rescued = self.rescued(rule).await;
            if rescued > 0 {
                self.measure(rule, rescued);
            }
        }
        print(self.id, self.what, &self.measured);
        for member in &self.members {
            member.resume();
            member.kill9().await;
        }
        // They are gone, and no watcher has to find that out.
        let db = self.db().await;
        let gone = in_time("the signing off", db.execute("update workers set state = 'gone'", &[])).await;
        gone.expect("the database is well");
        self.fleet
    }

    pub(crate) const fn first(&self) -> i64 {
        self.first
    }

    pub(super) fn accepted(&self) -> &[i64] {
        &self.accepted
    }
}

/// One series of a process's page, summed over the labels that aren't asked for.
pub(crate) async fn metric(member: &Member, name: &str, label: &str) -> f64 {
    let page = member.metrics().await.unwrap_or_default();
    let of_name = page.lines().filter(|line| line.split(['{', ' ']).next() == Some(name) && line.contains(label));
    of_name.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

/// One line of the catalogue. Not by `println!`, which the test harness keeps to itself.
pub(crate) fn print(id: &str, what: &str, measured: &Map<String, Value>) {
    let line = json!({"id": id, "what": what, "measured": measured});
    // A pipe that is closed takes no lines.
    let _ = writeln!(std::io::stdout().lock(), "\nFAULT {line}");
}

/// How a process ended that killed itself.
pub(crate) async fn died(member: &Member) -> Instant {
    let status = member.ended(LONG).await.unwrap_or_else(|error| panic!("{error:#}"));
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    assert_eq!(signal, Some(9), "{} ended with {status} before its point: {}", member.name(), member.log_end());
    Instant::now()
}
