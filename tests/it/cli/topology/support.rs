//! An empty virtual host, the command in it, and a server that answers what a test wants.

use super::super::process::{Docket, Ended, docket};
use crate::support::{TestVhost, services, unique};
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use url::Url;

/// A virtual host without anything, seen by `docket topology`.
pub(super) struct Place {
    pub(super) vhost: TestVhost,
    management: String,
}

impl Place {
    pub(super) async fn new() -> Self {
        let vhost = TestVhost::new(&json!({})).await;
        Self { vhost, management: services().await.management_url.clone() }
    }

    /// With lane `default` applied.
    pub(super) async fn applied() -> Self {
        let place = Self::new().await;
        let applied = place.run("apply").await;
        assert_eq!(applied.code, 0, "{applied:?}");
        place
    }

    /// `docket topology …` for lane `default`.
    pub(super) fn topology(&self, args: &str) -> Docket {
        docket(&format!("topology {args} --vhost {}", self.vhost.name())).env("DOCKET_MANAGEMENT_URL", &self.management)
    }

    pub(super) async fn run(&self, args: &str) -> Ended {
        self.topology(args).run().await
    }

    /// The plan as JSON, whatever its exit code.
    pub(super) async fn plan(&self) -> Value {
        self.run("plan --json").await.json_line()
    }

    /// The management URL of a new account with these tags and all rights in the virtual host.
    pub(super) async fn account(&self, tags: &str) -> (String, String) {
        let name = unique("acct");
        self.vhost.call(Method::PUT, &format!("users/{name}"), &json!({"password": "hunter2", "tags": tags})).await;
        let mut url: Url = self.management.parse().expect("a URL");
        url.set_username(&name).expect("a name");
        url.set_password(Some("hunter2")).expect("a password");
        self.grant(&name, [".*", ".*", ".*"]).await;
        (name, url.into())
    }

    pub(super) async fn grant(&self, user: &str, [configure, write, read]: [&str; 3]) {
        let rights = json!({"configure": configure, "write": write, "read": read});
        self.put(&format!("permissions/{}/{user}", self.vhost.name()), &rights).await;
    }

    pub(super) async fn put(&self, path: &str, body: &Value) {
        self.vhost.call(Method::PUT, path, body).await;
    }

    /// What the API lists under `section/<vhost>`.
    pub(super) async fn list(&self, section: &str) -> Value {
        self.vhost.call(Method::GET, &format!("{section}/{}", self.vhost.name()), &Value::Null).await
    }

    pub(super) fn path(&self, section: &str, name: &str) -> String {
        format!("{section}/{}/{name}", self.vhost.name())
    }
}

/// From the path to the whole answer.
type Script = Box<dyn Fn(&str) -> Vec<u8> + Send + Sync>;

/// What a stranger answers to every request.
pub(super) enum Answer {
    /// These bytes, by the path that was asked for.
    Bytes(Script),
    /// A head, and then bytes for ever.
    Endless,
    /// Nothing, the connection open.
    Silence,
}

/// An HTTP answer that is the same for every path.
pub(super) fn answer(status: &str, body: &str) -> Answer {
    let bytes = http(status, body);
    Answer::Bytes(Box::new(move |_| bytes.clone()))
}

pub(super) fn http(status: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// Starts a stranger and returns a management URL that leads to it. It ends with the test.
pub(super) async fn stranger(answer: Answer) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let addr = listener.local_addr().expect("an address");
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, answer.clone()));
        }
    });
    format!("http://user:hunter2@{addr}")
}

async fn serve(mut stream: TcpStream, answer: Arc<Answer>) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    match &*answer {
        Answer::Bytes(bytes) => stream.write_all(&bytes(head.split(' ').nth(1).unwrap_or_default())).await?,
        Answer::Silence => drop(stream.read_u8().await),
        Answer::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n[").await?;
            loop {
                stream.write_all(&[b' '; 65_536]).await?;
            }
        }
    }
    stream.shutdown().await
}
