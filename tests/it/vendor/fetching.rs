//! The HTTP client against sites that send too much, too slowly, too little or nonsense.

use super::site::{Answer, Site, answer, redirect};
use crate::fixtures::made;
use docket::civic::{
    model::Vendor,
    vendor::http::{Allowed, Ask, FetchError, HttpClient, HttpSettings, Response, Validators},
};
use std::time::Duration;

static ASK: Ask = Ask {
    vendor: Vendor::Legistar,
    accept: "application/json",
    max_body: 64 << 10,
    request_id: None,
    known: Validators { etag: None, last_modified: None },
};

async fn get(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Result<Response, FetchError> {
    let site = Site::start(answer).await;
    site.client().get(&site.url("/list?token=secret"), &ASK).await
}

async fn get_soon(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Result<Response, FetchError> {
    let short = Duration::from_millis(400);
    let site = Site::start(answer).await;
    let settings = HttpSettings { read_timeout: short, total_timeout: 4 * short, ..HttpSettings::default() };
    site.client_with(settings).get(&site.url("/list"), &ASK).await
}

#[tokio::test]
async fn a_plain_answer_arrives_whole() {
    let headers = "Content-Type: Application/JSON; charset=utf-8\r\nETag: \"1\"\r\n";
    let site = Site::start(move |_| answer(200, headers, "[1]")).await;
    let response = site.client().get(&site.url("/list"), &ASK).await.unwrap();
    assert_eq!((response.status, response.body.as_slice()), (200, b"[1]".as_slice()));
    assert_eq!(response.content_type.as_deref(), Some("application/json"));
    assert_eq!(response.etag.as_deref(), Some("\"1\""));
    let head = site.asked().remove(0).to_lowercase();
    assert!(head.contains("accept: application/json\r\n") && head.contains("user-agent: docket/"), "{head}");
}

#[tokio::test]
async fn an_empty_body_is_an_answer() {
    assert_eq!(get(|_| answer(200, "", "")).await.unwrap().body, b"");
    assert_eq!(get(|_| answer(204, "", "")).await.unwrap().status, 204);
}

#[tokio::test]
async fn an_endless_body_is_cut_off() {
    let head = b"HTTP/1.1 200 OK\r\n\r\n";
    let error = get(|_| Answer::Forever(head.to_vec(), vec![b'x'; 8 << 10], Duration::ZERO)).await.unwrap_err();
    assert!(matches!(error, FetchError::TooLarge { limit: 65_536, .. }), "{error}");
}

#[tokio::test]
async fn a_body_that_unpacks_to_too_much_is_cut_off() {
    let error = get(|_| answer(200, "Content-Encoding: gzip\r\n", made("zeros_8_mib.gz"))).await.unwrap_err();
    assert!(matches!(error, FetchError::TooLarge { .. }), "{error}");
}

#[tokio::test]
async fn a_body_that_is_no_gzip_is_an_error() {
    let error = get(|_| answer(200, "Content-Encoding: gzip\r\n", "[plain text]")).await.unwrap_err();
    assert!(matches!(error, FetchError::Connect { .. }), "{error}");
}

#[tokio::test]
async fn headers_without_end_are_refused() {
    let line = b"X-More: and more and more and more\r\n".to_vec();
    let error = get(move |_| Answer::Forever(b"HTTP/1.1 200 OK\r\n".to_vec(), line.repeat(100), Duration::ZERO)).await;
    assert!(matches!(error, Err(FetchError::Connect { .. })), "{error:?}");
}

#[tokio::test]
async fn a_promised_length_is_checked_before_and_after() {
    let huge = get(|_| Answer::Silence(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n".to_vec())).await;
    assert!(matches!(huge, Err(FetchError::TooLarge { .. })), "{huge:?}");
    let short = get(|_| Answer::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[1".to_vec())).await;
    assert!(matches!(short, Err(FetchError::Connect { .. })), "half a list is no list: {short:?}");
    let long = get(|_| Answer::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n[1] and more".to_vec())).await;
    assert_eq!(long.unwrap().body, b"[1]");
    let chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[1\r\n";
    let cut = get(|_| Answer::Bytes(chunks.to_vec())).await;
    assert!(matches!(cut, Err(FetchError::Connect { .. })), "{cut:?}");
}

#[tokio::test]
async fn slow_and_silent_sites_time_out() {
    let head = b"HTTP/1.1 200 OK\r\n\r\n";
    let drip = get_soon(|_| Answer::Forever(head.to_vec(), b"x".to_vec(), Duration::from_millis(50))).await;
    assert!(matches!(drip, Err(FetchError::Timeout { .. })), "a byte now and then keeps no request alive: {drip:?}");
    for sent in [b"".as_slice(), b"HTTP/1.1 200", head] {
        let silent = get_soon(move |_| Answer::Silence(sent.to_vec())).await;
        assert!(matches!(silent, Err(FetchError::Timeout { .. })), "{silent:?}");
    }
}

#[tokio::test]
async fn nonsense_and_hanging_up_are_errors() {
    for bytes in [b"".as_slice(), b"\x16\x03\x01 no http", b"HTTP/9.9 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\n"] {
        let result = get(move |_| Answer::Bytes(bytes.to_vec())).await;
        assert!(matches!(result, Err(FetchError::Connect { .. })), "{result:?}");
    }
}

#[tokio::test]
async fn nobody_there_is_an_error() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = free.local_addr().unwrap();
    drop(free);
    let allowed = vec![Allowed { host: addr.ip().to_string(), port: addr.port() }];
    let client = HttpClient::new(&HttpSettings { allowed, ..HttpSettings::default() }).unwrap();
    let error = client.get(&format!("http://{addr}/?token=secret"), &ASK).await.unwrap_err();
    assert!(matches!(error, FetchError::Connect { .. }) && !error.to_string().contains("secret"), "{error}");
}

#[tokio::test]
async fn statuses_are_errors_and_tell_no_secret() {
    for status in [304, 400, 403, 404, 410, 500, 503] {
        let error = get(move |_| answer(status, "", "details")).await.unwrap_err();
        assert!(matches!(error, FetchError::Status { status: s, retry_after: None, .. } if s == status), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[tokio::test]
async fn the_wait_a_site_asks_for_is_kept() {
    for (status, header, seconds) in
        [(429, "120", Some(120)), (503, "7", Some(7)), (429, "soon", None), (500, "9", None)]
    {
        let error = get(move |_| answer(status, &format!("Retry-After: {header}\r\n"), "")).await.unwrap_err();
        let FetchError::Status { retry_after, .. } = error else { panic!("{error}") };
        assert_eq!(retry_after, seconds.map(Duration::from_secs), "{status} {header}");
    }
}

#[tokio::test]
async fn redirects_are_followed_five_times() {
    let chain = |last: u32| {
        get(move |path| {
            let at: u32 = path.trim_start_matches('/').parse().unwrap_or(0);
            if at < last { redirect(&format!("/{}", at + 1)) } else { answer(200, "", "[]") }
        })
    };
    let response = chain(5).await.unwrap();
    assert_eq!((response.body.as_slice(), response.final_url.path()), (b"[]".as_slice(), "/5"));
    let error = chain(6).await.unwrap_err();
    assert!(matches!(error, FetchError::TooManyRedirects { limit: 5, .. }), "{error}");
    let circle = get(|_| redirect("/list?token=secret")).await.unwrap_err();
    assert!(
        matches!(circle, FetchError::TooManyRedirects { .. }) && !circle.to_string().contains("secret"),
        "{circle}"
    );
    let nowhere = get(|_| answer(302, "", "")).await.unwrap_err();
    assert!(matches!(nowhere, FetchError::Status { status: 302, .. }), "{nowhere}");
}
