"""Records, their listing without Keras, and what is said when something is wrong."""

import importlib
import json
import pkgutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import keras
import pytest

import keras_models
from configs.errors import UsageError
from keras_models import ENTRIES, ModelEntry, Record, build, building, catalog, catalogue, check, get, register
from keras_models.autoencoders.convolutional import conv_autoencoder
from tests.slower import times_slower

ROOT = Path(keras_models.__file__).parents[1]
FAMILIES = ("keras_models.classifiers", "keras_models.autoencoders", "keras_models.segmenters")
SOME = {"task": "classification", "params": None, "tiny": {}, "paper": "Nobody 2000", "year": 2000}


@pytest.fixture
def entries():
    """Records of the test's own."""
    kept = dict(ENTRIES)
    ENTRIES.clear()
    yield ENTRIES
    ENTRIES.clear()
    ENTRIES.update(kept)


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Writes a module that can be imported; returns its name."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(text, name="own_models"):
        path = tmp_path / f"{name.replace('.', '/')}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return name

    before = set(sys.modules)
    yield write
    for name in set(sys.modules) - before:
        if name.startswith("own_"):
            del sys.modules[name]


def family_modules():
    for package in FAMILIES:
        path = importlib.import_module(package).__path__
        yield from (importlib.import_module(f"{package}.{module.name}") for module in pkgutil.iter_modules(path))


def shipped(build, **changes):
    return ModelEntry(name="toy", build=build, module="toys", **{**SOME, **changes})


def functional(input_shape=(4, 4, 1), num_classes=3, width=2, depth=1):
    image = keras.Input(input_shape)
    return keras.Model(image, keras.layers.Dense(num_classes)(keras.layers.Flatten()(image)))


FACTS = {"input_shape": [4, 4, 1], "num_classes": 3}


# the listing


def test_catalog_equals_the_imported_records():
    list(family_modules())
    imported = {name: entry.record() for name, entry in ENTRIES.items() if entry.module.startswith(FAMILIES)}
    assert catalog() == imported
    assert list(catalog()) == sorted(imported)


def test_every_public_builder_is_registered():
    registered = {(entry.module, entry.build.__name__) for entry in map(get, catalog())}
    public = {
        (module.__name__, name)
        for module in family_modules()
        for name, thing in vars(module).items()
        if callable(thing) and getattr(thing, "__module__", "") == module.__name__ and not name.startswith("_")
    }
    assert public == registered


def test_the_family_is_the_file_and_the_default_input_the_builder_s():
    lenet = catalog()["lenet5_1998"]
    assert (lenet.family, lenet.input_shape) == ("lenet", (32, 32, 1))


def test_listing_imports_no_keras_and_is_quick():
    program = """
import json, sys, time
start = time.process_time()
import keras_models
names = [record.name for record in keras_models.catalog().values()]
keras_models.check("lenet")
heavy = [name for name in ("keras", "tensorflow", "numpy", "tfx", "pydantic") if name in sys.modules]
print(json.dumps([names, heavy, time.process_time() - start]))
"""
    out = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    names, heavy, seconds = json.loads(out)
    assert names == list(catalog())
    assert heavy == []
    assert seconds < times_slower()


def test_get_imports_one_family(entries, monkeypatch):
    imported = []

    def import_module(module):
        imported.append(module)
        register("mlp", **SOME)(functional)

    monkeypatch.setattr(building.importlib, "import_module", import_module)
    assert get("mlp") is entries["mlp"]
    assert imported == ["keras_models.classifiers.mlp"]


def scan(tmp_path, *files):
    family = tmp_path / "toys" / "family"
    family.mkdir(parents=True)
    for number, text in enumerate(files):
        (family / f"m{number}.py").write_text("from keras_models.record import register\n" + text, encoding="utf-8")
    return catalogue._scan(tmp_path / "toys")


TOY = '@register("{name}", task="t", params={params}, tiny={{"n": (1,)}}, paper="p", year=1, aliases={aliases})\ndef f(): pass\n'


