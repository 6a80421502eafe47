//! Parse, run, exit code.

fn main() -> std::process::ExitCode {
    docket::cli::run(std::env::args_os())
}
