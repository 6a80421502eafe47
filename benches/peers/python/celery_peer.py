"""celery 5.7.0 on RabbitMQ; with `--results` its results go to PostgreSQL.

Options follow its guide "Optimizing": a large prefetch multiplier for many short tasks ("this number should be large.
[...] Say 64, or 128"), results ignored where nobody asks for them (`task_ignore_result`), and no gossip, mingle or
heartbeat between workers. Tasks are acknowledged early, the default. Two workers with the pool `threads`, one a
processor: a task that does nothing costs less than its way to a child of the pool `prefork` and back. With `--results`
it is one worker with the pool `prefork`, since elsewhere the database backend makes a connection for each result, and
four children, since they wait for commits. The pools `solo`, `threads` and `prefork` were tried with one to eight, and
the fastest kept. librabbitmq, which the guide names, has no release for this Python.
Enqueued with `apply_async` and one producer for all calls, as the guide "Calling Tasks" shows under "Connections"; a
`group` does the same with more work for each task. Publisher confirms are off by default; `--confirmed` measures
enqueueing with them (`confirm_publish` of the transport).
"""

import os
import sys
import time

from celery import Celery

import common

QUEUE = "celery"
# Workers import this module too.
RESULTS = "--results" in sys.argv or "PEERS_RESULTS" in os.environ
WORKERS, POOL = (1, ["--pool", "prefork", "-c", "4"]) if RESULTS else (2, ["--pool", "threads", "-c", "2"])
CONFIRMED = "--confirmed" in sys.argv

app = Celery("celery_peer", broker=os.environ["AMQP_URL"])
app.conf.update(
    task_ignore_result=not RESULTS,
    worker_prefetch_multiplier=128,
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    broker_transport_options={"confirm_publish": CONFIRMED},
)
if RESULTS:
    app.conf.result_backend = os.environ["DATABASE_URL"].replace("postgres://", "db+postgresql+psycopg2://")
    # Made before the pool forks, as the worker's banner does too: only such a backend keeps its connections.
    app.backend  # noqa: B018


@app.task(name="noop")
def noop(_payload):
    common.ran()


def enqueue():
    payloads = common.payloads()
    with app.producer_or_acquire() as producer:
        # Connects and declares the queue.
        producer.maybe_declare(app.amqp.queues[QUEUE])
        begun = time.monotonic()
        for payload in payloads:
            noop.apply_async((payload,), producer=producer)
        return time.monotonic() - begun


def recorded():
    """Whether every result is in the database."""
    import psycopg2

    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    try:
        cursor = connection.cursor()
        cursor.execute("select count(*) from celery_taskmeta where status = 'SUCCESS'")
        return cursor.fetchone()[0] >= common.JOBS
    finally:
        connection.close()


def main():
    seconds = enqueue()
    common.wait_for_backlog(QUEUE)
    if CONFIRMED:
        common.report(enqueue_confirmed=seconds)
        return
    if RESULTS:
        os.environ["PEERS_RESULTS"] = "yes"
    # Its warning that it runs as root is no news here.
    command = [sys.executable, "-W", "ignore", "-m", "celery", "--quiet", "-A", "celery_peer", "worker", *POOL]
    command += ["--loglevel", "WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat", "--hostname"]
    commands = [[*command, f"worker{number}@localhost"] for number in range(WORKERS)]
    common.report(enqueue=seconds, drain=common.drain(commands, QUEUE, recorded if RESULTS else None))


if __name__ == "__main__":
    main()
