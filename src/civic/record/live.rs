//! Requests that go out: each at its host's pace, each written down.

use super::{Recorder, Scope};
use crate::{
    civic::vendor::http::{Ask, FetchError, Fetched, HttpClient, PaceSettings, Response, Transport},
    fleet::pace::{Outcome, Paces, Permit, Rules},
};
use futures_util::future::BoxFuture;
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use url::Url;

/// Who has begun a listing of several pages waits for the next one so long: what the site has answered already is not asked
/// for again.
const BETWEEN_PAGES: Duration = Duration::from_mins(1);
/// What a request may take beyond its time limit, until its place at the host is given up.
const MARGIN: Duration = Duration::from_secs(10);

/// The network, for one piece of work.
#[derive(Debug)]
pub struct Live {
    paces: Paces,
    settings: PaceSettings,
    recorder: Recorder,
    scope: Scope,
    has_begun: AtomicBool,
}

impl Live {
    /// The network at this pace.
    #[must_use]
    pub const fn new(paces: Paces, settings: PaceSettings, recorder: Recorder, scope: Scope) -> Self {
        Self { paces, settings, recorder, scope, has_begun: AtomicBool::new(false) }
    }

    async fn ask(&self, http: &HttpClient, text: &str, ask: &Ask) -> Result<Response, FetchError> {
        let Ok(url) = Url::parse(text) else { return http.fetch(text, ask).await.response() };
        let permit = self.enter(http, &url).await?;
        let mut fetched = http.fetch(text, ask).await;
        self.has_begun.store(true, Ordering::Relaxed);
        let held = match permit {
            Some(permit) => permit.ended_after(outcome(&fetched), fetched.took).await,
            None => None,
        };
        self.recorder.write(&self.scope, &url, &mut fetched).await;
        held.map_or_else(|| fetched.response(), |held| Err(held.into()))
    }

    /// None: nobody paces this host.
    async fn enter(&self, http: &HttpClient, url: &Url) -> Result<Option<Permit>, FetchError> {
        let Some(key) = host_key(url) else { return Ok(None) };
        if http.is_allowed(url) && !self.settings.paces_allowed {
            return Ok(None);
        }
        let PaceSettings { spacing, concurrency, .. } = self.settings;
        let mut rules = Rules::new(spacing, concurrency, http.total_timeout() + MARGIN);
        if self.has_begun.load(Ordering::Relaxed) {
            rules.wait = BETWEEN_PAGES;
        }
        Ok(Some(self.paces.enter(&key, self.scope.vendor.as_str(), &rules).await?))
    }
}

impl Transport for Live {
    fn get<'a>(
        &'a self,
        http: &'a HttpClient,
        url: &'a str,
        ask: &'a Ask,
    ) -> BoxFuture<'a, Result<Response, FetchError>> {
        Box::pin(self.ask(http, url, ask))
    }
}

/// Whose budget a request is taken from: the host's, with its port where that is not the usual one. Where a redirect leads to
/// is not counted apart.
pub(super) fn host_key(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

fn outcome(fetched: &Fetched) -> Outcome {
    match &fetched.answer {
        Ok(answer) if answer.status == 429 => Outcome::Refused(answer.retry_after),
        Ok(answer) if answer.status >= 500 => Outcome::Failed(answer.retry_after),
        Ok(_) | Err(FetchError::TooLarge { .. } | FetchError::TooManyRedirects { .. }) => Outcome::Good,
        Err(FetchError::Timeout { .. } | FetchError::Connect { .. }) => Outcome::Failed(None),
        Err(_) => Outcome::Unasked,
    }
}
