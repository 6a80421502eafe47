//! What test processes that were killed have left behind.

use std::path::Path;

/// Whether a thing's name is this prefix and the number of a process that is gone; more may follow after a `-`.
pub(super) fn is_left_over(name: &str, prefix: &str) -> bool {
    let pid = name.strip_prefix(prefix).and_then(|rest| rest.split('-').next()?.parse::<u32>().ok());
    pid.is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists())
}
