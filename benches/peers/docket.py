"""Docket itself, on the run's servers."""

import json
import os

from process import Failed, measured

RETENTION = "DOCKET_RETENTION_COMPLETED"


def definitions(binary):
    """What the broker must know before Docket works: exchanges, queues, bindings and policies."""
    output, _ = measured([binary, "topology", "export", "--json"], dict(os.environ), limit=60)
    return json.loads(output)


def measure(binary, servers, jobs, keeps_completed=True):
    """One measurement. Processor seconds are those of a whole drain: start, migration, enqueueing, and the drain."""
    before = servers.cpu()
    drain, own = bench(binary, servers, jobs, "drain", keeps_completed)
    after = servers.cpu()
    enqueue, _ = bench(binary, servers, jobs, "enqueue", keeps_completed)
    return {
        "enqueue_per_second": enqueue["enqueue_per_second"],
        "drain_per_second": drain["drain_per_second"],
        "cpu_seconds": {"own": own} | {name: max(0.0, after[name] - before[name]) for name in after},
    }


def bench(binary, servers, jobs, scenario, keeps_completed):
    with servers.postgres.database("docket") as database:
        ours = ("DATABASE_URL_FILE", "AMQP_URL_FILE", RETENTION)
        env = {name: value for name, value in os.environ.items() if name not in ours}
        env |= {"DATABASE_URL": database, "AMQP_URL": servers.rabbitmq.url("%2f")}
        if not keeps_completed:
            env[RETENTION] = "0s"
        command = [binary, "bench", "--scenario", scenario, "--jobs", jobs, "--external", "--json"]
        output, cpu = measured(command, env, limit=120 + jobs / 50)
    return report(output, scenario), cpu


def report(output, scenario):
    """Reads what `docket bench --json` prints: a line for each scenario."""
    for line in map(json.loads, output.splitlines()):
        if line.get("scenario") == scenario:
            return line
    raise Failed(f"`docket bench --json` printed no line of the scenario {scenario}, but: {output[:300]!r}")
