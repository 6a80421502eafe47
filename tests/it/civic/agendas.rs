//! Agendas that are only a document: from the listing to the summaries of the items that were found in it.

use super::support::{count, database, drain, ledger, total, without_breakers};
use crate::{
    documents::made::{pdf, stream},
    vendor::site::{Answer, Site, answer},
};
use docket::{
    civic::{
        Services, enqueue_sync,
        model::{City, CitySlug, Source, Vendor, Zone},
        settings::CivicSettings,
        store::{cities, segments},
    },
    db::{PoolOptions, PoolPurpose, pool},
    fleet::{
        job::JobId,
        ledger::{PgLedger, operate::requeue},
    },
};
use jiff::{ToSpan, Zoned, civil::Date};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio_postgres::Client;

/// One page of lines; leading spaces are columns.
fn print(lines: &[&str]) -> Vec<u8> {
    let line = |line: &&str| format!("({}) Tj T*\n", line.replace('(', "\\(").replace(')', "\\)"));
    let text: String = lines.iter().map(line).collect();
    pdf(&[
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        "<</Type/Pages/Count 1/Kids[4 0 R]/MediaBox[0 0 612 792]>>".to_owned(),
        "<</Type/Font/Subtype/Type1/BaseFont/Courier>>".to_owned(),
        "<</Type/Page/Parent 2 0 R/Resources<</Font<</F 3 0 R>>>>/Contents 5 0 R>>".to_owned(),
        stream("", &format!("BT /F 9 Tf 11 TL 40 750 Td\n{text}ET")),
    ])
}

/// An agenda of the council; `rent` is what the second item's text says.
fn agenda(day: Date, rent: &str) -> Vec<u8> {
    let head = format!("City of Exampleville, {}", day.strftime("%B %-d, %Y"));
    let rent = format!("   The society pays a rent of {rent} each month for the old library on Main Street.");
    print(&[
        &head,
        "CITY COUNCIL AGENDA",
        "",
        "1. CALL TO ORDER",
        "",
        "2. CONSENT CALENDAR",
        "",
        "   2.A Lease of the old library to the historical society",
        "",
        &rent,
        "",
        "   2.B Resolution No. 2026-15 accepting a grant for the repair of the mill bridge",
        "",
        "3. PUBLIC HEARINGS",
        "",
        "   3.A Rezoning of twelve acres at the old mill for houses and a small park",
        "",
        "4. ADJOURNMENT",
    ])
}

/// A portal with documents only.
struct Portal {
    meetings: Mutex<Value>,
    documents: Mutex<BTreeMap<&'static str, Vec<u8>>>,
}

