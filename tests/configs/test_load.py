"""From files and --set to one RunConfig: merging, and errors that name the key."""

import json
import math
import os
import re

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from configs import load, paths
from configs.errors import HubelError, UsageError
from configs.override import override
from configs.schema.run import RunConfig
from configs.trees import merge

SHIPPED = sorted(load.SHIPPED.glob("*.yaml"))
SHIPPED_DATA = "tfds:digits"
MUST_HAVE_TWINS = [name for name in load.names() if load.load(name).data.source == SHIPPED_DATA]  # so that tests can run them
shipped = pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)


@pytest.fixture
def write(tmp_path):
    def write_file(text: str | bytes, name: str = "mine.yaml") -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return str(path)

    return write_file


def refusal(*arguments) -> UsageError:
    with pytest.raises(UsageError) as caught:
        load.load(*arguments)
    assert caught.value.exit_code == 2
    assert caught.value.hint
    return caught.value


@shipped
def test_shipped_configs_load(path):
    assert load.load(path.stem).name == path.stem.replace(".tiny", "_tiny")  # a twin never passes for its model


@shipped
def test_shipped_configs_say_what_they_are_for(path):
    assert len(load.header(path)) > 20


@shipped
def test_a_header_counts_no_images_as_trained_on_that_validation_takes(path):
    config, text = load.load(path.stem), load.header(path).replace("\n", " ")
    if config.data.source in ("tfds:mnist", "tfds:fashion_mnist"):
        used = round(60_000 * (1 - config.data.validation))
        assert not re.search(r"(on|'s) 60,000 training images", text)
        assert all(int(count.replace(",", "")) == used for count in re.findall(r"on ([0-9,]+) of \S+'s training images", text))


def resolved(path) -> dict:
    """A config's tree where mappings only merge, key by key: what `extends` meant before a new name began anew."""
    tree = yaml.load(path.read_text(), load._Loader)  # noqa: S506 a SafeLoader
    base = tree.pop("extends", None)
    return plainly_merged(resolved(load.find(base)), tree) if base else tree


def plainly_merged(base, over):
    if isinstance(base, dict) and isinstance(over, dict):
        return {**base, **{key: plainly_merged(base.get(key), value) for key, value in over.items()}}
    return over


@shipped
def test_shipped_configs_are_what_plain_merging_makes_of_them(path):
    """No shipped config counts on a new name, in `extends`, keeping or dropping what was said of the old one."""
    assert load.load(path.stem) == load.validate(resolved(path), str(path))


@shipped
def test_shipped_configs_survive_dump_and_validate(path):
    config = load.load(path.stem)
    assert load.validate(yaml.safe_load(load.dump(config)), "dump") == config
    again = load.validate(json.loads(json.dumps(load.written(config))), "worker")
    assert (again, load.dump(again), again.model_fields_set) == (config, load.dump(config), config.model_fields_set)


@pytest.mark.parametrize("name", MUST_HAVE_TWINS)
def test_twins_are_smaller_and_keep_the_architecture(name):
    full, tiny = load.load(name), load.load(f"{name}.tiny")
    assert tiny.train.epochs < full.train.epochs or (tiny.data.limit or math.inf) < (full.data.limit or math.inf)
    assert tiny.model.name == full.model.name


@shipped
def test_twins_extend_what_they_are_twins_of(path):
    if path.stem.endswith(".tiny"):
        tree = yaml.safe_load(path.read_text())
        assert str(tree["extends"]).removesuffix(".yaml") == path.stem.removesuffix(".tiny")


def test_names_leave_the_twins_out():
    assert {"digits_lenet5", "digits_mlp", "digits_conv_autoencoder"} <= set(load.names())
    assert not [name for name in load.names() if name.endswith(".tiny")]


def test_a_name_is_found_before_a_file_of_that_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits_lenet5").write_text("name: other")
    assert load.find("digits_lenet5").parent == load.SHIPPED
    assert load.load("./digits_lenet5").name == "other"


