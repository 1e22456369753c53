"""Private names of libraries: where hubel uses them, and that they are there. After an upgrade these tests name what is gone."""

import ast
import importlib
import inspect
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from configs.packages import PACKAGES
from tests import sources

OURS = sources.files()
HOMES = {path for path in OURS if "compat" in (path.stem, path.parent.name)}
PUBLIC = {"_replace", "_asdict", "_fields", "_make", "_exit", "_getframe"}  # of named tuples, of os and of sys: documented

# Each private name, or name that is patched, -> (where it is, what hubel calls it with; None: it is read).
CALLABLES = {
    "get_global_attribute": ("keras.src.backend.common.global_state", ("name", [])),
    "set_global_attribute": ("keras.src.backend.common.global_state", ("name", [])),
    "keras_home": ("keras.src.backend.config", ()),
    "get_file": ("keras.src.utils.file_utils", {"fname": "", "origin": "", "cache_subdir": "models", "file_hash": ""}),
    "_flatten_layers": ("keras.layers:Layer", {"self": None, "include_self": True, "recursive": True}),
    "_default_save_signature": ("keras.src.backend.tensorflow.layer:TFLayer", None),
    "generate_equi_width_histogram": ("tensorflow_data_validation.utils.quantiles_util", (None, None, 0.0, 0.0, 10, 0.0)),
    "_use_weight_decay": ("keras.optimizers:Optimizer", (None, None)),
    "_apply_weight_decay": ("keras.optimizers:Optimizer", (None, None)),
    "get_function_args_defaults": ("apache_beam.transforms.core", (None,)),
    "get_dofn_specs": ("apache_beam.transforms.userstate", (None,)),
    "_find_imported_submodules": ("apache_beam.internal.cloudpickle.cloudpickle", (None, [])),
    "_BeamArgumentParser": ("apache_beam.options.pipeline_options", None),
    "_get_formatter": ("argparse:ArgumentParser", (None,)),
    "_iter_modules_globals": ("objsize.traverse", ()),
    "_visible_option_list": ("apache_beam.options.pipeline_options:PipelineOptions", (None,)),
    "DEFAULT_RUNNER": ("apache_beam.options.pipeline_options:StandardOptions", None),
    "_log_startup": ("tfx.dsl.components.base.base_executor:BaseExecutor", (None, {}, {}, {})),
    "_get_tmp_dir": ("tfx.dsl.components.base.base_executor:BaseExecutor", (None,)),
    "_make_beam_pipeline": ("tfx.dsl.components.base.base_beam_executor:BaseBeamExecutor", (None,)),
    "_MarkPushed": (
        "tfx.components.pusher.executor:Executor",
        {"self": None, "model_push": None, "pushed_destination": "", "pushed_version": ""},
    ),
    "_MarkNotPushed": ("tfx.components.pusher.executor:Executor", (None, None)),
    "_prepare_execution": ("tfx.orchestration.portable.launcher:Launcher", (None,)),
    "_run_executor": ("tfx.orchestration.portable.launcher:Launcher", (None, None)),
    "_download": ("tensorflow_datasets:download.DownloadManager", (None, SimpleNamespace(url=""))),
    "rejected": ("tensorflow_datasets.core.utils.lazy_imports_utils:promise.Promise", (ValueError(),)),
    "get_service_grpc": ("keras_tuner.src.protos", ()),
    "protos": ("keras_tuner.src", None),
    "OracleServicer": ("keras_tuner.src.distribute.oracle_chief", (None,)),
    "_save_trial": ("keras_tuner:Oracle", (None, None)),
    "_set_project_dir": ("keras_tuner:Oracle", (None, "", "")),
    "_record_values": ("keras_tuner:Oracle", (None, None)),
    "_duplicate": ("keras_tuner:Oracle", (None, {})),
    "_random_values": ("keras_tuner:Oracle", (None,)),
    "_get_next_combination": ("keras_tuner:oracles.GridSearchOracle", (None, {})),
    "_get_num_brackets": ("keras_tuner:oracles.HyperbandOracle", (None,)),
    "_get_num_rounds": ("keras_tuner:oracles.HyperbandOracle", (None, 0)),
    "_get_size": ("keras_tuner:oracles.HyperbandOracle", (None, 0, 0)),
    "_make_callable_from_options": ("tensorflow.compat.v1:Session", (None, None)),
    "tqdm_lib": ("tensorflow_datasets.core.utils.tqdm_utils", None),
}
# Attributes that objects get in __init__ -> the class whose source must set them.
ATTRIBUTES = {
    "_context": "tfx.dsl.components.base.base_executor:BaseExecutor",
    "_system_node_handler": "tfx.orchestration.portable.launcher:Launcher",
    "_pipeline_node": "tfx.orchestration.portable.launcher:Launcher",
    "_mlmd_connection": "tfx.orchestration.portable.launcher:Launcher",
    "_output_resolver": "tfx.orchestration.portable.launcher:Launcher",
    "_retry_queue": "keras_tuner:Oracle",
    "_random_state": "keras_tuner:oracles.BayesianOptimizationOracle",
    "_flags": "apache_beam.options.pipeline_options:PipelineOptions",
    "_visible_options": "apache_beam.options.pipeline_options:PipelineOptions",
    "_all_options": "apache_beam.options.pipeline_options:PipelineOptions",
}
TRIED = {"_functional", "_nodes_by_depth", "_trainable_variables", "_keras_logits", "_compile_loss"}  # by a test below


