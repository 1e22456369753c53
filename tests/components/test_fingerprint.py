"""The digest of source code changes with the code, and with nothing else."""

import importlib
import sys
from pathlib import Path

import pytest

from components import fingerprint
from configs.packages import PACKAGES

ROOT = Path(__file__).parents[2]
TRAINER = ("components.trainer.component", "components.tasks.classification")
TRANSFORM = ("components.transform.component", "components.transform.preprocessing")


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of a person's own: `start` imports `near` (by name), `far` (relatively) and not `apart`."""
    name = f"own_{tmp_path.name.replace('-', '_')}"
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "start.py").write_text(
        f"import numpy\nfrom {name} import near\n\ndef f(x):\n    from . import far\n    return x + 1\n"
    )
    (folder / "near.py").write_text("A = 1\n")
    (folder / "far.py").write_text("from .deep.deeper import C\n")
    (folder / "deep").mkdir()  # no __init__.py: a namespace package
    (folder / "deep" / "deeper.py").write_text("C = 3\n")
    (folder / "apart.py").write_text("D = 4\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    yield folder
    assert not [module for module in sys.modules if module.startswith(name)], "a fingerprint must not import what it reads"


def of(folder) -> str:
    return fingerprint.of(f"{folder.name}.start")


def closure(*modules: str) -> set[str]:
    return fingerprint._closure(modules, set(PACKAGES))


def test_it_is_the_same_twice_and_whatever_the_order():
    assert fingerprint.of(*TRAINER) == fingerprint.of(*reversed(TRAINER))
    assert fingerprint.of(*TRAINER) != fingerprint.of(*TRANSFORM)


def test_an_edit_of_the_code_changes_it(package):
    before = of(package)
    (package / "start.py").write_text((package / "start.py").read_text().replace("x + 1", "x + 2"))
    assert of(package) != before


def test_a_comment_or_another_layout_does_not_change_it(package):
    before = of(package)
    text = (package / "start.py").read_text().replace("return x + 1", "return (\n        x  +  1\n    )  # more")
    (package / "start.py").write_text(f"# hello\n\n{text}\n\n")
    assert of(package) == before


@pytest.mark.parametrize("edited", ["near.py", "far.py", "deep/deeper.py", "__init__.py"])
def test_an_edit_of_an_imported_module_changes_it(package, edited):
    before = of(package)
    (package / edited).write_text("C = A = 5\n")
    assert of(package) != before


def test_an_edit_of_an_unrelated_module_does_not_change_it(package):
    before = of(package)
    (package / "apart.py").write_text("D = 5\n")
    assert of(package) == before


def test_the_closure_is_of_hubel_and_the_package_asked_for(package):
    modules = fingerprint._closure([f"{package.name}.start"], {package.name})
    names = {name.removeprefix(f"{package.name}.") for name in modules}
    assert names == {package.name, "start", "near", "far", "deep.deeper"}


def test_what_a_package_offers_without_naming_it_belongs_to_who_imports_it(package):
    """As `from keras_models.layers import PixelLoss` in a person's own file."""
    (package / "start.py").write_text("from keras_models.layers import PixelLoss\n")
    layers = {name for name in closure(f"{package.name}.start") if name.startswith("keras_models.layers.")}
    assert layers == {"keras_models.layers.pixel_loss"}


def test_a_builder_in_a_folder_without_init_has_one(tmp_path, monkeypatch):
    name = f"plain_{tmp_path.name.replace('-', '_')}"
    (tmp_path / name).mkdir()
    (tmp_path / name / "nets.py").write_text("A = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    before = fingerprint.of(f"{name}.nets")
    (tmp_path / name / "nets.py").write_text("A = 2\n")
    assert fingerprint.of(f"{name}.nets") != before


@pytest.fixture
def builder(tmp_path, monkeypatch):
    """A file `net` of a person's own, and what it imports: files beside it, one elsewhere on the path, one that is installed."""
    parts = ("net", "blocks", "deeper", "folder", "elsewhere", "installed", "compiled")
    names = {part: f"{part}_{tmp_path.name}" for part in parts}
    imports = ("blocks", "elsewhere", "installed", "compiled")
    lines = [f"import {names[part]}\n" for part in imports] + [f"from {names['folder']}.part import A\n", "import json, __main__\n"]
    files = {
        names["net"]: "".join(lines),
        names["blocks"]: f"from {names['deeper']} import A\n",
        names["deeper"]: "A = 1\n",
        f"{names['folder']}/part": "A = 1\n",  # no __init__.py
        f"more/{names['elsewhere']}": "A = 1\n",
        f"site-packages/{names['installed']}": "A = 1\n",
    }
    for name, text in files.items():
        (tmp_path / f"{name}.py").parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.py").write_text(text)
    (tmp_path / f"{names['compiled']}.so").write_bytes(b"\x7fELF 1")
    for folder in (tmp_path / "site-packages", tmp_path / "more", tmp_path):
        monkeypatch.syspath_prepend(str(folder))
    importlib.invalidate_caches()
    yield names["net"], lambda part: next(path for path in tmp_path.rglob("*.*") if names.get(part, part) in path.stem)
    assert not [module for module in sys.modules if module in names.values()], "a fingerprint must not import what it reads"


@pytest.mark.parametrize("digest", [fingerprint.of, fingerprint.of_own])
@pytest.mark.parametrize("edited", ["net", "blocks", "deeper", "part", "elsewhere"])
def test_an_edit_of_a_helper_of_a_persons_own_builder_changes_it(builder, digest, edited):
    net, path_of = builder
    before = digest(net)
    path_of(edited).write_text("A = 2\n")
    assert digest(net) != before


@pytest.mark.parametrize("digest", [fingerprint.of, fingerprint.of_own])
def test_compiled_helpers_count_by_their_bytes_and_installed_packages_do_not_count(builder, digest):
    net, path_of = builder
    before = digest(net)
    path_of("installed").write_text("A = 2\n")
    assert digest(net) == before
    path_of("compiled").write_bytes(b"\x7fELF 22")
    assert digest(net) != before


@pytest.mark.parametrize("name", ["no_such_package_anywhere", "components.no_such_module", "components.keys.LABEL", ""])
def test_a_module_that_is_not_there_is_an_error(name):
    with pytest.raises(ModuleNotFoundError):
        fingerprint.of(name)


def test_augmentation_is_trainers_business_alone():
    assert "components.transform.augment.steps" in closure(*TRAINER)
    assert "components.transform.augment.steps" not in closure(*TRANSFORM)


def test_transform_is_made_of_pixels_and_preprocessing_and_not_of_tasks():
    made_of = closure(*TRANSFORM)
    assert {"components.transform.pixels", "components.transform.preprocessing", "configs.schema.transform"} <= made_of
    assert not [
        name for name in made_of if name.startswith(("components.tasks", "components.trainer", "keras_models", "pipelines"))
    ]


def test_tuner_is_made_of_what_a_training_is_made_of():
    tuner = closure("tuner.tuner_fn")
    assert closure("components.trainer.training") <= tuner
    assert "tuner.space" in tuner
    assert "components.trainer.export" not in tuner, "trials are not served"


def test_a_model_family_belongs_to_its_own_models_alone():
    families = ("keras_models.classifiers.", "keras_models.autoencoders.", "keras_models.segmenters.")
    assert not [name for name in closure(*TRAINER, *TRANSFORM) if name.startswith(families)]
    assert {n for n in closure(*TRAINER, "keras_models.classifiers.lenet") if n.startswith(families)} == {
        "keras_models.classifiers.lenet"
    }


def test_a_task_belongs_to_its_own_models_alone():
    assert "components.tasks.reconstruction" not in closure(*TRAINER)


def test_components_that_serve_nothing_do_not_know_how_training_works():
    assert "components.trainer.data" not in closure("components.pusher.component", "components.example_gen.component")


def test_a_package_names_none_of_its_files():
    """Each of them would be a part of whatever imports another. Those that patch, and those that people import from, do."""
    folders = [".".join(path.parent.relative_to(ROOT).parts) for name in PACKAGES for path in (ROOT / name).rglob("__init__.py")]
    of = {name: [own for own in fingerprint._imports(name, set(PACKAGES)) if own.startswith(f"{name}.")] for name in folders}
    assert {name for name, own in of.items() if own} == {
        "components",
        "keras_models",
        "pipelines",
        "serving.answers",
        "serving.client",
    }