@pytest.mark.parametrize("config", ["", ".", "/", "a\0b", "a" * 5000, "../configs/schema"], ids=lambda name: repr(name)[:20])
def test_a_config_that_is_not_there_is_refused_with_the_names_that_are(config):
    error = refusal(config)
    assert "digits_lenet5" in error.hint
    assert len(error.message) < 200


@pytest.mark.parametrize("config", ["no/such.yaml", "mine.yml", "digits_lenet.yaml"])
def test_a_file_that_is_not_there_is_said_without_the_names_of_shipped_configs(config):
    error = refusal(config)
    assert error.message == f"There is no config '{config}': the file is not there."
    assert error.hint == f"Check its path, which starts from {os.getcwd()}."


def test_a_shipped_config_with_the_ending_of_its_file_is_named_without_it():
    assert refusal("digits_lenet5.yaml").hint == "The shipped one is called digits_lenet5."


def test_a_misspelt_config_names_the_nearest():
    assert "'digits_lenet5'" in refusal("digits_lenet").hint


def test_extends_takes_a_shipped_name_with_or_without_its_ending(write):
    for base in ("digits_mlp", "digits_mlp.yaml"):
        config = load.load(write(f"extends: {base}\nname: mine\ntrain: {{epochs: 2}}"))
        assert (config.name, config.model.name, config.train.epochs) == ("mine", "mlp", 2)


def test_extends_takes_a_file_relative_to_its_own_folder(write, tmp_path, monkeypatch):
    write("name: base\nseed: 7", "bases/base.yaml")
    path = write("extends: ../bases/base.yaml\nname: mine", "runs/mine.yaml")
    monkeypatch.chdir("/")
    assert load.load(path).seed == 7


def test_extends_makes_chains_of_which_the_last_wins(write):
    write("name: a\nseed: 1\ntrain: {epochs: 1, batch_size: 1}", "a.yaml")
    write("extends: a.yaml\nseed: 2\ntrain: {epochs: 2}", "b.yaml")
    config = load.load(write("extends: b.yaml\nseed: 3", "c.yaml"))
    assert (config.name, config.seed, config.train.epochs, config.train.batch_size) == ("a", 3, 2, 1)


def test_extends_that_goes_in_a_circle_is_refused(write):
    write("extends: b.yaml\nname: a", "a.yaml")
    assert "circle" in refusal(write("extends: a.yaml", "b.yaml")).message
    assert "circle" in refusal(write("extends: self.yaml\nname: a", "self.yaml")).message


def test_a_file_may_extend_the_shipped_config_of_its_own_name(write):
    assert load.load(write("extends: digits_mlp\nseed: 5", "digits_mlp.yaml")).seed == 5


@pytest.mark.parametrize("base", ["nowhere.yaml", "nowhere", "a/b/c.yaml", "''", "a" * 3000], ids=lambda base: base[:20])
def test_extends_of_nothing_says_which_file_extends_it(write, tmp_path, base):
    error = refusal(write(f"extends: {base}\nname: a"))
    message = error.message
    assert (error.hint == f"A file that is extended is looked for in {tmp_path} first.") == base.endswith(".yaml")
    assert "mine.yaml extends" in message
    assert "There is no config" in message


def test_extends_takes_one_name_only(write):
    assert "one config" in refusal(write("extends: [digits_mlp, digits_lenet5]")).message


def test_maps_merge_and_lists_replace(write):
    write("name: a\naugment: [{rotate: {degrees: 1}}, {flip: {}}]\nmodel: {options: {a: 1, b: {c: 1, d: 2}}}", "base.yaml")
    config = load.load(write("extends: base.yaml\naugment: [{zoom: {factor: 0.1}}]\nmodel: {options: {b: {d: 3}, e: 4}}"))
    assert [step.operation[0] for step in config.augment] == ["zoom"]
    assert config.model.options == {"a": 1, "b": {"c": 1, "d": 3}, "e": 4}


def test_null_replaces_a_whole_slice(write):
    assert load.load(write("extends: digits_lenet5\ntrain: {early_stopping: null}")).train.early_stopping is None


