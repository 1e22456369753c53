"""Alerts are rules that Prometheus takes, fire when they should, and ask for metrics that exist; so does the board."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from serving.deployment import monitoring
from serving.server.metrics import Metrics
from tests.deploy import rendered

NAME = re.compile(r":tensorflow:[\w:]+")


def known() -> set[str]:
    """Names of series that a server has, as Prometheus reads them."""
    metrics = Metrics()
    made = set()
    for metric in metrics._all():
        made |= {f"{metric.name}{end}" for end in (("_bucket", "_sum", "_count") if metric.kind == "histogram" else ("",))}
    return made


@pytest.fixture(params=rendered.EACH, ids=" ".join)
def place(request, models, tmp_path):
    return rendered.folder(*request.param, models, tmp_path)


@pytest.fixture
def odd(models, tmp_path):
    """Of a model whose name is odd everywhere."""
    return rendered.folder("compose", "plain", models, tmp_path, 'My "odd" {Model}.1')


def test_every_metric_that_is_asked_for_exists(place):
    told = rendered.parsed(place)
    rules = [rule["expr"] for group in told["monitoring/alerts.yaml"]["groups"] for rule in group["rules"]]
    queries = [target["expr"] for panel in told["monitoring/board.json"]["panels"] for target in panel["targets"]]
    assert (len(rules), len(queries)) == (5, 9)
    asked = {name for text in [*rules, *queries] for name in NAME.findall(text)}
    assert asked
    assert asked <= known()
    assert all(NAME.search(text) or text.removeprefix("sum(").startswith("up{") for text in [*rules, *queries])


def test_the_board_is_one(place):
    board = rendered.parsed(place)["monitoring/board.json"]
    assert {"uid", "title", "panels", "schemaVersion", "templating", "time"} <= board.keys()
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,40}", board["uid"])
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    cells = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]]
    assert len(set(cells)) == len(cells)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in board["panels"])
    [variable] = board["templating"]["list"]
    for panel in board["panels"]:
        assert panel["type"] == "timeseries"
        references = [target["refId"] for target in panel["targets"]]
        assert len(set(references)) == len(references)
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {f"${{{variable['name']}}}"}
    assert "signatures" in board["description"].lower()


def promtool(*words, at: Path) -> subprocess.CompletedProcess:
    return subprocess.run(["promtool", *map(str, words)], capture_output=True, text=True, check=False, timeout=60, cwd=at)


def without_discovery(path: Path) -> None:
    """Debian's promtool is built without Kubernetes' discovery: what it says is looked at here, and the rest left to it."""
    told = yaml.safe_load(path.read_text())
    [job] = told["scrape_configs"]
    for discovery in job.pop("kubernetes_sd_configs", ()):
        assert discovery["role"] == "pod"
        assert discovery.keys() <= {"role", "namespaces"}
        assert discovery.get("namespaces", {"names": ["models"]}) == {"names": ["models"]}
    path.write_text(yaml.safe_dump(told))


@pytest.mark.promtool
def test_promtool_takes_the_rules_and_the_scraping(place, has_promtool):
    told = promtool("check", "rules", "alerts.yaml", at=place / "monitoring")
    assert (told.returncode, "5 rules found" in told.stdout) == (0, True), told
    if (place / "monitoring/prometheus.yaml").exists():
        without_discovery(place / "monitoring/prometheus.yaml")
        told = promtool("check", "config", "prometheus.yaml", at=place / "monitoring")
        assert told.returncode == 0, told.stderr
        assert "1 rule files found" in told.stdout


@pytest.mark.promtool
def test_promtool_takes_the_rules_of_a_model_with_an_odd_name(odd, has_promtool):
    told = promtool("check", "rules", "alerts.yaml", at=odd / "monitoring")
    assert told.returncode == 0, told.stderr
    boards = json.loads((odd / "monitoring/board.json").read_text())
    for panel in boards["panels"]:
        for target in panel["targets"]:
            expression = target["expr"].replace("$__rate_interval", "5m")
            rule = {"groups": [{"name": "a", "rules": [{"record": "a", "expr": expression}]}]}
            (odd / "query.yaml").write_text(yaml.safe_dump(rule))
            told = promtool("check", "rules", "query.yaml", at=odd)
            assert told.returncode == 0, (target["expr"], told.stderr)


@pytest.mark.promtool
@pytest.mark.parametrize("wrong", ["rate(x", "sum by (", 'up{job="a} == 0'])
def test_promtool_refuses_a_rule_that_is_none(models, tmp_path, wrong, has_promtool):
    place = rendered.folder("compose", "plain", models, tmp_path)
    rules = yaml.safe_load((place / "monitoring/alerts.yaml").read_text())
    rules["groups"][0]["rules"][0]["expr"] = wrong
    (place / "monitoring/alerts.yaml").write_text(yaml.safe_dump(rules))
    assert promtool("check", "rules", "alerts.yaml", at=place / "monitoring").returncode != 0


REQUESTS = ':tensorflow:serving:request_count{{model_name="{name}",status="{status}"}}'
BUCKET = ':tensorflow:serving:request_latency_bucket{{model_name="{name}",API="Predict",entrypoint="REST",le="{le}"}}'
LOADS = ':tensorflow:cc:saved_model:load_attempt_count{{model_path="/models/{name}/3",status="{status}"}}'


def series(name: str, **of: str) -> list[dict[str, str]]:
    """Of a server: what Prometheus reads each minute, by what is counted."""
    text = name.replace("\\", "\\\\").replace('"', '\\"')
    templates = {
        "OK": REQUESTS,
        "INTERNAL": REQUESTS,
        "UNAVAILABLE": REQUESTS,
        "INVALID_ARGUMENT": REQUESTS,
        "success": LOADS,
        "fail": LOADS,
    }
    made = []
    for what, values in of.items():
        if what == "up":
            made.append({"series": f'up{{job="{values[0]}",instance="a"}}', "values": values[1]})
        elif what in templates:
            made.append({"series": templates[what].format(name=text, status=what), "values": values})
        else:
            made.append(
                {"series": BUCKET.format(name=text, le={"fast": "112455", "slow": "655828", "all": "+Inf"}[what]), "values": values}
            )
    return made


FINE = {
    "OK": "0+600x40",
    "fast": "0+600x40",
    "slow": "0+600x40",
    "all": "0+600x40",
    "success": "1+0x40",
    "INVALID_ARGUMENT": "0+60x40",
}


@pytest.mark.promtool
@pytest.mark.parametrize("name", ["digits_lenet5", 'My "odd" {Model}.1'])
def test_each_alert_fires_when_it_should_and_only_then(models, tmp_path, name, has_promtool):
    place = rendered.folder("compose", "plain", models, tmp_path, name)
    rules = yaml.safe_load((place / "monitoring/alerts.yaml").read_text())["groups"][0]["rules"]
    job = rendered.parsed(place)["compose.yaml"]["name"]
    up = (job, "1+0x40")
    cases = {
        None: {**FINE, "up": up},
        "ModelServerDown": {**FINE, "up": (job, "1+0x5 0+0x35")},
        "ModelRequestsFail": {**FINE, "INTERNAL": "0+30x40", "UNAVAILABLE": "0+10x40", "up": up},
        "ModelIsSlow": {**FINE, "fast": "0+500x40", "up": up},
        "ModelRequestsAreRefused": {**FINE, "INVALID_ARGUMENT": "0+900x40", "up": up},
        "ModelVersionCannotBeLoaded": {**FINE, "fail": "0+1x40", "up": up},
    }
    assert {rule["alert"] for rule in rules} == cases.keys() - {None}
    tests = []
    for fires, values in cases.items():
        wanted = [
            {
                "eval_time": "30m",
                "alertname": rule["alert"],
                "exp_alerts": [
                    {
                        "exp_labels": rule["labels"]
                        | ({"job": job, "instance": "a"} if rule["alert"] == "ModelServerDown" else {})
                        | (
                            {"model_path": f"/models/{name}/3", "status": "fail"}
                            if rule["alert"] == "ModelVersionCannotBeLoaded"
                            else {}
                        ),
                        "exp_annotations": rule["annotations"],
                    }
                ]
                if rule["alert"] == fires
                else [],
            }
            for rule in rules
        ]
        tests.append({"interval": "1m", "input_series": series(name, **values), "alert_rule_test": wanted})
    content = {"rule_files": ["alerts.yaml"], "evaluation_interval": "1m", "tests": tests}
    (place / "monitoring/test.yaml").write_text(yaml.safe_dump(content))
    told = promtool("test", "rules", "test.yaml", at=place / "monitoring")
    assert told.returncode == 0, told.stdout + told.stderr
    content["tests"][1]["alert_rule_test"][0]["exp_alerts"] = []
    (place / "monitoring/test.yaml").write_text(yaml.safe_dump(content))
    assert promtool("test", "rules", "test.yaml", at=place / "monitoring").returncode != 0, "it would not have seen a wrong rule"


def test_what_is_the_server_s_fault_is_what_tf_serving_answers_so():
    from serving.server.rest import urls

    faults = set(monitoring.OURS.split("|"))
    assert {code for code, status in urls.HTTP_STATUS.items() if status >= 503} <= faults
    assert not {code for code in faults & urls.HTTP_STATUS.keys() if urls.HTTP_STATUS[code] in (400, 401, 403, 404)}
