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
