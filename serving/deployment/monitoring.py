"""Who watches it: Prometheus's scraping and alerts, and Grafana's board, over metrics that TF Serving has."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from serving.deployment import server
from serving.deployment.model import Model
from serving.deployment.options import Options

REQUESTS = ":tensorflow:serving:request_count"
LATENCY = ":tensorflow:serving:request_latency"  # µs
RUNTIME = ":tensorflow:serving:runtime_latency"  # µs
LOADS = ":tensorflow:cc:saved_model:load_attempt_count"
OURS = "UNKNOWN|DEADLINE_EXCEEDED|RESOURCE_EXHAUSTED|ABORTED|INTERNAL|UNAVAILABLE|DATA_LOSS"  # codes that are the server's fault
ALERTS, SCRAPING, BOARD = "alerts.yaml", "prometheus.yaml", "board.json"
PROMETHEUS = "${prometheus}"  # Grafana's variable for the data source
ERRORS, REFUSED = 0.02, 0.5  # shares of requests


def alerts(model: Model, options: Options) -> dict[str, Any]:
    """Rules for Prometheus: the server is gone, fails, is slow, refuses most of what it is asked, or cannot load a version."""
    of = f'model_name="{_escaped(model.name)}"'
    path = _escaped(f".*/{re.escape(model.name)}/[0-9]+")
    failed, refused = f'status=~"{OURS}"', f'status!="OK",status!~"{OURS}"'
    limit = options.latency * 1e3

    def share(status: str, minutes: int = 5) -> str:
        some = f"sum(rate({REQUESTS}{{{of},{status}}}[{minutes}m]))"
        return f"{some} / sum(rate({REQUESTS}{{{of}}}[{minutes}m]))"

    def rule(name: str, expression: str, wait: str, severity: str, summary: str, what: str) -> dict[str, Any]:
        return {
            "alert": name,
            "expr": expression,
            "for": wait,
            "labels": {"severity": severity, "model": model.name},
            "annotations": {"summary": summary, "description": what},
        }

    named = model.name
    rules = [
        rule(
            "ModelServerDown",
            f'up{{job="{options.name}"}} == 0 or absent(up{{job="{options.name}"}})',
            "2m",
            "critical",
            f"A server of {named} does not answer Prometheus.",
            "Look at the pod or container: it ends where a model cannot be loaded at its start, or for want of memory.",
        ),
        rule(
            "ModelRequestsFail",
            f"{share(failed)} > {ERRORS}",
            "5m",
            "critical",
            f"More than {ERRORS:.0%} of the requests for {named} fail by the server's fault.",
            "Look at the server's log, and at `hubel rollback` if it began with a promotion.",
        ),
        rule(
            "ModelIsSlow",
            f"histogram_quantile(0.99, sum by (le) (rate({LATENCY}_bucket{{{of}}}[5m]))) > {limit:.0f}",
            "10m",
            "warning",
            f"1 of 100 requests for {named} takes more than {options.latency:g} ms.",
            "More replicas, more cores, or batching; compare :tensorflow:serving:runtime_latency, which is the graph's alone.",
        ),
        rule(
            "ModelRequestsAreRefused",
            f"{share(refused)} > {REFUSED}",
            "15m",
            "warning",
            f"More than {REFUSED:.0%} of the requests for {named} are refused as wrong.",
            "A client asks for a version, label, signature or shape that this model does not have, or sends what is no image.",
        ),
        rule(
            "ModelVersionCannotBeLoaded",
            f'increase({LOADS}{{model_path=~"{path}",status!="success"}}[10m]) > 0',
            "0m",
            "warning",
            f"A version of {named} could not be loaded; the last good one serves.",
            "Push it again, or promote another one; the server's log says what is wrong with it.",
        ),
    ]
    return {"groups": [{"name": options.name, "rules": rules}]}


def scraping(options: Options, where: Mapping[str, Any], folder: str = ".") -> dict[str, Any]:
    """Prometheus's configuration, or what to put into one's own.

    Args:
        where: service discovery of one job, such as {"static_configs": [...]}.
        folder: of the alerts as Prometheus sees it.
    """
    return {
        "global": {"scrape_interval": "15s", "evaluation_interval": "15s"},
        "rule_files": [f"{folder}/{ALERTS}" if folder != "." else ALERTS],
        "scrape_configs": [{"job_name": options.name, "metrics_path": server.METRICS, **where}],
    }


def board(model: Model, options: Options) -> dict[str, Any]:
    """Grafana's dashboard of one model."""
    of = f'model_name="{_escaped(model.name)}"'

    def quantile(share: float, name: str, by: str) -> str:
        return f"histogram_quantile({share}, sum by (le, {by}) (rate({name}_bucket{{{of}}}[$__rate_interval])))"

    def requests(more: str = "") -> str:
        return f"rate({REQUESTS}{{{of}{more}}}[$__rate_interval])"

    wrong = f"""sum({requests(',status!="OK"')}) / sum({requests()})"""
    panels = [
        _panel("Requests", "reqps", [(f"sum by (status) ({requests()})", "{{status}}")]),
        _panel("Share of requests that are not OK", "percentunit", [(wrong, "not OK")]),
        _panel(
            "Latency of requests",
            "µs",
            [(quantile(share, LATENCY, "entrypoint"), f"{{{{entrypoint}}}} {round(share * 100)} %") for share in (0.5, 0.95, 0.99)],
        ),
        _panel(
            "Latency of the graph alone",
            "µs",
            [(quantile(share, RUNTIME, "API"), f"{{{{API}}}} {round(share * 100)} %") for share in (0.5, 0.99)],
        ),
        _panel("Attempts to load a version", "short", [(f"sum by (model_path, status) ({LOADS})", "{{model_path}} {{status}}")]),
        _panel("Servers that answer Prometheus", "short", [(f'sum(up{{job="{options.name}"}})', "up")]),
    ]
    for number, panel in enumerate(panels):
        panel |= {"id": number + 1, "gridPos": {"h": 8, "w": 12, "x": number % 2 * 12, "y": number // 2 * 8}}
    return {
        "uid": options.name[:40],
        "title": f"Model {model.name}",
        "description": f"Signatures: {', '.join(model.signatures)}",
        "tags": ["tf-serving"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": [{"name": "prometheus", "label": "Prometheus", "type": "datasource", "query": "prometheus"}]},
        "annotations": {"list": []},
        "panels": panels,
    }


def _panel(title: str, unit: str, queries: Sequence[tuple[str, str]]) -> dict[str, Any]:
    source = {"type": "prometheus", "uid": PROMETHEUS}
    return {
        "type": "timeseries",
        "title": title,
        "datasource": source,
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {"refId": chr(ord("A") + number), "datasource": source, "expr": expression, "legendFormat": legend}
            for number, (expression, legend) in enumerate(queries)
        ],
    }


def _escaped(text: str) -> str:
    """As in a string of PromQL."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