def test_scan_reads_stacked_decorators(tmp_path):
    first = TOY.format(name="a", params="1_000", aliases=("b",)).replace("def f(): pass\n", "")
    records = scan(tmp_path, first + TOY.format(name="c", params=None, aliases=()))
    toy = {"task": "t", "tiny": {"n": (1,)}, "paper": "p", "year": 1, "module": "toys.family.m0"}
    assert records == {"a": Record(name="a", params=1000, aliases=("b",), **toy), "c": Record(name="c", params=None, **toy)}


@pytest.mark.parametrize(
    ("parameters", "shape"),
    [
        ("input_shape=(8, 9, 1), n=2", (8, 9, 1)),
        ("n=2, *, input_shape=SHAPE", (4, 4, 3)),
        ("input_shape, n=(1, 2)", None),
        ("input_shape=(SIDE, SIDE, 1)", None),
        ("input_shape=OTHER", None),
        ("**options", None),
    ],
)
def test_scan_reads_the_default_input_where_it_is_written(tmp_path, parameters, shape):
    toy = "SIDE = 8\nSHAPE = (4, 4, 3)\n" + TOY.format(name="a", params=1, aliases=()).replace("f()", f"f({parameters})")
    assert scan(tmp_path, toy)["a"].input_shape == shape


def test_scan_refuses_a_computed_fact(tmp_path):
    with pytest.raises(ValueError, match=r"m0\.py:2: params of register\(\.\.\.\) must be a literal, to be read without importing"):
        scan(tmp_path, TOY.format(name="a", params="10 * SIDE", aliases=()))


def test_scan_refuses_unpacked_facts(tmp_path):
    with pytest.raises(ValueError, match=r"m0\.py:2: \*\* of register\(\.\.\.\) must be a literal"):
        scan(tmp_path, '@register("a", **COMMON)\ndef f(): pass\n')


def test_scan_names_what_is_missing_or_unknown(tmp_path):
    with pytest.raises(ValueError, match=r"m0\.py:2: register\(\.\.\.\): missing .*'year'"):
        scan(tmp_path, '@register("a", task="t", params=1, tiny={}, paper="p")\ndef f(): pass\n')


def test_of_several_calls_that_decorate_nothing_the_first_is_named(tmp_path):
    calls = [f'register("m{n}", task="t", params=1, tiny={{}}, paper="p", year=1)' for n in range(40)]
    with pytest.raises(ValueError, match=r"m0\.py:2: register"):
        scan(tmp_path, "\n".join(calls))


def test_scan_refuses_a_call_that_decorates_nothing(tmp_path):
    with pytest.raises(ValueError, match=r"m0\.py:3: register\(\.\.\.\) must decorate a function at the top level of its file"):
        scan(tmp_path, 'for n in (1, 2):\n    register("a", task="t", params=1, tiny={}, paper="p", year=1)(print)\n')


def test_scan_refuses_a_name_given_twice(tmp_path):
    toys = (TOY.format(name="a", params=1, aliases=()), TOY.format(name="b", params=1, aliases=("a",)))
    with pytest.raises(ValueError, match=r"'a' already names a model in toys\.family\.m0"):
        scan(tmp_path, *toys)


def test_scan_passes_over_another_register(tmp_path):
    family = tmp_path / "toys" / "family"
    family.mkdir(parents=True)
    (family / "m.py").write_text("from elsewhere import register\n@register(x)\ndef f(): pass\n", encoding="utf-8")
    assert catalogue._scan(tmp_path / "toys") == {}


# register and get


def test_register_stacks_and_keeps_the_builder(entries):
    def toy(depth=1):
        return depth

    assert register("toy2", options={"depth": 2}, **SOME)(register("toy1", aliases=["t"], **SOME)(toy)) is toy
    assert [(e.name, e.build, e.aliases, e.options) for e in entries.values()] == [
        ("toy1", toy, ("t",), {}),
        ("toy2", toy, (), {"depth": 2}),
    ]
    assert entries["toy1"].module == __name__


@pytest.mark.parametrize("taken", ["toy", "t"])
def test_a_taken_name_or_alias_raises(entries, taken):
    register("toy", aliases=("t",), **SOME)(functional)
    with pytest.raises(ValueError, match=rf"'{taken}' already names functional in {__name__}"):
        register(taken, **SOME)(functional)
    with pytest.raises(ValueError, match=rf"'{taken}' already names functional in {__name__}"):
        register("other", aliases=(taken,), **SOME)(functional)