def test_null_takes_one_bound_out_of_what_is_extended(write):
    config = load.load(
        write("extends: digits_lenet5\nevaluate: {thresholds: {accuracy: null, mse: {max: 1}}, slices: {label: null}}")
    )
    assert list(config.evaluate.thresholds) == ["mse"]
    assert config.evaluate.slices == {}
    assert config.evaluate.change


RESNET = (
    "name: a\nmodel: {name: resnet20, options: {width: 0.5}, initial: a/1}\n"
    "train: {optimizer: {name: sgd, learning_rate: 0.1, momentum: 0.9}, schedule: {name: step, milestones: [3]}, epochs: 4}"
)


@pytest.mark.parametrize("how", ["set mapping", "set name", "extends", "changes"])
def test_another_model_has_no_options_of_the_old_one(write, how):
    path = write(RESNET)
    if how == "extends":
        config = load.load(write(f"extends: {path}\nmodel: {{name: lenet5}}", "other.yaml"))
    elif how == "changes":
        config = load.load(path, (), [{"model": {"name": "lenet5"}}])
    else:
        config = load.load(path, ["model={name: lenet5}" if how == "set mapping" else "model.name=lenet5"])
    assert config.model == RunConfig(name="a", model={"name": "lenet5"}).model
    assert config.train == load.load(path).train


@pytest.mark.parametrize(
    "assignments",
    [
        ["model.name=mlp", "model.options.hidden=[9]"],
        ["model.options.hidden=[9]", "model.name=mlp"],
        ["model={name: mlp, options: {hidden: [9]}}"],
        ["model={name: vgg_a, options: {dropout: 0.1}}", "model.name=mlp", "model.options.hidden=[9]"],
        ["model={name: vgg_a}", "model.options.hidden=[9]", "model={name: mlp}", "model.options={hidden: [9]}"],
    ],
    ids=str,
)
def test_the_new_one_s_options_are_kept_in_any_order(write, assignments):
    assert (
        load.load(write(RESNET), assignments).model == RunConfig(name="a", model={"name": "mlp", "options": {"hidden": [9]}}).model
    )


@pytest.mark.parametrize(
    ("assignment", "read"),
    [
        ("train.optimizer.name=adam", {"optimizer": {"name": "adam"}}),
        ("train.optimizer={name: adam, learning_rate: 0.01}", {"optimizer": {"name": "adam", "learning_rate": 0.01}}),
        ("train.optimizer.name=sgd", {}),
        ("train.optimizer={name: sgd, momentum: 0.5}", {"optimizer": {"name": "sgd", "learning_rate": 0.1, "momentum": 0.5}}),
        ("train.schedule.name=cosine", {"schedule": {"name": "cosine"}}),
        ("train={schedule: {name: plateau, patience: 1}}", {"schedule": {"name": "plateau", "patience": 1}}),
        ("train.schedule.warmup_epochs=1", {"schedule": {"name": "step", "milestones": [3], "warmup_epochs": 1}}),
    ],
)
def test_so_has_another_optimizer_or_schedule(write, assignment, read):
    before = yaml.safe_load(RESNET)["train"]
    assert load.load(write(RESNET), [assignment]).train == RunConfig(name="a", train={**before, **read}).train


def test_a_mapping_that_says_no_name_has_the_default_s(write):
    path = write(
        "name: a\nmodel: {options: {dropout: 0.5}}\ntrain: {optimizer: {learning_rate: 0.5}, schedule: {warmup_epochs: 1}}"
    )
    names = ["model.name=lenet5", "train.optimizer.name=adam", "train.schedule.name=cosine"]
    assert load.load(path, names) == load.load(path)
    others = load.load(path, ["model.name=mlp", "train.optimizer.name=sgd", "train.schedule.name=constant"])
    assert others.model.options == {}
    assert others.train.optimizer.learning_rate == RunConfig(name="a").train.optimizer.learning_rate
    assert others.train.schedule.warmup_epochs == 0


