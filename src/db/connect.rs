//! One connection, with the settings that every connection of Docket has.

use rustls::ClientConfig;
use std::{sync::Arc, time::Duration};
use tokio_postgres::{Client, Config, Connection, Socket, config::SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

/// A database URL that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum DbUrlError {
    /// Not a PostgreSQL URL. The text never holds the URL itself: it may carry a password.
    #[error("DATABASE_URL is not a PostgreSQL URL ({0}); it looks like postgres://user:password@host:5432/database")]
    Syntax(String),
}

/// Reads a URL and adds what keeps a dead network from hanging a process: time-outs and keepalives.
///
/// # Errors
/// When it is not a PostgreSQL URL.
pub fn parse_url(url: &str) -> Result<Config, DbUrlError> {
    let mut config: Config = url.parse().map_err(|e: tokio_postgres::Error| DbUrlError::Syntax(e.to_string()))?;
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(Duration::from_secs(5));
    }
    config
        .keepalives(true)
        .keepalives_idle(Duration::from_secs(10))
        .keepalives_interval(Duration::from_secs(5))
        .keepalives_retries(3)
        .tcp_user_timeout(Duration::from_secs(15));
    if config.get_application_name().is_none() {
        config.application_name("docket");
    }
    Ok(config)
}

/// TLS as the system's certificates allow it. Used when the URL's `sslmode` asks for it.
pub(super) fn tls() -> MakeRustlsConnect {
    let mut roots = rustls::RootCertStore::empty();
    let found = tokio_postgres_rustls_roots();
    roots.add_parsable_certificates(found);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider supports the default protocol versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    MakeRustlsConnect::new(config)
}

fn tokio_postgres_rustls_roots() -> Vec<rustls::pki_types::CertificateDer<'static>> {
    rustls_native_certs::load_native_certs().certs
}

/// A single connection, driven by a task of its own.
///
/// # Errors
/// When the server can't be reached or refuses.
pub async fn connect(config: &Config) -> Result<Client, tokio_postgres::Error> {
    if config.get_ssl_mode() == SslMode::Disable {
        let (client, connection) = config.connect(tokio_postgres::NoTls).await?;
        drive(connection);
        return Ok(client);
    }
    let (client, connection) = config.connect(tls()).await?;
    drive(connection);
    Ok(client)
}

fn drive<S>(connection: Connection<Socket, S>)
where
    S: tokio_postgres::tls::TlsStream + Unpin + Send + 'static,
{
    tokio::spawn(async move {
        if let Err(e) = connection.await {
            tracing::debug!(error = %e, "database connection ended");
        }
    });
}
