//! What handlers make of bad sources.

use super::support::{class, context, database, demo, services};
use docket::{
    civic::{
        handler::{FetchDocument, FetchDocumentArgs, FetchMeeting, FetchMeetingArgs, SyncCity, SyncCityArgs},
        model::Vendor,
        store::{RefId, RevisionId, cities},
    },
    fleet::handler::{ErrorClass, Handler, HandlerError},
};

#[tokio::test]
async fn bad_cities_and_meetings_fail_at_once() {
    let (config, client) = database().await;
    let demo = demo().await;
    let services = services(&config, &demo);
    let mut city = demo.city();
    city.source.client = "atlantis".into();
    cities::add(&client, &city).await.unwrap();
    let handler = SyncCity(services.clone());
    let sync = |city: &str| handler.run(SyncCityArgs { city: city.into(), slot: 1 }, context());
    let never_there = sync("alder-falls").await.unwrap_err();
    assert_eq!(class(&never_there), (false, Some(ErrorClass::UnknownClient)), "{never_there}");
    assert_eq!(class(&sync("nowhere").await.unwrap_err()), (false, Some(ErrorClass::InvalidArgs)));
    let args = FetchMeetingArgs { city: city.slug, meeting: "999".into(), as_of: None };
    let unlisted = FetchMeeting(services.clone()).run(args, context()).await.unwrap_err();
    assert_eq!(class(&unlisted), (false, Some(ErrorClass::InvalidArgs)));
}

#[tokio::test]
async fn documents_that_cannot_be_had() {
    let (config, _client) = database().await;
    let demo = demo().await;
    let fetch = FetchDocument(services(&config, &demo));
    let run = |url: String| {
        let args = FetchDocumentArgs {
            reference: RefId(1),
            revision: RevisionId(1),
            url,
            vendor: Vendor::Legistar,
            recheck: false,
            as_of: None,
            segment: false,
        };
        fetch.run(args, context())
    };
    let missing = run(format!("http://{}/files/0.pdf", demo.address())).await.unwrap_err();
    assert_eq!(class(&missing), (false, Some(ErrorClass::NotFound)));
    let private = run("http://127.0.0.1:1/secret".into()).await.unwrap_err();
    assert_eq!(class(&private), (false, Some(ErrorClass::RefusedAddress)));
    let file = run("file:///etc/passwd".into()).await.unwrap_err();
    assert!(matches!(file, HandlerError::NonRetryable { .. }));
}
