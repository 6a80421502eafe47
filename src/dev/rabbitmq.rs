//! A private RabbitMQ node.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::binaries::RabbitMqBinaries;
use super::rabbitmq_config::{NodeDir, Ports, USER, first_vhost, with_user, without_topology};
use super::service::Service;
use super::state::Watch;
use super::supervise::Supervised;

/// A new node takes 9 s on a calm machine.
const START_LIMIT: Duration = Duration::from_secs(120);

/// It takes 2 s on a calm machine.
const CTL_LIMIT: Duration = Duration::from_secs(60);

/// A private RabbitMQ node: everything on 127.0.0.1, one user with a random password, management and prometheus on.
pub struct RabbitMq {
    binaries: RabbitMqBinaries,
    dir: NodeDir,
    ports: Ports,
    urls: Urls,
    epmd: Service,
    node: Service,
    definitions: Value,
}

struct Urls {
    amqp: String,
    management: String,
}

/// What a private node is made of.
pub(super) struct RabbitMqParts {
    pub(super) binaries: RabbitMqBinaries,
    pub(super) root: PathBuf,
    pub(super) ports: Ports,
    pub(super) password: String,
    pub(super) keep: bool,
    pub(super) definitions: Value,
}

impl RabbitMq {
    /// Starts a node and does not wait for it.
    pub(super) async fn create(parts: RabbitMqParts, watch: Arc<Watch>) -> Result<Self> {
        let RabbitMqParts { binaries, root, ports, password, keep, definitions } = parts;
        let definitions = with_user(definitions, &password)?;
        let dir = NodeDir(root.join("rabbitmq"));
        dir.write(ports, &definitions)?;
        let vhost: String = url::form_urlencoded::byte_serialize(first_vhost(&definitions).as_bytes()).collect();
        let urls = Urls {
            // An encoded space is %20 in a path.
            amqp: format!("amqp://{USER}:{password}@127.0.0.1:{}/{}", ports.amqp, vhost.replace('+', "%20")),
            management: format!("http://{USER}:{password}@127.0.0.1:{}", ports.management),
        };
        let signal = if keep { Signal::SIGTERM } else { Signal::SIGKILL };
        let epmd = Service::new("epmd", dir.path("log/epmd.log"), Signal::SIGTERM, Arc::clone(&watch));
        let node = Service::new("rabbitmq", dir.path("log/console.log"), signal, watch);
        let rabbitmq = Self { binaries, dir, ports, urls, epmd, node, definitions };
        rabbitmq.start().await?;
        Ok(rabbitmq)
    }

    /// The broker's URL, with its password and the first virtual host of the definitions.
    pub fn amqp_url(&self) -> &str {
        &self.urls.amqp
    }

    /// The management API's URL, with its password.
    pub fn management_url(&self) -> &str {
        &self.urls.management
    }

    /// The port of the node's own metrics, at `/metrics`.
    pub fn prometheus_port(&self) -> u16 {
        self.ports.prometheus
    }

    /// Processor time of the node so far.
    pub fn cpu(&self) -> Duration {
        self.node.cpu()
    }

    /// Waits until the node answers AMQP; by then it has imported its definitions.
    ///
    /// # Errors
    ///
    /// The node has ended or takes too long; the error quotes its log.
    pub async fn wait(&self) -> Result<()> {
        let answers = async {
            loop {
                self.node.check()?;
                if answers_amqp(self.ports.amqp).await {
                    return Ok(());
                }
                sleep(Duration::from_millis(50)).await;
            }
        };
        match timeout(START_LIMIT, answers).await {
            Ok(result) => result,
            Err(_) => bail!("RabbitMQ doesn't answer; its log ends with:\n{}", self.node.log_end()),
        }
    }

