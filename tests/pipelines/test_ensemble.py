"""Names of pushed versions, as an ensemble's members are given, and the artifacts that they stand for."""

import pytest

from configs.errors import UsageError
from pipelines.workspace import runs
from pipelines.workspace.layout import Workspace
from pipelines.workspace.runs import RunRecord


@pytest.fixture
def place(tmp_path):
    """A workspace on whose record are a/1, a/2, b/1 and, its artifact gone, a/3."""
    made = Workspace.at(tmp_path)
    for name, version in (("a", 1), ("a", 2), ("a", 3), ("b", 1)):
        uri = tmp_path / f"artifact-{name}-{version}"
        if version < 3:
            uri.mkdir()
        record = RunRecord(f"run{version}", name, "2026", "done", version=version, model_uri=str(uri))
        record.save(made.run(name, record.run))
    return made


def test_each_name_stands_for_a_version(place):
    folders = runs.artifacts(place, ["a/1", "b", "a"])
    assert folders == {name: str(place.root / f"artifact-{name.replace('/', '-')}") for name in ("a/1", "b/1", "a/2")}
    assert runs.artifact(place, "a") == folders["a/2"]
    assert runs.artifacts(place, []) == {}


@pytest.mark.parametrize(
    ("members", "said"),
    [
        (["a", "a/2"], r"^a, a/2 stand for a/2 alone\.$"),
        (["a/1", "a/3"], r"no trained model 'a/3' .*\(there: a/1, a/2\)"),
        (["a", "c"], r"no trained model 'c' .*\(there: none of that name\)"),
    ],
)
def test_names_that_stand_for_nothing_or_for_the_same_are_refused(place, members, said):
    with pytest.raises(UsageError, match=said):
        runs.artifacts(place, members)
