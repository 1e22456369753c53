"""What `transfer.source` may name, and what is said of a name that leads nowhere."""

import json
import time
import zipfile
from pathlib import Path

import keras
import pytest
import yaml
from keras import layers
from keras.src.backend import config as keras_config

from components import keys
from components.example_gen import sources
from configs import load
from configs.errors import UsageError
from keras_models import normalize
from pipelines.command_line import commands, names, run_commands
from pipelines.orchestration import execute, settled
from pipelines.process import supervise
from pipelines.workspace import origins, runs, starts, unchanged
from pipelines.workspace.layout import Workspace
from tests.components import digits
from tests.slower import times_slower


def locate(source, place, *assignments):
    cfg = config(source, *assignments)
    return origins.locate(cfg.transfer.source, cfg.transform, place)


def names_of(cfg, place):
    return starts.find(cfg.model, cfg.transfer, cfg.transform, place).names


def config(source, *assignments):
    small = ("transform.height=8", "transform.width=8")
    return load.load("digits_transfer", [f"transfer.source={source}", *small, *assignments])


def save(folder: Path, scale=1.0, shape=(8, 8, 1)) -> Path:
    """A Model artifact as Trainer leaves it, as far as a transfer reads it."""
    folder.mkdir(parents=True, exist_ok=True)
    image = keras.Input(shape, name="image")
    row = layers.Flatten(name="row")(image)
    net = keras.Model(image, layers.Dense(2, kernel_initializer=keras.initializers.Constant(scale))(row))
    normalize.with_normalization(net, "unit").save(folder / keys.KERAS_FILE)
    (folder / keys.CARD_FILE).write_text(digits.card(architecture="mlp").model_dump_json())
    return folder


def push(place, name, version, folder):
    record = runs.RunRecord(f"run{version}", name, f"2026-01-0{version}", "done", version=version, model_uri=str(folder))
    record.save(place.run(name, record.run))


@pytest.fixture
def place(tmp_path):
    made = Workspace.at(tmp_path / "workspace")
    push(made, "letters", 1, save(tmp_path / "1"))
    push(made, "letters", 2, save(tmp_path / "2", 2.0))
    return made


def refused(source, place, *assignments) -> UsageError:
    start = time.process_time()
    with pytest.raises(UsageError) as caught:
        names.check(config(source, *assignments), place)
    assert time.process_time() - start < times_slower()
    assert caught.value.hint
    return caught.value


def test_a_model_of_texts_is_refused(place, tmp_path):
    folder = save(tmp_path / "3")
    (folder / keys.CARD_FILE).write_text(digits.card(reads="text").model_dump_json())
    push(place, "reviews", 1, folder)
    assert "reviews reads text, and features are of images" in refused("reviews", place).message
    with pytest.raises(UsageError, match="reads text"):
        locate("reviews", place)


def test_a_pushed_model_is_found_by_name_and_by_version(place, tmp_path):
    newest = locate("letters", place)
    assert (newest.source, newest.architecture, newest.artifact) == ("letters/2", "mlp", str(tmp_path / "2"))
    assert newest.file == str(tmp_path / "2" / keys.KERAS_FILE)
    older = locate("letters/1", place)
    assert (older.source, older.artifact) == ("letters/1", str(tmp_path / "1"))
    assert older.digest != newest.digest
    assert older.normalizes


def test_the_digest_is_of_what_the_file_holds(place, tmp_path):
    before = locate("letters/1", place)
    (tmp_path / "1" / keys.KERAS_FILE).touch()
    assert locate("letters/1", place) == before
    with zipfile.ZipFile(tmp_path / "1" / keys.KERAS_FILE, "a") as archive:
        archive.comment = b"another"
    assert locate("letters/1", place).digest != before.digest


def test_a_file_is_found_and_says_whether_it_normalises(place, tmp_path):
    origin = locate(tmp_path / "1" / keys.KERAS_FILE, place)
    assert (origin.artifact, origin.normalizes, origin.architecture) == (None, True, origin.file)
    image = keras.Input((None, None, 1))
    keras.Model(image, layers.GlobalAveragePooling2D()(image)).save(tmp_path / "own.keras")
    assert locate(tmp_path / "own.keras", place).normalizes is False


