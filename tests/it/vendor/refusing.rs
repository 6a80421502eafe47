//! Addresses that must not be asked, however one gets there.

use super::site::{Site, answer, redirect};
use docket::civic::{
    model::Vendor,
    vendor::http::{Ask, FetchError, HttpClient, HttpSettings},
};

static ASK: Ask = Ask::document(Vendor::Legistar);

#[tokio::test]
async fn loopback_is_refused_unless_that_very_port_is_allowed() {
    let (secret, open) = (Site::start(|_| answer(200, "", "secret")).await, Site::start(|_| answer(200, "", "")).await);
    for client in [HttpClient::new(&HttpSettings::default()).unwrap(), open.client()] {
        let error = client.get(&secret.url("/"), &ASK).await.unwrap_err();
        assert!(matches!(error, FetchError::RefusedAddress { .. }), "{error}");
    }
    assert!(secret.asked().is_empty(), "no connection may have been made");
}

#[tokio::test]
async fn no_spelling_of_a_private_address_passes() {
    let client = HttpClient::new(&HttpSettings::default()).unwrap();
    for url in [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f.0.0.1/",
        "http://0177.0.0.1/",
        "http://0/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "http://[fd00::1]/",
        "http://localhost/",
        "http://LOCALHOST/",
        "https://localhost/",
        "http://8.8.8.8:22/",
        "https://city.example:5432/",
    ] {
        let error = client.get(url, &ASK).await.unwrap_err();
        assert!(matches!(error, FetchError::RefusedAddress { .. }), "{url}: {error}");
    }
}

#[tokio::test]
async fn only_plain_web_addresses_are_asked() {
    let client = HttpClient::new(&HttpSettings::default()).unwrap();
    for url in
        ["", "agenda.pdf", "file:///etc/passwd", "ftp://city.example/a", "data:text/plain,x", "http://", "javascript:1"]
    {
        let error = client.get(url, &ASK).await.unwrap_err();
        assert!(matches!(error, FetchError::BadUrl { .. }), "{url}: {error}");
    }
    let error = client.get("http://user:hunter2@city.example/", &ASK).await.unwrap_err();
    assert!(matches!(error, FetchError::BadUrl { .. }) && !error.to_string().contains("hunter2"), "{error}");
}

#[tokio::test]
async fn a_redirect_leads_nowhere_that_a_link_could_not() {
    let secret = Site::start(|_| answer(200, "", "secret")).await;
    for target in [
        secret.url("/"),
        format!("http://localhost:{}/", secret.addr.port()),
        format!("//{}/", secret.addr),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://127.0.0.1/".to_owned(),
        "http://localhost/".to_owned(),
        "http://[::1]/".to_owned(),
    ] {
        let to = target.clone();
        let site = Site::start(move |_| redirect(&to)).await;
        let error = site.client().get(&site.url("/"), &ASK).await.unwrap_err();
        assert!(matches!(error, FetchError::RefusedAddress { .. }), "{target}: {error}");
        assert_eq!(site.asked().len(), 1);
    }
    let site = Site::start(|_| redirect("file:///etc/passwd")).await;
    let error = site.client().get(&site.url("/"), &ASK).await.unwrap_err();
    assert!(matches!(error, FetchError::BadUrl { .. }), "{error}");
    assert!(secret.asked().is_empty(), "no connection may have been made");
}
