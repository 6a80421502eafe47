//! What ends a connection by itself.

use super::{
    frames::{Seen, Sighting},
    mode::{End, Way},
};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Something that goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// So many bytes, counted from when the trap was set, over all connections. `nth` means nothing here.
    Bytes(u64),
    /// These bytes, also when two reads share them. At most 256.
    Pattern(Vec<u8>),
    /// PostgreSQL. To the server: a statement whose text holds this is executed, prepared or not. To the client: one whose
    /// tag holds it (`COMMIT`, `UPDATE`) was, or one was refused (`ERROR`). Case doesn't matter.
    Statement(String),
    /// AMQP: a method, by its class and number, such as (60, 80), an acknowledgement; from a broker, a confirm.
    Method(u16, u16),
}

/// Ends the connection on which something is seen for the nth time, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trap {
    /// Where it is looked for.
    pub way: Way,
    /// What is looked for.
    pub event: Event,
    /// The how manieth, over all connections of the proxy, from when the trap was set; 0 counts as 1.
    pub nth: u32,
    /// Whether its message still arrives. If it does and went to the server, the connection ends when the server has
    /// answered, and the answer is thrown away.
    pub arrives: bool,
    /// How the connection ends.
    pub end: End,
}

impl Trap {
    /// A transaction commits, and the client never learns it.
    #[must_use]
    pub fn commit_unknown() -> Self {
        Self { way: Way::ToClient, event: Event::Statement("COMMIT".into()), nth: 1, arrives: false, end: End::Reset }
    }

    /// A commit is sent and never arrives: to the client it looks the same.
    #[must_use]
    pub fn commit_lost() -> Self {
        Self { way: Way::ToServer, ..Self::commit_unknown() }
    }

    /// A statement that is a transaction of its own is done, and the client never learns it. `text` is part of its text.
    #[must_use]
    pub fn answer_lost(text: &str) -> Self {
        let event = Event::Statement(text.into());
        Self { way: Way::ToServer, event, nth: 1, arrives: true, end: End::Reset }
    }

    /// The broker has a message and says so, and the publisher never learns it.
    #[must_use]
    pub fn confirm_lost() -> Self {
        Self { way: Way::ToClient, event: Event::Method(60, 80), nth: 1, arrives: false, end: End::Reset }
    }

    /// A message is sent, and its connection ends before the broker has all of it.
    #[must_use]
    pub fn publish_lost() -> Self {
        Self { way: Way::ToServer, event: Event::Method(60, 40), nth: 1, arrives: false, end: End::Reset }
    }

    /// The same at the nth time.
    #[must_use]
    pub fn nth(self, nth: u32) -> Self {
        Self { nth, ..self }
    }

    /// The same with another end.
    #[must_use]
    pub fn ending(self, end: End) -> Self {
        Self { end, ..self }
    }
}

/// Tells whether a trap has done its work.
#[derive(Clone, Debug)]
pub struct Sprung(watch::Receiver<bool>);

impl Sprung {
    /// It has.
    #[must_use]
    pub fn is(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it has. False: it was taken away before.
    pub async fn wait(&mut self) -> bool {
        self.0.wait_for(|sprung| *sprung).await.is_ok()
    }
}

struct Armed {
    trap: Trap,
    /// How often, or how many bytes.
    count: u64,
    sprung: watch::Sender<bool>,
}

/// Where a read is cut, and what happens then.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cut {
    /// So many bytes of the read still arrive.
    pub(super) at: usize,
    /// The server's answer is waited for.
    pub(super) answered: bool,
    pub(super) end: End,
}

/// A read of one direction of one connection.
pub(super) struct Read<'a> {
    pub(super) way: Way,
    pub(super) chunk: &'a [u8],
    /// The bytes before it, as many as a pattern may have.
    pub(super) tail: &'a [u8],
    pub(super) sightings: &'a [Sighting],
}

/// Bytes of the longest pattern.
pub(super) const PATTERN_MAX: usize = 256;

/// The traps of a proxy. Bounded by whoever sets them.
#[derive(Default)]
pub(super) struct Traps(Mutex<Vec<Armed>>);

impl Traps {
    fn lock(&self) -> MutexGuard<'_, Vec<Armed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self, trap: Trap) -> Sprung {
        let (sprung, told) = watch::channel(false);
        self.lock().push(Armed { trap, count: 0, sprung });
        Sprung(told)
    }

    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    /// Looks at a read. At most one trap springs; the others go on counting.
    pub(super) fn look(&self, read: &Read<'_>) -> Option<Cut> {
        let mut traps = self.lock();
        let mut first: Option<(usize, Cut)> = None;
        for (index, armed) in traps.iter_mut().enumerate().filter(|(_, armed)| armed.trap.way == read.way) {
            if let Some(at) = armed.count_in(read)
                && first.as_ref().is_none_or(|(_, cut)| at < cut.at)
            {
                let Trap { way, arrives, end, .. } = armed.trap;
                first = Some((index, Cut { at, answered: arrives && way == Way::ToServer, end }));
            }
        }
        let (index, cut) = first?;
        traps.swap_remove(index).sprung.send_replace(true);
        Some(cut)
    }
}

