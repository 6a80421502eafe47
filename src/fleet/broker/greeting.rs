//! The broker's first words: they name its version to everyone who connects, before any login.

use super::{endpoint::Endpoint, settings::BrokerSettings};
use crate::fleet::ports::BrokerError;
use lapin::{
    types::{AMQPValue, FieldTable, parsing::parse_field_table},
    uri::AMQPScheme,
};
use secrecy::SecretString;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Asks for protocol 0-9-1.
const HEADER: &[u8; 8] = b"AMQP\x00\x00\x09\x01";
/// connection.start is some 500 bytes; the frame is as long as it says, up to this.
const MAX_FRAME: u32 = 64 * 1024;

/// The version of the broker behind a URL, such as `3.10.8`. Over TLS it is not asked: the management API tells it.
///
/// # Errors
/// No answer within `limit`, or none of RabbitMQ's.
pub async fn greeting(url: &SecretString, limit: Duration) -> Result<String, BrokerError> {
    let endpoint = Endpoint::parse(url, &BrokerSettings::default())?;
    if endpoint.uri.scheme == AMQPScheme::AMQPS {
        return Err(BrokerError::Refused("over TLS the version is known from the management API only".to_owned()));
    }
    let payload = match timeout(limit, first_frame(&endpoint)).await {
        Ok(payload) => payload.map_err(|e| BrokerError::Away(e.to_string()))?,
        Err(_) => return Err(BrokerError::Timeout(limit)),
    };
    version(&payload).ok_or_else(|| BrokerError::Refused(format!("{} doesn't greet like RabbitMQ", endpoint.address)))
}

async fn first_frame(endpoint: &Endpoint) -> std::io::Result<Vec<u8>> {
    let authority = &endpoint.uri.authority;
    let mut stream = TcpStream::connect((authority.host.as_str(), authority.port)).await?;
    stream.write_all(HEADER).await?;
    let mut head = [0; 7];
    stream.read_exact(&mut head).await?;
    let [kind, _, _, length @ ..] = head;
    let length = u32::from_be_bytes(length);
    if kind != 1 || length > MAX_FRAME {
        return Ok(Vec::new());
    }
    let mut payload = vec![0; length as usize];
    stream.read_exact(&mut payload).await?;
    Ok(payload)
}

/// Class 10, method 10, two bytes of protocol version, then the server's properties.
fn version(payload: &[u8]) -> Option<String> {
    let properties = payload.strip_prefix(&[0, 10, 0, 10])?.get(2..)?;
    let (_, table): (_, FieldTable) = parse_field_table(properties).ok()?;
    match table.inner().get("version")? {
        AMQPValue::LongString(version) => Some(version.to_string()),
        AMQPValue::ShortString(version) => Some(version.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// connection.start with these properties.
    fn start(properties: &[u8]) -> Vec<u8> {
        let mut payload = vec![0, 10, 0, 10, 0, 9];
        payload.extend(u32::try_from(properties.len()).unwrap().to_be_bytes());
        payload.extend(properties);
        payload
    }

    #[test]
    fn the_version_is_found_and_nothing_else_taken_for_it() {
        let mut properties = b"\x07productS\x00\x00\x00\x08RabbitMQ".to_vec();
        properties.extend(b"\x07versionS\x00\x00\x00\x063.10.8");
        assert_eq!(version(&start(&properties)).as_deref(), Some("3.10.8"));
        assert_eq!(version(&start(b"\x07version\x74\x01")), None, "no text");
        assert_eq!(version(&start(b"")), None);
        assert_eq!(version(&start(&properties)[..20]), None, "cut off");
        for stranger in [&b""[..], b"HTTP/1.1 400", &[0, 10, 0, 10], &[0xff; 64]] {
            assert_eq!(version(stranger), None);
        }
    }
}