def test_the_served_name_and_a_policy_s(write):
    path = write("name: a\ntrain: {epochs: 3}\naugment: [{policy: {name: digits, border: constant}}, {flip: {}}]")
    assert load.load(path, ["name=b"]).train.epochs == 3
    steps = load.load(path, ["augment.policy.name=photos"]).augment
    assert steps == RunConfig(name="a", augment=["photos", {"flip": {}}]).augment
    assert load.load(path, ["augment.0.policy.value=3"]).augment[0].policy.border == "constant"


@pytest.mark.parametrize("order", [("common", "arm"), ("arm", "common")])
def test_what_all_arms_change_is_of_the_model_that_an_arm_names(write, order):
    changes = {"common": {"model": {"options": {"dropout": 0.25}}}, "arm": {"model": {"name": "mlp"}}}
    config = load.load(write(RESNET), (), [changes[name] for name in order])
    assert config.model == RunConfig(name="a", model={"name": "mlp", "options": {"dropout": 0.25}}).model


def test_the_tuner_s_values_take_nothing_away(write):
    tuned = override(load.load(write(RESNET)), {"train.optimizer.name": "rmsprop"})
    assert tuned.train.optimizer.learning_rate == 0.1


def test_one_item_of_a_list_is_reached_by_its_index(write):
    path = write("name: a\naugment: [{rotate: {degrees: 1}}, {flip: {}}]\nmodel: {options: {hidden: [100, 50]}}")
    config = load.load(path, ["augment.0.rotate.degrees=5", "model.options.hidden.1=60"])
    assert config.augment[0].rotate.degrees == 5
    assert config.augment[1].flip is not None
    assert config.model.options["hidden"] == [100, 60]


@pytest.mark.parametrize(
    ("text", "assignments", "read"),
    [
        ("[{rotate: {degrees: 1}}, {flip: {}}]", ["augment.rotate.degrees=5"], [{"rotate": {"degrees": 5}}, {"flip": {}}]),
        ("[{flip: {}}]", ["augment.copies=4", "augment.copies=5"], [{"flip": {}}, {"copies": 5}]),
        ("digits", ["augment.copies=4"], [{"policy": "digits"}, {"copies": 4}]),
    ],
)
def test_a_step_is_reached_by_its_name_and_a_new_one_comes_last(write, text, assignments, read):
    config = load.load(write(f"name: a\naugment: {text}"), assignments)
    assert config.augment == RunConfig(name="a", augment=read).augment


def test_what_copies_were_made_with_is_not_searched(write):
    text = "name: a\naugment: [{rotate: {degrees: 1}}, {copies: 2}]\ntune: {space: {augment.0.rotate.degrees: {min: 0, max: 20}}}"
    assert "settled before" in str(refusal(write(text)))


@pytest.mark.parametrize("index", ["2", "-1", "first", "²"])
def test_an_index_that_a_list_does_not_have_is_refused(write, index):
    path = write("name: a\naugment: [{rotate: {degrees: 1}}, {flip: {}}]")
    with pytest.raises(UsageError, match="augment"):
        load.load(path, [f"augment.{index}.rotate.degrees=5"])


def test_the_tuner_can_search_an_item_of_a_list(write):
    space = "{augment.0.rotate.degrees: {min: 0, max: 20}, model.options.hidden.0: {choices: [10, 20]}}"
    path = write(
        "name: a\naugment: [{rotate: {degrees: 1}}]\nmodel: {name: mlp, options: {hidden: [100]}}\n"
        f"tune: {{space: {space}}}"
    )
    tuned = override(load.load(path), {"augment.0.rotate.degrees": 7.5, "model.options.hidden.0": 20})
    assert tuned.augment[0].rotate.degrees == 7.5
    assert tuned.model.options["hidden"] == [20]


trees = st.recursive(st.integers(), lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=8)


@given(trees, trees, trees)
def test_merging_maps_is_associative_and_keeps_what_it_is_given(first, second, third):
    if all(isinstance(tree, dict) for tree in (first, second, third)):
        merged = merge(merge(first, second), third)
        assert merged == merge(first, merge(second, third)) or clashes(first, second, third)
    assert merge(first, second) == second or (isinstance(first, dict) and isinstance(second, dict))
    assert merge(first, first) == first


