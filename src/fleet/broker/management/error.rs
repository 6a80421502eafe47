//! What can go wrong with the management API, each in one sentence with what to do.

use reqwest::StatusCode;
use serde_json::Value;
use std::time::Duration;

/// Longest text of the other side that an error quotes.
const MAX_QUOTE: usize = 300;

/// Why the management API gave no answer. `at` is host and port: no text holds the user or the password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManagementError {
    /// The configured value can't be used.
    #[error("the management URL {0}: use http://user:password@host:15672")]
    Url(&'static str),
    /// 401: who asks is not known.
    #[error("the management API at {at} refuses the user or its password: check them in the management URL")]
    Credentials {
        /// Host and port.
        at: String,
    },
    /// 401 or 403: who asks is known, and may not.
    #[error("the management API at {at} does not allow {what} ({reason}): {cure}")]
    Forbidden {
        /// Host and port.
        at: String,
        /// What was asked for.
        what: String,
        /// The broker's words.
        reason: String,
        /// What gives the right.
        cure: &'static str,
    },
    /// 404.
    #[error("the management API at {at} knows no {what}: {cure}")]
    NotFound {
        /// Host and port.
        at: String,
        /// What was asked for.
        what: String,
        /// What to do.
        cure: &'static str,
    },
    /// 400 and the like: the broker won't do it.
    #[error("the broker at {at} refuses {what}: {reason}")]
    Refused {
        /// Host and port.
        at: String,
        /// What was to be done.
        what: String,
        /// The broker's words.
        reason: String,
    },
    /// 5xx.
    #[error("the management API at {at} fails with {status} ({reason}): see the broker's log, then try again")]
    Server {
        /// Host and port.
        at: String,
        /// HTTP status.
        status: u16,
        /// The broker's words.
        reason: String,
    },
    /// 3xx. Not followed: the password must not travel to another host.
    #[error("{at} redirects instead of answering: name the management API itself in the management URL")]
    Redirect {
        /// Host and port.
        at: String,
    },
    /// An answer that is none of the management API.
    #[error("what answers at {at} is not RabbitMQ's management API ({detail}): check host, port and path of the URL")]
    Stranger {
        /// Host and port.
        at: String,
        /// What it answered.
        detail: String,
    },
    /// No connection, or it broke.
    #[error(
        "the management API at {at} can't be reached ({detail}): is RabbitMQ running there, with its plugin \
         rabbitmq_management, and is the port the API's (15672)?"
    )]
    Unreachable {
        /// Host and port.
        at: String,
        /// The cause.
        detail: String,
    },
    /// No complete answer in time.
    #[error(
        "the management API at {at} did not answer {what} within {limit:?}: the broker is busy or hangs, try again"
    )]
    Timeout {
        /// Host and port.
        at: String,
        /// What was asked for.
        what: String,
        /// The deadline.
        limit: Duration,
    },
    /// More than is read.
    #[error("the answer of {at} to {what} is larger than {limit} bytes: is it RabbitMQ's management API?")]
    TooLarge {
        /// Host and port.
        at: String,
        /// What was asked for.
        what: String,
        /// The bound.
        limit: usize,
    },
}

impl ManagementError {
    /// Whether the other side is away or broken, so that trying later may help; otherwise the URL, the account or the
    /// order is wrong.
    #[must_use]
    pub const fn is_unavailable(&self) -> bool {
        matches!(self, Self::Server { .. } | Self::Unreachable { .. } | Self::Timeout { .. })
    }

    /// Whether this account may not, while another one may.
    #[must_use]
    pub const fn is_forbidden(&self) -> bool {
        matches!(self, Self::Forbidden { .. })
    }

    /// An answer that is no success.
    pub(super) fn of_status(at: &str, what: &str, status: StatusCode, body: &[u8]) -> Self {
        let (at, what) = (at.to_owned(), what.to_owned());
        if status.is_redirection() {
            return Self::Redirect { at };
        }
        // Every refusal of RabbitMQ is {"error": …, "reason": …}; a proxy's or a stranger's is not.
        let Some(reason) = reason(body) else { return Self::of_stranger(at, status, body) };
        match status.as_u16() {
            401 | 403 if is_unknown_user(&reason) => Self::Credentials { at },
            401 | 403 => Self::Forbidden { at, what, cure: cure_of(&reason), reason },
            404 => Self::NotFound { at, what, cure: "check the name of the virtual host (--vhost)" },
            500.. => Self::Server { at, status: status.as_u16(), reason },
            _ => Self::Refused { at, what, reason },
        }
    }

