//! Parse, start a runtime, run the command, tell how it ended.

use super::{
    args::{Cli, Command},
    audit, bench, breakers, chaos, cities, client, config as config_command, cost, dead, demo, dev, doctor, documents,
    drill, enqueue,
    exit::{Failure, Outcome},
    healthcheck, jobs, lanes, log_level, logs, metrics, migrate, queue, scheduler, server, token, topology, vendors,
    worker, workers,
};
use crate::{
    config::{self, CommandLine, Environment, Problems, Role},
    telemetry::{LogGuard, LogOutput, LogSettings, SpanGuard, export_spans, init},
};
use clap::Parser;
use std::{ffi::OsString, io::Write, process::ExitCode};

/// Runs the command line `args` (with the program's name first) to its end.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    let sets = typed(&args, "--set");
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(e) => {
            // --help and --version are no errors. A terminal that went away can't be told anything.
            let _ = e.print();
            return if e.use_stderr() { ExitCode::from(64) } else { ExitCode::SUCCESS };
        }
    };
    // The parser forgets what stands before the command when there is more after it.
    let outcome = if sets > cli.set.len() {
        Err(Failure::usage("--set: write all of them after the command, such as docket worker --set worker.slots=8"))
    } else {
        start(cli)
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "docket: {failure}");
            failure.code()
        }
    }
}

/// How often a flag was typed.
fn typed(args: &[OsString], flag: &str) -> usize {
    let texts = args.iter().map(|arg| arg.to_string_lossy()).take_while(|arg| arg != "--");
    texts.filter(|arg| arg.strip_prefix(flag).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))).count()
}

fn start(cli: Cli) -> Outcome {
    // Several crates can provide rustls with cryptography; whoever is first decides for the process.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let line = CommandLine { config: cli.config, set: cli.set, flags: flags(&cli.command) };
    let command = match cli.command {
        // It tells what is wrong with a configuration, so it must not need a good one.
        Command::Config(args) => return config_command::run(args, &line),
        command => command,
    };
    let (env, refused) = config::look(Environment::of_process(), &line);
    let command = match command {
        Command::Doctor(args) => Command::Doctor(args.refused(refused)),
        command if refused.is_empty() => command,
        _ => return Err(Problems(refused).into()),
    };
    #[cfg(feature = "crash-points")]
    crate::fleet::crash::arm(|name| env.get(name).map(Into::into)).map_err(Failure::usage)?;
    if let Some(role) = role(&command) {
        config::verify(&env, role)?;
    }
    let _logs = logs(&command, &env)?;
    let _spans = spans(&command, &env)?;
    let runtime = tokio::runtime::Runtime::new().map_err(|e| Failure::internal(format!("no runtime: {e}")))?;
    let outcome = runtime.block_on(dispatch(command, env));
    // What still blocks a thread must not keep the process.
    runtime.shutdown_background();
    outcome
}

/// Flags that are settings.
fn flags(command: &Command) -> Vec<(&'static str, &'static str, String)> {
    match command {
        Command::Scheduler(args) => args.flags(),
        Command::Worker(args) => args.flags(),
        Command::ChaosWorker(args) => args.flags(),
        Command::Server(args) => args.flags(),
        Command::Dev(args) => args.flags(),
        _ => Vec::new(),
    }
}

fn role(command: &Command) -> Option<Role> {
    match command {
        Command::Scheduler(_) => Some(Role::Scheduler),
        Command::Worker(_) | Command::ChaosWorker(_) => Some(Role::Worker),
        Command::Server(_) => Some(Role::Server),
        _ => None,
    }
}

