//! What all vendors' sites share: the plan, what has happened since, and the files.

use super::{
    CitySpec, Fault, pdf,
    plan::{Document, Meeting, Plan},
};
use crate::civic::model::Fingerprint;
use axum::{
    extract::{Path, State},
    http::{
        HeaderMap, StatusCode,
        header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH},
    },
    response::{IntoResponse, Response},
};
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

/// What a site's pages are made from.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) spec: CitySpec,
    pub(super) plan: Plan,
    pub(super) base: String,
    /// Requests so far, by document.
    asked: Mutex<HashMap<usize, u32>>,
    changes: Mutex<Changes>,
}

/// What has happened to a city since it was planned.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    /// Its pages have a layout that nobody knows.
    pub(super) redesigned: bool,
    /// Meetings that were cancelled.
    pub(super) cancelled: BTreeSet<usize>,
    /// Documents whose address gives other bytes now.
    pub(super) swapped: BTreeSet<usize>,
    /// Whether every document is answered with 503.
    pub(super) files_down: bool,
}

pub(super) type SiteState = State<Arc<Site>>;

impl Site {
    pub(super) fn new(spec: &CitySpec, plan: Plan, base: String) -> Self {
        Self { spec: spec.clone(), plan, base, asked: Mutex::default(), changes: Mutex::default() }
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Changes)) {
        change(&mut self.changes.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn changes(&self) -> Changes {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn is_cancelled(&self, meeting: &Meeting) -> bool {
        meeting.cancelled || self.changes().cancelled.contains(&meeting.id)
    }

    /// A document by its number, as a request for it is answered.
    pub(super) async fn document(&self, id: usize, headers: &HeaderMap) -> Response {
        let Some(document) = self.plan.documents().find(|document| document.id == id) else {
            return StatusCode::NOT_FOUND.into_response();
        };
        if self.changes().files_down {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        // By attempt where the request names one: an attempt that is lost with its worker and made again must meet the same
        // fault, or a killed worker would change what comes out.
        let asked = attempt(headers).unwrap_or_else(|| self.count(document));
        match document.fault {
            Some(Fault::Missing) => return StatusCode::NOT_FOUND.into_response(),
            Some(Fault::Broken) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            Some(Fault::FailsTwice) if asked <= 2 => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
            Some(Fault::Slow) => tokio::time::sleep(self.spec.slow).await,
            Some(Fault::FailsTwice) | None => {}
        }
        let bytes = self.bytes(document);
        let tag = format!("\"{}\"", &Fingerprint::of_bytes(&bytes).as_str()[..16]);
        if headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
            return (StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response();
        }
        ([(CONTENT_TYPE, "application/pdf".to_owned()), (ETAG, tag)], bytes).into_response()
    }

    fn bytes(&self, document: &Document) -> Vec<u8> {
        if !self.changes().swapped.contains(&document.id) {
            return document.bytes.clone();
        }
        let text = format!(
            "Revised {}, which replaces the one that was published before. The sum was corrected after the bids were \
             opened again, and the hearing will be held one week later than announced.",
            document.name
        );
        pdf::write(&[vec![text]])
    }

    /// Counts a request, this one included.
    fn count(&self, document: &Document) -> u32 {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let count = asked.entry(document.id).or_default();
        *count = count.saturating_add(1);
        *count
    }
}

/// `/files/17.pdf`.
pub(super) async fn file(State(site): SiteState, Path(name): Path<String>, headers: HeaderMap) -> Response {
    match name.strip_suffix(".pdf").and_then(|id| id.parse().ok()) {
        Some(id) => site.document(id, &headers).await,
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The first value of a name in a query.
pub(super) fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    pairs.filter(|(key, _)| key == name).map(|(_, value)| value.into_owned()).next()
}

fn attempt(headers: &HeaderMap) -> Option<u32> {
    headers.get("x-request-id")?.to_str().ok()?.rsplit_once('/')?.1.parse().ok()
}
