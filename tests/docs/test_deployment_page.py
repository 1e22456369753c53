"""What the page on deploying says of options, alerts, objects, probes and figures is so."""

import re
import shlex

import yaml

from pipelines.command_line import deploy_commands
from serving.deployment import monitoring, pods, server, sizes
from serving.deployment.targets import compose, kserve, kubernetes
from tests.docs.pages import ROOT
from tests.docs.test_pages import fences

PAGE = ROOT / "docs/deployment.md"
TEXT = PAGE.read_text(encoding="utf-8")
FLAT = " ".join(TEXT.split())
FILES = ROOT / "deploy/digits_lenet5"


def test_every_option_is_on_the_page():
    common = {"--to", "--force", "--workspace", "--json"}
    options = {option for parameter in deploy_commands.deploy.params for option in parameter.opts if option.startswith("--")}
    listed = set(re.findall(r"`(--[a-z-]+)", TEXT))
    assert options - common <= listed
    table = TEXT.partition("| option |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(--[a-z-]+)", table)) <= options | {"--force"}


def test_alerts_and_objects_are_those_that_are_rendered():
    rules = yaml.safe_load((FILES / "kubernetes/monitoring/alerts.yaml").read_text())["groups"][0]["rules"]
    assert re.findall(r"^\| (Model\w+) \|", TEXT, re.MULTILINE) == [rule["alert"] for rule in rules]
    kinds = {yaml.safe_load(path.read_text())["kind"] for path in (FILES / "kubernetes").glob("*.yaml")}
    table = TEXT.partition("| object |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| ([A-Z]\w+) \|", table, re.MULTILINE)) == kinds
    assert f"more than {monitoring.ERRORS:.0%}".replace("%", " %") in FLAT
    assert monitoring.REFUSED == 0.5


def test_figures_are_those_that_are_reckoned_with():
    assert f"{sizes.SERVER // sizes.MIB} MiB for the server" in FLAT
    assert (sizes.COPIES, sizes.PIXELS, sizes.FLOAT + sizes.BYTE) == (3, 2**25, 5)
    assert sizes.PIXELS * 5 == 160 * sizes.MIB
    assert "160 MiB of a grey one, 480 MiB of a coloured one" in FLAT
    assert (sizes.SMALL, sizes.LARGE) == (8 * sizes.MIB, 128 * sizes.MIB)
    assert f"more than {kubernetes.BUSY} %" in FLAT
    assert f"answers for {kubernetes.GONE} s more" in FLAT
    assert f"again every {server.LOOK} seconds" in FLAT
    assert (pods.LOADING, pods.RARE, pods.USER) == (600, 60, 10001)
    assert "for up to 10 minutes" in FLAT
    assert f"`{kubernetes.CLIENT}: digits-lenet5`" in FLAT
    assert f"the namespace `{kubernetes.MONITORING_NAMESPACE}`" in FLAT
    assert f"localhost:{compose.PROMETHEUS_PORT}" in FLAT
    assert f"localhost:{compose.GRAFANA_PORT}" in FLAT
    assert f"`{kserve.RUNTIME}`" in FLAT
    assert "batches of 1, 8 or 32 rows" in FLAT
    assert server.BATCH_SIZES == (1, 8, 32)


def test_images_are_built_as_the_page_and_their_heads_say():
    lines = [line for block in fences(PAGE, "sh") for line in block.splitlines() if line.startswith("docker build")]
    assert len(lines) == 2
    for line in lines:
        words = shlex.split(line)
        file = ROOT / words[words.index("--file") + 1]
        flags = {word for word in words if word.startswith("--")}
        [own] = [text.removeprefix("#   ") for text in file.read_text().splitlines() if text.startswith("#   docker build")]
        assert {word for word in shlex.split(own) if word.startswith("--")} == flags