def test_a_network_of_keras_applications_is_not_fetched_to_be_found(place):
    origin = locate("keras.applications:VGG16", place)
    assert (origin.file, origin.architecture, origin.normalizes) == (None, "keras.applications:VGG16", True)
    assert keras.__version__ in origin.digest


def test_what_is_handed_on_says_the_whole_name_and_leaves_normalising_to_the_source(place, tmp_path):
    cfg = config("letters", "model={name: mlp, options: {hidden: [3]}}")
    handed_on = settled.with_origin(cfg, locate(cfg.transfer.source, place))
    assert (handed_on.transfer.source, handed_on.transform.normalize) == ("letters/2", "none")
    assert handed_on.model.options == {}
    image = keras.Input((8, 8, 1))
    keras.Model(image, layers.Flatten()(image)).save(tmp_path / "own.keras")
    cfg = config(tmp_path / "own.keras", "transform.normalize=unit")
    assert settled.with_origin(cfg, locate(cfg.transfer.source, place)).transform.normalize == "unit"


@pytest.mark.parametrize(
    ("source", "message", "hint"),
    [
        ("leters", "no trained model 'leters' in ", "NAME[/VERSION]"),
        ("letters/3", "no trained model 'letters/3'", "hubel list runs"),
        ("digits_zero_to_four", "(there: letters)", "`hubel run digits_zero_to_four` makes it"),
        ("digits_zero_to_four_tiny", "no trained model", "`hubel run digits_zero_to_four.tiny` makes it"),
        ("digits_lenet", "no trained model", "`hubel run digits_lenet5` would make 'digits_lenet5'"),
        ("elsewhere.keras", "there is no file /", "NAME[/VERSION]"),
        ("keras.applications:ResNet49", "did you mean ResNet", "Xception"),
    ],
)
def test_a_source_that_is_not_there_is_said_in_milliseconds(place, source, message, hint):
    error = refused(source, place)
    assert message in error.message
    assert hint in error.hint


def test_the_nearest_pushed_name_is_named(place):
    assert "did you mean 'letters'?" in refused("leters", place).message


@pytest.mark.parametrize("content", [b"no model", b""])
def test_a_file_that_is_no_model_is_said(place, tmp_path, content):
    (tmp_path / "a.keras").write_bytes(content)
    assert "a.keras is no .keras file." in refused(tmp_path / "a.keras", place).message
    with zipfile.ZipFile(tmp_path / "a.keras", "w") as archive:
        archive.writestr("config.json", json.dumps([1]))
    assert "a.keras is no .keras file." in refused(tmp_path / "a.keras", place).message


def test_a_model_that_was_not_blessed_can_be_a_source(place, tmp_path):
    record = runs.RunRecord("20260103-000000", "letters", "2026-01-03", "not blessed", model_uri=str(save(tmp_path / "3", 3.0)))
    record.save(place.run("letters", record.run))
    assert locate("letters", place).source == "letters/2"
    for name in ("letters@candidate", "20260103-000000"):
        origin = locate(name, place)
        assert (origin.source, origin.artifact) == ("letters@20260103-000000", str(tmp_path / "3"))
        assert names_of(config(name), place) == {name: "letters@20260103-000000"}
    initial = load.load("digits_lenet5", ["model.initial=letters@candidate"])
    assert names_of(initial, place) == {"letters@candidate": "letters@20260103-000000"}
    members = load.load("digits_lenet5", ["transform.normalize=none", "model={name: ensemble, members: [letters, letters/1]}"])
    assert names_of(members, place) == {"letters": "letters/2", "letters/1": "letters/1"}
    assert names_of(load.load("digits_lenet5", []), place) == {}
    assert "There is no run of 'numbers' on record" in refused("numbers@candidate", place).message
    assert load.load("digits_lenet5", ["model.initial=letters@candidate"]).model.initial == "letters@candidate"
    with pytest.raises(UsageError, match="members"):
        load.load("digits_lenet5", ["model={name: ensemble, members: [letters@candidate, letters/1]}"])


