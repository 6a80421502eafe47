//! Cuts a stream into messages, whatever the borders of its reads are.

/// So much of a message is kept: names of statements and the text of all of ours are far shorter.
const KEPT: usize = 16 * 1024;

/// What the beginning of a message says of its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    /// Not yet said.
    Unknown,
    /// All of it, the beginning included.
    Bytes(usize),
    /// It is no message: the stream is not what it was thought to be, or it is encrypted from here on.
    Opaque,
}

/// Something worth a trap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// PostgreSQL: a statement that is executed, or the tag of one that was.
    Statement(String),
    /// AMQP: a method's class and number.
    Method(u16, u16),
}

/// Where in a read it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sighting {
    pub(super) seen: Seen,
    /// Its message begins here; 0 if it began in an earlier read.
    pub(super) starts: usize,
    /// And ends before here.
    pub(super) ends: usize,
}

/// One direction of one protocol.
pub(super) trait Grammar: Send {
    /// How long the message is that begins so.
    fn size(&self, beginning: &[u8]) -> Size;
    /// Takes a message, cut off beyond [`KEPT`] bytes.
    fn message(&mut self, kept: &[u8]) -> Vec<Seen>;
}

/// The message that is being read.
pub(super) struct Frames {
    grammar: Option<Box<dyn Grammar>>,
    kept: Vec<u8>,
    passed: usize,
    total: Option<usize>,
}

impl Frames {
    /// None: nothing is known of the protocol.
    pub(super) fn new(grammar: Option<Box<dyn Grammar>>) -> Self {
        Self { grammar, kept: Vec::new(), passed: 0, total: None }
    }

    /// Takes a read.
    pub(super) fn feed(&mut self, chunk: &[u8]) -> Vec<Sighting> {
        let mut sightings = Vec::new();
        let (mut at, mut starts) = (0, 0);
        while at < chunk.len() {
            let Some(grammar) = &mut self.grammar else { break };
            let total = if let Some(total) = self.total {
                total
            } else {
                self.kept.push(chunk[at]);
                at += 1;
                self.passed += 1;
                match grammar.size(&self.kept) {
                    Size::Unknown => continue,
                    Size::Bytes(total) if total >= self.passed => *self.total.insert(total),
                    Size::Bytes(_) | Size::Opaque => {
                        self.grammar = None;
                        break;
                    }
                }
            };
            let taken = (total - self.passed).min(chunk.len() - at);
            let kept = taken.min(KEPT.saturating_sub(self.kept.len()));
            self.kept.extend_from_slice(&chunk[at..at + kept]);
            at += taken;
            self.passed += taken;
            if self.passed == total {
                let seen = grammar.message(&self.kept);
                sightings.extend(seen.into_iter().map(|seen| Sighting { seen, starts, ends: at }));
                self.kept.clear();
                (self.passed, self.total, starts) = (0, None, at);
            }
        }
        sightings
    }
}

/// A big-endian number of 2 bytes; none: there are fewer.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

/// The same of 4 bytes.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize)
}
