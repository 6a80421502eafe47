//! What handlers work with.

use super::{
    llm::{Company, Summariser, client::SetupError},
    model::Vendor,
    record::{Answers, Live, Recorder, Replay, Scope},
    settings::CivicSettings,
    vendor::http::{FetchError, HttpClient, Reach},
};
use crate::{
    db::Pool,
    fleet::{
        breaker::{Breakers, Rules},
        handler::{ErrorClass, HandlerError},
        pace::Paces,
    },
};
use std::sync::Arc;
use tokio::time::timeout;

/// Built once, shared by all handlers.
#[derive(Debug)]
pub struct Services {
    /// For reading while a handler runs; what it writes goes through the completing transaction. Handlers give a
    /// connection back before they wait for anything else.
    pub pool: Pool,
    /// Vendors' sites and documents.
    pub http: HttpClient,
    /// Who writes summaries.
    pub summariser: Summariser,
    /// Whether a model is asked about several items at once.
    pub company: Company,
    /// The fleet's circuit breakers: vendors' sites and models stand behind them.
    pub breakers: Breakers,
    /// How fast hosts are asked, by the whole fleet.
    pub paces: Paces,
    /// What sites answered.
    pub recorder: Recorder,
    /// What the domain was told.
    pub settings: CivicSettings,
}

/// Why the services can't be built.
#[derive(Debug, thiserror::Error)]
pub enum ServicesError {
    /// The HTTP client.
    #[error(transparent)]
    Http(#[from] FetchError),
    /// The model's settings.
    #[error(transparent)]
    Summariser(#[from] SetupError),
}

impl Services {
    /// Builds them; connects to nothing yet.
    ///
    /// # Errors
    /// When the settings can't be used.
    pub fn new(pool: Pool, settings: CivicSettings) -> Result<Self, ServicesError> {
        let http = HttpClient::new(&settings.http)?;
        let summariser = Summariser::new(&settings.summariser)?;
        let breakers = Breakers::new(pool.clone(), Rules::new(settings.breaker_open));
        let (paces, recorder) = (Paces::new(pool.clone()), Recorder::new(pool.clone()));
        Ok(Self { pool, http, summariser, company: Company::default(), breakers, paces, recorder, settings })
    }

    /// The client for one piece of work: its requests go out at their hosts' pace, and are recorded.
    #[must_use]
    pub fn http_for(&self, scope: Scope) -> HttpClient {
        let live = Live::new(self.paces.clone(), self.settings.pace, self.recorder.clone(), scope);
        self.http.through(Arc::new(live))
    }

    /// Asks a site of a group, unless the group is down: then the job waits, without cost, until it isn't.
    ///
    /// # Errors
    /// That of the call, or the hold.
    pub async fn ask<T, E>(
        &self,
        group: &str,
        vendor: Vendor,
        reach: fn(&E) -> Reach,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, HandlerError>
    where
        E: std::fmt::Display + Into<HandlerError>,
    {
        let pass = self.breakers.enter(group, vendor.as_str()).await?;
        let ended = match pass.limit() {
            Some(limit) => timeout(limit, call).await,
            None => Ok(call.await),
        };
        let Ok(result) = ended else {
            let message = format!("{group} gave no answer within the time of a probe");
            let pays = HandlerError::retryable(ErrorClass::Timeout, message.clone());
            return Err(pass.failed(&message).await.unwrap_or(pays));
        };
        let error = match result {
            Ok(value) => {
                pass.succeeded().await;
                return Ok(value);
            }
            Err(error) => error,
        };
        Err(match reach(&error) {
            Reach::Down => pass.failed(&error.to_string()).await.unwrap_or_else(|| error.into()),
            Reach::Answers => {
                pass.succeeded().await;
                error.into()
            }
            Reach::Unknown => {
                pass.withdrawn().await;
                error.into()
            }
        })
    }

    /// A client that answers from the record, and asks nobody.
    #[must_use]
    pub fn replay(&self, answers: Answers) -> HttpClient {
        self.http.through(Arc::new(Replay::new(self.pool.clone(), answers)))
    }

    /// A connection. The pool's own time limit bounds the wait.
    ///
    /// # Errors
    /// When none can be had.
    pub async fn db(&self) -> Result<deadpool_postgres::Object, HandlerError> {
        self.pool.get().await.map_err(|e| {
            let reason = match e {
                deadpool_postgres::PoolError::Backend(e) => crate::db::describe(&e),
                other => other.to_string(),
            };
            HandlerError::DatabaseAway(format!("no database connection: {reason}"))
        })
    }

    /// What reads documents here: texts that others found are kept apart.
    ///
    /// # Errors
    /// When its programs are missing.
    pub async fn extractor(&self) -> Result<String, HandlerError> {
        let version = self.settings.reader().version().await;
        version.map_err(|e| HandlerError::retryable(ErrorClass::Other, e.to_string()))
    }
}
