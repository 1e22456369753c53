"""A task's report is found by the task's name, a family's stands for its members, and one around another gets that."""

import sys
import types

import pytest

from components.tasks.reports import by_name
from components.tasks.reports.base import Report
from reports.run.blocks import Section


@pytest.fixture
def files(monkeypatch):
    """Reports that are there, as dotted names below components.tasks.reports: `inner`, `family/report.py` and `outer`."""

    class Inner(Report):
        def sections(self, material):
            return [Section("inner", "Inner", "", [])]

    class Outer(Report):
        is_around = True

        def __init__(self, inner):
            self.inner = inner

        def sections(self, material):
            return [Section("outer", "Outer", "", []), *(self.inner.sections(material) if self.inner else [])]

    package = "components.tasks.reports"
    there = {f"{package}.inner": Inner, f"{package}.family.report": Inner, f"{package}.outer": Outer}
    for path, kind in there.items():
        monkeypatch.setitem(sys.modules, path, types.SimpleNamespace(Report=kind))
    monkeypatch.setattr(by_name.by_name, "is_module", lambda path: path in there)
    monkeypatch.setattr(by_name.by_name, "module", lambda path, of: f"{path}.{of}" if path == f"{package}.family" else path)


@pytest.mark.parametrize(
    ("task", "keys"),
    [
        ("inner", ["inner"]),
        ("family.member", ["inner"]),
        ("outer:inner", ["outer", "inner"]),
        ("outer:nobody", ["outer"]),
        ("nobody:inner", ["inner"]),
    ],
)
def test_a_report_is_found_by_its_tasks_name(files, task, keys):
    assert [section.key for section in by_name.report_of(task).sections(None)] == keys


def test_a_task_without_a_file_has_none(files):
    assert by_name.report_of("nobody") is None
    assert by_name.modules_of("nobody") == []
    assert by_name.modules_of("outer:family.member") == ["components.tasks.reports.outer", "components.tasks.reports.family.report"]


def test_what_a_page_is_made_of_is_digested_sections_found_by_name_too():
    family = "components.tasks.reports.reconstruction"
    modules = by_name.modules_of("anomaly:reconstruction.denoising")
    assert modules[:2] == ["components.tasks.reports.anomaly", f"{family}.report"]
    assert {f"{family}.sections.{name}" for name in ("denoising", "basis", "samples")} < set(modules)
