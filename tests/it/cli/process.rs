//! Running the binary.

use serde_json::Value;
use std::{path::Path, process::Stdio, time::Duration};
use tokio::{
    io::AsyncWriteExt,
    process::{Child, Command},
    time::timeout,
};

/// Nothing here takes so long, however busy the machine is.
const PATIENCE: Duration = Duration::from_mins(2);

/// A command line, with an environment that names no server.
pub(crate) struct Docket {
    command: Command,
    stdin: Option<Vec<u8>>,
    patience: Duration,
}

/// How it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// `docket` with these arguments, separated by blanks.
pub(crate) fn docket(args: &str) -> Docket {
    docket_args(&args.split_ascii_whitespace().collect::<Vec<_>>())
}

/// `docket` with exactly these arguments.
pub(crate) fn docket_args(args: &[&str]) -> Docket {
    let mut command = Command::new(env!("CARGO_BIN_EXE_docket"));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("DOCKET_") || text.starts_with("DATABASE_URL") || text.starts_with("AMQP_URL") {
            command.env_remove(name);
        }
    }
    command.args(args).current_dir(env!("CARGO_TARGET_TMPDIR")).kill_on_drop(true);
    Docket { command, stdin: None, patience: PATIENCE }
}

impl Docket {
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn database(self, url: &str) -> Self {
        self.env("DATABASE_URL", url)
    }

    pub(crate) fn dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    pub(crate) fn stdin(mut self, bytes: &[u8]) -> Self {
        self.stdin = Some(bytes.to_vec());
        self
    }

    /// Waits for its end for so long.
    pub(crate) fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Starts it, for tests that end it themselves.
    pub(crate) fn start(mut self) -> Child {
        self.command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts")
    }

    /// Runs it to its end.
    pub(crate) async fn run(mut self) -> Ended {
        let stdin = if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() };
        let mut child =
            self.command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
        if let (Some(bytes), Some(mut pipe)) = (self.stdin, child.stdin.take()) {
            // A command that refuses early doesn't read to the end.
            let _ = pipe.write_all(&bytes).await;
        }
        let output = timeout(self.patience, child.wait_with_output()).await.expect("ends").expect("is waited for");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Ended {
            code: output.status.code().expect("no signal ended it"),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Runs it with `--json`: success, and exactly one line, which is JSON.
    pub(crate) async fn json(mut self) -> Value {
        self.command.arg("--json");
        let ended = self.run().await;
        assert_eq!(ended.code, 0, "{ended:?}");
        ended.json_line()
    }

    /// Runs it: it must fail with `code`, print nothing, and say all of `words`.
    pub(crate) async fn fails(self, code: i32, words: &[&str]) -> Ended {
        let ended = self.run().await;
        assert_eq!((ended.code, ended.stdout.as_str()), (code, ""), "{ended:?}");
        for word in words {
            assert!(ended.stderr.contains(word), "{word:?} in {ended:?}");
        }
        ended
    }
}

impl Ended {
    /// It ended with `code` and said `word`; a role may have logged before.
    #[track_caller]
    pub(crate) fn says(&self, code: i32, word: &str) {
        assert_eq!(self.code, code, "{self:?}");
        assert!(self.stderr.contains(word), "{word:?} in {self:?}");
    }

    /// The one line of standard output.
    pub(crate) fn json_line(&self) -> Value {
        assert_eq!(self.stdout.matches('\n').count(), 1, "{self:?}");
        serde_json::from_str(&self.stdout).expect("JSON")
    }
}