def found_at(place: str):
    module, _, path = place.partition(":")
    held = importlib.import_module(module)
    for name in filter(None, path.split(".")):
        held = getattr(held, name)
    return held


@pytest.mark.parametrize("name", CALLABLES)
def test_it_is_there_and_takes_what_hubel_gives_it(name):
    place, given = CALLABLES[name]
    value = getattr(found_at(place), name, None)
    assert value is not None, f"{place} has no {name} any more"
    if given is not None:
        signature = inspect.signature(value)
        signature.bind(**given) if isinstance(given, dict) else signature.bind(*given)


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_it_is_set_by_its_class(name):
    source = inspect.getsource(found_at(ATTRIBUTES[name]).__init__)
    assert re.search(rf"self\.{name}\b.* = ", source), f"{ATTRIBUTES[name]} sets no {name} any more"


def test_keras_has_the_graph_and_the_variables_where_they_are_looked_for():
    import keras

    from keras_models import compat

    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="dense")])
    image = keras.Input((4,))
    net = keras.Model(image, keras.ops.relu(inner(image)))
    assert compat.graph_of(net) is net
    assert compat.graph_of(inner) is not inner
    assert compat.graph_of(net.layers[0]) is None
    calls = list(compat.nodes_of(net))
    assert [type(node.operation).__name__ for node in calls] == ["InputLayer", "Sequential", "Relu"]
    assert [node.is_input for node in calls] == [True, False, False]
    assert calls[2].input_tensors[0] is calls[1].output_tensors[0]
    assert compat.layers_of(net, itself=False, deep=False) == net.layers == [net.layers[0], inner]
    dense = inner.layers[-1]
    assert dense in compat.layers_of(net)
    dense.trainable = False
    assert list(map(id, compat.own_trainable_variables(dense))) == [id(dense.kernel), id(dense.bias)]


def test_keras_notes_logits_and_has_a_compiled_loss():
    import keras
    import numpy as np

    from keras_models import compat

    values = keras.ops.convert_to_tensor(np.array([[-1.0, 2.0]], "float32"))
    np.testing.assert_array_equal(compat.logits_of(keras.activations.sigmoid(values)), values)
    assert compat.logits_of(values) is None
    net = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    net.compile(loss="mse")
    assert float(compat.compiled_loss(net)(values, values + 1.0, None)) == 1.0


def test_keras_reads_a_file_with_what_it_has_made_of_it_in_reach(tmp_path):
    import keras

    from keras_models import compat

    seen = []

    @keras.saving.register_keras_serializable("test_private_names")
    class Second(keras.layers.Layer):
        @classmethod
        def from_config(cls, config):
            seen.append(compat.loaded_so_far())
            return super().from_config(config)

        def call(self, values):
            return values

    assert compat.loaded_so_far() == {}
    net = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2), Second()])
    net.save(tmp_path / "model.keras")
    keras.saving.load_model(tmp_path / "model.keras")
    assert len(seen) == 1
    assert isinstance(seen[0], dict)


def test_variables_made_without_values_are_forgotten():
    import keras
    from keras.src.backend.common import global_state

    from keras_models import compat
    from keras_models.parameters import without_weights

    before = list(global_state.get_global_attribute(compat.UNINITIALIZED, []))
    with keras.StatelessScope(initialize_variables=False):
        keras.layers.Dense(2).build((None, 2))
        assert len(global_state.get_global_attribute(compat.UNINITIALIZED, [])) > len(before), "Keras keeps them elsewhere"
    global_state.set_global_attribute(compat.UNINITIALIZED, list(before))
    with without_weights():
        keras.layers.Dense(2).build((None, 2))
    assert global_state.get_global_attribute(compat.UNINITIALIZED, []) == before


def test_keras_lists_its_networks_as_they_are_read():
    import keras

    from keras_models import compat

    assert {name: callable(getattr(keras.applications, name)) for name in compat.applications()} == dict.fromkeys(
        [name for name, value in vars(keras.applications).items() if inspect.isfunction(value)], True
    )


def test_tensorflow_keeps_a_function_that_is_not_to_be_inlined():
    import tensorflow as tf

    from components.compat.tensorflow import NOT_INLINED

    inner = tf.function(lambda x: x + 1.0, [tf.TensorSpec([])], experimental_attributes=NOT_INLINED)
    outer = tf.function(lambda x: inner(x) * 2.0).get_concrete_function(tf.TensorSpec([]))
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    graph = convert_variables_to_constants_v2(outer).graph.as_graph_def()
    assert [function.attr["_noinline"].b for function in graph.library.function] == [True]


