"""What stands in for the modules that an installation may lack."""

import importlib.util
import subprocess
import sys
from importlib.machinery import PathFinder

import numpy as np
import pytest

from components.compat import tfdv


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


def test_data_validation_imports_once_components_was():
    code = (
        "import components, tfx_bsl.arrow.sql_util as made; import tensorflow_data_validation as validation;"
        "print(made.anything, hasattr(made, '__wrapped__'), bool(validation.StatsOptions()))"
    )
    assert python(code) == "None False True"


def test_the_finder_is_asked_last_and_installed_once():
    tfdv.install()
    tfdv.install()
    assert [type(finder).__name__ for finder in sys.meta_path].count("_Fallback") == 1
    names = [type(finder).__name__ for finder in sys.meta_path]
    assert names.index("_Fallback") > max(place for place, finder in enumerate(sys.meta_path) if finder is PathFinder)
    assert tfdv._Fallback().find_spec("numpy") is None


def test_farmhash_has_a_stand_in_where_there_is_none():
    spec = tfdv._Fallback().find_spec("farmhash")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    assert (made.fingerprint32, made.fingerprint64) == (tfdv.fingerprint32, tfdv.fingerprint64)


TEXTS = [("abcé日ÿ\x7f" * 30)[start : start + length] for start in range(3) for length in range(90)]


def test_fingerprints_are_farmhash_s():
    farmhash = pytest.importorskip("farmhash")
    if not hasattr(farmhash, "__file__"):
        pytest.skip("pyfarmhash is not installed; its stand-in is")
    assert [tfdv.fingerprint32(text) for text in TEXTS] == [farmhash.fingerprint32(text) for text in TEXTS]
    assert [tfdv.fingerprint64(text) for text in TEXTS[:100]] == [farmhash.fingerprint64(text) for text in TEXTS[:100]]


def test_fingerprints_have_the_values_of_farmhash_s_own_library():
    assert {text: (tfdv.fingerprint32(text), tfdv.fingerprint64(text)) for text in KNOWN} == KNOWN


def test_fingerprints_take_bytes_and_texts_alike():
    assert tfdv.fingerprint32("é" * 20) == tfdv.fingerprint32(("é" * 20).encode())
    assert tfdv.fingerprint64("é" * 20) == tfdv.fingerprint64(("é" * 20).encode())


KNOWN = {  # computed with pyfarmhash 0.3.2
    "": (3696677242, 11160318154034397263),
    "label": (17762511, 17914967315253474319),
    "image/encoded": (987124071, 7410808517438361458),
    "image/encoded and image/id": (2475802671, 7025434948063132630),
}


@pytest.mark.parametrize("seed", range(40))
def test_a_histogram_of_equal_widths_is_tfdv_s_to_the_bit(seed):
    """Over values with ties, of whole numbers, with points at the ends, all the same, infinite."""
    from tensorflow_data_validation.utils import quantiles_util

    random = np.random.default_rng(seed)
    values = np.sort(random.normal(100, 30, 400).round(seed % 4 - 1) if seed % 5 else np.full(400, 8.0))
    if seed % 7 == 6:
        values[:3] = -np.inf
    if seed % 8 == 7:
        values[-5:] = np.inf
    finite = values[np.isfinite(values)]
    places = np.linspace(0, 399, 101).astype(int)
    given = values[places], (places + 1).astype(float), float(finite[0]), float(finite[-1]), 10, float((values == np.inf).sum())
    code = quantiles_util.generate_equi_width_histogram
    theirs = tfdv._theirs if code is tfdv.equal_widths else code
    tfdv.quicken()
    assert quantiles_util.generate_equi_width_histogram is tfdv.equal_widths
    assert tfdv.equal_widths(*given) == theirs(*given)
