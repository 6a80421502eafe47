//! The examples of the documents, as they stand there.

use std::{
    process::{Output, Stdio},
    time::Duration,
};
use tokio::{io::AsyncWriteExt, process::Command, time::timeout};

/// The fenced blocks of a document in this language.
pub(crate) fn examples<'a>(document: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    document.split(&fence).skip(1).map(|rest| rest.split("\n```").next().expect("split gives one")).collect()
}

/// Gives an example to a program's standard input, with these variables; it must succeed.
pub(crate) async fn run_example(program: &[&str], text: &str, variables: &[(&str, String)]) -> String {
    let mut command = Command::new(program[0]);
    command.args(&program[1..]).envs(variables.iter().map(|(name, value)| (name, value))).env("NO_PROXY", "*");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{program:?}: {error}; scripts/test installs it"));
    child.stdin.take().unwrap().write_all(text.as_bytes()).await.unwrap();
    let ended = timeout(Duration::from_mins(1), child.wait_with_output()).await;
    let Output { status, stdout, stderr } = ended.expect("it ends").unwrap();
    assert!(status.success(), "{text}\n{}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}
