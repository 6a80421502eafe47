//! One connection: two directions, each read, looked at, and passed on as its mode says.

use super::{
    frames::Frames,
    mode::{End, Mode, Way},
    server::{Protocol, Shared},
    trap::{Cut, PATTERN_MAX, Read},
};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy, sink},
    net::{
        TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::{Notify, watch},
    time::{sleep, timeout},
};

/// Bytes of a read.
const READ: usize = 16 * 1024;
/// An answer that is to be thrown away is waited for so long.
const ANSWER: Duration = Duration::from_secs(10);
/// A side that was told of the end gets so long to end too.
const GOODBYE: Duration = Duration::from_secs(5);
/// A slow link passes so many pieces a second.
const PIECES: u64 = 20;

/// What both directions of a connection know.
#[derive(Default)]
struct Both {
    /// The server's answers are thrown away from here on.
    deaf: AtomicBool,
    answered: Notify,
}

/// Leads a client to the server until either ends it, a trap springs, or the proxy is told to cut.
pub(super) async fn lead(shared: &Shared, mut client: TcpStream, mut server: TcpStream) {
    let mut cut = shared.cut.subscribe();
    cut.mark_unchanged();
    let both = Both::default();
    let ended = {
        let ((client_reads, client_writes), (server_reads, server_writes)) = (client.split(), server.split());
        let to_server = Direction::new(shared, &both, Way::ToServer).run(client_reads, server_writes);
        let to_client = Direction::new(shared, &both, Way::ToClient).run(server_reads, client_writes);
        tokio::select! {
            ended = async { tokio::try_join!(to_server, to_client) } => ended.err(),
            end = told(&mut cut) => Some(end),
        }
    };
    if let Some(end) = ended {
        finish(end, &mut cut, &mut client, &mut server).await;
    }
}

/// The next order to cut.
pub(super) async fn told(cut: &mut watch::Receiver<Option<End>>) -> End {
    // The sender lives as long as the proxy, whose end aborts this task.
    match cut.changed().await {
        Ok(()) => cut.borrow_and_update().unwrap_or(End::Reset),
        Err(_) => End::Reset,
    }
}

async fn finish(end: End, cut: &mut watch::Receiver<Option<End>>, client: &mut TcpStream, server: &mut TcpStream) {
    match end {
        End::Reset => {
            for stream in [client, server] {
                // A side that is gone already needs no reset.
                let _ = stream.set_zero_linger();
            }
        }
        End::Fin => {
            let _ = tokio::join!(client.shutdown(), server.shutdown());
            let _ = timeout(GOODBYE, swallow(client, server)).await;
        }
        End::Silence => {
            let order = tokio::select! {
                end = told(cut) => end,
                never = async { swallow(client, server).await; std::future::pending().await } => never,
            };
            Box::pin(finish(order, cut, client, server)).await;
        }
    }
}

/// Reads and throws away until both sides have ended.
async fn swallow(client: &mut TcpStream, server: &mut TcpStream) {
    let (mut one, mut other) = (sink(), sink());
    let _ = tokio::join!(copy(client, &mut one), copy(server, &mut other));
}

struct Direction<'a> {
    shared: &'a Shared,
    both: &'a Both,
    way: Way,
    modes: watch::Receiver<Mode>,
    frames: Frames,
    tail: Vec<u8>,
    /// The last read may hold the answer to a statement. PostgreSQL also answers what a client tidies up between two of
    /// them.
    answers: bool,
    /// Bytes were thrown away: the stream can't go on.
    holed: bool,
}

impl<'a> Direction<'a> {
    fn new(shared: &'a Shared, both: &'a Both, way: Way) -> Self {
        let frames = Frames::new(Protocol::grammar(shared.protocol, way));
        let modes = shared.modes[way.index()].subscribe();
        Self { shared, both, way, modes, frames, tail: Vec::new(), answers: false, holed: false }
    }

    /// Ok: the sender has ended its side, and the receiver was told.
    async fn run(mut self, mut from: ReadHalf<'_>, mut to: WriteHalf<'_>) -> Result<(), End> {
        let mut buffer = vec![0; READ];
        loop {
            let read = tokio::select! {
                read = from.read(&mut buffer) => read.map_err(|_| End::Reset)?,
                _ = self.modes.wait_for(|mode| *mode != Mode::Drop), if self.holed => return Err(End::Reset),
            };
            if read == 0 {
                self.ended().await?;
                // The receiver may be gone.
                let _ = to.shutdown().await;
                return Ok(());
            }
            let chunk = &buffer[..read];
            let Some(cut) = self.look(chunk) else {
                self.pass(chunk, &mut to).await?;
                continue;
            };
            if cut.answered {
                self.both.deaf.store(true, Ordering::SeqCst);
            }
            self.pass(&chunk[..cut.at], &mut to).await?;
            if cut.answered {
                // Without an answer the end comes anyway.
                let _ = timeout(ANSWER, self.both.answered.notified()).await;
            }
            return Err(cut.end);
        }
    }

    fn look(&mut self, chunk: &[u8]) -> Option<Cut> {
        let sightings = self.frames.feed(chunk);
        self.answers = self.shared.protocol != Protocol::PostgreSql || !sightings.is_empty();
        let cut = self.shared.traps.look(&Read { way: self.way, chunk, tail: &self.tail, sightings: &sightings });
        let kept = chunk.len().min(PATTERN_MAX);
        self.tail.extend_from_slice(&chunk[chunk.len() - kept..]);
        self.tail.drain(..self.tail.len().saturating_sub(PATTERN_MAX));
        cut
    }

    /// Passes bytes on as the mode says, whatever it becomes meanwhile.
    async fn pass(&mut self, mut bytes: &[u8], to: &mut WriteHalf<'_>) -> Result<(), End> {
        while !bytes.is_empty() {
            if self.way == Way::ToClient && self.both.deaf.load(Ordering::SeqCst) {
                if self.answers {
                    self.both.answered.notify_one();
                }
                return Ok(());
            }
            let mode = *self.modes.borrow_and_update();
            if self.holed && mode != Mode::Drop {
                return Err(End::Reset);
            }
            let (wait, size) = match mode {
                Mode::Pass => (Duration::ZERO, bytes.len()),
                Mode::Drop => {
                    self.holed = true;
                    return Ok(());
                }
                Mode::Stall => (Duration::MAX, 0),
                Mode::Delay(wait) => (wait, bytes.len()),
                Mode::Rate(rate) => {
                    let size = (rate / PIECES).max(1);
                    (Duration::from_secs(1).mul_f64(size as f64 / rate.max(1) as f64), bytes.len().min(size as usize))
                }
            };
            let changed = wait > Duration::ZERO
                && tokio::select! {
                    () = sleep(wait) => false,
                    changed = self.modes.changed() => changed.is_ok(),
                };
            if !changed {
                to.write_all(&bytes[..size]).await.map_err(|_| End::Reset)?;
                bytes = &bytes[size..];
            }
        }
        Ok(())
    }

    /// A FIN goes no other way than bytes: not through a link that is down.
    async fn ended(&mut self) -> Result<(), End> {
        while matches!(*self.modes.borrow_and_update(), Mode::Stall | Mode::Drop) {
            self.modes.changed().await.map_err(|_| End::Reset)?;
        }
        if self.holed { Err(End::Reset) } else { Ok(()) }
    }
}
