//! Scenario `documents`.

use super::{
    Scenario,
    drain::ways,
    fleet::BenchFleet,
    ground::Ground,
    jobs::put,
    kinds::Noop,
    meter::{Meter, rate},
    report::ScenarioReport,
    spec::{BenchError, BenchPlace, BenchSpec, Step},
    tally::Tally,
};
use crate::{
    civic::{
        Services,
        document::{TEXT_ARGS, extractor_version},
        handler::{ExtractDocument, ExtractDocumentArgs},
        handlers,
        model::Fingerprint,
        settings::CivicSettings,
        store::{RefId, RevisionId, documents},
    },
    db::{PoolOptions, PoolPurpose, pool},
    dev::city::papers,
    fleet::handler::Handler,
};
use std::{
    collections::HashMap,
    num::NonZero,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread::available_parallelism,
};
use tempfile::TempDir;
use tokio::{process::Command, task::JoinSet, time::Instant};

/// Connections of the handlers.
const CONNECTIONS: usize = 8;

/// The files in a plain loop that keeps all processors busy, then the same as jobs. Docket does more with each: it counts
/// pages, limits what the child may use, and stores the text.
pub(super) async fn documents(
    place: &BenchPlace<'_>,
    ground: &mut Ground,
    (spec, step): (&BenchSpec, Step<'_>),
) -> Result<ScenarioReport, BenchError> {
    extractor_version().await.map_err(files)?;
    let (folder, processors) = (TempDir::new().map_err(files)?, processors());
    let all = Arc::new(write(folder.path(), spec).await?);
    let count = all.len() as u64;
    let plain = plain(&all, processors, step.next("plain", count)).await?;
    // More children at once than processors only wait for each other; four times as many hide the database.
    let slots = spec.slots.min(u32::try_from(4 * processors).unwrap_or(u32::MAX));
    let spec = BenchSpec { lanes: 1, workers: 1, slots, ..spec.clone() };
    let mut report = as_jobs(place, ground, (&spec, step.next("measure", count)), &all).await?;
    report.plain_per_second = Some(plain);
    report.compare(plain);
    Ok(report)
}

/// Distinct files by their hashes: a document that is known already is no work.
type Files = Vec<(PathBuf, Fingerprint)>;

async fn write(folder: &Path, spec: &BenchSpec) -> Result<Files, BenchError> {
    let mut all = HashMap::new();
    for (number, bytes) in papers(spec.jobs(Scenario::Documents) as usize, spec.seed).into_iter().enumerate() {
        let path = folder.join(format!("{number}.pdf"));
        tokio::fs::write(&path, &bytes).await.map_err(files)?;
        all.insert(Fingerprint::of_bytes(&bytes).as_str().to_owned(), path);
    }
    if let Some(more) = &spec.files {
        let unreadable = |e| files(format!("can't read {}: {e}", more.display()));
        let mut entries = tokio::fs::read_dir(more).await.map_err(unreadable)?;
        while let Some(entry) = entries.next_entry().await.map_err(unreadable)? {
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("pdf")) {
                let bytes = tokio::fs::read(&path).await.map_err(unreadable)?;
                all.insert(Fingerprint::of_bytes(&bytes).as_str().to_owned(), path);
            }
        }
    }
    let mut all: Vec<PathBuf> = all.into_values().collect();
    all.sort();
    let mut named = Vec::with_capacity(all.len());
    for path in all {
        let bytes = tokio::fs::read(&path).await.map_err(files)?;
        named.push((path, Fingerprint::of_bytes(&bytes)));
    }
    Ok(named)
}

/// As many children at once as there are processors. Files a second.
async fn plain(all: &Arc<Files>, processors: usize, step: Step<'_>) -> Result<f64, BenchError> {
    let (next, mut tasks, begun) = (Arc::new(AtomicUsize::new(0)), JoinSet::new(), Instant::now());
    for _ in 0..processors {
        let (all, next) = (all.clone(), next.clone());
        tasks.spawn(async move {
            while let Some((path, _)) = all.get(next.fetch_add(1, Relaxed)) {
                let mut child = Command::new("pdftotext");
                child.args(TEXT_ARGS).arg(path).arg("-").stdin(Stdio::null()).stderr(Stdio::null());
                // A file that can't be read took its time too.
                child.kill_on_drop(true).output().await.map_err(files)?;
            }
            Ok::<_, BenchError>(())
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(files)??;
    }
    step.tell(all.len() as u64);
    Ok(rate(all.len() as u64, begun.elapsed().as_secs_f64()))
}

/// As jobs of the domain's own kind.
async fn as_jobs(
    place: &BenchPlace<'_>,
    ground: &mut Ground,
    (spec, step): (&BenchSpec, Step<'_>),
    all: &Files,
) -> Result<ScenarioReport, BenchError> {
    let (scenario, tally) = (Scenario::Documents, Arc::<Tally>::default());
    let connections = pool(&ground.config, PoolOptions::new(PoolPurpose::Engine, CONNECTIONS));
    let services =
        Services::new(connections, CivicSettings::default()).map_err(|e| BenchError::Fleet(e.to_string()))?;
    let kinds = Arc::new(handlers(Arc::new(services)).with(Noop(tally.clone())));
    let mut jobs = Vec::with_capacity(all.len());
    for (path, sha256) in all {
        let content = tokio::fs::read(path).await.map_err(files)?;
        documents::put(&ground.client, sha256, "pdf", &content).await?;
        let (reference, revision) = (RefId(0), RevisionId(0));
        let args = ExtractDocumentArgs {
            sha256: sha256.clone(),
            reference,
            revision,
            base: None,
            late: false,
            as_of: None,
            segment: false,
        };
        jobs.push(ExtractDocument::job(&args)?);
    }
    let fleet = BenchFleet::start(place, ground, (spec, scenario), &kinds).await?;
    fleet.warm_up(ground, (spec, scenario), &tally).await?;
    let transaction = ground.client.transaction().await?;
    let ids = put(&transaction, &jobs).await?;
    let meter = Meter::start(place, &transaction).await?;
    transaction.commit().await?;
    let (done, stored) = (all.len() as u64, "select count(*) from extractions");
    fleet.rows(ground, (stored, done), |rows| step.tell(rows)).await?;
    let mut report = meter.stop(place, &ground.client, (spec, scenario, done)).await?;
    fleet.stop().await;
    report.drain_per_second = Some(rate(done, report.seconds));
    if let Some(first) = ids.into_iter().next() {
        ways(&ground.client, first, &mut report).await?;
    }
    Ok(report)
}

fn processors() -> usize {
    available_parallelism().map_or(1, NonZero::get)
}

fn files(error: impl std::fmt::Display) -> BenchError {
    BenchError::Files(error.to_string())
}
