//! The domain's metrics count what the tables hold. The recorder is shared by all tests of this process: a city of its
//! own name is counted exactly, all else at least.

use super::support::{count, database, demo, drain, ledger, models, openai, without_breakers};
use crate::support::{metrics, sum};
use docket::{
    civic::{Services, enqueue_sync, model::CitySlug, settings::CivicSettings, store::cities},
    db::{PoolOptions, PoolPurpose, pool},
    dev::models::ModelServer,
};

const MODEL: &str = "counted-model";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listing_is_counted_in_every_family_of_the_domain() {
    let before = metrics().render();
    let (config, client) = database().await;
    let (demo, model) = (demo().await, ModelServer::start().await.unwrap());
    let mut city = demo.city();
    city.slug = CitySlug::from("counted-falls");
    let mut settings = CivicSettings { summariser: models(vec![openai(&model, MODEL)]), ..CivicSettings::default() };
    settings.http.allowed.push(demo.allowed());
    let pool = pool(&config, PoolOptions::new(PoolPurpose::General, 4));
    let services = without_breakers(Services::new(pool, settings).unwrap());
    cities::add(&client, &city).await.unwrap();
    enqueue_sync(&client, &city.slug, &services.settings).await.unwrap();
    drain(&ledger(&config), &services).await;

    let page = metrics().render();
    let rows = async |what: &str| f64::from(i32::try_from(count(&client, what).await).unwrap());
    let of_city = |family: &str| sum(&page, &format!("{family}{{city=\"counted-falls\""));
    assert_eq!(of_city("docket_meetings_synced_total"), rows("meetings").await);
    assert_eq!(of_city("docket_items_extracted_total"), rows("agenda_items").await);
    assert_eq!(of_city("docket_matters_tracked_total"), rows("matter_appearances").await);

    // The model is this test's own: tokens and money agree with the ledger to the last one.
    let of_model = |family: &str| sum(&page, &format!("{family}{{model=\"{MODEL}\""));
    let sql = "select count(*), sum(tokens_in + tokens_out)::int8, sum(cost_micro_usd)::int8 from llm_ledger";
    let paid = client.query_one(sql, &[]).await.unwrap();
    let [calls, tokens, micro_usd] = [0, 1, 2].map(|i| f64::from(i32::try_from(paid.get::<_, i64>(i)).unwrap()));
    assert!(calls > 0.0);
    assert_eq!(of_model("docket_llm_requests_total"), calls);
    assert_eq!(of_model("docket_llm_request_duration_seconds_count"), calls);
    assert_eq!(of_model("docket_llm_tokens_total"), tokens);
    assert_eq!((of_model("docket_llm_request_cost_usd_sum") * 1e6).round(), micro_usd);

    let grew = |series: &str| sum(&page, series) - sum(&before, series);
    let (documents, jobs) = (rows("documents").await, rows("jobs").await);
    assert!(documents > 0.0 && jobs > documents);
    assert!(grew("docket_pdf_extraction_duration_seconds_count") >= rows("extractions").await);
    assert!(grew("docket_vendor_requests_total{vendor=\"legistar\",status=\"200\"}") >= documents);
    assert!(grew("docket_vendor_request_duration_seconds_count{vendor=\"legistar\"}") >= documents);
    assert!(grew("docket_db_operations_total{operation=\"lease\",status=\"ok\"}") >= jobs);
    assert!(grew("docket_db_operation_duration_seconds_count{operation=\"lease\"}") >= jobs);
}