def clashes(*trees) -> bool:
    """Whether one has a map where another has a number: then the order of merging decides."""
    maps, others = set(), set()
    for tree in trees:
        waiting = [((), tree)]
        while waiting:
            path, node = waiting.pop()
            (maps if isinstance(node, dict) else others).add(path)
            waiting += [((*path, key), value) for key, value in node.items()] if isinstance(node, dict) else []
    return bool(maps & others)


@pytest.mark.parametrize(
    ("assignment", "read", "value"),
    [
        ("train.optimizer.learning_rate=3e-4", lambda c: c.train.optimizer.learning_rate, 3e-4),
        ("train.optimizer.learning_rate=1E+0", lambda c: c.train.optimizer.learning_rate, 1.0),
        ("train.optimizer.learning_rate=.5", lambda c: c.train.optimizer.learning_rate, 0.5),
        ("train.early_stopping=null", lambda c: c.train.early_stopping, None),
        ("data.inliers=[1, 2]", lambda c: c.data.inliers, [1, 2]),
        ('data.inliers=["1", two, 3]', lambda c: c.data.inliers, ["1", "two", 3]),
        ("data.classes=['1', 1]", lambda c: c.data.classes, ["1", 1]),
        ("augment=[]", lambda c: c.augment, []),
        ("model.options={hidden: [3, 4]}", lambda c: c.model.options, {"hidden": [3, 4]}),
        ("model.options.filters=[3e0, 4]", lambda c: c.model.options["filters"], [3.0, 4]),
        ("push.destination=/a=b", lambda c: c.push.destination, "/a=b"),
        (" seed = 3 ", lambda c: c.seed, 3),
        ("data.allow_anomalies=true", lambda c: c.data.allow_anomalies, True),
    ],
)
def test_set_takes_yaml_values(assignment, read, value):
    value_read = read(load.load("digits_lenet5", [assignment]))
    assert value_read == value
    assert type(value_read) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [("3e-4", 3e-4), ("1e3", 1000.0), ("-2E5", -2e5), ("1.e2", 100.0), ("3e", "3e"), ("e3", "e3")],
)
def test_yaml_reads_powers_of_ten_as_numbers_and_nothing_else(text, value):
    assert load._parse(text) == value


@settings(max_examples=30)
@given(st.floats(1e-12, 1e12))
def test_set_reads_every_way_that_python_writes_a_number(number):
    for text in (repr(number), f"{number:e}", f"{number:.17g}"):
        rate = load.load("digits_mlp", [f"train.optimizer.learning_rate={text}"]).train.optimizer.learning_rate
        assert rate == float(text)


def test_the_last_set_wins():
    assert load.load("digits_mlp", ["seed=1", "seed=2"]).seed == 2


@pytest.mark.parametrize("assignment", ["seed", "=3", "a..b=3", ".=1", "", "seed 3"])
def test_set_without_key_or_value_is_refused(assignment):
    assert "KEY=VALUE" in refusal("digits_mlp", [assignment]).message


