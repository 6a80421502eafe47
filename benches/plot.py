#!/usr/bin/env python3
"""Draws docs/performance.svg from what `docket bench --json` printed: benches/plot.py < benches/measured.ndjson

Lines of the scenarios drain and backlog count; of several with as many workers, the median. Standard library only.
"""

import json
import statistics
import sys
from xml.sax.saxutils import escape

WIDTH, LABEL, BAR, ROW, GAP = 720, 230, 380, 22, 34
COLOURS = {"docket": "#3b6ea5", "rabbitmq": "#d9822b", "postgresql": "#4f9d69", "rate": "#3b6ea5"}


def panels(lines):
    """Title, unit, and rows of a label with its parts: one bar each."""
    drains = [line for line in lines if line["scenario"] == "drain" and line["retention_completed_s"] > 0]
    beside = [line for line in lines if line["scenario"] == "backlog"]
    of = {count: [line for line in drains if line["workers"] == count] for count in (1, 2, 4, 8)}
    workers = [(f"{count} workers" if count > 1 else "1 worker", median(lines, rate)) for count, lines in of.items()]
    yield "Drained jobs a second, by workers on the same two cores", workers
    names = {"alone": "100,000 jobs", "waiting": "10,000,000 more waiting", "history": "10,000,000 completed and kept"}
    depth = [(label, {"rate": statistics.median(line["backlog"][name] for line in beside)}) for name, label in names.items()]
    yield "Drained jobs a second, by what else is in the table", depth
    costs = {
        f"{name}, µs": lambda line, name=name: {name: line["cpu_seconds"][name] / line["jobs"] * 1e6}
        for name in ("docket", "rabbitmq", "postgresql")
    }
    yield "Processor time of a drained job, one worker", [(label, median(of[1], cost)) for label, cost in costs.items()]


def rate(line):
    return {"rate": line["drain_per_second"]}


def median(lines, value):
    parts = [value(line) for line in lines]
    return {name: statistics.median(part[name] for part in parts) for name in parts[0]}


def draw(panels):
    out, y = [], 0
    for title, bars in panels:
        y += GAP
        out.append(f'<text x="0" y="{y}" font-weight="bold">{escape(title)}</text>')
        most = max(sum(parts.values()) for _, parts in bars)
        for label, parts in bars:
            y += ROW
            out.append(f'<text x="0" y="{y}">{escape(label)}</text>')
            for name, value in parts.items():
                width = BAR * value / most
                out.append(f'<rect x="{LABEL}" y="{y - 13}" width="{width:.1f}" height="16" fill="{COLOURS[name]}"/>')
                text = f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
                out.append(f'<text x="{LABEL + width + 6:.1f}" y="{y}">{text}</text>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 12}" font-family="sans-serif" font-size="13">'
    background = f'<rect width="{WIDTH}" height="{y + 12}" fill="#ffffff"/>'
    return "\n".join([head, "<!-- drawn by benches/plot.py -->", background, *out, "</svg>", ""])


if __name__ == "__main__":
    with open("docs/performance.svg", "w", encoding="utf-8") as svg:
        svg.write(draw(panels([json.loads(line) for line in sys.stdin])))
