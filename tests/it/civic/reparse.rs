//! A re-parse rebuilds what is stored from the record, and asks nobody.

use super::{
    support::{class, context, count, database, demo, drain, ledger, services, total},
    vendors::{self, STUBS, add, today, vendor_answer},
};
use crate::vendor::site::Site;
use docket::{
    civic::{
        Services, enqueue_reparse, enqueue_sync,
        handler::{FetchMeeting, FetchMeetingArgs},
        model::CitySlug,
        store::cities,
    },
    dev::city::DemoCity,
    fleet::{
        handler::{ErrorClass, Handler},
        ledger::PgLedger,
    },
};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use tokio_postgres::Client;
use uuid::Uuid;

/// A city that was listed, and whose site is down.
struct Listed {
    client: Client,
    demo: DemoCity,
    services: Arc<Services>,
    ledger: PgLedger,
}

impl Listed {
    async fn new() -> Self {
        let (config, client) = database().await;
        let demo = demo().await;
        let (services, ledger) = (services(&config, &demo), ledger(&config));
        cities::add(&client, &demo.city()).await.unwrap();
        enqueue_sync(&client, &demo.city().slug, &services.settings).await.unwrap();
        drain(&ledger, &services).await;
        demo.refuse(true);
        Self { client, demo, services, ledger }
    }

    async fn reparse(&self) -> super::support::Ends {
        let (now, before) = (Timestamp::now(), self.demo.requests());
        let times = (now - SignedDuration::from_hours(1), now);
        enqueue_reparse(&self.client, &self.demo.city().slug, times, Uuid::new_v4()).await.unwrap();
        let ends = drain(&self.ledger, &self.services).await;
        assert_eq!(self.demo.requests(), before, "nobody was asked: {ends:?}");
        ends
    }

    async fn seen(&self) -> Vec<String> {
        seen(&self.client).await
    }
}

/// What readers see.
async fn seen(client: &Client) -> Vec<String> {
    let mut all = Vec::new();
    for sql in [
        "select concat_ws('|', vendor_id, title, local_date, status, list_fingerprint, listing, revision_id) from meetings order by id",
        "select concat_ws('|', meeting_id, vendor_id, number, title, listed, fingerprint) from agenda_items order by id",
        "select concat_ws('|', meeting_id, item_id, url, name, status, sha256) from document_refs order by id",
        "select concat_ws('|', id, meeting_id, number, fingerprint) from meeting_revisions order by id",
    ] {
        let rows = client.query(sql, &[]).await.unwrap();
        all.extend(rows.iter().map(|row| row.get::<_, String>(0)));
    }
    all
}

