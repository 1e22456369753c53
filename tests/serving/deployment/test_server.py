"""TF Serving is told what this model is: by files that it reads, as far as they can be read here, and flags that it has."""

from pathlib import Path

import pytest
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from serving.deployment import model as at_hand
from serving.deployment import render, server, sizes
from serving.deployment.options import Options
from serving.deployment.sizes import Resources
from serving.server import batching, model_config
from tests.serving.deployment.models import CARD, push

FLAGS = {  # of model_servers/main.cc that are used
    "port",
    "rest_api_port",
    "model_config_file",
    "model_config_file_poll_wait_seconds",
    "allow_version_labels_for_unavailable_models",
    "monitoring_config_file",
    "rest_api_timeout_in_ms",
    "tensorflow_intra_op_parallelism",
    "tensorflow_inter_op_parallelism",
    "enable_batching",
    "batching_parameters_file",
}


def test_the_config_names_versions_and_labels_of_this_model_alone(models, tmp_path):
    known = at_hand.read("digits_lenet5", models)
    text = server.model_config(known)
    config = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    [entry] = model_config.checked(config).values()
    assert (entry.name, entry.base_path) == ("digits_lenet5", "/models/digits_lenet5")
    assert list(entry.model_version_policy.specific.versions) == [1, 2]
    assert dict(entry.version_labels) == {"stable": 1, "canary": 2}
    [fetched] = text_format.Parse(
        server.model_config(known, "gs://bucket/models"), model_server_config_pb2.ModelServerConfig()
    ).model_config_list.config
    assert fetched.base_path == "gs://bucket/models/digits_lenet5"


def test_the_batching_file_is_one(models, tmp_path):
    resources = sizes.of(at_hand.read("digits_lenet5", models), 2**24)
    known = at_hand.read("digits_lenet5", models)
    (tmp_path / "batching.config").write_text(server.batching_config(known, resources))
    read = batching.read(tmp_path / "batching.config")
    assert (read.max_batch_size, read.allowed_batch_sizes) == (32, (1, 8, 32))
    assert (read.batch_timeout_micros, read.num_batch_threads) == (0, resources.cores)


def test_flags_name_files_that_are_there(models):
    known = at_hand.read("digits_lenet5", models)
    resources = sizes.of(known, 2**24)
    for is_batched in (False, True):
        told = dict(flag.removeprefix("--").split("=", 1) for flag in [*server.ports(), *server.flags(resources, is_batched)])
        assert told.keys() <= FLAGS
        assert ("enable_batching" in told) == is_batched
        files = {Path(value).name for name, value in told.items() if name.endswith("_file")}
        assert files <= server.files(known, resources).keys()
        assert {str(Path(value).parent) for name, value in told.items() if name.endswith("_file")} == {server.FOLDER}


@pytest.mark.parametrize(("warmed", "sizes"), [([1], (1, 8, 32)), ([16, 4], (1, 4, 16)), ([1, 64], (1, 64))])
def test_batches_are_of_the_sizes_that_the_model_is_warmed_up_for(tmp_path, warmed, sizes):
    """A warm-up request of more rows than max_batch_size would keep it from loading."""
    push(tmp_path / "models", "m", 1, card=CARD | {"export": {"warmup_batches": warmed}})
    known = at_hand.read("m", tmp_path / "models")
    (tmp_path / "batching.config").write_text(server.batching_config(known, Resources(1, 2**28, 2**29)))
    read = batching.read(tmp_path / "batching.config")
    assert (read.allowed_batch_sizes, read.max_batch_size) == (sizes, sizes[-1])
    assert read.max_batch_size >= max(warmed)
    options = Options("m", batching=True, models=tmp_path / "models")
    remarks = render.deploy(known, "compose", options, tmp_path / "out").remarks
    assert any("none of 8, 32" in remark for remark in remarks) == (warmed == [1])
