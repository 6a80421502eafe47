//! The record of what sites answered, what is told from it, and the exceptions of TLS that it marks.

use super::support::{count, database};
use crate::{
    support::{metrics, sum},
    vendor::site::{Site, answer},
};
use docket::{
    civic::{
        Services,
        model::{CitySlug, Vendor},
        prune_record,
        record::{Purpose, Scope},
        settings::CivicSettings,
        store::courtesy::courtesy,
        vendor::http::{Allowed, Ask, FetchError, HttpClient, HttpSettings},
    },
    db::{PoolOptions, PoolPurpose, pool},
};
use flate2::read::GzDecoder;
use std::{io::Read, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::{Instant, sleep},
};
use tokio_postgres::{Client, Config};
use tokio_rustls::{TlsAcceptor, rustls};
use tokio_util::sync::CancellationToken;

const ASK: Ask = Ask::json(Vendor::Granicus);

fn services(config: &Config, http: HttpClient) -> Services {
    let pool = pool(config, PoolOptions::new(PoolPurpose::General, 4));
    let mut services = Services::new(pool, CivicSettings::default()).unwrap();
    services.http = http;
    services
}

/// A client for one piece of work.
fn client(services: &Services, purpose: Purpose) -> HttpClient {
    services.http_for(Scope::new(purpose, Vendor::Granicus, 42))
}

async fn body(client: &Client, sha256: &str) -> Vec<u8> {
    let sql = "select gzip from response_bodies where sha256 = $1";
    let gzip: Vec<u8> = client.query_one(sql, &[&sha256]).await.unwrap().get(0);
    let mut bytes = Vec::new();
    GzDecoder::new(&gzip[..]).read_to_end(&mut bytes).unwrap();
    bytes
}

#[tokio::test]
async fn each_answer_is_recorded_and_each_body_once_and_no_secret_is() {
    let (config, db) = database().await;
    let long = vec![b'x'; 100_000];
    let page = long.clone();
    let site = Site::start(move |path| match path.split('?').next() {
        Some("/list") => answer(200, "ETag: \"v1\"\r\nContent-Type: text/html; charset=utf-8\r\n", "the same"),
        Some("/gone") => answer(404, "", &page),
        _ => answer(200, "", "a document"),
    })
    .await;
    let services = services(&config, site.client());
    let (listing, document) = (client(&services, Purpose::Listing), client(&services, Purpose::Document));
    let url = site.url("/list?token=s3cret");
    assert_eq!(listing.get(&url, &ASK).await.unwrap().body, b"the same");
    assert_eq!(listing.get(&url, &ASK).await.unwrap().body, b"the same");
    assert!(matches!(listing.get(&site.url("/gone"), &ASK).await, Err(FetchError::Status { status: 404, .. })));
    assert_eq!(document.get(&site.url("/a.pdf"), &ASK).await.unwrap().body, b"a document");
    // Nothing goes out to what must not be asked, so there is nothing to record.
    assert!(listing.get("http://127.0.0.1:1/", &ASK).await.is_err());

    let sql = "select purpose, url, url_sha256, status, bytes, sha256, etag, content_type, job_id, ask::text, host from responses order by id";
    let rows = db.query(sql, &[]).await.unwrap();
    let text = |row: usize, column: usize| rows[row].get::<_, Option<String>>(column).unwrap_or_default();
    assert_eq!(rows.len(), 4);
    assert_eq!((text(0, 0), text(0, 1)), ("listing".to_owned(), format!("{}?…", site.url("/list"))));
    let exact = docket::civic::model::Fingerprint::of_bytes(url.as_bytes());
    assert_eq!((text(0, 2), text(1, 2)), (exact.to_string(), exact.to_string()), "it can be found again");
    assert_eq!((text(0, 6), text(0, 7)), ("\"v1\"".to_owned(), "text/html".to_owned()));
    assert_eq!((text(0, 9), text(0, 10)), (text(1, 9), site.addr.to_string()), "one piece of work");
    assert_ne!(text(0, 9), text(3, 9));
    assert_eq!((rows[2].get::<_, Option<i32>>(3), rows[2].get::<_, i32>(4)), (Some(404), 64 << 10));
    assert_eq!(rows[0].get::<_, Option<i64>>(8), Some(42));
    assert_eq!(body(&db, &text(0, 5)).await, b"the same");
    assert_eq!(body(&db, &text(2, 5)).await, &long[..64 << 10], "an error's first 64 KiB");
    assert_eq!(count(&db, "response_bodies").await, 2, "the listing's once, the error's, and no document's");
    let leaked = "responses r where r::text like '%s3cret%'";
    assert_eq!(count(&db, leaked).await, 0);
}