/// Nothing of it is as it was read.
const DAMAGE: &str = "update meetings set title = '?', local_date = '1999-01-01', listing = jsonb_set(listing, '{title}', '\"?\"'), list_fingerprint = repeat('0', 64);
    update agenda_items set title = '?', listed = false, fingerprint = repeat('0', 64);
    update document_refs set name = '?', status = 'withdrawn'";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_rows_are_rebuilt_without_a_request_and_nothing_else_changes() {
    let city = Listed::new().await;
    let (before, requests) = (city.seen().await, city.demo.requests());
    assert!(before.len() > 50 && requests > 10);
    assert_eq!(count(&city.client, "paces").await, 0, "a host on this machine is not paced unless that is set");
    city.client.batch_execute(DAMAGE).await.unwrap();
    assert_ne!(city.seen().await, before);

    let ends = city.reparse().await;
    let kinds: Vec<(&str, &str)> = ends.keys().map(|(kind, end)| (kind.as_str(), *end)).collect();
    assert_eq!(kinds, [("fetch_meeting", "completed"), ("reparse_city", "completed")], "no new revision, no document");
    assert_eq!(city.seen().await, before);

    let numbers = "meetings where listing_no > 2";
    assert_eq!(count(&city.client, numbers).await, 0);
    city.reparse().await;
    assert_eq!((city.seen().await, count(&city.client, numbers).await), (before, 0), "twice gives nothing new");
    assert_eq!(count(&city.client, "responses where purpose = 'listing'").await, 1, "a re-parse is not recorded");
    assert_eq!(count(&city.client, "city_syncs").await, 1, "and is no listing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_city_of_each_other_vendor_is_rebuilt_without_a_request() {
    for vendor in STUBS {
        let (config, client) = database().await;
        let day = today();
        let site = Site::start(move |path| vendor_answer(vendor, day, path)).await;
        let (city, services) = (add(&client, &site, vendor).await, vendors::services(&config, &site));
        enqueue_sync(&client, &city.slug, &services.settings).await.unwrap();
        drain(&ledger(&config), &services).await;
        let (before, asked) = (seen(&client).await, site.asked().len());
        client.batch_execute(DAMAGE).await.unwrap();
        assert_ne!(seen(&client).await, before, "{vendor}");

        let now = Timestamp::now();
        enqueue_reparse(&client, &city.slug, (now - SignedDuration::from_hours(1), now), Uuid::new_v4()).await.unwrap();
        let ends = drain(&ledger(&config), &services).await;
        assert_eq!((site.asked().len(), seen(&client).await), (asked, before), "{vendor}: {ends:?}");
        assert_eq!((total(&ends, "failed"), total(&ends, "dead_letter")), (0, 0), "{vendor}: {ends:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agenda_that_comes_out_otherwise_is_a_new_revision_with_the_documents_that_are_there() {
    let city = Listed::new().await;
    let revisions = count(&city.client, "meeting_revisions").await;
    // As if what was read of it then had been something else.
    let forget = "update meetings set revision_id = null where id = (
        select meeting_id from document_refs where item_id is not null group by 1 having count(*) = count(sha256) limit 1)";
    assert_eq!(city.client.execute(forget, &[]).await.unwrap(), 1);
    let documents = count(&city.client, "documents").await;
    let ends = city.reparse().await;
    assert_eq!(count(&city.client, "meeting_revisions").await, revisions + 1);
    assert!(ends.get(&("fetch_document".to_owned(), "completed")).is_some_and(|documents| *documents > 0), "{ends:?}");
    assert_eq!((total(&ends, "failed"), total(&ends, "retried")), (0, 0), "{ends:?}");
    assert_eq!(count(&city.client, "documents").await, documents, "kept once");

    // The same without a record of documents, as before there was one.
    city.client.batch_execute("delete from responses where purpose = 'document'").await.unwrap();
    city.client.execute(forget, &[]).await.unwrap();
    let ends = city.reparse().await;
    assert_eq!(total(&ends, "failed"), 0, "{ends:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_record_lacks_is_told_and_not_asked_for() {
    let city = Listed::new().await;
    let sql = "select vendor_id from meetings where revision_id is not null limit 1";
    let meeting: String = city.client.query_one(sql, &[]).await.unwrap().get(0);
    let args = FetchMeetingArgs {
        city: CitySlug::from("alder-falls"),
        meeting: meeting.as_str().into(),
        as_of: Some(Timestamp::now() - SignedDuration::from_hours(1)),
    };
    let error = FetchMeeting(city.services.clone()).run(args, context()).await.unwrap_err();
    assert_eq!(class(&error), (false, Some(ErrorClass::NotFound)));
    assert!(error.to_string().contains("not in the record"), "{error}");

    // A listing whose body is gone is left out; where all are, the job says so.
    city.client.batch_execute("delete from response_bodies").await.unwrap();
    let ends = city.reparse().await;
    assert_eq!(ends.into_iter().collect::<Vec<_>>(), [(("reparse_city".to_owned(), "failed"), 1)]);
    let sql = "select last_error from jobs where kind = 'reparse_city'";
    let error: String = city.client.query_one(sql, &[]).await.unwrap().get(0);
    assert!(error.contains("none of the 1 recorded listings"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_source_has_withdrawn_and_what_it_has_said_since_stay_as_they_are() {
    let listed = Listed::new().await;
    let gone = "update meetings set status = 'withdrawn' where id = (select min(id) from meetings)";
    listed.client.execute(gone, &[]).await.unwrap();
    // A revision that is newer than the record.
    let newer = "with r as (insert into meeting_revisions (meeting_id, number, fingerprint, content, seen_at) \
                   select meeting_id, number + 1, repeat('a', 64), content, now() + interval '1 h' from meeting_revisions \
                   where meeting_id = (select max(id) from meetings where revision_id is not null) returning id, meeting_id) \
                 update meetings m set revision_id = r.id from r where m.id = r.meeting_id";
    assert_eq!(listed.client.execute(newer, &[]).await.unwrap(), 1);
    let before = listed.seen().await;
    listed.reparse().await;
    assert_eq!(listed.seen().await, before);
}
