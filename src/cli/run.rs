//! Parse, start a runtime, run the command, tell how it ended.

use super::{
    args::{Cli, Command},
    bench, cities, client, dead, demo, dev, doctor, documents, enqueue,
    exit::{Failure, Outcome},
    healthcheck, jobs, migrate, queue, scheduler, server, topology, vendors, worker,
};
use crate::{
    config::Environment,
    telemetry::{LogGuard, LogOutput, LogSettings, init},
};
use clap::Parser;
use std::{ffi::OsString, io::Write, process::ExitCode};

/// Runs the command line `args` (with the program's name first) to its end.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(e) => {
            // --help and --version are no errors. A terminal that went away can't be told anything.
            let _ = e.print();
            return if e.use_stderr() { ExitCode::from(64) } else { ExitCode::SUCCESS };
        }
    };
    match start(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "docket: {failure}");
            failure.code()
        }
    }
}

fn start(command: Command) -> Outcome {
    // Several crates can provide rustls with cryptography; whoever is first decides for the process.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let _logs = logs(&command)?;
    let runtime = tokio::runtime::Runtime::new().map_err(|e| Failure::internal(format!("no runtime: {e}")))?;
    let outcome = runtime.block_on(dispatch(command));
    // What still blocks a thread must not keep the process.
    runtime.shutdown_background();
    outcome
}

fn logs(command: &Command) -> Result<LogGuard, Failure> {
    let is_role = matches!(command, Command::Scheduler(_) | Command::Worker(_) | Command::Server(_));
    let output = if is_role { LogOutput::Stdout } else { LogOutput::Stderr };
    let mut settings = LogSettings::from_env(output).map_err(Failure::usage)?;
    if matches!(command, Command::Demo(_) | Command::Bench(_) | Command::Doctor(_)) && settings.filter.is_empty() {
        // Progress is shown; the demonstration's planned failures are not news, and a doctor tells what it found.
        settings.filter = "error".to_owned();
    }
    init(&settings).map_err(Failure::usage)
}

async fn dispatch(command: Command) -> Outcome {
    let env = Environment::of_process;
    let one_shot = client::environment;
    match command {
        Command::Dev(args) => Box::pin(dev::run(args, env())).await,
        Command::Bench(args) => Box::pin(bench::run(args, env())).await,
        Command::Demo(args) => Box::pin(demo::run(args, env())).await,
        Command::Scheduler(args) => Box::pin(scheduler::run(args, env())).await,
        Command::Worker(args) => Box::pin(worker::run(args, env())).await,
        Command::Server(args) => Box::pin(server::run(args, env())).await,
        Command::Doctor(args) => Box::pin(doctor::run(args, &one_shot())).await,
        Command::Healthcheck(args) => Box::pin(healthcheck::run(args, &env())).await,
        Command::Migrate(args) => migrate::run(args, &one_shot()).await,
        Command::Topology(args) => Box::pin(topology::run(args, &env())).await,
        Command::Enqueue(args) => Box::pin(enqueue::run(args, &one_shot())).await,
        Command::Jobs(args) => Box::pin(jobs::run(args, &one_shot())).await,
        Command::Dead(args) => Box::pin(dead::run(args, &one_shot())).await,
        Command::Queue(args) => queue::run(args, &one_shot()).await,
        Command::Cities(args) => Box::pin(cities::run(args, &one_shot())).await,
        Command::Vendors(args) => vendors::run(&args),
        Command::Documents(args) => Box::pin(documents::run(args)).await,
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