impl Armed {
    /// Counts what is in a read; the place of the cut, if this is the one.
    fn count_in(&mut self, read: &Read<'_>) -> Option<usize> {
        let Trap { event, arrives, .. } = &self.trap;
        let places: Vec<(usize, usize)> = match event {
            Event::Bytes(limit) => {
                let left = limit.saturating_sub(self.count);
                self.count += read.chunk.len() as u64;
                return usize::try_from(left).ok().filter(|left| *left < read.chunk.len());
            }
            Event::Pattern(pattern) => occurrences(pattern, read),
            Event::Statement(_) | Event::Method(..) => {
                let fitting = read.sightings.iter().filter(|sighting| fits(event, &sighting.seen));
                fitting.map(|sighting| (sighting.starts, sighting.ends)).collect()
            }
        };
        for (starts, ends) in places {
            self.count += 1;
            if self.count >= u64::from(self.trap.nth.max(1)) {
                return Some(if *arrives { ends } else { starts });
            }
        }
        None
    }
}

fn fits(event: &Event, seen: &Seen) -> bool {
    match (event, seen) {
        (Event::Method(class, method), Seen::Method(c, m)) => (class, method) == (c, m),
        (Event::Statement(wanted), Seen::Statement(text)) => {
            text.to_ascii_lowercase().contains(&wanted.to_ascii_lowercase())
        }
        _ => false,
    }
}

/// Where a pattern begins and ends in a read, for each of its ends that lie there.
fn occurrences(pattern: &[u8], read: &Read<'_>) -> Vec<(usize, usize)> {
    if pattern.is_empty() {
        return Vec::new();
    }
    let before = read.tail.len().min(pattern.len() - 1);
    let joined = [&read.tail[read.tail.len() - before..], read.chunk].concat();
    let found = joined.windows(pattern.len()).enumerate().filter(|(_, window)| *window == pattern);
    found.map(|(at, _)| (at.saturating_sub(before), at + pattern.len() - before)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'a>(tail: &'a [u8], chunk: &'a [u8]) -> Read<'a> {
        Read { way: Way::ToServer, chunk, tail, sightings: &[] }
    }

    fn pattern(bytes: &[u8], nth: u32, arrives: bool) -> Trap {
        Trap { way: Way::ToServer, event: Event::Pattern(bytes.to_vec()), nth, arrives, end: End::Fin }
    }

    #[test]
    fn the_nth_match_also_across_reads() {
        let traps = Traps::default();
        let sprung = traps.set(pattern(b"abc", 2, false));
        assert_eq!(traps.look(&read(b"", b"xabcxa")), None);
        assert_eq!(traps.look(&read(b"xabcxa", b"bcd")), Some(Cut { at: 0, answered: false, end: End::Fin }));
        assert!(sprung.is());
        assert_eq!(traps.look(&read(b"", b"abcabcabc")), None, "it springs once");

        traps.set(pattern(b"abc", 1, true));
        assert_eq!(traps.look(&read(b"ab", b"cd")), Some(Cut { at: 1, answered: true, end: End::Fin }));
    }

    #[test]
    fn the_first_of_two_traps_in_a_read_wins() {
        let traps = Traps::default();
        let late = traps.set(pattern(b"z", 1, false));
        let soon = traps.set(Trap { event: Event::Bytes(2), ..pattern(b"", 1, false) });
        assert_eq!(traps.look(&read(b"", b"abcz")).expect("one").at, 2);
        assert!(soon.is() && !late.is());
        traps.clear();
        assert_eq!(traps.look(&read(b"", b"z")), None);
    }

    #[test]
    fn bytes_are_counted_over_reads() {
        let traps = Traps::default();
        traps.set(Trap { event: Event::Bytes(5), ..pattern(b"", 1, false) });
        assert_eq!(traps.look(&read(b"", b"12345")), None);
        assert_eq!(traps.look(&read(b"", b"6")).expect("the sixth").at, 0);
    }

    #[test]
    fn statements_and_methods_fit_by_their_own() {
        let commit = Seen::Statement("commit".into());
        assert!(fits(&Trap::commit_unknown().event, &commit));
        assert!(!fits(&Trap::confirm_lost().event, &commit));
        assert!(fits(&Trap::confirm_lost().event, &Seen::Method(60, 80)));
        assert!(!fits(&Trap::confirm_lost().event, &Seen::Method(60, 40)));
    }
}
