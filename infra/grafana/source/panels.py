"""The parts of a dashboard, as Grafana's classic JSON has them (schemaVersion 39). Grafana fills in what is left out."""

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH = 24
# The processes that were chosen, in a query.
MINE = 'job=~"$job", instance=~"$instance"'


def target(query, legend, instant=False, table=False):
    made = {"datasource": DATASOURCE, "expr": " ".join(query.split()), "legendFormat": legend}
    if instant:
        made["instant"] = True
        made["range"] = False
    if table:
        made["format"] = "table"
    return made


def panel(kind, title, description, unit, queries, size, defaults=None, options=None, **target_options):
    """A panel without its place. `queries` are pairs of an expression and a legend."""
    targets = [target(query, legend, **target_options) for query, legend in queries]
    for ref, made in zip("ABCDEFGHIJ", targets):
        made["refId"] = ref
    return {
        "type": kind,
        "title": title,
        "description": " ".join(description.split()),
        "datasource": DATASOURCE,
        "fieldConfig": {"defaults": {"unit": unit, **(defaults or {})}, "overrides": []},
        "options": options or {},
        "targets": targets,
        "gridPos": {"w": size[0], "h": size[1]},
    }


def steps(limit, worse="above"):
    """Thresholds of one line: red beyond it."""
    colours = ("green", "red") if worse == "above" else ("red", "green")
    return {"mode": "absolute", "steps": [{"color": colours[0], "value": None}, {"color": colours[1], "value": limit}]}


def series(title, description, unit, queries, limit=None, stacked=False, low=0, size=(12, 8), worse="above"):
    """Lines over time; `limit` is drawn, and is the one of the alert."""
    custom = {"drawStyle": "line", "fillOpacity": 20 if stacked else 5, "showPoints": "never", "spanNulls": False}
    if stacked:
        custom["stacking"] = {"mode": "normal", "group": "A"}
    defaults = {"custom": custom, "min": low}
    if limit is not None:
        custom["thresholdsStyle"] = {"mode": "line"}
        defaults["thresholds"] = steps(limit, worse)
    legend = {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []}
    options = {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}
    return panel("timeseries", title, description, unit, queries, size, defaults, options)


def stat(title, description, unit, query, limit=None, worse="above", size=(4, 4), decimals=None):
    """One number, now; its ground turns red beyond `limit`."""
    defaults = {"thresholds": steps(limit, worse)} if limit is not None else {"color": {"mode": "fixed", "fixedColor": "blue"}}
    if decimals is not None:
        defaults["decimals"] = decimals
    options = {
        "colorMode": "background" if limit is not None else "value",
        "graphMode": "none",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    }
    return panel("stat", title, description, unit, [(query, "")], size, defaults, options, instant=True)


def table(title, description, unit, query, size=(12, 8), hide=()):
    """Labels and the value of each series, now."""
    made = panel("table", title, description, unit, [(query, "")], size, None, {"showHeader": True}, instant=True, table=True)
    hidden = {name: True for name in ("Time", "__name__", *hide)}
    made["transformations"] = [{"id": "organize", "options": {"excludeByName": hidden}}]
    return made


def heatmap(title, description, unit, query, size=(12, 8)):
    """How many samples fell into each bucket, over time."""
    options = {"calculate": False, "yAxis": {"unit": unit}, "cellGap": 1}
    made = panel("heatmap", title, description, unit, [(query, "{{le}}")], size, None, options)
    made["targets"][0]["format"] = "heatmap"
    return made


def timeline(title, description, queries, names, size=(12, 8)):
    """A state over time, by the number that stands for it."""
    mapping = {str(number): {"text": text, "color": colour, "index": number} for number, (text, colour) in names.items()}
    defaults = {"mappings": [{"type": "value", "options": mapping}]}
    return panel("state-timeline", title, description, "short", queries, size, defaults, {"showValue": "auto"})


def row(title):
    return {"type": "row", "title": title, "collapsed": False, "panels": [], "gridPos": {"w": WIDTH, "h": 1}}


def variable(name, label, query):
    return {
        "type": "query",
        "name": name,
        "label": label,
        "datasource": DATASOURCE,
        "query": {"query": query, "refId": name},
        # When the time range changes: a worker of yesterday is asked for by its name of yesterday.
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".+",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
    }


VARIABLES = [
    {"type": "datasource", "name": "datasource", "label": "Data source", "query": "prometheus", "refresh": 1},
    variable("job", "Job", "label_values(docket_build_info, job)"),
    variable("instance", "Process", 'label_values(docket_build_info{job=~"$job"}, instance)'),
    variable("lane", "Lane", 'label_values(docket_queue_jobs{job=~"$job"}, lane)'),
]


def dashboard(uid, title, description, panels):
    """Puts the panels side by side, from left to right and down."""
    x = y = height = 0
    for number, made in enumerate(panels, 1):
        grid = made["gridPos"]
        if x + grid["w"] > WIDTH:
            x, y, height = 0, y + height, 0
        made["id"] = number
        made["gridPos"] = {"x": x, "y": y, **grid}
        x, height = x + grid["w"], max(height, grid["h"])
    link = {"type": "dashboards", "title": "Docket", "tags": ["docket"], "asDropdown": True, "includeVars": True, "keepTime": True}
    return {
        "uid": uid,
        "title": title,
        "description": description,
        "tags": ["docket"],
        "schemaVersion": 39,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "",
        "links": [link],
        "annotations": {"list": [ALERTS]},
        "templating": {"list": VARIABLES},
        "panels": panels,
    }


ALERTS = {
    "name": "Alerts",
    "datasource": DATASOURCE,
    "enable": True,
    "iconColor": "red",
    "expr": 'ALERTS{alertname=~"Docket.+", alertname!="DocketWatchdog", alertstate="firing"}',
}
