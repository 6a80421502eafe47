"""taskiq 0.13.0 on RabbitMQ, with taskiq-aio-pika 0.6.1.

Two worker processes, the CLI's default and one a processor, and 100 tasks at once, its default too; as many messages
prefetched (`qos`, 10 by default); with 500 of both it was no faster. uvloop, which the CLI uses when it is installed;
the ORJSON serializer; `--no-parse`, since there is nothing to convert. The queue is a durable classic one like those of
Celery and Dramatiq: a quorum queue, the default, was slower. A message is acknowledged after its task, the default.
Enqueued with `kiq`, a thousand at a time: there is no bulk call, and aio-pika waits for the publisher confirm of each.
"""

import asyncio
import os
import sys
import time

from taskiq.serializers import ORJSONSerializer
from taskiq_aio_pika import AioPikaBroker, Queue, QueueType

import common

WORKERS = 2
QUEUE = "taskiq"
BATCH = 1000
AT_ONCE = 100

broker = AioPikaBroker(os.environ["AMQP_URL"], qos=AT_ONCE, task_queues=[Queue(name=QUEUE, type=QueueType.CLASSIC)])
broker = broker.with_serializer(ORJSONSerializer())


# Named: the name would otherwise depend on how this file was started.
@broker.task(task_name="noop")
async def noop(_payload):
    common.ran()


async def enqueue():
    payloads = common.payloads()
    await broker.startup()
    begun = time.monotonic()
    for start in range(0, len(payloads), BATCH):
        await asyncio.gather(*(noop.kiq(payload) for payload in payloads[start : start + BATCH]))
    seconds = time.monotonic() - begun
    await broker.shutdown()
    return seconds


def main():
    import uvloop

    seconds = uvloop.run(enqueue())
    common.wait_for_backlog(QUEUE)
    command = [sys.executable, "-m", "taskiq", "worker", "taskiq_peer:broker", "--workers", WORKERS, "--no-parse"]
    command += ["--max-async-tasks", AT_ONCE, "--log-level", "WARNING"]
    common.report(enqueue=seconds, drain=common.drain([command], QUEUE))


if __name__ == "__main__":
    main()
