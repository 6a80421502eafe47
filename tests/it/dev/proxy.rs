//! Traps in front of a real PostgreSQL: what a client can't know, the table knows.

use super::super::support::{TestDb, services};
use docket::{
    db,
    dev::proxy::{Event, Protocol, Proxy, Trap, Way},
};
use tokio_postgres::{Client, Config};

struct Ground {
    direct: Client,
    proxy: Proxy,
    through: Config,
}

impl Ground {
    async fn new() -> Self {
        services().await;
        let db = TestDb::new().await;
        let direct = db.connect().await;
        direct.batch_execute("create table t (n int primary key)").await.unwrap();
        let config = db.config();
        let upstream = ([127, 0, 0, 1], config.get_ports()[0]).into();
        let proxy = Proxy::start(upstream, Protocol::PostgreSql).await.unwrap();
        let mut url = url::Url::parse(db.url()).unwrap();
        url.set_port(Some(proxy.address().port())).unwrap();
        Self { direct, through: db::parse_url(url.as_str()).unwrap(), proxy }
    }

    async fn rows(&self) -> i64 {
        self.direct.query_one("select count(*) from t", &[]).await.unwrap().get(0)
    }
}

const INSERT: &str = "insert into t select coalesce(max(n), 0) + 1 from t";

#[tokio::test]
async fn a_commit_is_done_or_not_and_the_client_cant_tell() {
    let ground = Ground::new().await;
    for (trap, rows) in [(Trap::commit_lost(), 0), (Trap::commit_unknown(), 1)] {
        let mut client = db::connect(&ground.through).await.unwrap();
        let mut sprung = ground.proxy.trap(trap.clone());
        let transaction = client.transaction().await.unwrap();
        transaction.execute(INSERT, &[]).await.unwrap();
        let error = transaction.commit().await.unwrap_err();
        assert!(error.code().is_none(), "no answer of the server: {error}");
        assert!(sprung.wait().await);
        assert_eq!(ground.rows().await, rows, "{trap:?}");
    }
}

#[tokio::test]
async fn a_prepared_statement_is_done_and_its_answer_lost() {
    let ground = Ground::new().await;
    let client = db::connect(&ground.through).await.unwrap();
    let statement = client.prepare(INSERT).await.unwrap();
    // Prepared before the trap was set, which springs at its second execution.
    let mut sprung = ground.proxy.trap(Trap::answer_lost("insert into t").nth(2));
    client.execute(&statement, &[]).await.unwrap();
    client.execute("select 1", &[]).await.unwrap();
    client.execute(&statement, &[]).await.unwrap_err();
    assert!(sprung.wait().await);
    assert_eq!(ground.rows().await, 2);

    let client = db::connect(&ground.through).await.unwrap();
    let tag = Trap { way: Way::ToClient, event: Event::Statement("INSERT".into()), ..Trap::commit_unknown() };
    let mut sprung = ground.proxy.trap(tag);
    client.execute(INSERT, &[]).await.unwrap_err();
    assert!(sprung.wait().await);
    assert_eq!(ground.rows().await, 3);
}