#[tokio::test]
async fn a_site_that_says_nothing_is_recorded_by_its_error() {
    let (config, db) = database().await;
    let site = Site::start(|_| answer(200, "", "")).await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let allowed = vec![Allowed { host: closed.ip().to_string(), port: closed.port() }];
    let http = HttpClient::new(&HttpSettings { allowed, ..HttpSettings::default() }).unwrap();
    let services = services(&config, http);
    let refused = client(&services, Purpose::Agenda).get(&format!("http://{closed}/"), &ASK).await;
    assert!(matches!(refused, Err(FetchError::Connect { .. })), "{refused:?}");
    let row = db.query_one("select status, error, sha256 from responses", &[]).await.unwrap();
    let (status, error, sha256): (Option<i32>, Option<String>, Option<String>) = (row.get(0), row.get(1), row.get(2));
    assert_eq!((status, error.as_deref(), sha256), (None, Some("connect"), None));
    drop(site);
}

#[tokio::test]
async fn what_cannot_be_recorded_is_counted_and_fails_nothing() {
    let (config, db) = database().await;
    let site = Site::start(|_| answer(200, "", "[]")).await;
    let services = services(&config, site.client());
    db.batch_execute("alter table responses rename to elsewhere").await.unwrap();
    let before = sum(&metrics().render(), "docket_record_lost_total");
    assert_eq!(client(&services, Purpose::Listing).get(&site.url("/"), &ASK).await.unwrap().body, b"[]");
    assert!(sum(&metrics().render(), "docket_record_lost_total") > before);
}

#[tokio::test]
async fn old_answers_go_and_a_body_with_its_last_one() {
    let (config, db) = database().await;
    let sql = "insert into responses (at, ask, vendor, purpose, host, url, url_sha256, status, bytes, duration_ms, sha256)
        select now() - n * interval '1 hour', gen_random_uuid(), 'granicus', 'listing', 'h', 'u', repeat('a', 64), 200, 1, 1, repeat('b', 64)
        from generate_series(1, 2000) n;
        insert into response_bodies (sha256, bytes, gzip, seen_at) values
          (repeat('b', 64), 1, '', now()), (repeat('c', 64), 1, '', now() - interval '11 days'),
          (repeat('d', 64), 1, '', now() - interval '10 days 1 hour');
        insert into documents (sha256, bytes, kind, content) values (repeat('c', 64), 1, 'pdf', 'x')";
    db.batch_execute(sql).await.unwrap();
    let (stop, pool) = (CancellationToken::new(), pool(&config, PoolOptions::new(PoolPurpose::General, 2)));
    let pruning = tokio::spawn(prune_record(pool, 10, stop.clone()));
    let begun = Instant::now();
    while count(&db, "responses where at < now() - interval '10 days'").await > 0 {
        assert!(begun.elapsed() < Duration::from_secs(30));
        sleep(Duration::from_millis(20)).await;
    }
    while count(&db, "response_bodies").await > 2 {
        assert!(begun.elapsed() < Duration::from_secs(30));
        sleep(Duration::from_millis(20)).await;
    }
    stop.cancel();
    pruning.await.unwrap();
    assert!((239..=240).contains(&count(&db, "responses").await), "ten days stay");
    assert_eq!(count(&db, "response_bodies where sha256 in (repeat('b', 64), repeat('d', 64))").await, 2);
    assert_eq!(count(&db, "documents").await, 1, "documents are not the record's");
    assert!(db.execute("update responses set bytes = 2", &[]).await.is_err(), "the rest is never changed");
}

#[tokio::test]
async fn courtesy_counts_peaks_errors_and_refusals_of_each_host() {
    let (_config, db) = database().await;
    let sql = "insert into cities (slug, name, zone, vendor, client) values ('a', 'A', 'UTC', 'granicus', 'a'), ('b', 'B', 'UTC', 'granicus', 'b');
        insert into responses (at, ask, city_id, vendor, purpose, host, url, url_sha256, status, error, bytes, duration_ms, tls_unverified)
        select date_trunc('minute', now()) - interval '10 minutes' + m * interval '1 ms', gen_random_uuid(), (select id from cities where slug = c), 'granicus', 'listing', h, 'u',
               repeat('a', 64), s, case when s is null then 'timeout' end, 100, d, t
        from (values (100, 'a', 'one', 200, 50, false), (200, 'a', 'one', 429, 100, false), (2300, 'a', 'one', null, 2150, false),
                     (61000, 'a', 'one', 500, 0, true), (100, 'b', 'one', 200, 7, false), (5, 'a', 'two', 200, 1, false)) x(m, c, h, s, d, t)";
    db.batch_execute(sql).await.unwrap();
    let all = courtesy(&db, None, 3_600.0).await.unwrap();
    assert_eq!(all.len(), 3);
    let one = &all[0];
    assert_eq!((one.city.as_ref().map(CitySlug::as_str), one.host.as_str()), (Some("a"), "one"));
    assert_eq!((one.requests, one.bytes, one.errors, one.too_many, one.tls_unverified), (4, 400, 3, 1, 1));
    // Dated by its start, the one that took two seconds began with the others.
    assert_eq!((one.peak_a_minute, one.peak_a_second, one.mean_ms, one.slowest_ms), (3, 3, 575, 2150));
    let of_b = courtesy(&db, Some(&CitySlug::from("b")), 3_600.0).await.unwrap();
    assert_eq!(of_b.iter().map(|row| row.requests).collect::<Vec<_>>(), [1]);
    assert_eq!(courtesy(&db, None, 60.0).await.unwrap(), []);
}

