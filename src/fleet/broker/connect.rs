//! One AMQP connection, opened within a deadline.

use super::endpoint::Endpoint;
use lapin::{
    Connection, ConnectionProperties,
    tcp::{AsyncTcpStream, TLSConfig},
    uri::{AMQPScheme, AMQPUri},
};
use std::{
    net::{Shutdown, TcpStream},
    os::fd::{AsFd, OwnedFd},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::timeout;

/// A duplicate of a connection's socket. Shutting it down is what ends a connection for certain: lapin's own close
/// waits while the broker blocks publishers, and a connect that is dropped keeps its thread until the peer closes.
#[derive(Clone, Default)]
pub(super) struct Socket(Arc<Mutex<Option<TcpStream>>>);

impl Socket {
    fn keep(&self, socket: impl AsFd) -> std::io::Result<()> {
        let duplicate: OwnedFd = socket.as_fd().try_clone_to_owned()?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(TcpStream::from(duplicate));
        Ok(())
    }

    pub(super) fn shut_down(&self) {
        if let Some(socket) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // An error means that it is closed already.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

/// Opens a connection. Runs on the broker's own runtime, where lapin's heartbeats then live.
///
/// Automatic recovery stays off: when it gives up it tells nobody.
pub(super) async fn connect(endpoint: &Endpoint, name: &str, limit: Duration) -> Result<(Connection, Socket), String> {
    let socket = Socket::default();
    let kept = socket.clone();
    let runtime = lapin::runtime::default_runtime().map_err(|e| e.to_string())?;
    let properties = ConnectionProperties::default().with_connection_name(name.into());
    let opening = Connection::connector(
        endpoint.uri.clone(),
        runtime,
        async move |uri: AMQPUri, runtime| {
            let host = uri.authority.host;
            let addresses = runtime.to_socket_addrs((host.clone(), uri.authority.port));
            let stream = AsyncTcpStream::connect(&runtime, addresses).await?;
            // Before TLS wraps it.
            if let AsyncTcpStream::Plain(plain) = &stream {
                kept.keep(plain.get_ref())?;
            }
            match uri.scheme {
                AMQPScheme::AMQP => Ok(stream),
                AMQPScheme::AMQPS => Ok(stream.into_tls(&host, TLSConfig::default()).await?),
            }
        },
        properties,
    );
    match timeout(limit, opening).await {
        Ok(Ok(connection)) => Ok((connection, socket)),
        Ok(Err(error)) => {
            socket.shut_down();
            Err(endpoint.explain(&error))
        }
        Err(_) => {
            socket.shut_down();
            Err(format!("{} does not answer within {limit:?}: is it RabbitMQ, and is it up?", endpoint.address))
        }
    }
}
