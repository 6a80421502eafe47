"""What the Python peers share: the payload, the count of jobs that ran, worker processes, and the line they print."""

import ctypes
import json
import mmap
import os
import random
import signal
import string
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import pika

JOBS = int(os.environ["PEERS_JOBS"])
TALLY = Path(os.environ["PEERS_DIR"]) / "tally"
HERE = Path(__file__).resolve().parent

# How long nothing may happen before a drain counts as stuck.
STUCK = 60
# Jobs that ran, when the first began and when the last ended: CLOCK_MONOTONIC, the same for all processes.
SLOT = struct.Struct("qqq")
PR_SET_PDEATHSIG = 1


def payloads():
    """Arguments of about 200 bytes, as `docket bench` has them."""
    letters = string.ascii_letters + string.digits
    return [{"ms": 0, "text": "".join(random.choices(letters, k=180))} for _ in range(JOBS)]


class Tally:
    """Counts in a file of each process's own, mapped into memory: a job costs it about a microsecond."""

    def __init__(self):
        self.lock, self.map, self.count, self.first = threading.Lock(), None, 0, 0

    def ran(self):
        with self.lock:
            now = time.monotonic_ns()
            if self.map is None:
                TALLY.mkdir(exist_ok=True)
                path = TALLY / str(os.getpid())
                path.write_bytes(bytes(SLOT.size))
                with path.open("r+b") as file:
                    self.map, self.first = mmap.mmap(file.fileno(), SLOT.size), now
            self.count += 1
            SLOT.pack_into(self.map, 0, self.count, self.first, now)


TALLY_OF_PROCESS = Tally()
ran = TALLY_OF_PROCESS.ran


def tallied():
    """All processes together: the count, the first job's start, the last one's end."""
    texts = [path.read_bytes() for path in TALLY.iterdir()] if TALLY.exists() else []
    # A file may just have been made.
    slots = [slot for slot in (SLOT.unpack(text) for text in texts if len(text) == SLOT.size) if slot[0]]
    if not slots:
        return 0, 0, 0
    counts, firsts, lasts = zip(*slots)
    return sum(counts), min(firsts), max(lasts)


def worker(command):
    """Starts a worker; it ends with this process."""
    libc = ctypes.CDLL(None)
    env = os.environ | {"PYTHONPATH": str(HERE)}
    end_with_parent = lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    return subprocess.Popen([str(word) for word in command], env=env, stdout=sys.stderr, preexec_fn=end_with_parent)


def drain(commands, queue, recorded=None):
    """Starts the workers and waits for the last job: the seconds from the first job's start to the last one's end.

    `recorded` tells whether all outcomes are recorded, where a peer records them: the time ends when they are.
    """
    workers = [worker(command) for command in commands]
    count, since = 0, time.monotonic()
    while True:
        now, first, last = tallied()
        if now >= JOBS and (recorded is None or recorded()):
            end = last if recorded is None else time.monotonic_ns()
            break
        if now != count:
            count, since = now, time.monotonic()
        ended = [one.returncode for one in workers if one.poll() is not None]
        if ended or time.monotonic() - since > STUCK:
            stop(workers)
            what = f"a worker ended with {ended[0]}" if ended else "nothing happened"
            sys.exit(f"{now} of {JOBS} jobs ran, then {what}")
        time.sleep(0.005)
    stop(workers)
    check(queue)
    return (end - first) / 1e9


def stop(workers):
    for one in workers:
        one.terminate()
    for one in workers:
        try:
            one.wait(20)
        except subprocess.TimeoutExpired:
            one.kill()
            one.wait()


def check(queue):
    """After the workers' end: every job ran once, and nothing is left that would have to be delivered again."""
    ran_in_all = tallied()[0]
    left = waiting(queue)
    if ran_in_all != JOBS or left:
        sys.exit(f"{ran_in_all} jobs ran and {left} messages are left; {JOBS} were enqueued")


def waiting(queue):
    with pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URL"])) as connection:
        return connection.channel().queue_declare(queue, passive=True).method.message_count


def wait_for_backlog(queue):
    """Unconfirmed messages may still be on their way when the last publish has returned."""
    limit = time.monotonic() + STUCK
    while waiting(queue) < JOBS:
        if time.monotonic() > limit:
            sys.exit(f"{waiting(queue)} of {JOBS} messages reached the queue")
        time.sleep(0.01)


def report(**seconds):
    """`enqueue=1.5` becomes `enqueue_per_second`."""
    print(json.dumps({f"{name}_per_second": JOBS / value for name, value in seconds.items()}))