def test_entries_are_frozen():
    with pytest.raises(AttributeError):
        get("mlp").params = 1


def test_get_takes_names_and_aliases():
    assert get("lenet") is get("lenet5") is ENTRIES["lenet5"]
    assert check("lenet") == get("lenet").record() == catalog()["lenet5"]


@pytest.mark.parametrize("find", [get, check])
def test_an_unknown_name_lists_the_nearest(find):
    with pytest.raises(UsageError) as caught:
        find("lenet6")
    assert caught.value.message.startswith("There is no model 'lenet6'; did you mean 'lenet' or 'lenet5'")
    assert caught.value.hint.startswith("There are lenet, lenet5, lenet5_1998. `hubel list models`")
    with pytest.raises(UsageError, match=r"^There is no model 'zzz'\.$"):
        find("zzz")


# a builder of one's own


BUILDER = "def make(input_shape, num_classes):\n    return None\n"


@pytest.mark.parametrize("path", ["own_models:make", "own_models.make"])
def test_a_dotted_path_is_found(own, path):
    own(BUILDER)
    known = Record(name=path, task="classification", params=None, tiny={}, paper="", year=None, module="own_models")
    assert check(path) == known
    assert "own_models" not in sys.modules
    assert get(path).record() == known
    assert get(path).build is sys.modules["own_models"].make


def test_a_dotted_path_into_a_package_is_found_without_importing_it(own):
    own("raise RuntimeError", "own_package.__init__")
    own(BUILDER, "own_package.models")
    assert check("own_package.models:make").module == "own_package.models"


def test_a_dotted_path_knows_the_task_it_was_registered_with(own, entries):
    arguments = 'task="reconstruction", params=1, tiny={}, paper="", year=2026'
    own(f"from keras_models import register\n@register('own', {arguments})\n{BUILDER}")
    assert check("own_models:make").task == "reconstruction"
    assert get("own_models:make").task == "reconstruction"
    assert get("own") is entries["own"]
    assert check("own") == get("own").record()


@pytest.mark.parametrize("find", [get, check])
@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("own_absent:make", "Model 'own_absent:make': there is no module own_absent."),
        ("own_models.deep:make", "Model 'own_models.deep:make': there is no module own_models.deep."),
        ("own_package.absent:make", "Model 'own_package.absent:make': there is no module own_package.absent."),
        ("own_package.absent.deep.make", "Model 'own_package.absent.deep.make': there is no module own_package.absent."),
        ("__main__:make", "Model '__main__:make': there is no module __main__."),
        ("../models.py", "'../models.py' is not a path to a builder."),
        ("own_models:", "'own_models:' is not a path to a builder."),
    ],
)
def test_a_path_that_leads_nowhere(own, monkeypatch, find, path, sentence):
    own(BUILDER)
    own("", "own_package.__init__")
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)
    with pytest.raises(UsageError) as caught:
        find(path)
    assert caught.value.message == sentence
    assert caught.value.hint
    if "no module" in sentence:
        assert f"in the folder where hubel is started, here {Path.cwd()}," in caught.value.hint


def test_a_module_without_the_function(own):
    own(BUILDER)
    with pytest.raises(UsageError, match=r"^Model 'own_models:made': own_models has no function 'made'\.$"):
        get("own_models:made")


def test_a_module_that_fails_to_import(own):
    own("import own_missing")
    with pytest.raises(UsageError, match=r"importing own_models failed: ModuleNotFoundError: No module named 'own_missing'\.$"):
        get("own_models:make")


def test_a_module_that_is_no_python(own):
    own("from keras_models import register\ndef (")
    with pytest.raises(UsageError, match=r"^Model 'own_models:make': .*own_models\.py cannot be read: invalid syntax"):
        check("own_models:make")
    with pytest.raises(UsageError, match=r"importing own_models failed: SyntaxError"):
        get("own_models:make")


# build


