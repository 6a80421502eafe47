"""The peers: what each is, what it needs, and how one of them is measured."""

import contextlib
import json
import os
import sys
import tempfile
from dataclasses import dataclass

from install import HERE, STATE
from process import Failed, measured

NODE = ["node"]
PYTHON = [STATE / "venv/bin/python"]
RUST = STATE / "target/release"


@dataclass(frozen=True, eq=False)
class Peer:
    name: str
    version: str
    durability: str
    # Of postgres, rabbitmq, redis: what it works with.
    servers: tuple
    command: list
    # A further measurement of enqueueing alone, whose keys are added.
    also: list | None = None


PEERS = [
    Peer(
        "graphile-worker",
        "0.17.3",
        "PostgreSQL, synchronous commit",
        ("postgres",),
        [*NODE, HERE / "node/graphile-worker.cjs"],
    ),
    Peer(
        "graphile-worker-rs",
        "0.14.1",
        "PostgreSQL, synchronous commit",
        ("postgres",),
        [RUST / "graphile_worker"],
    ),
    Peer(
        "apalis-postgres",
        "1.0.0",
        "PostgreSQL, synchronous commit",
        ("postgres",),
        [RUST / "apalis_postgres"],
    ),
    Peer("bullmq", "6.7.0", "Redis, nothing durable", ("redis",), [*NODE, HERE / "node/bullmq.cjs"]),
    Peer("sidekiq", "6.4.1", "Redis, nothing durable", ("redis",), ["ruby", HERE / "ruby/sidekiq.rb"]),
    Peer(
        "pg-boss",
        "10.4.2",
        "PostgreSQL, synchronous commit",
        ("postgres",),
        [*NODE, HERE / "node/pg-boss.cjs"],
    ),
    Peer(
        "dramatiq",
        "2.2.1",
        "RabbitMQ, persistent messages, no confirms",
        ("rabbitmq",),
        [*PYTHON, HERE / "python/dramatiq_peer.py"],
        [*PYTHON, HERE / "python/dramatiq_peer.py", "--confirmed"],
    ),
    Peer(
        "taskiq",
        "0.13.0",
        "RabbitMQ, persistent messages, confirms",
        ("rabbitmq",),
        [*PYTHON, HERE / "python/taskiq_peer.py"],
    ),
    Peer(
        "celery",
        "5.7.0",
        "RabbitMQ, persistent messages, no confirms",
        ("rabbitmq",),
        [*PYTHON, HERE / "python/celery_peer.py"],
        [*PYTHON, HERE / "python/celery_peer.py", "--confirmed"],
    ),
    Peer(
        "celery-results",
        "5.7.0",
        "RabbitMQ, persistent messages, no confirms; results in PostgreSQL, synchronous commit",
        ("rabbitmq", "postgres"),
        [*PYTHON, HERE / "python/celery_peer.py", "--results"],
    ),
]
NAMES = [peer.name for peer in PEERS]

# What of the caller's environment programs need; the rest might change what they do.
KEPT = ("PATH", "HOME", "LANG", "TMPDIR")


def measure(peer, servers, jobs):
    """One measurement of a peer: its rates, and the processor seconds of it and of the servers."""
    before = servers.cpu()
    result, own = run(peer.command, peer, servers, jobs)
    after = servers.cpu()
    if peer.also:
        result |= run(peer.also, peer, servers, jobs)[0]
    cpu = {"own": own} | {name: max(0.0, after[name] - before[name]) for name in after}
    return result | {"cpu_seconds": cpu}


def run(command, peer, servers, jobs):
    with contextlib.ExitStack() as stack:
        scratch = stack.enter_context(tempfile.TemporaryDirectory(dir=servers.dir))
        env = {name: os.environ[name] for name in KEPT if name in os.environ}
        env |= {
            "PEERS_JOBS": str(jobs),
            "PEERS_DIR": scratch,
            "NODE_PATH": str(STATE / "node/node_modules"),
            "NODE_ENV": "production",
            "PYTHONPYCACHEPREFIX": str(STATE / "pycache"),
        }
        if "postgres" in peer.servers:
            env["DATABASE_URL"] = stack.enter_context(servers.postgres.database("peer"))
        if "rabbitmq" in peer.servers:
            env["AMQP_URL"] = stack.enter_context(servers.rabbitmq.vhost())
        if "redis" in peer.servers:
            env["REDIS_URL"] = stack.enter_context(servers.redis.empty())
        output, cpu = measured(command, env, limit=120 + jobs / 50)
    lines = output.splitlines()
    try:
        result = json.loads(lines[-1])
    except (IndexError, ValueError):
        raise Failed(f"{peer.name} printed no result, but: {output[-500:]!r}") from None
    for line in lines[:-1]:
        print(line, file=sys.stderr)
    return result, cpu
