"""The page on anomalies: from a product's folder to a table of scores, as it says."""

import csv
import json
from pathlib import Path

import pytest

from tests.docs.pages import ROOT
from tests.docs.transcripts import answers_as_it_says
from tests.pipelines.conftest import in_process

ANOMALIES = ROOT / "docs/anomalies.md"


@pytest.mark.whole
def test_a_product_goes_from_its_folder_to_a_table_of_scores(tmp_path):
    answers_as_it_says(ANOMALIES, tmp_path)
    [record] = (tmp_path / "workspace/pipelines/cable/runs").glob("*/run.json")
    run = json.loads(record.read_text())
    kinds = {part["class"]: part["metrics"] for part in run["slices"]}
    assert run["metrics"]["auroc"] > 0.9
    assert {kind for kind, figures in kinds.items() if "auroc" in figures} == {"scratch", "hole"}
    with (tmp_path / "scores.csv").open(newline="") as lines:
        first = next(csv.DictReader(lines))
    assert Path(first["file"]).parent.name != "good"
    assert first["is_anomaly"] == "True"
    asked = ("anomalies", "cable", tmp_path / "cable/test", "--json", "--workspace", tmp_path / "workspace")
    scored = in_process(*asked).json["summary"]
    assert [Path(part["folder"]).name for part in scored["folders"]] == ["good", "hole", "scratch"]
