//! LISTEN: hints that come faster than a poll. The poll stays the truth; a lost notification costs time only.

use super::connect::tls;
use futures_util::{StreamExt, stream};
use std::time::Duration;
use tokio::sync::broadcast;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, NoTls, Socket, config::SslMode};
use tokio_util::sync::CancellationToken;

/// Payloads of the channel, to any number of listeners. A slow listener misses some, and polls.
pub type Notifications = broadcast::Sender<String>;

/// Enough for a burst of one notification a lane and transaction between two turns of a loop.
const CAPACITY: usize = 256;
const RETRY: Duration = Duration::from_secs(1);

/// Listens on the schema's channel (`docket_<schema>`) on a connection of its own until `shutdown`, reconnecting as
/// often as it takes.
#[must_use]
pub fn listen(config: Config, shutdown: CancellationToken) -> Notifications {
    let (sender, _) = broadcast::channel(CAPACITY);
    let notify = sender.clone();
    tokio::spawn(async move {
        while !shutdown.is_cancelled() {
            tokio::select! {
                () = shutdown.cancelled() => return,
                result = session(&config, &notify) => {
                    if let Err(e) = result {
                        tracing::debug!(error = %super::describe(&e), "listening ended, trying again");
                    }
                }
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(RETRY) => {}
            }
        }
    });
    sender
}

async fn session(config: &Config, notify: &Notifications) -> Result<(), tokio_postgres::Error> {
    if config.get_ssl_mode() == SslMode::Disable {
        let (client, connection) = config.connect(NoTls).await?;
        forward(client, connection, notify).await
    } else {
        let (client, connection) = config.connect(tls()).await?;
        forward(client, connection, notify).await
    }
}

async fn forward<S>(
    client: Client,
    mut connection: Connection<Socket, S>,
    notify: &Notifications,
) -> Result<(), tokio_postgres::Error>
where
    S: tokio_postgres::tls::TlsStream + Unpin,
{
    let mut messages = stream::poll_fn(move |cx| connection.poll_message(cx));
    let subscribe = async {
        let row = client.query_one("select 'docket_' || current_schema()", &[]).await?;
        let channel: String = row.get(0);
        client.batch_execute(&format!("listen \"{}\"", channel.replace('"', "\"\""))).await?;
        // Wake everyone once: something may have come between the last look and this LISTEN.
        let _ = notify.send(String::new());
        // The client must live as long as the connection.
        std::future::pending::<Result<(), tokio_postgres::Error>>().await
    };
    let receive = async {
        while let Some(message) = messages.next().await {
            if let AsyncMessage::Notification(n) = message? {
                // No listener at the moment is fine.
                let _ = notify.send(n.payload().to_owned());
            }
        }
        Ok(())
    };
    tokio::select! {
        result = subscribe => result,
        result = receive => result,
    }
}