def test_another_size_is_refused_with_the_keys_that_mend_it(place):
    error = refused("letters", place, "transform.height=9")
    assert error.message == "transfer.source letters takes images of 8x8x1, and transform makes 9x8x1."
    assert "transform.height: 8, transform.width: 8, transform.channels: 1" in error.hint
    refused("letters", place, "transform.channels=3")


def test_grey_images_suit_a_source_of_three_channels(place, tmp_path):
    push(place, "colours", 1, save(tmp_path / "colours", shape=(8, 8, 3)))
    names.check(config("colours"), place)


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Configs beside each other, in the folder where hubel is started."""
    monkeypatch.chdir(tmp_path)

    def write_file(file: str, **tree) -> None:
        (tmp_path / f"{file}.yaml").write_text(yaml.safe_dump({"name": file, **tree}))

    write_file("letters", extends="digits_mlp")
    return write_file


def test_a_config_is_the_newest_model_that_it_pushed(place, write):
    assert locate("config:letters.yaml", place).source == "letters/2"
    assert "`hubel run" in refused("digits_zero_to_four", place).hint


def test_configs_are_run_before_those_that_follow_them(place, write):
    write("middle", extends="digits_mlp", transfer={"source": "config:letters.yaml"})
    cfg = config("config:middle.yaml")
    earlier = origins.before(cfg.name, cfg.transfer)
    assert [(name, each.name) for name, each in earlier] == [
        ("letters.yaml", "letters"),
        ("middle.yaml", "middle"),
    ]
    assert origins.before(cfg.name, config("letters").transfer) == []


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"push": {"enabled": False}}, "transfer.source config:other.yaml pushes nothing to take features from."),
        ({"transfer": {"source": "config:other.yaml"}}, "other is also the name of a config that follows it."),
        ({"name": "digits_transfer"}, "digits_transfer is also the name of a config that follows it."),
        ({"transform": {"height": 9}}, "takes images of 9x8x1, and transform makes 8x8x1."),
    ],
)
def test_a_config_that_cannot_come_before_is_refused(place, write, tree, message):
    write("other", **{"extends": "digits_mlp", **tree})
    assert message in refused("config:other.yaml", place).message
    assert "There is no config 'lettrs'" in refused("config:lettrs", place).message


class Reached(Exception):
    """The data would have been read now."""


@pytest.fixture
def ahead(place, tmp_path, monkeypatch):
    """Looks ahead at what a config would do, until it comes to the data. Files: some that no transfer can start from."""

    def planned(*_):
        raise Reached

    monkeypatch.setattr(sources, "planned", planned)
    images = [keras.Input((8, 8, 1)), keras.Input((8, 8, 1))]
    keras.Model(images, layers.Dense(2)(layers.Flatten()(layers.Add()(images)))).save(tmp_path / "two.keras")
    with pytest.warns(UserWarning, match="not yet been built"):
        keras.Sequential([layers.Dense(2)]).save(tmp_path / "unbuilt.keras")
    with zipfile.ZipFile(tmp_path / "1" / keys.KERAS_FILE) as whole, zipfile.ZipFile(tmp_path / "no_weights.keras", "w") as part:
        part.writestr("config.json", whole.read("config.json"))
        part.writestr("metadata.json", whole.read("metadata.json"))
    image = keras.Input((None, None, 1))
    with pytest.warns(UserWarning, match="lambda"):
        keras.Model(image, layers.Activation(lambda x: -x)(image)).save(tmp_path / "function.keras")
    large = layers.Dense(2)(layers.GlobalAveragePooling2D()(layers.MaxPooling2D(9)(image)))
    keras.Model(image, large).save(tmp_path / "large.keras")
    monkeypatch.chdir(tmp_path)

    def look(source, *assignments):
        small = ["transform.height=8", "transform.width=8"]
        return execute.plan("digits_transfer", [f"transfer.source={source}", *small, *assignments], str(place.root))

    return look


@pytest.mark.parametrize("source", ["letters", "1/model.keras"])
def test_a_source_that_can_be_used_is_followed_by_the_data(ahead, source):
    with pytest.raises(Reached):
        ahead(source)


LARGE = ["transform.height=32", "transform.width=32"]
REGRESSION = "transfer.head=logistic_regression"


@pytest.mark.parametrize(
    ("source", "assignments", "sentence"),
    [
        ("letters", ["transfer.layer=nope"], "transfer.source letters/2: it has no layer 'nope'; "),
        ("letters", [REGRESSION, "transfer.fine_tune={from: nope}"], "letters/2: it has no layer 'nope'; "),
        ("letters", [REGRESSION, "transfer.fine_tune={from: row}"], "nothing can be trained from net/row on"),
        ("1/model.keras", ["transfer.layer=net/dens"], "model.keras: it has no layer 'net/dens'; "),
        ("two.keras", [], "two.keras: it has 2 inputs; one is needed."),
        ("unbuilt.keras", [], "unbuilt.keras: it is not functional"),
        ("no_weights.keras", [], "no_weights.keras cannot be loaded: "),
        ("function.keras", [], "function.keras cannot be loaded: it holds a Python function (activation), which is not read from"),
        ("large.keras", [], "large.keras: images of 8x8x1 are too small for it."),
        ("keras.applications:MobileNet", [], "keras.applications:MobileNet: Input size must be at least 32x32"),
        ("keras.applications:MobileNet", [*LARGE, "transfer.layer=nope"], "MobileNet: it has no layer 'nope'; "),
    ],
)
def test_a_source_that_cannot_be_used_is_said_before_data_is_read(ahead, source, assignments, sentence):
    with pytest.raises(UsageError) as caught:
        ahead(source, *assignments)
    assert sentence in caught.value.message


@pytest.fixture
def without_weights(tmp_path, monkeypatch):
    """A machine with no network, where nothing was fetched yet; the folder in which Keras looks."""
    home = tmp_path / "keras_home"
    home.mkdir()
    monkeypatch.setattr(keras_config, "_KERAS_DIR", str(home))  # read from KERAS_HOME when Keras is imported
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens
    return home / "models"


def test_weights_that_cannot_be_fetched_are_noticed_before_data_is_read(place, monkeypatch, without_weights):
    def read(*_):
        raise Reached

    monkeypatch.setattr(sources, "locate", read)
    cfg = config("keras.applications:MobileNet", *LARGE)
    with pytest.raises(UsageError, match=r"The weights of keras\.applications:MobileNet cannot be fetched: ") as caught:
        settled.settle(cfg, place)
    file = "mobilenet_1_0_224_tf_no_top.h5"
    assert caught.value.hint.startswith(f"Put {file} into {without_weights}; it is at https://")
    model = keras.applications.MobileNet(include_top=False, weights=None, input_shape=(32, 32, 3), pooling="avg")
    without_weights.mkdir(exist_ok=True)
    model.save_weights(without_weights / "made.weights.h5")
    (without_weights / "made.weights.h5").rename(without_weights / file)
    with pytest.raises(Reached):
        settled.settle(cfg, place)


def test_a_plan_says_what_would_be_fetched_and_fetches_nothing(place, without_weights):
    source = "transfer.source=keras.applications:MobileNet"
    fetches = execute.plan("digits_transfer.tiny", [source, *LARGE], str(place.root))["fetches"]
    assert fetches["file"] == "mobilenet_1_0_224_tf_no_top.h5"
    assert fetches["url"].startswith("https://")
    assert fetches["folder"] == str(without_weights)
    assert not without_weights.exists()
    without_weights.mkdir()
    (without_weights / fetches["file"]).touch()
    assert execute.plan("digits_transfer.tiny", [source, *LARGE], str(place.root))["fetches"] is None


@pytest.fixture
def asked(monkeypatch):
    """What worker processes were asked; they answer that all is well, or what is in `verdicts`."""
    calls, verdicts = [], {}

    def ask(request, log, listen=None, held=()):
        of_worker = load.validate(json.loads(json.dumps(request.arguments()["tree"])), request.config)
        name = of_worker.name
        calls.append(of_worker)
        answer = {
            "model": name,
            "config": name,
            "version": 4,
            "blessed": True,
            "parity": True,
            "missed": [],
            "reason": "",
            "metrics": {},
            "slices": [],
            "model_dir": None,
            "passed_over": {},
            "data_digest": "",
            "notes": [],
        }
        return {**answer, "model_uri": None, "comparison": "", "seconds": 1.0, **verdicts.get(name, {})}

    monkeypatch.setattr(supervise, "ask", ask)
    return calls, verdicts


def test_one_command_runs_the_config_before_and_hands_on_its_version(write, tmp_path, asked, capsys):
    calls, _ = asked
    write("follower", extends="digits_mlp", transfer={"source": "config:letters.yaml"})
    command = ["run", "follower.yaml", "--set", "seed=3", "--json", "--workspace", str(tmp_path / "w")]
    assert commands.run(command) == 0
    assert [(cfg.name, cfg.seed, cfg.transfer and cfg.transfer.source) for cfg in calls] == [
        ("letters", 0, None),
        ("follower", 3, "letters/4"),
    ]
    value = json.loads(capsys.readouterr().out)
    assert (value["model"], [before["model"] for before in value["first"]]) == ("follower", ["letters"])
    assert [record.config for record in runs.records(Workspace.at(tmp_path / "w"))] == ["letters", "follower"]


def test_what_is_noted_of_a_run_is_of_the_config_that_its_worker_got(write, tmp_path, asked, monkeypatch):
    """With the version handed on, and though its file is saved anew meanwhile."""
    calls, _ = asked
    looked, kept = [], []

    def look(cfg, place):
        looked.append(cfg)
        write("follower", extends="digits_mlp", seed=9, transfer={"source": "config:letters.yaml"})
        return unchanged.Known(place, cfg.name, place.served(cfg.name), {"config": load.dump(cfg)}, None)

    monkeypatch.setattr(unchanged, "look", look)
    monkeypatch.setattr(unchanged.Known, "keep", lambda known, *more: kept.append(known.given["config"]))
    write("follower", extends="digits_mlp", seed=3, transfer={"source": "config:letters.yaml"})
    assert commands.run(["run", "follower.yaml", "--json", "--workspace", str(tmp_path / "w")]) == 0
    letters, follower = calls
    assert looked == [letters, follower]
    assert kept == [load.dump(letters), load.dump(follower)]
    assert (follower.seed, follower.transfer.source) == (3, "letters/4")
    place = Workspace.at(tmp_path / "w")
    [record] = runs.records(place, "follower")
    assert (place.run("follower", record.run) / "config.yaml").read_text() == load.dump(follower)


def test_what_follows_a_model_that_is_not_blessed_is_not_started(write, tmp_path, asked, capsys):
    calls, verdicts = asked
    verdicts["letters"] = {"blessed": False, "version": None, "reason": "mse 1.00 is above the maximum 0.5"}
    write("follower", extends="digits_mlp", transfer={"source": "config:letters.yaml"})
    assert commands.run(["run", "follower.yaml", "--workspace", str(tmp_path / "w")]) == run_commands.NOT_BLESSED
    assert [cfg.name for cfg in calls] == ["letters"]
    said = capsys.readouterr()
    assert "Not blessed: mse 1.00 is above the maximum 0.5." in said.out
    assert said.err.splitlines()[-1] == (
        "follower was not started: its features come from letters. To take them from what was not blessed: "
        "--set transfer.source=letters@candidate"
    )


def test_a_plan_is_of_all_of_them(tmp_path):
    value = execute.plan("digits_self_taught.tiny", [], str(tmp_path))
    [first] = value["first"]
    assert (first["config"], value["config"]) == ("digits_sparse_five_to_nine_tiny", "digits_self_taught_tiny")
    for plan in (first, value):
        assert {"ExampleGen", "Trainer", "Pusher"} <= {stage["name"] for stage in plan["components"] if not stage["cached"]}
    assert not (tmp_path / "metadata.db").exists()