def test_build_merges_name_config_and_data():
    seen = {}

    def builder(input_shape, num_classes, width=1, depth=1):
        seen.update(input_shape=input_shape, num_classes=num_classes, width=width, depth=depth)
        return functional(input_shape, num_classes)

    build(shipped(builder, options={"depth": 5}), {**FACTS, "class_names": ["a", "b", "c"]}, {"width": 7})
    assert seen == {"input_shape": (4, 4, 1), "num_classes": 3, "width": 7, "depth": 5}


def test_build_leaves_out_facts_that_the_builder_does_not_name():
    model = build("conv_autoencoder", {"input_shape": (9, 7, 1), "num_classes": 10}, {"filters": [2], "code_size": 3})
    assert model.output_shape == (None, 9, 7, 1)


def test_build_gives_everything_to_an_open_ended_builder():
    build(shipped(lambda **of_data: functional(of_data["input_shape"], of_data["num_classes"])), FACTS, {"anything": 1})


def refusal(entry, of_data, options):
    with pytest.raises(UsageError) as caught:
        build(entry, of_data, options)
    assert caught.value.hint
    return caught.value


def test_an_unknown_option():
    error = refusal("lenet5", {"input_shape": (32, 32, 1), "num_classes": 10}, {"poling": "max"})
    assert (error.message, error.hint) == (
        "Model lenet5 has no option 'poling'; did you mean 'pooling'?",
        "Its options: activation, pooling, batch_norm, dropout.",
    )
    error = refusal("lenet5_1998", {"input_shape": (32, 32, 1), "num_classes": 10}, {"pooling": "max"})
    assert (error.message, error.hint) == ("Model lenet5_1998 has no option 'pooling'.", "It has no options.")


def test_an_unknown_option_behind_an_open_ended_builder():
    error = refusal(shipped(lambda **options: functional(**options)), FACTS, {"widht": 1})
    assert error.message == "Model toy has no option 'widht'."


def test_a_type_error_of_another_cause_is_not_hidden():
    ours = replace(shipped(lambda width=1: width + "1"), module="keras_models.toys")
    with pytest.raises(TypeError, match="unsupported operand"):
        build(ours, {}, {"width": 2})


def test_a_builder_of_one_s_own_that_fails_says_where(own):
    own("def make(input_shape, num_classes):\n    return input_shape[3]\n")
    error = refusal("own_models:make", FACTS, {})
    assert error.message == "Model own_models:make: its builder failed with IndexError: tuple index out of range."
    assert error.hint.endswith("own_models.py, line 2.")


def test_an_option_that_the_name_fixes():
    error = refusal(shipped(functional, options={"depth": 5}), FACTS, {"depth": 2})
    assert error.message == "Model toy: option 'depth' cannot be set: this name fixes it to 5."


def test_an_option_that_the_data_decides():
    assert refusal("mlp", FACTS, {"num_classes": 4}).message == "Model mlp: 'num_classes' is no option: the data decides it."


def test_an_option_without_a_default():
    assert refusal(shipped(lambda depth: None), {}, {}).message == "Model toy: option 'depth' has no default and must be given."


def test_a_value_that_the_builder_refuses():
    error = refusal("lenet5", {"input_shape": (8, 8, 1), "num_classes": 10}, {})
    too_small = "an image of 8 x 8 px is too small: c3 leaves nothing of it; the smallest that works is 16 x 16 px"
    assert error.message == f"Model lenet5: {too_small}."
    assert error.exit_code == 2


class Subclassed(keras.Model):
    """Not functional."""


def two_inputs():
    a, b = keras.Input((1,)), keras.Input((1,))
    return keras.Model([a, b], [a + b])


def whole_numbers():
    image = keras.Input((4, 4, 1))
    return keras.Model(image, keras.ops.argmax(image, -1))


def without_parts(input_shape):
    image = keras.Input(input_shape)
    return keras.Model(image, keras.layers.Identity()(image))


