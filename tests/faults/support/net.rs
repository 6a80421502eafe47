//! A network namespace with links to this one: a machine of its own, as far as the network goes.
//!
//! A process in it reaches each service through a relay at the near end of a link. A link can go down, or swallow what goes
//! one way without a word, as a broken router does; both ends then see what they would see of a real network.

use super::leftover::is_left_over;
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU32, Ordering},
    },
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::{JoinHandle, JoinSet},
};

/// Followed by this process's number: whoever finds one whose process is gone may remove it.
const PREFIX: &str = "docket-faults-";

/// A namespace with two links, one to each service. It goes with this value, and all that is in it loses the network.
pub(crate) struct Net {
    name: String,
    /// To the database.
    pub(crate) database: Link,
    /// To the broker.
    pub(crate) broker: Link,
}

/// A link, and the relay at its near end.
pub(crate) struct Link {
    namespace: String,
    near: String,
    far: String,
    /// Where the service is, as seen from the far end.
    pub(crate) address: SocketAddr,
    opened: Arc<AtomicU32>,
    cut: Arc<Notify>,
    relay: JoinHandle<()>,
}

impl Net {
    /// A namespace whose links work, to a database and a broker on ports of loopback.
    pub(crate) async fn new(database: u16, broker: u16) -> Self {
        sweep();
        // A namespace lives on for a moment when its name is gone, so no name is used twice.
        static NEXT: AtomicU8 = AtomicU8::new(0);
        let number = NEXT.fetch_add(2, Ordering::Relaxed);
        let name = format!("{PREFIX}{}-{number}", std::process::id());
        run(&format!("ip netns add {name}"));
        run(&format!("ip -n {name} link set lo up"));
        let (database, broker) = (Link::new(&name, number, database).await, Link::new(&name, number + 1, broker).await);
        Self { name, database, broker }
    }

    /// Names that lead to the services, for programs that are started inside from now on.
    pub(crate) fn names(&self, database: &str, broker: &str) -> Names {
        let names = Names {
            dir: Path::new("/etc/netns").join(&self.name),
            hosts: format!("{} {database}\n{} {broker}\n", self.database.address.ip(), self.broker.address.ip()),
        };
        std::fs::create_dir_all(&names.dir).expect("root may");
        // Nobody answers there, and says so.
        std::fs::write(names.dir.join("resolv.conf"), "nameserver 127.0.0.1\n").expect("ours");
        names.remember();
        names
    }

    /// What runs a program inside.
    pub(crate) fn prefix(&self) -> Vec<String> {
        ["ip", "netns", "exec", &self.name].map(str::to_owned).into()
    }
}

impl Link {
    async fn new(namespace: &str, number: u8, to: u16) -> Self {
        let pid = std::process::id();
        // A network of four addresses: this end, that end. Another test process has another block.
        let block = |last| Ipv4Addr::new(10, 200 + u8::try_from(pid % 50).expect("below 50"), number, last);
        // Names of links have 15 characters at most.
        let (near, far) = (format!("df{pid}n{number}"), format!("df{pid}f{number}"));
        run(&format!("ip link add {near} type veth peer name {far} netns {namespace}"));
        run(&format!("ip addr add {}/30 dev {near}", block(1)));
        run(&format!("ip link set {near} up"));
        run(&format!("ip -n {namespace} addr add {}/30 dev {far}", block(2)));
        run(&format!("ip -n {namespace} link set {far} up"));
        let listener = TcpListener::bind((block(1), 0)).await.expect("a port on the link");
        let address = listener.local_addr().expect("it is bound");
        let opened = Arc::new(AtomicU32::new(0));
        let cut = Arc::new(Notify::new());
        let (count, told) = (opened.clone(), cut.clone());
        let relay = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let Ok((client, _)) = listener.accept().await else { continue };
                count.fetch_add(1, Ordering::Relaxed);
                let (service, told) = (SocketAddr::from((Ipv4Addr::LOCALHOST, to)), told.clone());
                connections.spawn(async move {
                    tokio::select! {
                        () = lead(client, service) => {}
                        () = told.notified() => {}
                    }
                });
            }
        });
        Self { namespace: namespace.to_owned(), near, far, address, opened, cut, relay }
    }

    /// Ends the connections that are open now.
    pub(crate) fn cut(&self) {
        self.cut.notify_waiters();
    }

    /// Connections that were opened through it so far.
    pub(crate) fn opened(&self) -> u32 {
        self.opened.load(Ordering::Relaxed)
    }

    /// The cable is out: nothing arrives either way, and nobody is told.
    pub(crate) fn down(&self) {
        run(&format!("ip -n {} link set {} down", self.namespace, self.far));
    }

    /// The cable is in.
    pub(crate) fn up(&self) {
        run(&format!("ip -n {} link set {} up", self.namespace, self.far));
    }

    /// What the service sends vanishes; what is sent to it arrives.
    pub(crate) fn deafen(&self) {
        // No packet is as small as ten bytes, so the filter drops them all.
        run(&format!("tc qdisc replace dev {} root tbf rate 8bit burst 10 limit 10", self.near));
    }

    /// At most so much each way, such as `64kbit`.
    pub(crate) fn slow(&self, rate: &str) {
        run(&format!("tc qdisc replace dev {} root tbf rate {rate} burst 4kb latency 2s", self.near));
        let inside = format!("ip netns exec {} tc", self.namespace);
        run(&format!("{inside} qdisc replace dev {} root tbf rate {rate} burst 4kb latency 2s", self.far));
    }

    /// As it was made.
    pub(crate) fn heal(&self) {
        // There may be no filter to remove.
        let _ = try_run(&format!("tc qdisc del dev {} root", self.near));
        let _ = try_run(&format!("ip netns exec {} tc qdisc del dev {} root", self.namespace, self.far));
        self.up();
    }
}

/// What `ip netns exec` shows as /etc/hosts inside.
pub(crate) struct Names {
    dir: PathBuf,
    hosts: String,
}

impl Names {
    /// They lead where they should.
    pub(crate) fn remember(&self) {
        // Written in place: the file is mounted, and a new one would not be seen.
        std::fs::write(self.dir.join("hosts"), &self.hosts).expect("ours");
    }

    /// Nobody knows them.
    pub(crate) fn forget(&self) {
        std::fs::write(self.dir.join("hosts"), "127.0.0.1 localhost\n").expect("ours");
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.relay.abort();
        // It would go with the namespace, but that lives as long as a process is in it.
        let _ = try_run(&format!("ip link del {}", self.near));
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        let _ = try_run(&format!("ip netns del {}", self.name));
    }
}

async fn lead(mut client: TcpStream, to: SocketAddr) {
    if let Ok(mut server) = TcpStream::connect(to).await {
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        // Either side may vanish: that is what the link is for.
        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
    }
}

/// Removes the namespaces of test processes that are gone.
fn sweep() {
    for entry in std::fs::read_dir("/run/netns").into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_left_over(&name, PREFIX) {
            let _ = try_run(&format!("ip netns del {name}"));
            let _ = std::fs::remove_dir_all(Path::new("/etc/netns").join(&name));
        }
    }
}

fn run(line: &str) {
    if let Err(why) = try_run(line) {
        panic!("{line}: {why}");
    }
}

fn try_run(line: &str) -> Result<(), String> {
    let mut words = line.split_ascii_whitespace();
    let output = Command::new(words.next().expect("a program")).args(words).output().map_err(|e| e.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()) }
}
