//! The examples of docs/SQL.md do what it says. Those of docs/API.md have their place beside the API's tests.

use crate::support::{TestLedger, examples, login, run_example};

#[tokio::test]
async fn the_examples_of_sql_enqueue() {
    let ledger = TestLedger::new().await;
    let mut url = url::Url::parse(&ledger.url).unwrap();
    let producer = login(&ledger.db, "docket_producer").await;
    url.set_username(producer.get_user().unwrap()).unwrap();
    url.set_password(Some(std::str::from_utf8(producer.get_password().unwrap()).unwrap())).unwrap();
    let variables = [("DATABASE_URL", url.to_string())];
    let document = include_str!("../../docs/SQL.md");
    let [shell] = examples(document, "sh")[..] else { panic!("one example for the shell") };
    let [python] = examples(document, "python")[..] else { panic!("one example for Python") };
    // Debian's own Python, because the package belongs to it: another one may stand before it in the PATH.
    let (bash, python3) = (["bash"], ["/usr/bin/python3", "-"]);
    assert!(run_example(&bash, shell, &variables).await.trim().ends_with("|f"));
    assert!(run_example(&python3, python, &variables).await.ends_with("enqueued\n"));
    assert!(run_example(&bash, shell, &variables).await.trim().ends_with("|t"), "the key is there");
    assert!(run_example(&python3, python, &variables).await.ends_with("was there already\n"));
    assert_eq!(ledger.number("select count(*) from jobs where kind = 'sync_city' and due").await, 2);
    assert_eq!(ledger.number("select count(*) from jobs where max_attempts = 5").await, 1);
}