@pytest.mark.parametrize(
    ("builder", "task", "sentence"),
    [
        (lambda: 5, "classification", "the builder must return a keras.Model; it returned int."),
        (
            lambda: Subclassed(),
            "classification",
            "the model must be functional (keras.Model(inputs, outputs)), so that its layers are known without data.",
        ),
        (
            lambda: keras.Sequential([keras.layers.Dense(3)]),
            "classification",
            "the model must be functional (keras.Model(inputs, outputs)), so that its layers are known without data.",
        ),
        (
            lambda: keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(3)]),
            "classification",
            "the model must be functional (keras.Model(inputs, outputs)), so that its layers are known without data.",
        ),
        (two_inputs, "classification", "the model must have one input and one output; it has 2 and 1."),
        (whole_numbers, "classification", "the output must be floating-point numbers; it is int32."),
        (
            lambda: functional((5, 4, 1)),
            "classification",
            "the input's shape must be (4, 4, 1), as the data has it; it is (5, 4, 1).",
        ),
        (
            lambda input_shape: functional(input_shape, 7),
            "classification",
            "the output's shape must be (3,), a logit for each class; it is (7,).",
        ),
        (functional, "reconstruction", "a reconstruction must have the input's shape (4, 4, 1); it is (3,)."),
        (
            without_parts,
            "reconstruction",
            "a reconstruction model must hold sub-models named encoder and decoder; encoder and decoder not found.",
        ),
        (
            lambda input_shape: keras.Model(
                image := keras.Input(input_shape), conv_autoencoder(input_shape, filters=(1,)).get_layer("decoder")(_codes(image))
            ),
            "reconstruction",
            "a reconstruction model must hold sub-models named encoder and decoder; encoder not found.",
        ),
    ],
)
def test_a_model_that_breaks_the_contract(builder, task, sentence):
    error = refusal(shipped(builder, task=task), FACTS, {})
    assert error.message == f"Model toy: {sentence}"
    assert error.hint.endswith("Its builder is in toys.")


def test_a_compiled_model_is_refused():
    def compiled(input_shape, num_classes):
        model = functional(input_shape, num_classes)
        model.compile("sgd", "mse")
        return model

    error = refusal(shipped(compiled), FACTS, {})
    assert error.message == "Model toy: the model must be uncompiled: loss and optimizer are the config's."
    assert error.hint == "Leave out compile(). Its builder is in toys."


def test_a_builder_that_does_not_take_the_size_is_told_to():
    error = refusal(shipped(lambda: functional((5, 5, 1))), FACTS, {})
    assert error.hint == "Give the builder a parameter input_shape: (height, width, channels). Its builder is in toys."
    assert "num_classes" in refusal(shipped(lambda input_shape: functional(input_shape, 2)), FACTS, {}).hint
    build(shipped(lambda: functional()), FACTS, {})  # what fits by chance is taken


def _codes(image):
    return keras.layers.Dense(32)(keras.layers.Flatten()(image))


def test_a_model_is_held_to_what_it_says_that_it_gives():
    build(shipped(without_parts, task="reconstruction", gives="image"), FACTS, {})
    build(shipped(without_parts, task="nobody_s"), FACTS, {})  # of a task that says nothing of outputs
    error = refusal(shipped(without_parts, task="nobody_s", gives="logits"), FACTS, {})
    assert error.message == "Model toy: the output's shape must be (3,), a logit for each class; it is (4, 4, 1)."
    error = refusal(shipped(without_parts, task="nobody_s", gives="coded_image"), FACTS, {})
    assert "sub-models named encoder and decoder" in error.message
    error = refusal(shipped(without_parts, gives="picture"), FACTS, {})
    assert error.message == "Model toy: there is no kind of output 'picture'."
    assert error.hint == "There are: logits, image, coded_image, pixel_logits. Its builder is in toys."


def test_what_a_builder_of_one_s_own_gives_is_known_before_it_is_imported(own):
    arguments = 'task="nobody_s", params=None, tiny={}, paper="", year=2026, gives="image"'
    own(f'from keras_models import register\n\n\n@register("own_nets", {arguments})\ndef make(input_shape):\n    pass\n')
    assert (check("own_models:make").output, check("own_models:make").task) == ("image", "nobody_s")
    assert get("own_models:make").output == "image"
    assert (get("lenet5").output, get("conv_autoencoder").output) == ("logits", "coded_image")
    ENTRIES.pop("own_nets")
