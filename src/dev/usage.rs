//! What processes have used, as Linux counts it in /proc.

use std::{fs, time::Duration};

use super::process::{Identity, stat};

/// Clock ticks of /proc/PID/stat in a second: 100 for programs on every Linux, whatever the kernel's own timer does.
const TICKS: u64 = 100;

/// Fields of `stat` from the state on: utime, stime, and the same of the children that were reaped.
const OWN: [usize; 2] = [11, 12];
const REAPED: [usize; 2] = [13, 14];

/// Processor time of this process, all its threads, without its children.
pub(super) fn own_cpu() -> Duration {
    Identity::own().map_or(Duration::ZERO, |own| ticks(own, &OWN))
}

/// Processor time of a process and all that it has started, also of what has ended since.
pub(super) fn tree_cpu(root: Identity) -> Duration {
    let own = ticks(root, &OWN) + ticks(root, &REAPED);
    root.children().into_iter().fold(own, |sum, child| sum + tree_cpu(child))
}

/// Memory of this process that is resident now, in bytes; 0 where there is no /proc.
pub(super) fn own_rss() -> u64 {
    own_memory("VmRSS:")
}

/// The most that was resident since [`forget_peak_rss`], or since the process began, in bytes.
pub(super) fn own_peak_rss() -> u64 {
    own_memory("VmHWM:")
}

/// Begins to watch for the peak anew. Where the kernel can't, the peak stays that of the whole process.
pub(super) fn forget_peak_rss() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}

fn own_memory(field: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default();
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().unwrap_or_default();
    kib * 1024
}

fn ticks(process: Identity, fields: &[usize]) -> Duration {
    let stat = stat(process.pid).unwrap_or_default();
    let sum: u64 = fields.iter().filter_map(|&field| stat.get(field)?.parse::<u64>().ok()).sum();
    Duration::from_millis(sum * (1000 / TICKS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hint::black_box;

    #[test]
    fn work_shows_up() {
        let (before, tree) = (own_cpu(), tree_cpu(Identity::own().unwrap()));
        let mut sum = 0_u64;
        while own_cpu() == before {
            sum = (0..1_000_000).fold(sum, |sum, n| black_box(sum.wrapping_add(n)));
        }
        assert!(tree_cpu(Identity::own().unwrap()) > tree);
        assert!(own_rss() > 1024 * 1024, "a test process needs more than a mebibyte");
        forget_peak_rss();
        assert!(own_peak_rss() > 1024 * 1024);
    }
}
