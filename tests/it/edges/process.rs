//! A role as a real process: its address, its log, and what it costs.

use crate::cli::process::docket;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use std::{
    fs,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::Child,
    sync::watch,
    task::JoinHandle,
    time::{sleep, timeout},
};

/// Far more than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// The running process. Dropping it kills it.
pub(crate) struct Process {
    child: Child,
    /// They read what it writes.
    readers: [JoinHandle<()>; 2],
    log: Arc<Mutex<String>>,
    pub(crate) addr: SocketAddr,
}

impl Process {
    /// `docket` with these arguments and variables, once it listens.
    pub(crate) async fn start(args: &str, vars: &[(&str, &str)]) -> Self {
        let command =
            vars.iter().fold(docket(&format!("{args} --http 127.0.0.1:0")), |d, (name, value)| d.env(name, value));
        let mut child = command.env("DOCKET_LOG_FORMAT", "json").start();
        let (log, (tell, mut told)) = (Arc::default(), watch::channel(None));
        let readers = [
            tokio::spawn(keep(child.stdout.take().unwrap(), Arc::clone(&log), tell.clone())),
            tokio::spawn(keep(child.stderr.take().unwrap(), Arc::clone(&log), tell)),
        ];
        let listening = timeout(PATIENCE, told.wait_for(Option::is_some)).await;
        let addr = match listening {
            Ok(Ok(addr)) => addr.expect("it was waited for"),
            _ => panic!("{args} does not listen: {}", log.lock().unwrap()),
        };
        Self { child, readers, log, addr }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id().expect("it was not waited for")
    }

    /// All that it has written.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// The events of its log so far.
    pub(crate) fn has_logged(&self, event: &str) -> bool {
        self.log().contains(&format!("\"event\":\"{event}\""))
    }

    /// One line of its status, in KiB: `VmRSS`, `VmHWM`.
    fn status_kib(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// Resident memory in MiB; the peak is counted from here on.
    pub(crate) fn rss_mib(&self) -> u64 {
        // 5: forget the peak.
        fs::write(format!("/proc/{}/clear_refs", self.pid()), "5").unwrap();
        self.status_kib("VmRSS") / 1024
    }

    /// The most resident memory since [`Process::rss_mib`], in MiB.
    pub(crate) fn peak_mib(&self) -> u64 {
        self.status_kib("VmHWM") / 1024
    }

    /// Open file descriptors.
    pub(crate) fn files(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.pid())).unwrap().count()
    }

    /// Processor time that it has used.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap();
        // The name, in parentheses, may hold blanks.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 10)
    }

    pub(crate) fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Its answer to a GET: status and text; none: no answer.
    pub(crate) async fn get(&self, path: &str) -> Option<(u16, String)> {
        get(&format!("http://{}{path}", self.addr), None).await
    }

    /// Waits until `/readyz` says so.
    pub(crate) async fn until_ready(&self, status: u16) {
        let ready = async {
            while self.get("/readyz").await.is_none_or(|(found, _)| found != status) {
                sleep(Duration::from_millis(100)).await;
            }
        };
        assert!(timeout(PATIENCE, ready).await.is_ok(), "/readyz never said {status}: {}", self.log());
    }

    /// Ends it as an operator does, and returns its log.
    pub(crate) async fn stop(mut self) -> String {
        kill(Pid::from_raw(i32::try_from(self.pid()).unwrap()), Signal::SIGTERM).unwrap();
        timeout(PATIENCE, self.child.wait()).await.expect("it ends").unwrap();
        // What it wrote last may still be in its pipes.
        for reader in &mut self.readers {
            timeout(PATIENCE, reader).await.expect("its pipes are closed").unwrap();
        }
        self.log()
    }
}

/// One GET over a connection of its own.
pub(crate) async fn get(url: &str, token: Option<&str>) -> Option<(u16, String)> {
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().unwrap();
    let request = client.get(url);
    let request = match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    let response = request.send().await.ok()?;
    Some((response.status().as_u16(), response.text().await.ok()?))
}

async fn keep(pipe: impl AsyncRead + Unpin, log: Arc<Mutex<String>>, listening: watch::Sender<Option<SocketAddr>>) {
    let mut lines = BufReader::new(pipe).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if line.contains("\"http.listening\"") {
            let value: Value = serde_json::from_str(&line).unwrap();
            listening.send_replace(value["addr"].as_str().and_then(|addr| addr.parse().ok()));
        }
        let mut log = log.lock().unwrap();
        log.push_str(&line);
        log.push('\n');
    }
}