@pytest.mark.parametrize(
    "text", ["[1", "{a: 1, a: 2}", "!!python/object:os.system x", "'", "[" * 600, "\0"], ids=lambda t: repr(t)[:20]
)
def test_set_of_bad_yaml_is_refused(text):
    error = refusal("digits_mlp", [f"model.options={text}"])
    assert "model.options" in error.message
    assert len(error.message) < 300


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ({"trian": {}}, "unknown key trian (did you mean train?)"),
        ({"train": {"epoch": 3}}, "unknown key train.epoch (did you mean epochs?)"),
        ({"train": {"optimizer": {"lerning_rate": 1}}}, "(did you mean learning_rate?)"),
        ({"train": {"schedule": {"warmup": 1}}}, "(did you mean warmup_epochs?)"),
        ({"augment": [{"flip": {}}, {"rotat": {"degrees": 1}}]}, "unknown key augment.1.rotat (did you mean rotate?)"),
        ({"evaluate": {"slices": {"label": {"mincount": 1}}}}, "(did you mean min_count?)"),
        (
            {"train": {"zzz": 3}},
            "known here: batch_size, class_weight, early_stopping, epochs, jit, keep, label_smoothing, ",
        ),
        ({"train": {"epochs": "many"}}, "train.epochs = 'many'"),
        ({"train": {"epochs": 1.5}}, "train.epochs = 1.5"),
        ({"train": 3}, "train = 3"),
        ({"augment": {}}, "augment = {}"),
        ({"data": {"validation": 0.5, "test": 0.5}}, "leave images to train on"),
        ({"transform": {"materialize": "x"}}, "transform.materialize = 'x': input should be 'auto'"),
        ({"augment": [{"rotate": {}}]}, "augment.0.rotate.degrees is missing"),
        ({"seed": "x" * 5000}, "seed = 'xxx"),
        ({1: 2}, "keys should be strings"),
    ],
    ids=str,
)
def test_a_wrong_key_or_value_is_named(tree, words):
    with pytest.raises(UsageError) as caught:
        load.validate({"name": "a", **tree}, "here")
    assert caught.value.message.startswith("Config here: ")
    assert words in caught.value.message
    assert len(caught.value.message) < 1000


def test_what_keys_say_together_is_refused_without_a_dump_of_the_config(write):
    path = write("name: hands\ntune: {enabled: true, space: {train.batch_size: {choices: [8, 16]}}}\n")
    with pytest.raises(UsageError) as caught:
        load.load(path, ["train.epochs=2"])
    assert caught.value.message.startswith(f"Config {path}: hyperband compares trials after 1 and after 3 epochs, and train.epochs")
    long = {"enabled": True, "epochs": 2, "space": {f"model.options.{name}": {"choices": [1, 2]} for name in "abcd"}}
    with pytest.raises(UsageError, match=r"^Config a: tune: hyperband compares trials"):
        load.validate({"name": "a", "tune": long}, "a")


def test_kinds_that_a_value_may_have_are_not_parts_of_its_name():
    with pytest.raises(UsageError) as caught:
        load.validate({"name": "a", "transform": {"materialize": "x"}, "tune": {"space": {"seed": {"choices": [[1]]}}}}, "here")
    assert not re.search(r"materialize\.\w|literal\[|choices\.0\.\w", caught.value.message)


