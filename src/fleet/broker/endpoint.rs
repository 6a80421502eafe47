//! The broker's URL, and what a refusal of it means.

use super::settings::BrokerSettings;
use crate::fleet::ports::BrokerError;
use lapin::{
    ErrorKind,
    protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError},
    uri::{AMQPScheme, AMQPUri},
};
use secrecy::{ExposeSecret as _, SecretString};

/// A parsed URL. It holds the password, so it can't be printed; [`Endpoint::address`] can.
#[derive(Clone)]
pub(super) struct Endpoint {
    pub(super) uri: AMQPUri,
    /// The URL without user and password.
    pub(super) address: String,
}

impl Endpoint {
    pub(super) fn parse(url: &SecretString, settings: &BrokerSettings) -> Result<Self, BrokerError> {
        // The parser's error may show the URL.
        let refuse =
            |_| BrokerError::Refused("the AMQP URL is not one: use amqp://user:password@host:5672/vhost".into());
        let mut uri: AMQPUri = url.expose_secret().parse().map_err(refuse)?;
        let seconds = u16::try_from(settings.heartbeat.as_secs().max(1)).unwrap_or(u16::MAX);
        // 0 would switch the watch over a silent broker off.
        uri.query.heartbeat = uri.query.heartbeat.filter(|given| *given > 0).or(Some(seconds));
        let scheme = match uri.scheme {
            AMQPScheme::AMQP => "amqp",
            AMQPScheme::AMQPS => "amqps",
        };
        let address = format!("{scheme}://{}:{}/{}", uri.authority.host, uri.authority.port, uri.vhost);
        Ok(Self { uri, address })
    }

    /// A failed connect, for people: what, where, and what to do.
    pub(super) fn explain(&self, error: &lapin::Error) -> String {
        let (address, vhost) = (&self.address, &self.uri.vhost);
        match error.kind() {
            ErrorKind::ProtocolError(e) if is_soft(e.kind(), &AMQPSoftError::ACCESSREFUSED) => format!(
                "{address} refuses the user or its password: check them in the AMQP URL (guest may log in from loopback only)"
            ),
            ErrorKind::ProtocolError(e) if matches!(e.kind(), AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED)) => {
                format!(
                    "{address} has no virtual host {vhost:?}, or the user may not enter it: create it and grant permissions ({error})"
                )
            }
            ErrorKind::IOError(e) if e.kind() == std::io::ErrorKind::ConnectionRefused => {
                format!("{address} refuses connections: is RabbitMQ running there?")
            }
            _ => format!("{address} is unreachable: check host and port in the AMQP URL ({error})"),
        }
    }
}

/// The virtual host that an AMQP URL names; `None` when it is no URL.
#[must_use]
pub fn virtual_host(url: &SecretString) -> Option<String> {
    Endpoint::parse(url, &BrokerSettings::default()).ok().map(|endpoint| endpoint.uri.vhost)
}

fn is_soft(kind: &AMQPErrorKind, soft: &AMQPSoftError) -> bool {
    matches!(kind, AMQPErrorKind::Soft(s) if s == soft)
}

/// Whether the broker answered: what you named does not exist.
pub(super) fn is_not_found(error: &lapin::Error) -> bool {
    matches!(error.kind(), ErrorKind::ProtocolError(e) if is_soft(e.kind(), &AMQPSoftError::NOTFOUND))
}

/// Whether the broker answered: it exists, and is of another type.
pub(super) fn is_mismatch(error: &lapin::Error) -> bool {
    matches!(error.kind(), ErrorKind::ProtocolError(e) if is_soft(e.kind(), &AMQPSoftError::PRECONDITIONFAILED))
}

/// Any error of a round trip as the port knows it.
pub(super) fn broker_error(error: &lapin::Error) -> BrokerError {
    match error.kind() {
        ErrorKind::ProtocolError(_) if is_not_found(error) => BrokerError::Topology(format!(
            "{error}: import the topology (docket topology apply, or docket topology export)"
        )),
        ErrorKind::ProtocolError(e) if matches!(e.kind(), AMQPErrorKind::Soft(_)) => {
            BrokerError::Refused(error.to_string())
        }
        _ => BrokerError::Away(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_has_no_secret() {
        let url = SecretString::from("amqp://user:s3cret@broker.example:5999/%2Ffleet");
        let endpoint = Endpoint::parse(&url, &BrokerSettings::default()).expect("a URL");
        assert_eq!(endpoint.address, "amqp://broker.example:5999//fleet");
        assert_eq!(endpoint.uri.query.heartbeat, Some(5));
    }

    #[test]
    fn a_bad_url_is_refused_without_being_shown() {
        for bad in ["", "http://user:s3cret@host/", "amqp", "amqp://user:s3cret@host:port/", "amqp:s3cret"] {
            let error = Endpoint::parse(&SecretString::from(bad), &BrokerSettings::default()).err().expect("refused");
            assert!(!error.to_string().contains("s3cret"), "{error}");
        }
    }
}
