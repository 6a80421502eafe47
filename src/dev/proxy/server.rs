//! The listener, and the handle that controls it.

use super::{
    amqp::Amqp,
    connection::{lead, told},
    frames::Grammar,
    mode::{Doors, End, Mode, Way},
    postgres::{FromClient, FromServer},
    trap::{Sprung, Trap, Traps},
};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::timeout,
};

/// Connections at once. A process of ours opens some dozens.
const CONNECTIONS_MAX: usize = 512;
/// The server is on loopback too.
const CONNECT: Duration = Duration::from_secs(5);

/// What goes through, so that traps can name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Only bytes.
    Opaque,
    /// PostgreSQL, not encrypted.
    PostgreSql,
    /// AMQP 0-9-1, not encrypted.
    Amqp,
}

impl Protocol {
    pub(super) fn grammar(self, way: Way) -> Option<Box<dyn Grammar>> {
        match (self, way) {
            (Self::Opaque, _) => None,
            (Self::PostgreSql, Way::ToServer) => Some(Box::<FromClient>::default()),
            (Self::PostgreSql, Way::ToClient) => Some(Box::<FromServer>::default()),
            (Self::Amqp, _) => Some(Box::new(Amqp)),
        }
    }
}

/// What a proxy's connections look at.
pub(super) struct Shared {
    pub(super) protocol: Protocol,
    pub(super) traps: Traps,
    /// By [`Way::index`].
    pub(super) modes: [watch::Sender<Mode>; 2],
    /// The last order to cut.
    pub(super) cut: watch::Sender<Option<End>>,
    doors: watch::Sender<Doors>,
    upstream: SocketAddr,
    open: AtomicUsize,
}

/// A running proxy. It and all its connections end when it is dropped.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Listens on a free port of loopback; nothing is hurt yet. The server may come later: until then connections are
    /// reset.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(upstream: SocketAddr, protocol: Protocol) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            protocol,
            traps: Traps::default(),
            modes: [watch::Sender::new(Mode::Pass), watch::Sender::new(Mode::Pass)],
            cut: watch::Sender::new(None),
            doors: watch::Sender::new(Doors::Open),
            upstream,
            open: AtomicUsize::new(0),
        });
        let task = tokio::spawn(listen(listener, shared.clone()));
        Ok(Self { address, shared, task })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How bytes go one way from now on.
    pub fn set(&self, way: Way, mode: Mode) {
        self.shared.modes[way.index()].send_replace(mode);
    }

    /// The same for both ways.
    pub fn set_both(&self, mode: Mode) {
        self.set(Way::ToServer, mode);
        self.set(Way::ToClient, mode);
    }

    /// What new connections meet from now on.
    pub fn doors(&self, doors: Doors) {
        self.shared.doors.send_replace(doors);
    }

    /// Ends the connections that are open now.
    pub fn cut(&self, end: End) {
        self.shared.cut.send_replace(Some(end));
    }

    /// Sets a trap.
    pub fn trap(&self, trap: Trap) -> Sprung {
        self.shared.traps.set(trap)
    }

    /// Ends all faults: bytes pass, doors are open, no trap is set. Connections that can't go on are reset by themselves,
    /// except silent ones: [`Proxy::cut`] them.
    pub fn heal(&self) {
        self.shared.traps.clear();
        self.set_both(Mode::Pass);
        self.doors(Doors::Open);
    }

    /// Connections that are open now.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // The connections belong to this task.
        self.task.abort();
    }
}

async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            taken = listener.accept() => match taken {
                Ok((client, _)) => {
                    let shared = shared.clone();
                    shared.open.fetch_add(1, Ordering::SeqCst);
                    connections.spawn(async move {
                        serve(&shared, client).await;
                        shared.open.fetch_sub(1, Ordering::SeqCst);
                    });
                }
                // No descriptor is free, or the client has gone again.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            _ = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

async fn serve(shared: &Shared, client: TcpStream) {
    let doors = *shared.doors.borrow();
    if doors == Doors::Hang {
        let mut cut = shared.cut.subscribe();
        cut.mark_unchanged();
        let mut doors = shared.doors.subscribe();
        tokio::select! {
            _ = told(&mut cut) => {}
            _ = doors.wait_for(|doors| *doors != Doors::Hang) => {}
        }
    }
    let is_open = doors == Doors::Open && shared.open.load(Ordering::SeqCst) <= CONNECTIONS_MAX;
    if is_open && let Ok(Ok(server)) = timeout(CONNECT, TcpStream::connect(shared.upstream)).await {
        // What is small must not wait for more.
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        return lead(shared, client, server).await;
    }
    let _ = client.set_zero_linger();
}