    fn of_stranger(at: String, status: StatusCode, body: &[u8]) -> Self {
        match status.as_u16() {
            401 => Self::Credentials { at },
            500.. => Self::Server { at, status: status.as_u16(), reason: quote(&String::from_utf8_lossy(body)) },
            _ => Self::Stranger { at, detail: format!("HTTP {}", status.as_u16()) },
        }
    }
}

fn reason(body: &[u8]) -> Option<String> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    answer.get("error")?;
    let text = answer.get("reason").or_else(|| answer.get("error"))?;
    Some(quote(text.as_str().map_or_else(|| text.to_string(), str::to_owned).as_str()))
}

fn is_unknown_user(reason: &str) -> bool {
    reason.contains("Login failed") || reason.contains("localhost")
}

fn cure_of(reason: &str) -> &'static str {
    if reason.contains("virtual host") {
        "grant it (rabbitmqctl set_permissions -p VHOST USER CONFIGURE WRITE READ), or check --vhost"
    } else if reason.contains("Not management user") {
        "give the user a tag (rabbitmqctl set_user_tags USER administrator)"
    } else if reason.contains("monitor") {
        "it needs the tag monitoring or administrator (rabbitmqctl set_user_tags)"
    } else if reason.contains("policymaker") {
        "it needs the tag policymaker or administrator (rabbitmqctl set_user_tags)"
    } else {
        "it needs the tag administrator (rabbitmqctl set_user_tags), or rights on these names (set_permissions)"
    }
}

/// A stranger's words on one line, cut, without control characters.
pub(super) fn quote(text: &str) -> String {
    let one_line: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    one_line.join(" ").chars().take(MAX_QUOTE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, body: &str) -> ManagementError {
        ManagementError::of_status(
            "h:1",
            "the policies",
            StatusCode::from_u16(status).expect("a status"),
            body.as_bytes(),
        )
    }

    #[test]
    fn refusals_of_rabbitmq_3_10_are_told_apart() {
        let login = r#"{"error":"not_authorized","reason":"Login failed"}"#;
        assert!(matches!(of(401, login), ManagementError::Credentials { .. }));
        for (reason, cure) in [
            ("Not management user", "set_user_tags"),
            ("Not monitor user", "monitoring"),
            ("Not administrator user", "administrator"),
            ("User not authorised to access virtual host", "set_permissions"),
        ] {
            let error = of(401, &format!(r#"{{"error":"not_authorised","reason":"{reason}"}}"#));
            assert!(error.is_forbidden() && error.to_string().contains(cure), "{error}");
        }
        let missing = of(404, r#"{"error":"Object Not Found","reason":"Not Found"}"#);
        assert!(matches!(missing, ManagementError::NotFound { .. }) && !missing.is_unavailable());
        assert!(of(503, "<html>").is_unavailable());
        // What the health check of the alarms answers when there is one.
        let alarm = of(503, r#"{"status":"failed","reason":"There are alarms in effect"}"#);
        assert!(matches!(alarm, ManagementError::Server { status: 503, .. }));
    }

    #[test]
    fn a_stranger_is_no_missing_virtual_host() {
        assert!(matches!(of(404, "<html>nothing here</html>"), ManagementError::Stranger { .. }));
        assert!(matches!(of(302, ""), ManagementError::Redirect { .. }));
        assert!(matches!(of(401, "<html>"), ManagementError::Credentials { .. }));
    }

    #[test]
    fn quotes_are_one_short_harmless_line() {
        assert_eq!(quote("a\n\u{1b}[31m  b\0c"), "a [31m b c");
        assert_eq!(quote(&"x".repeat(10_000)).len(), MAX_QUOTE);
    }
}