    /// Starts a node that was stopped or killed, at the same ports with the same data; [`RabbitMq::wait`] waits for it.
    ///
    /// # Errors
    ///
    /// The programs don't start.
    pub async fn start(&self) -> Result<()> {
        if self.epmd.check().is_err() {
            self.epmd.spawn(self.dir.epmd(&self.binaries, self.ports))?;
            timeout(Duration::from_secs(20), self.epmd_accepts()).await.context("epmd doesn't answer")??;
        }
        self.node.spawn(self.dir.server(&self.binaries, self.ports))
    }

    /// Ends the node and waits for its end: in order when its data is kept, at once otherwise.
    pub async fn stop(&self) {
        self.node.stop().await;
        self.epmd.stop().await;
    }

    /// Kills the node.
    pub async fn kill9(&self) {
        self.node.kill9().await;
    }

    /// Kills the node and starts it again; it keeps what it had confirmed.
    ///
    /// # Errors
    ///
    /// As [`RabbitMq::wait`].
    pub async fn restart(&self) -> Result<()> {
        self.kill9().await;
        self.start().await?;
        self.wait().await
    }

    /// Kills the node, removes its data, and starts it again: only its definitions come back.
    ///
    /// # Errors
    ///
    /// The data can't be removed; otherwise as [`RabbitMq::wait`].
    pub async fn wipe(&self) -> Result<()> {
        self.kill9().await;
        self.dir.wipe()?;
        self.start().await?;
        self.wait().await
    }

    /// The same without what the definitions say of queues, exchanges, bindings and policies: a node that somebody set up
    /// anew and forgot the topology. A later wipe brings all of it back.
    ///
    /// # Errors
    ///
    /// As [`RabbitMq::wipe`].
    pub async fn wipe_bare(&self) -> Result<()> {
        self.kill9().await;
        self.dir.wipe()?;
        let all = self.dir.definitions()?;
        self.dir.write_definitions(&without_topology(all.clone()))?;
        let started = async {
            self.start().await?;
            self.wait().await
        };
        let started = started.await;
        self.dir.write_definitions(&all)?;
        started
    }

    /// Runs rabbitmqctl for the node, such as `["set_vm_memory_high_watermark", "0"]`, and returns what it printed.
    ///
    /// # Errors
    ///
    /// It can't be run, fails (the error quotes it), or takes longer than a minute.
    pub async fn ctl(&self, arguments: &[&str]) -> Result<String> {
        let mut command = tokio::process::Command::from(self.dir.ctl(&self.binaries, self.ports));
        let output = command.args(arguments).kill_on_drop(true).output();
        let output = timeout(CTL_LIMIT, output).await.context("rabbitmqctl takes too long")?;
        let output = output.context("can't run rabbitmqctl; reinstall rabbitmq-server")?;
        if !output.status.success() {
            bail!("rabbitmqctl {arguments:?} failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Stops the node's processor time: its sockets stay open and nobody answers.
    pub fn suspend(&self) {
        self.node.signal(Signal::SIGSTOP);
    }

    /// Ends [`RabbitMq::suspend`].
    pub fn resume(&self) {
        self.node.signal(Signal::SIGCONT);
    }

    async fn epmd_accepts(&self) -> Result<()> {
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.ports.epmd)).await.is_err() {
            self.epmd.check()?;
            sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }
}

impl Supervised for RabbitMq {
    const NAME: &'static str = "rabbitmq";

    fn has_died(&self) -> bool {
        self.node.has_died()
    }

    async fn revive(&self) -> Result<()> {
        // Whoever removed the data may have removed all of it.
        self.dir.write(self.ports, &self.definitions)?;
        self.start().await
    }
}

/// Whether a broker greets: the client's header is answered by a frame of type 1, a method.
async fn answers_amqp(port: u16) -> bool {
    let greet = async {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        stream.write_all(b"AMQP\x00\x00\x09\x01").await?;
        stream.read_u8().await
    };
    matches!(timeout(Duration::from_secs(5), greet).await, Ok(Ok(1)))
}
