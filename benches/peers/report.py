"""What came out: medians, and ratios of measurements that lay side by side."""

from statistics import median

RATES = ("enqueue_per_second", "drain_per_second", "enqueue_confirmed_per_second")


def medians(measurements):
    """The median of each rate and of each processor time."""
    known = [rate for rate in RATES if all(rate in one for one in measurements)]
    rates = {rate: round(median(one[rate] for one in measurements), 1) for rate in known}
    names = measurements[0]["cpu_seconds"]
    cpu = {name: round(median(one["cpu_seconds"][name] for one in measurements), 2) for name in names}
    return rates | {"cpu_seconds": cpu}


def ratio(dockets, peers, rate):
    """The median of Docket ÷ peer, run by run."""
    return round(median(docket[rate] / peer[rate] for docket, peer in zip(dockets, peers)), 2)


def summary(runs, jobs, beside, peers, without_retention):
    """`beside` and `peers` hold, for each peer, the measurements of all runs: of Docket beside it, and its own."""
    lasts = {"durability": "PostgreSQL, synchronous commit"}
    docket = {"name": "docket"} | lasts | medians([one for measurements in beside.values() for one in measurements])
    rows = []
    for peer, measurements in peers.items():
        row = {"name": peer.name, "version": peer.version, "durability": peer.durability} | medians(measurements)
        row["drain_ratio"] = ratio(beside[peer], measurements, "drain_per_second")
        row["enqueue_ratio"] = ratio(beside[peer], measurements, "enqueue_per_second")
        if "enqueue_confirmed_per_second" in row:
            confirmed = [one | {"enqueue_per_second": one["enqueue_confirmed_per_second"]} for one in measurements]
            row["enqueue_confirmed_ratio"] = ratio(beside[peer], confirmed, "enqueue_per_second")
        if without_retention:
            row["drain_ratio_retention_0"] = ratio(without_retention, measurements, "drain_per_second")
        rows.append(row)
    dockets = [docket]
    if without_retention:
        dockets.append({"name": "docket, retention = 0"} | lasts | medians(without_retention))
    return {"runs": runs, "jobs": jobs, "docket": dockets, "peers": rows}


def table(summary):
    """The same for people."""
    servers = list(summary["docket"][0]["cpu_seconds"])
    head = ["", "version", "drain/s", "Docket ÷", "enqueue/s", "Docket ÷"]
    head += [*(f"CPU s {name}" for name in servers), "what lasts"]
    lines = [head]
    for row in summary["docket"] + summary["peers"]:
        cpu = [f"{row['cpu_seconds'][name]:.2f}" for name in servers]
        lines.append(
            [
                row["name"],
                row.get("version", ""),
                number(row["drain_per_second"]),
                show(row.get("drain_ratio")),
                number(row["enqueue_per_second"]),
                show(row.get("enqueue_ratio")),
                *cpu,
                row["durability"],
            ]
        )
        if "enqueue_confirmed_per_second" in row:
            confirmed = number(row["enqueue_confirmed_per_second"])
            again = ["  with confirms", "", "", "", confirmed, show(row["enqueue_confirmed_ratio"])]
            lines.append([*again, *("" for _ in servers), "RabbitMQ, persistent messages, confirms"])
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        cells = [
            cell.ljust(width) if column in (0, 1, len(head) - 1) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths))
        ]
        yield "  ".join(cells).rstrip()


def number(value):
    return f"{value:,.0f}"


def show(value):
    return "" if value is None else f"{value:.2f}"
