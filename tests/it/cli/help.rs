//! Help, and command lines that can't be.

use super::process::{docket, docket_args};

const COMMANDS: &[&str] = &[
    "",
    "dev",
    "dev down",
    "demo",
    "chaos",
    "chaos check",
    "scheduler",
    "worker",
    "server",
    "doctor",
    "audit",
    "healthcheck",
    "migrate",
    "migrate up",
    "migrate status",
    "migrate plan",
    "migrate verify",
    "topology",
    "topology export",
    "topology plan",
    "topology apply",
    "topology check",
    "enqueue",
    "jobs",
    "jobs list",
    "jobs show",
    "jobs cancel",
    "dead",
    "dead list",
    "dead show",
    "dead requeue",
    "dead discard",
    "lanes",
    "lanes list",
    "lanes pause",
    "lanes resume",
    "workers",
    "workers list",
    "token",
    "token new",
    "queue",
    "queue stats",
    "cost",
    "cost estimate",
    "cities",
    "cities add",
    "cities list",
    "cities coverage",
    "cities courtesy",
    "cities accept",
    "cities sync",
    "reparse",
    "matters",
    "matters list",
    "matters show",
    "matters audit",
    "matters merge",
    "matters split",
    "matters retire",
    "matters track",
    "matters undo",
    "agendas",
    "agendas segment",
    "agendas list",
    "vendors",
    "vendors parse",
    "vendors probe",
    "breakers",
    "breakers list",
    "breakers open",
    "breakers close",
    "documents",
    "documents extract",
    "config",
    "config show",
    "config check",
    "config reference",
];

#[tokio::test]
async fn every_help_has_an_example() {
    for command in COMMANDS {
        let help = docket(&format!("{command} --help")).run().await;
        assert_eq!(help.code, 0, "{command}: {help:?}");
        assert!(help.stdout.contains("Example:"), "{command}: {help:?}");
        let json = help.stdout.contains("--json");
        assert!(json || ["", "scheduler", "worker", "server"].contains(command), "{command}: {help:?}");
    }
}

#[tokio::test]
async fn what_cant_be_parsed_is_a_usage_error() {
    for args in [
        "",
        "levitate",
        "jobs",
        "jobs list --status lost",
        "jobs list --limit 0",
        "jobs list --limit 501",
        "jobs list --before x",
        "jobs show 99999999999999999999",
        "jobs cancel",
        "dead requeue",
        "dead requeue 1 --all",
        "dead requeue --kind a --all",
        "dead discard",
        "dead list --before yesterday",
        "enqueue",
        "enqueue k --priority 1001",
        "enqueue k --max-attempts 0",
        "enqueue k --run-at tomorrow",
        "enqueue k --args {} --args-file f",
        "cities add x --name X --zone Mars/Olympus --vendor legistar --client c",
        "cities add x --name X --zone UTC --vendor paper --client c",
        "cities add x --name X --zone UTC --vendor legistar --client c --param novalue",
        "worker --slots 0",
        "worker --lanes=",
        "migrate up --dry-run --backup f",
        "migrate up --limit 3",
        "migrate up --dry-run --limit 0",
        "migrate up --to x",
        "lanes pause",
        "breakers open",
        "breakers open x --for soon",
        "reparse --vendor granicus",
        "reparse --vendor paper --since 1d",
        "reparse --vendor granicus --since never",
        "cities courtesy --since 0s",
        "matters merge 1",
        "matters split 1",
        "matters retire",
        "matters list --limit 0",
        "agendas segment",
        "agendas list --limit 0",
        "cost --by planet",
        "cost --since yesterday",
        "cost estimate --kind chunk",
        "vendors probe",
        "vendors probe javascript:alert(1)",
        "vendors parse legistar event-items x --base-url /files",
        "audit --deep",
        "audit --deep default --fresh",
        "token new --name ci",
        "token new --name ci --role root",
        "token new --role viewer",
    ] {
        let ended = docket(args).fails(64, &[]).await;
        assert!(!ended.stderr.is_empty(), "{args}");
    }
    docket_args(&["cities", "add", "x", "--name", " ", "--zone", "UTC", "--vendor", "legistar", "--client", "c"])
        .fails(64, &["--name"])
        .await;
}

#[tokio::test]
async fn unknown_names_list_the_known_ones() {
    let add = "cities add x --name X --client c";
    docket(&format!("{add} --zone UTC --vendor paper")).fails(64, &["paper", "legistar"]).await;
    docket(&format!("{add} --zone Mars/Olympus --vendor legistar")).fails(64, &["Mars/Olympus", "IANA"]).await;
    docket("jobs list --status lost").fails(64, &["lost", "dead_letter"]).await;
}
