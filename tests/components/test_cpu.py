"""TensorFlow computes by oneDNN where the processor can, and a person's own word counts more."""

import os
import subprocess
import sys

import pytest

from components import cpu


@pytest.mark.parametrize(
    ("flags", "given", "told"),
    [
        ("fpu sse4_2 avx2 fma", None, "1"),
        ("fpu avx2 avx512f avx512_vnni", None, "1"),
        ("fpu sse4_2 avx", None, None),
        ("fpu avx2", "0", "0"),
    ],
)
def test_onednn_is_used_where_there_is_avx2(tmp_path, monkeypatch, flags, given, told):
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nmodel name\t: A\nflags\t\t: {flags}\nbugs\t\t: none\n")
    monkeypatch.setattr(cpu, "INFO", tmp_path / "cpuinfo")
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    if given:
        monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", given)
    cpu.use_onednn()
    assert os.environ.get("TF_ENABLE_ONEDNN_OPTS") == told
    assert cpu.features() == {*flags.split()}


def test_a_system_that_says_nothing_of_its_processor(tmp_path, monkeypatch):
    monkeypatch.setattr(cpu, "INFO", tmp_path / "none")
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    cpu.use_onednn()
    assert "TF_ENABLE_ONEDNN_OPTS" not in os.environ
    assert cpu.features() == frozenset()


@pytest.mark.skipif("avx2" not in cpu.features(), reason="no AVX2")
def test_whoever_imports_components_has_it_before_tensorflow():
    script = "import sys, os, components; print(os.environ['TF_ENABLE_ONEDNN_OPTS'], 'tensorflow' in sys.modules)"
    bare = {name: value for name, value in os.environ.items() if name != "TF_ENABLE_ONEDNN_OPTS"}
    assert subprocess.check_output([sys.executable, "-c", script], env=bare, text=True).split() == ["1", "False"]
