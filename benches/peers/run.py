"""Measures Docket and its peers side by side; scripts/bench-peers is the way in."""

import argparse
import json
import os
import signal
import sys
from pathlib import Path

import docket
import peers
import report
from install import ROOT, STATE, install, say
from process import Failed
from servers import Servers

USAGE = 64
FAILED = 70
INTERRUPTED = 130


def arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/bench-peers",
        description="Measures Docket and ten other job queues side by side: same machine, same jobs, private servers.",
        epilog="Example: scripts/bench-peers --only celery --runs 1 --jobs 5000",
    )
    parser.add_argument("--only", metavar="NAME", action="append", help=f"only this peer: {', '.join(peers.NAMES)}")
    parser.add_argument("--runs", metavar="N", type=positive, default=3, help="each peer so often [default: 3]")
    parser.add_argument("--jobs", metavar="N", type=positive, default=20_000, help="jobs each time [default: 20000]")
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    parser.add_argument("--yes", action="store_true", help="install missing Debian packages without asking")
    # For the script, before it installs and builds anything.
    parser.add_argument("--check-arguments", action="store_true", help=argparse.SUPPRESS)
    parser.error = lambda message: refuse(f"{message}; see --help")
    given = parser.parse_args()
    unknown = [name for name in given.only or [] if name not in peers.NAMES]
    if unknown:
        refuse(f"there is no peer {unknown[0]}; there are: {', '.join(peers.NAMES)}")
    return given


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def refuse(message):
    print(f"error: {message}", file=sys.stderr)
    sys.exit(USAGE)


def main():
    given = arguments()
    if given.check_arguments:
        return
    # The end of a run is the end of all that it started, whatever ends it.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(FAILED))
    chosen = [peer for peer in peers.PEERS if not given.only or peer.name in given.only]
    install(chosen)
    binary = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).absolute() / "release/docket"
    say("Start PostgreSQL, RabbitMQ" + (" and Redis" if needs_redis(chosen) else ""))
    with Servers(STATE, docket.definitions(binary), needs_redis(chosen)) as servers:
        summary = measure(given, chosen, servers, binary)
    if given.json:
        print(json.dumps(summary))
    else:
        print("\n".join(report.table(summary)))


def needs_redis(chosen):
    return any("redis" in peer.servers for peer in chosen)


def measure(given, chosen, servers, binary):
    """All runs: in each, every peer once, and Docket right before it."""
    beside = {peer: [] for peer in chosen}
    measured = {peer: [] for peer in chosen}
    without_retention = []
    refused = False
    for run in range(1, given.runs + 1):
        at = f"run {run} of {given.runs}"
        if not refused:
            try:
                without_retention.append(docket.measure(binary, servers, given.jobs, keeps_completed=False))
                tell(at, "docket, retention = 0", without_retention[-1])
            except Failed as failed:
                if failed.code != USAGE:
                    raise
                say(f"{at}: docket, retention = 0 is left out: this build refuses {docket.RETENTION}=0s")
                refused = True
        for peer in chosen:
            beside[peer].append(docket.measure(binary, servers, given.jobs))
            tell(at, "docket", beside[peer][-1])
            measured[peer].append(peers.measure(peer, servers, given.jobs))
            tell(at, peer.name, measured[peer][-1])
    return report.summary(given.runs, given.jobs, beside, measured, without_retention)


def tell(at, name, one):
    say(f"{at}: {name}: enqueue {one['enqueue_per_second']:,.0f}/s, drain {one['drain_per_second']:,.0f}/s")


if __name__ == "__main__":
    try:
        main()
    except Failed as failed:
        print(f"error: {failed}", file=sys.stderr)
        sys.exit(FAILED)
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)
