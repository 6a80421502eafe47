//! Version 15 spells file numbers as the code does.

use crate::support::TestDb;
use docket::{
    civic::model::file_key,
    db::{self, Upgrade},
};

#[tokio::test]
async fn keys_of_the_older_spelling_become_those_of_the_code_and_twins_stay() {
    let db = TestDb::new().await;
    db::upgrade(&db.config(), &Upgrade { to: Some(10), ..Upgrade::default() }).await.unwrap();
    let client = db.connect().await;
    let city = "insert into cities (slug, name, zone, vendor, client) values ('a', 'A', 'UTC', 'legistar', 'a'), ('b', 'B', 'UTC', 'legistar', 'b')";
    client.batch_execute(city).await.unwrap();
    let files = [
        "CB 120736",
        "RES 25-1051",
        "25-0147",
        "250147",
        "A-1-B",
        "ORD. NO. 2024/15",
        "#12",
        "A 1 2",
        "É 12",
        "A\u{2013}7",
        "(X) 9:1",
        "12A 3B",
        "R_5",
        "1-2-3-4",
    ];
    let put = "insert into matters (city_id, key, file) select c.id, 'file:' || $1, $1 from cities c where slug = $2";
    for file in files {
        client.execute(put, &[&file, &"a"]).await.unwrap();
    }
    // A twin in the same city, and the same file in another.
    client.execute(put, &[&"CB-120736", &"a"]).await.unwrap();
    client.execute(put, &[&"CB-120736", &"b"]).await.unwrap();
    client.batch_execute("insert into matters (city_id, key) values (1, 'id:7-8'), (1, 'hash:ab-1')").await.unwrap();
    for _ in 0..2 {
        db::upgrade(&db.config(), &Upgrade::default()).await.unwrap();
    }
    for file in files {
        let sql = "select key from matters where city_id = 1 and file = $1";
        let key: String = client.query_one(sql, &[&file]).await.unwrap().get(0);
        assert_eq!(key, format!("file:{}", file_key(file).unwrap()), "{file}");
    }
    let sql = "select string_agg(key, ' ' order by id) from matters where file = 'CB-120736' or file is null";
    let rest: String = client.query_one(sql, &[]).await.unwrap().get(0);
    assert_eq!(rest, "file:CB-120736 file:CB120736 id:7-8 hash:ab-1");
}