def private_names(path: Path) -> set[tuple[int, str]]:
    """(line, name) of what a file uses of other code's private names, or changes in it.

    That is attributes that start with _ and that the file does not define, imports of such and of keras.src, and attributes of
    imported modules and classes that are set. What a file of ours keeps to itself is no other file's either."""
    tree = sources.tree(path)
    libraries, uses, own = set(), set(), defined([path]) - KNOWN
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
    }
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            module = getattr(node, "module", None) or ""
            is_ours = module.split(".")[0] in PACKAGES
            for alias in node.names:
                parts = [*module.split("."), *alias.name.split(".")]
                if not is_ours and alias.name.split(".")[0] not in PACKAGES and module != "__future__":
                    libraries.add((alias.asname or alias.name).split(".")[0])
                    if "src" in parts or any(part.startswith("_") for part in parts):
                        uses.add((node.lineno, ".".join(filter(None, parts))))
        elif isinstance(node, ast.Attribute) and is_private(node.attr) and node.attr not in own:
            uses.add((node.lineno, node.attr))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("getattr", "setattr", "hasattr"):
            name = node.args[1] if len(node.args) > 1 else None
            value = name.value if isinstance(name, ast.Constant) else constants.get(getattr(name, "id", None), "")
            if is_private(value) and value not in own:
                uses.add((node.lineno, value))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            root = node.value
            while isinstance(root, ast.Attribute):
                root = root.value
            if isinstance(root, ast.Name) and root.id in libraries and ast.unparse(node) not in SETTINGS:
                uses.add((node.lineno, ast.unparse(node)))
        elif isinstance(node, ast.Attribute) and ast.unparse(node) in ("sys.meta_path", "sys.path_hooks"):
            uses.add((node.lineno, ast.unparse(node)))
    return uses


DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
SETTINGS = {"sys.stdout"}  # what a program may set: its own output


def is_private(name: str) -> bool:
    is_special = name.startswith("__") and name.endswith("__") and name != "__internal__"
    return name.startswith("_") and not is_special and name not in PUBLIC


def defined(paths) -> set[str]:
    """Names that files define: functions, classes, variables and attributes of self."""
    names = set()
    for path in paths:
        for node in ast.walk(sources.tree(path)):
            if isinstance(node, DEFINITIONS):
                names.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.add(node.id)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                names.add(node.attr)
    return names


KNOWN = {*CALLABLES, *ATTRIBUTES, *TRIED}


def test_no_other_file_uses_a_private_name_of_a_library_or_changes_one():
    wrong = {sources.place(path): uses for path in OURS if path not in HOMES and (uses := private_names(path))}
    assert not wrong, "put it into components/compat/ or keras_models/compat.py, and into the tables of this file"


def test_each_private_name_in_its_home_is_tested_here():
    places = [place for place, _ in CALLABLES.values()] + [*ATTRIBUTES.values()]
    used = {name for path in HOMES for _, name in private_names(path) if not name.startswith("sys.")}
    untested = {name for name in used if name.rpartition(".")[2] not in KNOWN}
    assert {name for name in untested if not any(place.replace(":", ".").startswith(name) for place in places)} == set()


def test_what_stands_in_a_home_is_used():
    """By a file that is none, through the module's name or its own."""
    used = set()
    for path in set(OURS) - HOMES:
        tree, modules = sources.tree(path), {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                asked = {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
                used |= {*asked.values()}
                modules |= asked
        names = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name))
        used |= {f"{modules[node.value.id]}.{node.attr}" for node in names if node.value.id in modules}
    left = set()
    for path in HOMES:
        module = sources.place(path).removesuffix(".py").replace("/", ".")
        public = {node.name for node in sources.tree(path).body if isinstance(node, DEFINITIONS)}
        inside = {node.id for node in ast.walk(sources.tree(path)) if isinstance(node, ast.Name)}
        left |= {f"{module}.{name}" for name in public - inside if not name.startswith("_")} - used
    assert left == {"components.compat.tfma.custom_extractors"}, "TFX asks for this by its name"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("import keras\nkeras.Model._tracker", {"_tracker"}),
        ("import keras\n_tracker = 1\nkeras.Model._tracker", set()),
        ("NAME = '_tracker'\ngetattr(x, NAME)", {"_tracker"}),
        ("setattr(x, '_tracker', 1)", {"_tracker"}),
        ("from keras.src.utils import file_utils", {"keras.src.utils.file_utils"}),
        ("import keras\nkeras.Model.fit = None", {"keras.Model.fit"}),
        ("from configs import load\nload._CONFIGS", {"_CONFIGS"}),
    ],
)
def test_a_private_name_is_seen(tmp_path, text, names):
    path = tmp_path / "asks.py"
    path.write_text(text)
    assert {name for _, name in private_names(path)} == names


def test_tensorboard_still_asks_whether_it_is_to_do_without_tensorflow():
    import tensorboard.compat

    from components.compat import tensorboard as ours

    assert f'"{ours.NOTHING}"' in inspect.getsource(tensorboard.compat)
