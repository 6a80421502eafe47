"""dramatiq 2.2.1 on RabbitMQ.

One process a processor and eight threads each, the defaults of its CLI; two and four threads were no faster. A larger
prefetch (`dramatiq_queue_prefetch` in its changelog and in worker.py) than twice the threads, the default, since jobs
that do nothing wait for messages rather than for each other: that was faster. The default middleware stays. A message
is acknowledged after its job, as always in Dramatiq.
Enqueued with `broker.enqueue`, one message a call: `group.run` and `Actor.send` do the same, and there is no bulk call.
Publisher confirms are off by default (`confirm_delivery=False`); `--confirmed` measures enqueueing with them.
"""

import os
import sys
import time

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker

import common

PROCESSES = 2
THREADS = 8
PREFETCH = 256
QUEUE = "noop"

broker = RabbitmqBroker(url=os.environ["AMQP_URL"], confirm_delivery="--confirmed" in sys.argv)
dramatiq.set_broker(broker)


@dramatiq.actor(queue_name=QUEUE)
def noop(_payload):
    common.ran()


def enqueue():
    messages = [noop.message(payload) for payload in common.payloads()]
    # Connects and declares the queue.
    broker.declare_queue(QUEUE, ensure=True)
    begun = time.monotonic()
    for message in messages:
        broker.enqueue(message)
    return time.monotonic() - begun


def main():
    seconds = enqueue()
    common.wait_for_backlog(QUEUE)
    if broker.confirm_delivery:
        common.report(enqueue_confirmed=seconds)
        return
    os.environ["dramatiq_queue_prefetch"] = str(PREFETCH)
    command = [sys.executable, "-m", "dramatiq", "dramatiq_peer", "--processes", PROCESSES, "--threads", THREADS]
    common.report(enqueue=seconds, drain=common.drain([command], QUEUE))


if __name__ == "__main__":
    main()
