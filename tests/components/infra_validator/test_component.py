"""What TFX is handed: a blessing with its reason."""

import pytest
from tfx.types import standard_artifacts

from components import keys
from components.infra_validator import component


def blessed(model, examples, tmp_path):
    trained, raw, blessing = standard_artifacts.Model(), standard_artifacts.Examples(), standard_artifacts.InfraBlessing()
    trained.uri, raw.uri, blessing.uri = str(model), str(examples), str(tmp_path)
    raw.split_names = '["train", "validation", "test"]'
    component.Executor().Do({"model": [trained], "examples": [raw]}, {"blessing": [blessing]}, {})
    return blessing


# with --whole the good one: pipelines/test_run.py has it of a run, whose process is started as hubel starts it
@pytest.mark.parametrize("broken", [pytest.param(False, marks=pytest.mark.whole), True])
def test_the_blessing_is_what_pusher_asks_for(classifier, artifacts, tmp_path, monkeypatch, broken):
    monkeypatch.setattr(component, "IMAGES", 2)
    if broken:
        (tmp_path / "replay.py").write_text("raise SystemExit('out of order')")
        monkeypatch.setattr(component.parity, "__file__", str(tmp_path / "parity.py"))
    (tmp_path / "blessing").mkdir()
    blessing = blessed(classifier, artifacts.examples, tmp_path / "blessing")
    assert blessing.get_int_custom_property("blessed") == int(not broken)
    assert blessing.get_string_custom_property(keys.SERVERS) == ("" if broken else "embedded")
    reason = blessing.get_string_custom_property(keys.REASON)
    assert reason == ("the process that loads the model ended with code 1: out of order" if broken else "")
    files = sorted(p.name for p in (tmp_path / "blessing").iterdir())
    assert files == (["INFRA_NOT_BLESSED"] if broken else ["INFRA_BLESSED", keys.ANSWERS])
