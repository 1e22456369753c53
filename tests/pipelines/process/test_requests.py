"""Each request is the call that it says: a field for each parameter of its function, JSON on the way."""

import dataclasses
import importlib
import inspect
import json
from pathlib import Path
from types import MappingProxyType

import pytest

from pipelines.process import requests

KINDS = [kind for kind in vars(requests).values() if inspect.isclass(kind) and hasattr(kind, "calls")]


@pytest.mark.parametrize("kind", KINDS)
def test_its_fields_are_the_parameters_of_its_function(kind):
    module, _, name = kind.calls.partition(":")
    parameters = inspect.signature(getattr(importlib.import_module(module), name)).parameters
    fields = {field.name: field for field in dataclasses.fields(kind)}
    assert list(fields) == list(parameters)
    missing = {name for name, field in fields.items() if field.default is dataclasses.MISSING}
    assert missing >= {name for name, parameter in parameters.items() if parameter.default is parameter.empty}


def test_each_call_has_one_kind():
    assert len({kind.calls for kind in KINDS}) == len(KINDS)


def test_what_goes_to_the_worker_is_json():
    request = requests.Look("folder:x", "/w", MappingProxyType({"label": ("a", "b")}))
    assert json.loads(json.dumps(request.arguments())) == {
        "source": "folder:x",
        "datasets": "/w",
        "features": {"label": ["a", "b"]},
        "images": None,
    }
    with pytest.raises(dataclasses.FrozenInstanceError):
        request.source = "another"


def test_no_other_file_names_a_call():
    root = Path(requests.__file__).parents[2]
    wings = [path for path in (root / "pipelines").rglob("*.py") if path != Path(requests.__file__)]
    assert not [path for path in wings for kind in KINDS if f'"{kind.calls}"' in path.read_text()]