/// A site with a certificate that nobody signed; it answers or leads elsewhere.
async fn self_signed(reply: impl Fn() -> String + Send + Sync + 'static) -> SocketAddr {
    let signed = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(signed.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let settings = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let settings = settings.with_no_client_auth().with_single_cert(vec![signed.cert.der().clone()], key).unwrap();
    let (acceptor, reply) = (TlsAcceptor::from(Arc::new(settings)), Arc::new(reply));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, reply) = (acceptor.clone(), reply.clone());
            tokio::spawn(async move {
                // A client that refuses the certificate hangs up.
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let Ok(byte) = stream.read_u8().await else { return };
                    head.push(byte);
                }
                let _ = stream.write_all(reply().as_bytes()).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    addr
}

#[tokio::test]
async fn a_bad_certificate_is_refused_but_at_its_exception_and_not_where_that_leads_to() {
    let (config, db) = database().await;
    let ok = || "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok".to_owned();
    let plain = self_signed(ok).await;
    let port = plain.port();
    let leading = self_signed(move || {
        format!("HTTP/1.1 302 Found\r\nLocation: https://localhost:{port}/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    })
    .await;
    let allowed = |host: &str, port| Allowed { host: host.to_owned(), port };
    let allowed = vec![allowed("127.0.0.1", port), allowed("localhost", port), allowed("127.0.0.1", leading.port())];
    let http = |exceptions: &[&str]| {
        let tls_exceptions = exceptions.iter().map(|text| text.parse().unwrap()).collect();
        let settings = HttpSettings { allowed: allowed.clone(), tls_exceptions, ..HttpSettings::default() };
        client(&services(&config, HttpClient::new(&settings).unwrap()), Purpose::Listing)
    };
    let (straight, led) = (format!("https://127.0.0.1:{port}/"), format!("https://{leading}/"));
    let refused = http(&[]).get(&straight, &ASK).await;
    assert!(matches!(&refused, Err(FetchError::Connect { .. })), "{refused:?}");
    assert!(http(&["localhost=another host"]).get(&straight, &ASK).await.is_err());

    let before = sum(&metrics().render(), "docket_tls_exceptions_total");
    let excepted = http(&["127.0.0.1=signed by itself"]);
    assert_eq!(excepted.get(&straight, &ASK).await.unwrap().body, b"ok");
    let refused = excepted.get(&led, &ASK).await;
    assert!(matches!(&refused, Err(FetchError::Connect { .. })), "the second host is verified: {refused:?}");
    assert!(sum(&metrics().render(), "docket_tls_exceptions_total") >= before + 2.0);
    let marked = db.query("select tls_unverified, status from responses order by id", &[]).await.unwrap();
    let marked: Vec<(bool, Option<i32>)> = marked.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(marked, [(false, None), (false, None), (true, Some(200)), (true, None)]);
}

/// What the record costs a request, for people: `cargo test --test it a_request_pays -- --nocapture`.
#[tokio::test]
async fn a_request_pays_one_statement_for_its_record() {
    let (config, db) = database().await;
    let site = Site::start(|_| answer(200, "Connection: close\r\n", vec![b'x'; 20_000])).await;
    let services = services(&config, site.client());
    let recorded = client(&services, Purpose::Document);
    let (mut with, mut without) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..200 {
        for (http, time) in [(&recorded, &mut with), (&services.http, &mut without)] {
            let begun = Instant::now();
            http.get(&site.url("/a.pdf"), &ASK).await.unwrap();
            *time += begun.elapsed();
        }
    }
    println!("a request of 20 kB: {:?} recorded, {:?} not", with / 200, without / 200);
    assert_eq!(count(&db, "responses").await, 200);
}
