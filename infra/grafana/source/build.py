#!/usr/bin/env python3
"""Writes ../dashboards/*.json out of the modules here. `build.py --check` only says whether they are up to date.
Standard library only."""

import json
import sys
from pathlib import Path

import errors_and_vendors
import fleet
import llm_cost
import processing
import queue_health
import start_here

OUT = Path(__file__).resolve().parent.parent / "dashboards"


def main(arguments):
    if arguments not in ([], ["--check"]):
        return "usage: infra/grafana/source/build.py [--check]"
    stale = []
    for module in (start_here, queue_health, processing, llm_cost, errors_and_vendors, fleet):
        made = module.dashboard()
        path, text = OUT / f"{made['uid']}.json", json.dumps(made, indent=2) + "\n"
        if arguments and (not path.is_file() or path.read_text() != text):
            stale.append(path.name)
        elif not arguments:
            path.write_text(text)
    if stale:
        return f"not what infra/grafana/source makes: {', '.join(stale)}; run infra/grafana/source/build.py"
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
