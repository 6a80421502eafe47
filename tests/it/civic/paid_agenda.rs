//! A meeting whose items have documents of known texts, and jobs that summarise them.

use super::support::{Ends, drain, ledger, without_breakers};
use docket::{
    civic::{
        Services,
        document::{Extraction, extractor_version},
        handler::{SummariseItem, SummariseItemArgs, SummariseMeeting, SummariseMeetingArgs},
        model::{Fingerprint, ParsedAttachment, ParsedItem, ParsedMeeting, WebUrl},
        settings::{CivicSettings, SummariserSettings},
        store::{
            ItemId, MeetingId, RevisionId, cities, documents, extractions, found, items, meetings,
            refs::{self, NewRef},
            revisions::{self, Content},
        },
    },
    db::{PoolOptions, PoolPurpose, pool},
    dev::city::{CitySpec, DemoCity},
    fleet::{
        enqueue::{Enqueued, Notify, enqueue, enqueue_one},
        handler::Handler,
        job::{JobId, NewJob},
    },
};
use serde_json::json;
use std::sync::Arc;
use tokio_postgres::{Client, Config};

/// A title, and the pages of its document.
pub(super) type Item<'a> = (&'a str, &'a [&'a str]);

/// What was stored.
pub(super) struct Agenda {
    pub(super) config: Config,
    pub(super) client: Client,
    pub(super) meeting: MeetingId,
    pub(super) items: Vec<ItemId>,
    pub(super) revision: RevisionId,
}

/// Services with these models, their own pool, and no patience with breakers.
pub(super) fn services(
    config: &Config,
    summariser: SummariserSettings,
    change: impl FnOnce(&mut CivicSettings),
) -> Arc<Services> {
    let mut settings = CivicSettings { summariser, ..CivicSettings::default() };
    change(&mut settings);
    without_breakers(Services::new(pool(config, PoolOptions::new(PoolPurpose::General, 8)), settings).unwrap())
}

