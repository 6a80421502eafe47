//! The city's web site: a server on loopback, and what can happen to it.

use super::{
    CitySpec, Expected, civicclerk, civicplus, granicus, legistar,
    plan::Plan,
    primegov,
    site::{Changes, Site},
    spec::ZONE,
};
use crate::civic::{
    model::{City, CitySlug, Source, Vendor, Zone},
    vendor::http::Allowed,
};
use axum::{
    extract::{Request, State},
    http::StatusCode,
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};
use tokio::{net::TcpListener, task::JoinHandle};

/// A running city. It ends when it is dropped.
#[derive(Debug)]
pub struct DemoCity {
    address: SocketAddr,
    expected: Expected,
    door: Arc<Door>,
    site: Arc<Site>,
    task: JoinHandle<io::Result<()>>,
}

impl DemoCity {
    /// Builds the city and serves it on a free port of loopback.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(spec: &CitySpec) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let plan = Plan::new(spec);
        let expected = Expected::of(&plan);
        let site = Arc::new(Site::new(spec, plan, format!("http://{address}")));
        let routes = match spec.vendor {
            Vendor::Legistar => legistar::routes(),
            Vendor::PrimeGov => primegov::routes(),
            Vendor::Granicus => granicus::routes(),
            Vendor::CivicPlus => civicplus::routes(),
            Vendor::CivicClerk => civicclerk::routes(),
        };
        let door = Arc::new(Door::default());
        let routes = routes.with_state(site.clone()).layer(from_fn_with_state(door.clone(), through));
        let task = tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self { address, expected, door, site, task })
    }

    /// From now on every request is answered with 503, or no longer.
    pub fn refuse(&self, refuses: bool) {
        self.door.refuses.store(refuses, Ordering::Relaxed);
    }

    /// From now on every document is answered with 503, or no longer: the listing stays.
    pub fn refuse_documents(&self, refuses: bool) {
        self.site.change(|changes| changes.files_down = refuses);
    }

    /// From now on the pages have a layout that nobody knows. An API stays as it is.
    pub fn redesign(&self) {
        self.site.change(|changes| changes.redesigned = true);
    }

    /// The last meeting that was to take place is cancelled.
    pub fn cancel(&self) {
        let last = self.site.plan.held().last().map(|meeting| meeting.id);
        self.site.change(|changes| changes.cancelled.extend(last));
    }

    /// From now on the address of the first meeting's first attachment gives another document.
    pub fn swap(&self) {
        let rows = self.site.plan.held().take(1).flat_map(|meeting| &meeting.rows);
        let first = rows.flat_map(|row| &row.attachments).map(|document| document.id).next();
        self.site.change(|changes: &mut Changes| changes.swapped.extend(first));
    }

    /// Requests so far, the refused ones included.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.door.requests.load(Ordering::Relaxed)
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The exception that a client needs to be let onto loopback.
    #[must_use]
    pub fn allowed(&self) -> Allowed {
        Allowed { host: self.address.ip().to_string(), port: self.address.port() }
    }

    /// The city as Docket follows it.
    ///
    /// # Panics
    /// Never: the zone is one of the time zone database.
    #[must_use]
    pub fn city(&self) -> City {
        let (name, vendor, address) = (self.site.spec.name(), self.site.spec.vendor, self.address);
        // The API's address, or the site's.
        let base = match vendor {
            Vendor::Legistar | Vendor::CivicClerk => format!("http://{address}/v1"),
            _ => format!("http://{address}"),
        };
        let mut params = BTreeMap::from([("base_url".to_owned(), base)]);
        if vendor == Vendor::Granicus {
            params.insert("view_id".to_owned(), granicus::VIEW.to_string());
        }
        City {
            slug: CitySlug::from(name.to_lowercase().replace(' ', "-").as_str()),
            name: format!("{name} (made up)"),
            zone: Zone::new(ZONE).expect("the zone is a constant of the time zone database"),
            source: Source { vendor, client: name.to_lowercase().replace(' ', ""), params },
        }
    }

    /// What a fleet must have made of it in the end, if nothing happens to it meanwhile.
    #[must_use]
    pub const fn expected(&self) -> Expected {
        self.expected
    }
}

impl Drop for DemoCity {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What every request comes through.
#[derive(Debug, Default)]
struct Door {
    refuses: AtomicBool,
    requests: AtomicU64,
}

async fn through(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    door.requests.fetch_add(1, Ordering::Relaxed);
    if door.refuses.load(Ordering::Relaxed) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    next.run(request).await
}
