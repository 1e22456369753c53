"""What a model's name stands for."""

import pytest

from configs.errors import UsageError
from pipelines.workspace import runs
from pipelines.workspace.layout import Workspace


@pytest.mark.parametrize("version", ["3", "²", "1²", "x", "-1"])
def test_a_version_that_is_not_there_is_refused_whatever_is_written(version, tmp_path):
    with pytest.raises(UsageError, match="There is no trained model"):
        runs.trained(Workspace.at(tmp_path), f"digits/{version}")


def test_a_folder_without_versions_is_refused_as_a_name_is(tmp_path):
    with pytest.raises(UsageError, match="There is no served model"):
        runs.exported(Workspace.at(tmp_path / "workspace"), str(tmp_path))


def test_what_is_pushed_to_a_url_is_taken_for_there(tmp_path):
    place = Workspace.at(tmp_path)
    assert place.served("digits", "gs://bucket/models/") == "gs://bucket/models/digits"
    record = runs.RunRecord("20260101-000000", "digits", "2026-01-01", version=1, model_dir="gs://bucket/models/digits/1")
    record.save(place.run("digits", record.run))
    assert runs.gone(place, "digits") == []
    assert runs.is_version(record)