impl Agenda {
    pub(super) async fn new(items: &[Item<'_>]) -> Self {
        let (config, client) = super::support::database().await;
        let city = DemoCity::start(&CitySpec::default()).await.unwrap().city();
        let id = cities::add(&client, &city).await.unwrap();
        let parsed: ParsedMeeting = serde_json::from_value(json!({
            "vendor_id": "7", "body_name": "City Council", "title": "City Council", "local_date": "2026-03-08",
            "local_time": "18:30:00", "time_text": "6:30 PM", "status": "scheduled", "status_evidence": null,
            "location": null, "agenda_url": null, "minutes_url": null, "page_url": null, "agenda_status": null,
            "comment": null,
        }))
        .unwrap();
        let meeting = meetings::upsert(&client, id, &city.zone, &parsed).await.unwrap().id;
        let url = |at: usize| WebUrl::parse(&format!("https://city.example/{at}.pdf")).unwrap();
        let row = |(at, (title, _)): (usize, &Item<'_>)| ParsedItem {
            vendor_id: at.to_string().as_str().into(),
            sequence: i32::try_from(at).ok(),
            number: None,
            title: (*title).to_owned(),
            matter: None,
            attachments: vec![ParsedAttachment { vendor_id: None, name: "Report".into(), url: url(at) }],
            note: None,
            action: None,
            consent: false,
        };
        let rows: Vec<ParsedItem> = items.iter().enumerate().map(row).collect();
        let content = Content { meeting: parsed, items: rows.clone() };
        let revision = revisions::append(&client, meeting, &content).await.unwrap().unwrap();
        let ids = items::replace(&client, meeting, &rows).await.unwrap();
        let wanted: Vec<NewRef> = (0..).zip(&ids).map(|(at, id)| NewRef::new(Some(*id), "Report", &url(at))).collect();
        let stored = refs::replace(&client, meeting, &wanted).await.unwrap();
        let agenda = Self { config, client, meeting, items: ids, revision };
        for (at, (_, pages)) in items.iter().enumerate() {
            let sha256 = agenda.document(&pages.join("\u{c}")).await;
            found::fetched(&agenda.client, stored[at].id, &sha256, (None, None)).await.unwrap();
        }
        agenda
    }

    /// Stores a document of this text.
    async fn document(&self, text: &str) -> Fingerprint {
        let sha256 = Fingerprint::of_bytes(text.as_bytes());
        let extractor = extractor_version().await.unwrap().to_owned();
        let extraction =
            Extraction { text: text.to_owned(), chars: 1_000, pages: 1, extractor, ..Extraction::default() };
        documents::put(&self.client, &sha256, "pdf", text.as_bytes()).await.unwrap();
        extractions::put(&self.client, &sha256, &extraction).await.unwrap();
        sha256
    }

    /// Another document behind the address of item `at`.
    pub(super) async fn replace_document(&self, at: usize, pages: &[&str]) {
        let sha256 = self.document(&pages.join("\u{c}")).await;
        let sql = "update document_refs set sha256 = $1 where item_id = $2";
        self.client.execute(sql, &[&sha256.as_str(), &self.items[at].0]).await.unwrap();
    }

    pub(super) fn args(&self, at: usize) -> SummariseItemArgs {
        SummariseItemArgs { item: self.items[at], revision: self.revision }
    }

    /// Enqueues the summary of the meeting, which waits for those of all items; returns its id, and theirs.
    pub(super) async fn enqueue_tree(&self) -> (JobId, Vec<JobId>) {
        let args = SummariseMeetingArgs { meeting: self.meeting, revision: self.revision };
        let top = SummariseMeeting::job(&args).unwrap().waits_for_children();
        let top = enqueue_one(&self.client, top).await.unwrap().id();
        let job = |at| SummariseItem::job(&self.args(at)).unwrap().child_of(top);
        let jobs: Vec<NewJob> = (0..self.items.len()).map(job).collect();
        let jobs = enqueue(&self.client, &jobs, Notify::Yes).await.unwrap();
        (top, jobs.into_iter().map(Enqueued::id).collect())
    }

    /// The summaries of all items, one after another, as the work on a revision has them; then that of the meeting.
    pub(super) async fn summarise_tree(&self, services: &Arc<Services>) -> Ends {
        self.enqueue_tree().await;
        drain(&ledger(&self.config), services).await
    }

    /// Enqueues the summaries of all items, and runs them; then that of the meeting.
    pub(super) async fn summarise(&self, services: &Arc<Services>) -> Ends {
        let ledger = ledger(&self.config);
        for at in 0..self.items.len() {
            enqueue_one(&self.client, SummariseItem::job(&self.args(at)).unwrap()).await.unwrap();
        }
        let mut ends = drain(&ledger, services).await;
        let args = SummariseMeetingArgs { meeting: self.meeting, revision: self.revision };
        enqueue_one(&self.client, SummariseMeeting::job(&args).unwrap()).await.unwrap();
        for (end, n) in drain(&ledger, services).await {
            *ends.entry(end).or_default() += n;
        }
        ends
    }

    /// Calls in the ledger by kind, since the row with this id.
    pub(super) async fn booked(&self, after: i64) -> Vec<(String, i64)> {
        let sql = "select prompt_type, count(*) from llm_ledger where id > $1 group by 1 order by 1";
        let rows = self.client.query(sql, &[&after]).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    pub(super) async fn last_call(&self) -> i64 {
        self.client.query_one("select coalesce(max(id), 0) from llm_ledger", &[]).await.unwrap().get(0)
    }

    /// The skip reason of item `at`, and the text of its current summary.
    pub(super) async fn shown(&self, at: usize) -> (Option<String>, Option<String>) {
        let sql = "select i.skip_reason, s.body from agenda_items i left join summaries s on s.id = i.summary_id where i.id = $1";
        let row = self.client.query_one(sql, &[&self.items[at].0]).await.unwrap();
        (row.get(0), row.get(1))
    }
}
