//! One request to an endpoint of Docket: a deadline, no redirect, a bounded body.

use crate::telemetry::chain;
use reqwest::{Client, redirect::Policy};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::time::Duration;
use tokio::time::timeout;
use url::Url;

/// Longest body: a health report of Docket has a few hundred bytes.
const MAX_BODY: usize = 64 * 1024;
/// Characters of a body that is no report, as far as it is shown.
const SHOWN: usize = 200;

/// What came.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    body: Vec<u8>,
}

/// Asks once. The error says what happened instead of an answer.
pub(super) async fn get(url: &Url, token: Option<&SecretString>, deadline: Duration) -> Result<Answer, String> {
    ask(client()?.get(url.clone()), url, token, deadline).await
}

/// The same for a PUT of some JSON.
pub(super) async fn put(
    url: &Url,
    token: Option<&SecretString>,
    body: &Value,
    deadline: Duration,
) -> Result<Answer, String> {
    ask(client()?.put(url.clone()).json(body), url, token, deadline).await
}

fn client() -> Result<Client, String> {
    // The endpoint is this machine's or this network's: a proxy would ask for another one.
    let client = Client::builder().redirect(Policy::none()).no_proxy().build();
    client.map_err(|e| format!("can't build a client: {}", chain(&e)))
}

async fn ask(
    mut request: reqwest::RequestBuilder,
    url: &Url,
    token: Option<&SecretString>,
    deadline: Duration,
) -> Result<Answer, String> {
    if let Some(token) = token {
        request = request.bearer_auth(token.expose_secret());
    }
    match timeout(deadline, read(request)).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(problem)) => Err(format!("{url} {problem}")),
        Err(_) => Err(format!("{url} gives no complete answer within {} s", deadline.as_secs_f32())),
    }
}

async fn read(request: reqwest::RequestBuilder) -> Result<Answer, String> {
    let mut response = request.send().await.map_err(|e| format!("does not answer: {}", chain(&e.without_url())))?;
    let status = response.status().as_u16();
    let mut body = Vec::new();
    let broken = |e: reqwest::Error| format!("answers {status}, and its body breaks off: {}", chain(&e.without_url()));
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if body.len() + chunk.len() > MAX_BODY {
            return Err(format!("answers {status} with more than {MAX_BODY} bytes: is Docket behind it?"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, body })
}

impl Answer {
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// `ok`, `degraded` or `failed`, if the body is a health report.
    pub(super) fn health(&self) -> Option<String> {
        let report: Value = serde_json::from_slice(&self.body).ok()?;
        report.get("checks")?.as_array()?;
        let status = report.get("status")?.as_str()?;
        matches!(status, "ok" | "degraded" | "failed").then(|| status.to_owned())
    }

    /// The body, if it is JSON.
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// One line: the status, the health, and what is not well.
    pub(super) fn describe(&self) -> String {
        let Some(health) = self.health() else { return format!("{} {}", self.status, self.shown()).trim().to_owned() };
        let report: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let text = |check: &Value, key: &str| check[key].as_str().unwrap_or_default().to_owned();
        let checks = report["checks"].as_array().into_iter().flatten().filter(|check| check["status"] != "ok");
        let unwell: Vec<String> = checks.map(|c| format!("{}: {}", text(c, "name"), text(c, "detail"))).collect();
        let told = if unwell.is_empty() { String::new() } else { format!(" ({})", unwell.join("; ")) };
        harmless(&format!("{} {health}{told}", self.status))
    }

    fn shown(&self) -> String {
        let text = String::from_utf8_lossy(&self.body[..self.body.len().min(4 * SHOWN)]);
        harmless(&text.chars().take(SHOWN).collect::<String>())
    }
}

/// A stranger's text on one line, without control characters.
fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, body: body.as_bytes().to_vec() }
    }

    #[test]
    fn a_report_is_one_line() {
        let report = |status: &str| {
            format!(
                r#"{{"status":"{status}","checks":[{{"name":"database","status":"ok","detail":"answers"}},
                    {{"name":"broker","status":"{status}","detail":"away\u001b[31m"}}]}}"#
            )
        };
        assert_eq!(answer(200, &report("degraded")).describe(), "200 degraded (broker: away [31m)");
        assert_eq!(answer(503, &report("failed")).describe(), "503 failed (broker: away [31m)");
        assert_eq!(answer(200, &report("ok")).describe(), "200 ok");
    }

    #[test]
    fn what_is_no_report_is_quoted_within_bounds() {
        for strange in ["[]", "{}", r#"{"status":"ok"}"#, r#"{"status":"fine","checks":[]}"#, "\"ok\"", ""] {
            assert_eq!(answer(200, strange).health(), None, "{strange}");
        }
        assert_eq!(answer(404, "no\n\u{7}such page").describe(), "404 no  such page");
        assert!(answer(200, &"é".repeat(100_000)).describe().chars().count() < 210);
        assert_eq!(answer(204, "").describe(), "204");
    }
}
