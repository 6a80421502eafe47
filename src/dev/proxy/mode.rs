//! How bytes go through, how connections begin and how they end.

use std::time::Duration;

/// A direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

impl Way {
    pub(super) const fn index(self) -> usize {
        self as usize
    }
}

/// How bytes go one way. A change holds at once, also for connections that are open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Unhindered.
    #[default]
    Pass,
    /// Read and thrown away. The stream has a hole then, so a connection that lost bytes is reset when this ends.
    Drop,
    /// Not read: like a link that is down. Both ends see an open connection, and what was sent arrives when this ends.
    Stall,
    /// Later by this much: each read of up to 16 KiB waits for itself.
    Delay(Duration),
    /// At most so many bytes a second; 0 counts as 1.
    Rate(u64),
}

/// What a new connection meets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Doors {
    /// It is led to the server.
    #[default]
    Open,
    /// It is reset at once.
    Refuse,
    /// It is taken, and nobody ever answers.
    Hang,
}

/// How an open connection is ended, both its sides alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// RST.
    Reset,
    /// FIN.
    Fin,
    /// Not at all: it stays open, and whatever either side sends is thrown away. What one side sees of a machine that lost
    /// its power. Only [`Proxy::cut`](super::Proxy::cut) and the end of the proxy end it.
    Silence,
}
