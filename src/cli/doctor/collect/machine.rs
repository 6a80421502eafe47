//! This machine.

use super::super::{
    super::{dev, probe},
    facts::{Address, Machine, Poppler, Role, Seen},
};
use crate::civic::document::{OcrState, extractor_version, ocr_state};
use nix::sys::{
    resource::{Resource, getrlimit},
    statvfs::statvfs,
};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{net::TcpListener, time::timeout};
use url::Url;

/// Programs that only print their version.
const LIMIT: Duration = Duration::from_secs(5);
/// Who listens already.
const PROBE: Duration = Duration::from_secs(2);
/// Where Debian's poppler-data puts its tables.
const TABLES: &str = "/usr/share/poppler/cMap";

pub(super) async fn look(endpoint: &Option<SocketAddr>, ocr_language: Option<&str>, roles: &[Role]) -> Machine {
    let works = roles.contains(&Role::Worker);
    let (address, poppler, ocr) = tokio::join!(address(*endpoint), poppler(works), ocr(ocr_language.filter(|_| works)));
    Machine {
        address,
        poppler,
        ocr,
        files: getrlimit(Resource::RLIMIT_NOFILE).map(|(soft, _)| soft).map_err(|e| e.to_string()),
        room: folders().into_iter().map(|folder| room(&folder)).collect(),
        time_zones: jiff::tz::db().get("America/Los_Angeles").map(drop).map_err(|e| e.to_string()),
    }
}

/// Listens for a moment: nothing tells more surely that it can.
async fn address(endpoint: Option<SocketAddr>) -> Address {
    let Some(address) = endpoint else { return Address::Unknown };
    let error = match TcpListener::bind(address).await {
        Ok(_) if address.port() == 0 => return Address::Any,
        Ok(_) => return Address::Free(address),
        Err(error) => error,
    };
    if error.kind() == std::io::ErrorKind::AddrInUse && is_docket(address).await {
        return Address::Docket(address);
    }
    Address::Taken(address, error.to_string())
}

async fn is_docket(address: SocketAddr) -> bool {
    let Ok(url) = Url::parse(&format!("http://{address}/readyz")) else { return false };
    probe::get(&url, None, PROBE).await.is_ok_and(|answer| answer.health().is_some())
}

async fn poppler(needed: bool) -> Seen<Poppler> {
    if !needed {
        return Ok(Poppler { version: String::new(), has_tables: true });
    }
    match timeout(LIMIT, extractor_version()).await {
        Ok(Ok(version)) => Ok(Poppler { version: version.to_owned(), has_tables: Path::new(TABLES).is_dir() }),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("poppler's programs don't tell their version within {LIMIT:?}")),
    }
}

/// A program that doesn't tell its version in time is as good as none.
async fn ocr(language: Option<&str>) -> Option<OcrState> {
    let state = timeout(LIMIT, ocr_state(language?)).await;
    Some(state.unwrap_or(OcrState::Missing))
}

/// Temporary files, and the private data of `docket dev` where there is some.
fn folders() -> Vec<PathBuf> {
    let mut folders = vec![std::env::temp_dir()];
    let private = PathBuf::from(dev::DIR);
    if private.is_dir() {
        folders.push(private);
    }
    folders
}

fn room(folder: &Path) -> (PathBuf, Seen<u64>) {
    let free = statvfs(folder).map(|disk| disk.blocks_available() * disk.fragment_size()).map_err(|e| e.to_string());
    (folder.to_owned(), free)
}
