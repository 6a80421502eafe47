//! A web site on loopback that answers with any bytes at all, lies and pauses included.

use docket::civic::vendor::http::{Allowed, HttpClient, HttpSettings};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What the site sends: raw bytes, status line included, then perhaps more.
pub(crate) enum Answer {
    /// These bytes, then the connection is closed.
    Bytes(Vec<u8>),
    /// These bytes, then the second ones again and again, with a pause between.
    Forever(Vec<u8>, Vec<u8>, Duration),
    /// These bytes, then silence, the connection open.
    Silence(Vec<u8>),
}

/// A whole answer with a body.
pub(crate) fn answer(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Answer {
    let body = body.as_ref();
    let head = format!("HTTP/1.1 {status} Some reason\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
    Answer::Bytes([head.as_bytes(), body].concat())
}

/// A redirect.
pub(crate) fn redirect(to: &str) -> Answer {
    answer(302, &format!("Location: {to}\r\n"), "")
}

/// The running site; it ends with the test's runtime.
pub(crate) struct Site {
    pub(crate) addr: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Site {
    /// Starts a site; `script` maps a path with its query to an answer.
    pub(crate) async fn start(script: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        Self::start_with_heads(move |path, _| script(path)).await
    }

    /// The same; `script` is given the whole head of the request too.
    pub(crate) async fn start_with_heads(script: impl Fn(&str, &str) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, script) = (asked.clone(), Arc::new(script));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, script.clone(), log.clone()));
            }
        });
        Self { addr, asked }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// The heads of all requests so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// A client that may ask this site, although it is on loopback.
    pub(crate) fn client(&self) -> HttpClient {
        self.client_with(HttpSettings::default())
    }

    pub(crate) fn client_with(&self, settings: HttpSettings) -> HttpClient {
        let allowed = vec![Allowed { host: self.addr.ip().to_string(), port: self.addr.port() }];
        HttpClient::new(&HttpSettings { allowed, ..settings }).unwrap()
    }
}

async fn serve(mut stream: TcpStream, script: Arc<impl Fn(&str, &str) -> Answer>, log: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    log.lock().unwrap().push(head.clone());
    // The client hangs up on what is too large or too slow: no answer has to arrive whole.
    let _ = send(&mut stream, script(&path, &head)).await;
}

async fn send(stream: &mut TcpStream, answer: Answer) -> std::io::Result<()> {
    match answer {
        Answer::Bytes(bytes) => {
            stream.write_all(&bytes).await?;
            stream.shutdown().await
        }
        Answer::Forever(head, chunk, pause) => {
            stream.write_all(&head).await?;
            loop {
                stream.write_all(&chunk).await?;
                tokio::time::sleep(pause).await;
            }
        }
        Answer::Silence(head) => {
            stream.write_all(&head).await?;
            // Ends when the client hangs up.
            stream.read_u8().await.map(drop)
        }
    }
}
