"""Private servers of the run, on free loopback ports. The machine's own servers are left alone.

PostgreSQL and RabbitMQ get the settings that Docket's own private servers have (src/dev/postgres.rs, durable, and
src/dev/rabbitmq_config.rs), so that `docket bench` means the same here and there.
"""

import base64
import contextlib
import fcntl
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

from process import Failed, start, tree_cpu

USER = "docket"
# The virtual host of the peers; Docket's topology is in "/".
VHOST = "peers"
START_LIMIT = 120


def free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def wait_until(answers, process, log):
    """Waits until a server answers; says what its log says if it ends or takes too long."""
    limit = time.monotonic() + START_LIMIT
    while not answers():
        if process.poll() is not None or time.monotonic() > limit:
            end = log.read_text(errors="replace")[-2000:] if log.exists() else ""
            raise Failed(f"{log.stem} doesn't start; its log ends with:\n{end}")
        time.sleep(0.05)


def listens(port, hello=b"", answer=b""):
    """Whether somebody takes a connection there, and answers a greeting as it must."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(hello)
            return not answer or connection.recv(len(answer)) == answer
    except OSError:
        return False


class Postgres:
    name = "postgresql"

    def __init__(self, root, password):
        dirs = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
        on_path = shutil.which("initdb")
        if not dirs and not on_path:
            raise Failed("found no initdb; install it with `apt-get install postgresql`")
        self.bin = max(dirs, key=lambda path: int(path.parent.name)) if dirs else Path(on_path).resolve().parent
        self.root, self.password, self.data = root, password, root / "postgres"
        [self.port] = free_ports(1)
        # PostgreSQL refuses to be root.
        self.account = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        self.env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C"}
        self.process = None

    def start(self):
        self.data.mkdir(mode=0o700)
        secret = self.root / "postgres.password"
        secret.write_text(self.password)
        if self.account:
            shutil.chown(self.data, "postgres", "postgres")
            shutil.chown(secret, "postgres", "postgres")
        initdb = [self.bin / "initdb", "--username", USER, "--auth=scram-sha-256", "--no-locale", "--encoding=UTF8"]
        initdb += ["--no-sync", "--pwfile", secret, "-D", self.data]
        done = subprocess.run(initdb, env=self.env, cwd=self.data, capture_output=True, text=True, **self.account)
        if done.returncode:
            raise Failed(f"initdb failed: {done.stderr.strip()}")
        settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=300"]
        command = [self.bin / "postgres", "-D", self.data, "-p", self.port]
        command += [word for setting in settings for word in ("-c", setting)]
        log = self.root / "postgres.log"
        with log.open("w") as output:
            said = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output}
            self.process = start(command, env=self.env, cwd=self.data, **said, **self.account)
        wait_until(lambda: self.ask("select 1", check=False), self.process, log)
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            if self.ask(f"show {setting}") != "on":
                raise Failed(f"{setting} is not on: this would be no measurement of anything durable")

    def url(self, database):
        return f"postgres://{USER}:{self.password}@127.0.0.1:{self.port}/{database}"

    def ask(self, sql, check=True):
        command = [self.bin / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql, self.url("postgres")]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode and check:
            raise Failed(f"psql failed: {done.stderr.strip()}")
        return done.stdout.strip() if not done.returncode else ""

    @contextlib.contextmanager
    def database(self, name):
        """An empty database for one measurement, which does not pay for what the last one left to be written."""
        self.ask(f'create database "{name}"')
        self.ask("checkpoint")
        try:
            yield self.url(name)
        finally:
            self.ask(f'drop database if exists "{name}" with (force)', check=False)

    def stop(self):
        end(self.process, signal.SIGQUIT)


class RabbitMq:
    name = "rabbitmq"

    def __init__(self, root, password, definitions):
        self.server = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
        if not self.server.is_file() or not shutil.which("epmd"):
            raise Failed("found no RabbitMQ; install it with `apt-get install rabbitmq-server`")
        self.dir, self.password, self.definitions = root / "rabbitmq", password, definitions
        self.port, self.management, self.distribution, self.epmd_port = free_ports(4)
        self.epmd = self.process = None

    def configure(self, log):
        """Writes what the node reads when it boots."""
        (self.dir / "log").mkdir(parents=True, mode=0o700)
        vhosts = [{"name": "/"}, {"name": VHOST}]
        allowed = {"user": USER, "configure": ".*", "write": ".*", "read": ".*"}
        definitions = self.definitions | {
            "vhosts": vhosts,
            "users": [{"name": USER, "password": self.password, "tags": "administrator"}],
            "permissions": [allowed | {"vhost": vhost["name"]} for vhost in vhosts],
        }
        files = {
            "env.conf": "",
            "enabled_plugins": "[rabbitmq_management,rabbitmq_prometheus].\n",
            "definitions.json": json.dumps(definitions),
            "rabbitmq.conf": "\n".join(
                [
                    f"listeners.tcp.1 = 127.0.0.1:{self.port}",
                    "management.tcp.ip = 127.0.0.1",
                    f"management.tcp.port = {self.management}",
                    "prometheus.tcp.ip = 127.0.0.1",
                    f"prometheus.tcp.port = {free_ports(1)[0]}",
                    "definitions.import_backend = local_filesystem",
                    f"definitions.local.path = {self.dir}/definitions.json",
                    "heartbeat = 10",
                    "disk_free_limit.absolute = 50MB",
                    "vm_memory_high_watermark.relative = 0.4",
                    "raft.wal_max_size_bytes = 33554432",
                    "log.console = false",
                    f"log.file = {log}",
                    "log.file.level = info",
                    "",
                ]
            ),
        }
        for name, text in files.items():
            (self.dir / name).write_text(text)

    def start(self):
        log = self.dir / "log" / "rabbitmq.log"
        self.configure(log)
        own = {"HOME": self.dir, "LANG": "C.UTF-8", "PATH": os.environ["PATH"]}
        own |= {"ERL_EPMD_PORT": self.epmd_port, "ERL_EPMD_ADDRESS": "127.0.0.1"}
        epmd = ["epmd", "-port", self.epmd_port, "-address", "127.0.0.1"]
        quiet = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL) | {"cwd": self.dir}
        self.epmd = start(epmd, env=texts(own), **quiet)
        wait_until(lambda: listens(self.epmd_port), self.epmd, log)
        node = {
            # Makes the script exec the node, so that the child we started is the node.
            "RUNNING_UNDER_SYSTEMD": "true",
            "RABBITMQ_NODENAME": "peers@localhost",
            "RABBITMQ_DIST_PORT": self.distribution,
            "RABBITMQ_CONF_ENV_FILE": self.dir / "env.conf",
            "RABBITMQ_CONFIG_FILE": self.dir / "rabbitmq.conf",
            "RABBITMQ_ADVANCED_CONFIG_FILE": self.dir / "advanced.config",
            "RABBITMQ_ENABLED_PLUGINS_FILE": self.dir / "enabled_plugins",
            "RABBITMQ_MNESIA_BASE": self.dir / "mnesia",
            "RABBITMQ_LOG_BASE": self.dir / "log",
            "RABBITMQ_PLUGINS_EXPAND_DIR": self.dir / "plugins",
            "RABBITMQ_FEATURE_FLAGS_FILE": self.dir / "feature_flags",
            "RABBITMQ_PID_FILE": self.dir / "pid",
            "ERL_FLAGS": "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_CRASH_DUMP_SECONDS": "0",
        }
        self.process = start([self.server], env=texts(own | node), **quiet)
        greeting = b"AMQP\x00\x00\x09\x01"
        wait_until(lambda: listens(self.port, greeting, b"\x01"), self.process, log)

    def url(self, vhost):
        return f"amqp://{USER}:{self.password}@127.0.0.1:{self.port}/{vhost}"

    @contextlib.contextmanager
    def vhost(self):
        """An empty virtual host for one measurement."""
        self.manage("DELETE", f"vhosts/{VHOST}")
        self.manage("PUT", f"vhosts/{VHOST}")
        self.manage("PUT", f"permissions/{VHOST}/{USER}", {"configure": ".*", "write": ".*", "read": ".*"})
        yield self.url(VHOST)

    def manage(self, method, path, body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.management}/api/{path}", method=method)
        request.add_header("content-type", "application/json")
        account = base64.b64encode(f"{USER}:{self.password}".encode()).decode()
        request.add_header("authorization", f"Basic {account}")
        # No proxy that the environment names stands before a loopback address.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        opener.open(request, data=json.dumps(body or {}).encode(), timeout=60).close()

    def stop(self):
        end(self.process, signal.SIGKILL)
        end(self.epmd, signal.SIGTERM)


class Redis:
    """As fast as it goes: no snapshots and no log, so nothing survives."""

    name = "redis"

    def __init__(self, root):
        self.root, self.process = root, None
        [self.port] = free_ports(1)

    def start(self):
        command = ["redis-server", "--port", self.port, "--bind", "127.0.0.1", "--dir", self.root]
        command += ["--save", "", "--appendonly", "no"]
        log = self.root / "redis.log"
        with log.open("w") as output:
            self.process = start(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        wait_until(lambda: listens(self.port, b"PING\r\n", b"+PONG"), self.process, log)

    @contextlib.contextmanager
    def empty(self):
        if not listens(self.port, b"FLUSHALL\r\n", b"+OK"):
            raise Failed("Redis refuses FLUSHALL")
        yield f"redis://127.0.0.1:{self.port}/0"

    def stop(self):
        end(self.process, signal.SIGKILL)


def texts(env):
    return {name: str(value) for name, value in env.items()}


def end(process, with_signal):
    """Ends a server and waits for its end."""
    if process and process.poll() is None:
        process.send_signal(with_signal)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Servers:
    """All of them, for as long as a `with` lasts."""

    def __init__(self, state, definitions, with_redis):
        self.state = reachable(state)
        self.state.mkdir(parents=True, exist_ok=True)
        self.dir = self.state / f"run-{secrets.token_hex(4)}"
        password = secrets.token_hex(12)
        self.postgres = Postgres(self.dir, password)
        self.rabbitmq = RabbitMq(self.dir, password, definitions)
        self.redis = Redis(self.dir) if with_redis else None

    def all(self):
        return [server for server in (self.rabbitmq, self.postgres, self.redis) if server]

    def cpu(self):
        """Processor seconds of each so far."""
        return {server.name: tree_cpu(server.process.pid) for server in self.all()}

    def __enter__(self):
        self.lock = (self.state / "lock").open("w")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Failed(f"another run is under way: it holds {self.lock.name}") from None
        # What a run left that was killed.
        for old in self.state.glob("run-*"):
            shutil.rmtree(old, ignore_errors=True)
        # PostgreSQL's user passes through; each server's own directory is closed.
        self.dir.mkdir(parents=True, mode=0o711)
        try:
            for server in self.all():
                server.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        # Whoever is impatient now would leave something behind.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for server in self.all():
            server.stop()
        shutil.rmtree(self.dir, ignore_errors=True)


def reachable(state):
    """The state directory, or one below /var/tmp if PostgreSQL's user can't get to it."""
    if os.geteuid() != 0:
        return state
    try:
        pwd.getpwnam("postgres")
    except KeyError:
        raise Failed("PostgreSQL refuses to run as root and there is no user postgres; run as another user") from None
    state.mkdir(parents=True, exist_ok=True)
    test = subprocess.run(["test", "-x", state], cwd="/", user="postgres", group="postgres", extra_groups=[])
    return state if not test.returncode else Path("/var/tmp/docket-peers")
