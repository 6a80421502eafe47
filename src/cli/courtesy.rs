//! `docket cities courtesy`

use super::{
    detail::{opt, time},
    exit::Outcome,
    output,
};
use crate::{
    civic::{
        model::CitySlug,
        store::{cities, courtesy},
        vendor::http::TlsException,
    },
    config::{self, Environment},
};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio_postgres::Client;

/// What was asked of whom, and how fast.
pub(super) async fn tell(
    client: &Client,
    env: &Environment,
    city: Option<String>,
    since: SignedDuration,
    json: bool,
) -> Outcome {
    let exceptions = config::civic(env)?.http.tls_exceptions;
    let city = match city {
        // An unknown one is told, and not answered with an empty list.
        Some(slug) => Some(cities::find(client, &CitySlug(slug)).await?.city.slug),
        None => None,
    };
    let items = courtesy::courtesy(client, city.as_ref(), since.as_secs_f64()).await?;
    if json {
        let exceptions: Vec<Value> = exceptions.iter().map(object).collect();
        return output::json(&json!({ "items": items, "tls_exceptions": exceptions }));
    }
    let header = [
        "city",
        "host",
        "requests",
        "bytes",
        "errors",
        "429",
        "a minute",
        "a second",
        "mean ms",
        "slowest ms",
        "unverified",
        "last",
    ];
    let row = |c: courtesy::Courtesy| {
        let [requests, bytes, errors, too_many] = [c.requests, c.bytes, c.errors, c.too_many].map(|n| n.to_string());
        let [minute, second] = [c.peak_a_minute, c.peak_a_second].map(|n| n.to_string());
        let [mean, slowest, unverified] = [c.mean_ms, c.slowest_ms, c.tls_unverified].map(|n| n.to_string());
        let (city, last) = (opt(c.city.map(|city| city.0)), time(Some(c.last_at)));
        [city, c.host, requests, bytes, errors, too_many, minute, second, mean, slowest, unverified, last]
    };
    output::table(header, items.into_iter().map(row))?;
    for TlsException { host, reason } in exceptions {
        output::text(&format!("the certificate of {host} is not verified: {reason}"))?;
    }
    Ok(())
}

fn object(TlsException { host, reason }: &TlsException) -> Value {
    json!({ "host": host, "reason": reason })
}
