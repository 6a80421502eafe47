//! What can be typed.

use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// Arguments.
#[derive(Debug, Parser)]
#[command(after_help = "Example: DATABASE_URL=postgres://docket@localhost/docket docket migrate up")]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    pub(super) action: Action,
    /// Print one line of JSON
    #[arg(long, global = true)]
    pub(super) json: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Apply what is missing, while the fleet works; safe to run from many machines at once
    #[command(after_help = "\
Example: docket migrate up --dry-run
Example: docket migrate up --backup /var/backups/docket-v2.sql

--dry-run runs everything in one transaction, says what each statement touched, locked and rewrote, and takes it back.
It holds the locks that it lists until then, so a fleet on the same tables stands still meanwhile: for --limit at most.
Where that isn't enough, run it on a copy of the database.

--backup needs pg_dump. It holds the tables that are about to change, as they are when it begins; migrations/README.md
says how to bring them back.")]
    Up(Up),
    /// Show which migrations this database has
    #[command(after_help = "Example: docket migrate status --json")]
    Status,
    /// Show what is missing: how it runs, its locks, its rows
    #[command(after_help = "Example: docket migrate plan")]
    Plan {
        /// The last migration to apply
        #[arg(long, value_name = "VERSION")]
        to: Option<i32>,
    },
    /// Try every rule that the schema must hold, and compare the schema with what the migrations make
    #[command(after_help = "\
Example: docket migrate verify

Everything happens in one transaction that is rolled back; it reads the table of jobs once. Ends with 70 when a rule
doesn't hold or something differs, with 64 when the schema is of another version.")]
    Verify {
        /// The version that the schema should have [default: this binary's]
        #[arg(long, value_name = "VERSION")]
        to: Option<i32>,
    },
}

#[derive(Debug, Parser)]
pub(super) struct Up {
    /// The last migration to apply [default: this binary's]
    #[arg(long, value_name = "VERSION")]
    pub(super) to: Option<i32>,
    /// Show what would happen, and change nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// How long a dry run may hold its locks, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=86_400), requires = "dry_run")]
    pub(super) limit: u32,
    /// Dump what is about to change into this new file first
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    pub(super) backup: Option<PathBuf>,
}