def test_every_wrong_key_is_named_at_once():
    with pytest.raises(UsageError) as caught:
        load.validate({"seed": -1, "trian": 1}, "here")
    assert all(words in caught.value.message for words in ("name is missing", "seed = -1", "trian"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "NoneType, not a mapping"),
        ("- a", "list, not a mapping"),
        ("hello", "str, not a mapping"),
        ("name: a\nname: b", "line 2"),
        ("name: a\ntrain: {epochs: 1, epochs: 2}", "'epochs' is written twice"),
        ("name: a\ntrain:\n  epochs: 1\n epochs: 2", "line 4"),
        ("? [a, b]\n: 1", "unhashable"),
        ("? {a: b}\n: 1", "unhashable"),
        ("[" * 600, "nested too deep"),
        ("name: !!python/object/apply:os.getcwd []", "tag"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b"name: \x00", "not valid YAML"),
        ("a: *nowhere", "alias *nowhere"),
        ("name: a\nmodel: {options: &a {x: *a}}", "alias *a"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_file_that_is_no_config_is_refused_in_words(write, text, words):
    message = refusal(write(text)).message
    assert "mine.yaml" in message
    assert words in message


def test_a_huge_file_is_not_read(write):
    assert str(load.MAX_BYTES) in refusal(write("# " + "x" * load.MAX_BYTES)).message


def test_an_unreadable_file_is_refused(write):
    path = write("name: a")
    os.chmod(path, 0)
    if os.access(path, os.R_OK):  # root reads everything; a folder's place in a chain cannot be read by anyone
        os.remove(path)
        os.mkdir(path)
        os.symlink(path, f"{path}.link")
        assert "There is no config" in refusal(f"{path}.link").message
    else:
        assert "cannot be read" in refusal(path).message


def test_reading_stops_at_a_file_that_vanishes(write, monkeypatch):
    path = write("name: a")
    monkeypatch.setattr(load, "find", lambda config: load.Path(f"{path}.gone"))
    assert "cannot be read" in refusal("any").message


@pytest.mark.parametrize(
    "path",
    [
        *(
            "tune.trials",
            "name",
            "data.limit",
            "push.enabled",
            "beam.flags",
            "evaluate.thresholds",
            "transform.height",
            "transform",
        ),
        *("model.initial", "model.members", "export.top_k", "anomaly.quantile"),
    ],
)
def test_what_is_settled_before_the_search_cannot_be_searched(path):
    with pytest.raises(UsageError, match="cannot search"):
        load.validate({"name": "a", "tune": {"space": {path: {"choices": [1, 2]}}}}, "here")


@pytest.mark.parametrize("path", ["model.options.hidden", "transfer.source", "transfer.shots"])
def test_what_a_transfer_settles_cannot_be_searched(path):
    tree = {"name": "a", "transfer": {"source": "b"}}
    with pytest.raises(UsageError, match="cannot search"):
        load.validate({**tree, "tune": {"space": {path: {"choices": ["1", "2"]}}}}, "here")
    load.validate({**tree, "tune": {"space": {"transfer.layer": {"choices": ["c5", "f6"]}}}}, "here")


@pytest.mark.parametrize(
    ("step", "channels"), [([{"rotate": {"degrees": 5}}, {"copies": 2}], 1), ([{"pca_color": {"stddev": 0.1}}], 3)], ids=str
)
def test_what_is_made_for_an_augmentation_before_all_trials_is_in_all_or_none(step, channels):
    def tree(own, *choices):
        space = {"augment": {"choices": [*choices]}}
        return {"name": "a", "transform": {"channels": channels}, "augment": own, "tune": {"space": space}}

    with pytest.raises(UsageError, match=r"whether augment has \w+ is settled before"):
        load.validate(tree([], [], step), "here")
    if channels == 3:
        with pytest.raises(UsageError, match=r"whether augment has pca_color is settled before"):
            load.validate(tree(step, [], step), "here")
        load.validate(tree(step, step, [*step, {"flip": {}}]), "here")


@pytest.mark.parametrize("transfer", [None, {"source": "b"}])
@pytest.mark.parametrize("drawn", [[None, {"source": "b"}], [{"layer": "c5"}, {"layer": "f6"}]], ids=str)
def test_whether_there_is_a_transfer_cannot_be_searched(transfer, drawn):
    with pytest.raises(UsageError, match=r"cannot search transfer.*settled before"):
        load.validate({"name": "a", "transfer": transfer, "tune": {"space": {"transfer": {"choices": drawn}}}}, "here")
    if transfer is None:
        with pytest.raises(UsageError, match=r"cannot search transfer\.layer: .*whether there is one"):
            load.validate({"name": "a", "tune": {"space": {"transfer.layer": {"choices": ["a", "b"]}}}}, "here")


@pytest.mark.parametrize(
    ("path", "drawn", "words"),
    [
        ("train.epoch", {"choices": [1]}, "did you mean epochs?"),
        ("train.epochs", {"choices": [3, -1]}, "train.epochs = -1"),
        ("train.epochs", {"choices": ["x"]}, "train.epochs = 'x'"),
        ("train.optimizer.learning_rate", {"min": 0.0, "max": 1.0}, "greater than 0"),
        ("train.batch_size", {"min": 1, "max": 8.0}, "train.batch_size = 1.0000000000000002"),
        ("train.optimizer.name", {"choices": ["adam", "adamm"]}, "'adamm'"),
        ("train.optimizer.momentum", {"choices": [0.0, 0.9]}, "momentum is of sgd and rmsprop"),
        ("train", {"choices": [1]}, "train = 1"),
        ("no.such", {"choices": [1]}, "unknown key no"),
    ],
)
def test_a_search_space_is_checked_before_anything_runs(path, drawn, words):
    with pytest.raises(UsageError) as caught:
        load.validate({"name": "a", "tune": {"space": {path: drawn}}}, "here")
    assert f"tune.space.{path}" in caught.value.message
    assert words in caught.value.message


def test_any_two_values_of_a_search_space_must_go_together():
    space = {"train.optimizer.name": {"choices": ["sgd", "adam"]}, "train.optimizer.momentum": {"choices": [0.0, 0.9]}}
    tree = {"name": "a", "train": {"optimizer": {"name": "sgd"}}, "tune": {"space": space}}
    with pytest.raises(UsageError) as caught:
        load.validate(tree, "here")
    assert "tune.space.train.optimizer.name with tune.space.train.optimizer.momentum" in caught.value.message
    assert "adam has none to set" in caught.value.message
    space["train.optimizer.name"] = {"choices": ["sgd", "rmsprop"]}
    assert load.validate(tree, "here").tune.space.keys() == space.keys()


@pytest.mark.parametrize(
    ("path", "drawn"),
    [
        ("train.optimizer.learning_rate", {"min": 1e-5, "max": 1e-1, "sampling": "log"}),
        ("train.optimizer.learning_rate", {"choices": [1, 0.1]}),
        ("train.batch_size", {"min": 8, "max": 64, "step": 8}),
        ("train.schedule.warmup_epochs", {"min": 0, "max": 2}),
        ("train.schedule.name", {"choices": ["cosine", "exponential", "plateau"]}),
        ("train.optimizer.weight_decay", {"min": 1e-5, "max": 1e-2, "sampling": "log"}),
        ("train.optimizer.global_clip_norm", {"choices": [0.5, 1.0, 2.0]}),
        ("train.label_smoothing", {"min": 0.0, "max": 0.2}),
        ("train.precision", {"choices": ["float32", "mixed_bfloat16"]}),
        ("model.options.activation", {"choices": ["relu", "tanh"]}),
        ("model.options.anything", {"min": 1, "max": 2}),
    ],
)
def test_a_search_space_may_name_what_training_reads(path, drawn):
    config = load.validate({"name": "a", "tune": {"space": {path: drawn}}}, "here")
    assert load.validate(yaml.safe_load(load.dump(config)), "dump") == config


def test_override_replaces_dotted_paths_and_validates():
    config = load.load("digits_mlp")
    changed = override(config, {"train.epochs": 2, "model.options.hidden": [7]})
    assert (changed.train.epochs, changed.model.options, changed.seed) == (2, {"hidden": [7]}, config.seed)
    assert config.train.epochs != 2
    assert override(config, {}) == config
    with pytest.raises(UsageError, match=r"train\.epochs = -1"):
        override(config, {"train.epochs": -1})


@given(
    st.builds(
        lambda seed, epochs, rate, shares, sides: {
            "name": "a",
            "seed": seed,
            "data": {"validation": shares[0], "test": shares[1]},
            "train": {"epochs": epochs, "optimizer": {"learning_rate": rate}},
            "transform": {"height": sides[0], "width": sides[1]},
        },
        st.integers(0, 2**31 - 1),
        st.integers(0, 10**6),
        st.floats(1e-300, 1e300),
        st.tuples(st.floats(1e-9, 0.49), st.floats(1e-9, 0.49)),
        st.tuples(st.integers(1, 4096), st.integers(1, 4096)),
    )
)
def test_dump_and_validate_give_back_every_number(tree):
    config = RunConfig.model_validate(tree)
    assert load.validate(load._parse(load.dump(config)), "dump") == config


def test_the_workspace_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("HUBEL_WORKSPACE", "/somewhere")
    assert paths.workspace_default() == "/somewhere"
    monkeypatch.setenv("HUBEL_WORKSPACE", "")
    assert paths.workspace_default() == "workspace"


def test_errors_carry_their_exit_code_as_json():
    assert UsageError("wrong", "mend it").as_json() == {"error": {"message": "wrong", "hint": "mend it", "exit_code": 2}}
    assert HubelError("failed").as_json() == {"error": {"message": "failed", "hint": "", "exit_code": 1}}