impl Portal {
    fn new(meetings: Value, documents: impl IntoIterator<Item = (&'static str, Vec<u8>)>) -> Arc<Self> {
        Arc::new(Self { meetings: Mutex::new(meetings), documents: Mutex::new(documents.into_iter().collect()) })
    }

    async fn start(self: &Arc<Self>) -> Site {
        let portal = self.clone();
        Site::start(move |path| portal.answer(path)).await
    }

    fn answer(&self, path: &str) -> Answer {
        let say = |status, body: &[u8]| answer(status, "Connection: close\r\n", body);
        if path.contains("ListUpcoming") || path.contains("AgendaCenter/Search") {
            let listed = self.meetings.lock().unwrap();
            return say(200, listed.as_str().map_or_else(|| listed.to_string(), str::to_owned).as_bytes());
        }
        if path.contains("ListArchived") {
            return say(200, b"[]");
        }
        let documents = self.documents.lock().unwrap();
        documents
            .iter()
            .find(|(part, _)| path.contains(**part))
            .map_or_else(|| say(404, b""), |(_, body)| say(200, body))
    }
}

fn row(id: u32, day: Date, title: &str, template: u32) -> Value {
    json!({"id": id, "dateTime": format!("{day}T18:00:00"), "title": title,
           "documentList": [{"templateId": template, "compileOutputType": 1, "templateName": "Agenda"}]})
}

async fn add(client: &Client, site: &Site, vendor: Vendor) -> CitySlug {
    let params = [("base_url".to_owned(), site.url("/"))].into();
    let source = Source { vendor, client: "exampleville".to_owned(), params };
    let slug = CitySlug(format!("{vendor}-ville"));
    let zone = Zone::new("America/Denver").unwrap();
    cities::add(client, &City { slug: slug.clone(), name: "Exampleville".to_owned(), zone, source }).await.unwrap();
    slug
}

fn services(config: &tokio_postgres::Config, site: &Site) -> Arc<Services> {
    // Each call of a test is a listing of its own.
    let settings = CivicSettings { sync_every: Duration::ZERO, ..CivicSettings::default() };
    let mut services = Services::new(pool(config, PoolOptions::new(PoolPurpose::General, 4)), settings).unwrap();
    services.http = site.client();
    without_breakers(services)
}

fn today() -> Date {
    Zoned::now().with_time_zone(Zone::new("America/Denver").unwrap().rules().clone()).date()
}

/// Lists the city, and runs what follows.
async fn sync(client: &Client, city: &CitySlug, ledger: &PgLedger, services: &Arc<Services>) {
    // A listing in the same second would be the same listing.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    enqueue_sync(client, city, &services.settings).await.unwrap();
    let ends = drain(ledger, services).await;
    assert_eq!(total(&ends, "dead_letter"), 0, "{ends:?}");
    let waiting = "jobs where status in ('pending', 'queued', 'processing')";
    assert_eq!(count(client, waiting).await, 0, "nothing waits for ever");
    let early =
        "jobs p join jobs c on c.parent_id = p.id where c.finished_at > p.started_at and c.created_at < p.started_at";
    assert_eq!(count(client, early).await, 0, "no parent started before its children had ended");
}

async fn texts(client: &Client, sql: &str) -> Vec<String> {
    client.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

const TITLES: &str = "select coalesce(number, '') || ' ' || title from agenda_items where listed order by sequence";
const SUMMARISED: &str = "agenda_items where listed and summary_id is not null";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agenda_that_is_only_a_document_has_items_with_summaries() {
    let (config, client) = database().await;
    let day = today();
    let portal =
        Portal::new(json!([row(5, day, "City Council", 4)]), [("meetingTemplateId=4", agenda(day, "900 dollars"))]);
    let site = portal.start().await;
    let (city, services, ledger) =
        (add(&client, &site, Vendor::PrimeGov).await, services(&config, &site), ledger(&config));
    sync(&client, &city, &ledger, &services).await;
    let titles = [
        "1 CALL TO ORDER",
        "2.A Lease of the old library to the historical society",
        "2.B Resolution No. 2026-15 accepting a grant for the repair of the mill bridge",
        "3.A Rezoning of twelve acres at the old mill for houses and a small park",
        "4 ADJOURNMENT",
    ];
    assert_eq!(texts(&client, TITLES).await, titles);
    assert_eq!(count(&client, SUMMARISED).await, 3, "the rest is procedure");
    assert_eq!(count(&client, "agenda_items where consent").await, 2);
    assert_eq!(count(&client, "matters where key = 'file:RESOLUTION2026-15'").await, 1);
    let of_items = "meetings m join summaries s on s.id = m.summary_id where s.body like '%old library%'";
    assert_eq!(count(&client, of_items).await, 1);
    assert_eq!(count(&client, "meeting_revisions").await, 1);
    let read = segments::newest(&client, false, 9).await.unwrap();
    assert_eq!((read.len(), read[0].method.as_str(), read[0].items, &read[0].suspect), (1, "numbering", 5, &None));
    let meeting_summaries = "jobs where kind = 'summarise_meeting'";
    assert_eq!(count(&client, meeting_summaries).await, 1, "the meeting waits for all items, once");

    let calls = count(&client, "llm_ledger").await;
    sync(&client, &city, &ledger, &services).await;
    assert_eq!(
        count(&client, "jobs where kind = 'fetch_meeting'").await,
        2,
        "the meeting is near, and looked at again"
    );
    assert_eq!((count(&client, "meeting_revisions").await, count(&client, "llm_ledger").await), (1, calls));
    assert_eq!(texts(&client, TITLES).await, titles, "a listing without items takes none away");

    // A further version of the agenda: the rent has changed, and nothing else.
    *portal.meetings.lock().unwrap() = json!([row(5, day, "City Council", 6)]);
    portal.documents.lock().unwrap().insert("meetingTemplateId=6", agenda(day, "950 dollars"));
    sync(&client, &city, &ledger, &services).await;
    assert_eq!((count(&client, "meeting_revisions").await, count(&client, "agenda_segments").await), (2, 2));
    assert_eq!(count(&client, "llm_ledger").await - calls, 2, "the item whose text changed, and the meeting");
    assert_eq!(count(&client, "agenda_items").await, 5, "each item is the one that it was");
    assert_eq!(
        count(&client, "agenda_items i join summaries s on s.id = i.summary_id where s.body like '%950%'").await,
        1
    );

    // And back to what it was.
    *portal.meetings.lock().unwrap() = json!([row(5, day, "City Council", 4)]);
    sync(&client, &city, &ledger, &services).await;
    assert_eq!(count(&client, "agenda_items where note like '%900 dollars%' and listed").await, 1);
    assert_eq!(
        count(&client, "agenda_items i join summaries s on s.id = i.summary_id where s.body like '%900%'").await,
        1
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_no_items_is_summarised_whole_and_says_why() {
    let (config, client) = database().await;
    let day = today();
    let prose = print(&[
        "The council will hold a retreat to talk about the budget of the department of parks",
        "and the pool.",
    ]);
    let portal =
        Portal::new(json!([row(5, day, "City Council", 4)]), [("meetingTemplateId=4", agenda(day, "900 dollars"))]);
    let site = portal.start().await;
    let (city, services, ledger) =
        (add(&client, &site, Vendor::PrimeGov).await, services(&config, &site), ledger(&config));
    sync(&client, &city, &ledger, &services).await;
    assert_eq!(count(&client, "agenda_items where listed").await, 5);

    *portal.meetings.lock().unwrap() = json!([row(5, day, "City Council", 6)]);
    portal.documents.lock().unwrap().insert("meetingTemplateId=6", prose);
    sync(&client, &city, &ledger, &services).await;
    assert_eq!(count(&client, "agenda_items where listed").await, 0, "the items of another document are gone");
    let whole = "meetings m join summaries s on s.id = m.summary_id where s.body like '%retreat%'";
    assert_eq!(count(&client, whole).await, 1);
    let suspect = segments::newest(&client, true, 9).await.unwrap();
    assert_eq!(suspect[0].suspect.as_deref(), Some("no items were found"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_packet_under_two_titles_gives_its_items_to_the_day_that_it_names() {
    let (config, client) = database().await;
    let (day, later) = (today(), today().saturating_add(7.days()));
    let meetings = json!([row(5, day, "City Council", 4), row(6, later, "Planning Commission", 5)]);
    let packet = agenda(day, "900 dollars");
    let portal = Portal::new(meetings, [("meetingTemplateId=4", packet.clone()), ("meetingTemplateId=5", packet)]);
    let site = portal.start().await;
    let (city, services, ledger) =
        (add(&client, &site, Vendor::PrimeGov).await, services(&config, &site), ledger(&config));
    sync(&client, &city, &ledger, &services).await;
    let of = |title: &str| {
        format!("agenda_items i join meetings m on m.id = i.meeting_id where i.listed and m.title = '{title}'")
    };
    assert_eq!(count(&client, &of("City Council")).await, 5);
    let planning =
        segments::newest(&client, false, 9).await.unwrap().into_iter().find(|read| read.day == later).unwrap();
    let told = planning.suspect.iter().chain(&planning.warnings).any(|why| why.contains("City Council"));
    assert!(told, "{planning:?}");
    // Whichever was read first could not know of the other.
    assert!(planning.suspect.is_none() || count(&client, &of("Planning Commission")).await == 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agenda_that_comes_late_gives_items_and_one_further_summary() {
    let (config, client) = database().await;
    let day = today();
    let listing = format!(
        "<h2>City Council</h2><table summary='List of Agendas'><tr class='catAgendaRow'><td><h4>\
         <a href='/AgendaCenter/ViewFile/Agenda/_{}-12'>{day}</a></h4><p>City Council 6:00 PM</p></td></tr></table>",
        day.strftime("%m%d%Y")
    );
    let portal = Portal::new(Value::String(listing), []);
    let site = portal.start().await;
    let (city, services, ledger) =
        (add(&client, &site, Vendor::CivicPlus).await, services(&config, &site), ledger(&config));
    sync(&client, &city, &ledger, &services).await;
    assert_eq!(count(&client, "agenda_items").await + count(&client, "summaries").await, 0, "the document is missing");

    portal.documents.lock().unwrap().insert("ViewFile", agenda(day, "900 dollars"));
    let failed: i64 = client.query_one("select id from jobs where status = 'failed'", &[]).await.unwrap().get(0);
    requeue(&client, &[JobId(failed)], "a test").await.unwrap();
    drain(&ledger, &services).await;
    assert_eq!((count(&client, "agenda_items").await, count(&client, SUMMARISED).await), (5, 3));
    assert_eq!(count(&client, "meetings where summary_id is not null").await, 1);
    assert_eq!(count(&client, "jobs where kind = 'summarise_meeting'").await, 2, "one more, when all items are done");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agenda_that_is_replaced_behind_its_address_has_its_items_anew_or_is_summarised_whole() {
    let (config, client) = database().await;
    let day = today();
    let portal =
        Portal::new(json!([row(5, day, "City Council", 4)]), [("meetingTemplateId=4", agenda(day, "900 dollars"))]);
    let site = portal.start().await;
    let mut settings = CivicSettings { sync_every: Duration::ZERO, ..CivicSettings::default() };
    settings.document_recheck = Duration::ZERO;
    let mut services = Services::new(pool(&config, PoolOptions::new(PoolPurpose::General, 4)), settings).unwrap();
    services.http = site.client();
    let (services, ledger) = (without_breakers(services), ledger(&config));
    let city = add(&client, &site, Vendor::PrimeGov).await;
    sync(&client, &city, &ledger, &services).await;
    let replace = |bytes| portal.documents.lock().unwrap().insert("meetingTemplateId=4", bytes);
    let with = async |words: &str| {
        count(&client, &format!("agenda_items i join summaries s on s.id = i.summary_id where s.body like '%{words}%'"))
            .await
    };
    assert_eq!(with("900").await, 1);

    replace(agenda(day, "950 dollars"));
    sync(&client, &city, &ledger, &services).await;
    assert_eq!((with("950").await, count(&client, "agenda_items where listed").await), (1, 5));
    assert_eq!(count(&client, "meeting_revisions").await, 1, "the source says nothing new");
    replace(agenda(day, "900 dollars"));
    sync(&client, &city, &ledger, &services).await;
    assert_eq!(with("900").await, 1, "what returns is news again");

    let notice = "The council meets with the library board to hear how the reading room was used in the past winter";
    replace(print(&[
        "City of Exampleville",
        "",
        notice,
        "and what the residents of the valley wish for the next one.",
    ]));
    sync(&client, &city, &ledger, &services).await;
    assert_eq!(count(&client, "agenda_items where listed").await, 0);
    let whole = "meetings m join summaries s on s.id = m.summary_id where s.body like '%library board%'";
    assert_eq!(count(&client, whole).await, 1, "no item can be found: the meeting is summarised from the whole text");
}

/// The same page with links: the line in which each stands, and where it leads.
fn linked(lines: &[&str], links: &[(usize, &str)]) -> Vec<u8> {
    let text: String = lines.iter().map(|line| format!("({line}) Tj T*\n")).collect();
    let annotation = |(line, url): &(usize, &str)| {
        let y = 750 - 11 * line;
        let (low, high) = (y - 2, y + 8);
        format!("<</Type/Annot/Subtype/Link/Rect[40 {low} 400 {high}]/A<</S/URI/URI({url})>>>>")
    };
    let annotations: String = links.iter().map(annotation).collect();
    pdf(&[
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        "<</Type/Pages/Count 1/Kids[4 0 R]/MediaBox[0 0 612 792]>>".to_owned(),
        "<</Type/Font/Subtype/Type1/BaseFont/Courier>>".to_owned(),
        format!("<</Type/Page/Parent 2 0 R/Resources<</Font<</F 3 0 R>>>>/Contents 5 0 R/Annots[{annotations}]>>"),
        stream("", &format!("BT /F 9 Tf 11 TL 40 750 Td\n{text}ET")),
    ])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_agenda_links_at_an_item_is_the_items_document() {
    let (config, client) = database().await;
    let day = today();
    let portal = Portal::new(json!([row(5, day, "City Council", 4)]), []);
    let site = portal.start().await;
    let (lease, minutes) = (site.url("/files/lease.pdf"), site.url("/files/minutes.pdf"));
    let head = format!("City of Exampleville, {}", day.strftime("%B %-d, %Y"));
    let agenda = linked(
        &[
            &head,
            "CITY COUNCIL AGENDA",
            "",
            "1. CALL TO ORDER",
            "",
            "2. Lease of the old library to the historical society",
            "",
            "   Staff Report",
            "",
            "3. Rezoning of twelve acres at the old mill for houses and a small park",
            "",
            "4. ADJOURNMENT",
            "",
            "   Minutes of the last meeting",
        ],
        &[(7, &lease), (13, &minutes)],
    );
    let report =
        print(&["The historical society asks for a lease of the old library and would keep the reading room open."]);
    let documents = [("meetingTemplateId=4", agenda), ("lease.pdf", report.clone()), ("minutes.pdf", report)];
    portal.documents.lock().unwrap().extend(documents);
    let (city, services, ledger) =
        (add(&client, &site, Vendor::PrimeGov).await, services(&config, &site), ledger(&config));
    sync(&client, &city, &ledger, &services).await;
    let linked = "select i.number || ' ' || d.name from document_refs d join agenda_items i on i.id = d.item_id \
                  where d.found_in is not null and d.status = 'fetched' order by 1";
    assert_eq!(texts(&client, linked).await, ["2 Staff Report", "4 Minutes of the last meeting"]);
    let read =
        "agenda_items i join summaries s on s.id = i.summary_id where i.number = '2' and s.body like '%reading room%'";
    assert_eq!(count(&client, read).await, 1, "the item is summarised from its report");
    assert_eq!(count(&client, "jobs where kind = 'summarise_meeting'").await, 1, "which waited for it");
    let requests = "jobs where kind = 'fetch_document'";
    assert_eq!(count(&client, requests).await, 3);
    sync(&client, &city, &ledger, &services).await;
    assert_eq!(count(&client, requests).await, 3, "the same again is nothing new");
}