fn logs(command: &Command, env: &Environment) -> Result<LogGuard, Failure> {
    let output = if role(command).is_some() { LogOutput::Stdout } else { LogOutput::Stderr };
    let mut settings = match config::log(env, output) {
        // It is one of the findings.
        Err(_) if matches!(command, Command::Doctor(_)) => {
            LogSettings::from_lookup(output, |_| None).map_err(Failure::internal)?
        }
        read => read?,
    };
    if matches!(
        command,
        Command::Demo(_) | Command::Bench(_) | Command::Chaos(_) | Command::Drill(_) | Command::Doctor(_)
    ) && settings.filter.is_empty()
    {
        // Progress is shown; the demonstration's planned failures are not news, and a doctor tells what it found.
        settings.filter = "error".to_owned();
    }
    init(&settings).map_err(Failure::usage)
}

/// Of what stays: a command's own work is no part of a trace.
fn spans(command: &Command, env: &Environment) -> Result<Option<SpanGuard>, Failure> {
    let role = match command {
        Command::Dev(_) | Command::Demo(_) => Some("dev"),
        other => role(other).map(Role::as_str),
    };
    let settings = role.map(|role| config::traces(env, role)).transpose()?.flatten();
    settings.map(|settings| export_spans(&settings).map_err(Failure::usage)).transpose()
}

async fn dispatch(command: Command, loaded: Environment) -> Outcome {
    let env = || loaded.clone();
    let one_shot = || client::environment(loaded.clone());
    match command {
        Command::Dev(args) => Box::pin(dev::run(args, env())).await,
        Command::Bench(args) => Box::pin(bench::run(args, env())).await,
        Command::Chaos(args) => Box::pin(chaos::run(args)).await,
        Command::Demo(args) => Box::pin(demo::run(args, env())).await,
        Command::Scheduler(args) => Box::pin(scheduler::run(args, env())).await,
        Command::Worker(args) => Box::pin(worker::run(args, env())).await,
        Command::ChaosWorker(args) => Box::pin(chaos::worker::run(args, env())).await,
        Command::Server(args) => Box::pin(server::run(args, env())).await,
        Command::Doctor(args) => Box::pin(doctor::run(args, &one_shot())).await,
        Command::Audit(args) => Box::pin(audit::run(args, &one_shot())).await,
        Command::Healthcheck(args) => Box::pin(healthcheck::run(args, &env())).await,
        Command::Migrate(args) => migrate::run(args, &one_shot()).await,
        Command::Topology(args) => Box::pin(topology::run(args, &env())).await,
        Command::Enqueue(args) => Box::pin(enqueue::run(args, &one_shot())).await,
        Command::Jobs(args) => Box::pin(jobs::run(args, &one_shot())).await,
        Command::Dead(args) => Box::pin(dead::run(args, &one_shot())).await,
        Command::Workers(args) => Box::pin(workers::run(args, &one_shot())).await,
        Command::Breakers(args) => Box::pin(breakers::run(args, &one_shot())).await,
        Command::Lanes(args) => Box::pin(lanes::run(args, &one_shot())).await,
        Command::Token(args) => token::run(&args),
        Command::Queue(args) => queue::run(args, &one_shot()).await,
        Command::Cost(args) => Box::pin(cost::run(args, &one_shot())).await,
        Command::Cities(args) => Box::pin(cities::run(args, &one_shot())).await,
        Command::Vendors(args) => Box::pin(vendors::run(&args, &env())).await,
        Command::Logs(args) => logs::run(&args),
        Command::LogLevel(args) => Box::pin(log_level::run(args, &env())).await,
        Command::Drill(args) => Box::pin(drill::run(args)).await,
        Command::Metrics(args) => metrics::run(&args),
        Command::Documents(args) => Box::pin(documents::run(args)).await,
        Command::Config(_) => Err(Failure::internal("it runs before anything is loaded")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_an_example() {
        fn look(command: &clap::Command) -> usize {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.starts_with("Example: docket") || help.contains(" docket "), "{}: {help}", command.get_name());
            1 + command.get_subcommands().filter(|sub| sub.get_name() != "help").map(look).sum::<usize>()
        }
        assert!(look(&Cli::command()) > 25);
    }
}
