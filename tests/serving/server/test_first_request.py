"""Whoever asks a signature first waits for no graph, once its warm-up requests were replayed; without them he does."""

import base64
import http.client
import json
import shutil
import statistics
import time

import numpy as np
import pytest
import tensorflow as tf

from components.trainer import warmup
from serving.server import model_config
from serving.server.server import Server, Settings
from tests.components import digits

TIMES = 20  # that a signature is asked
FACTOR = 10  # times the median from the tenth request on, which a warm first request takes at most
COLD = 20  # times that, which a cold one takes at least: measured are 50 to 5,000
LOADS = 3  # of a version at most, whose quickest first request counts: another process makes it slower at times, and never faster


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """Folder of a classifier's versions: 1 with its warm-up requests, 2 without."""
    base = tmp_path_factory.mktemp("first") / "classifier"
    for version in ("1", "2"):
        shutil.copytree(digits.trained(tmp_path_factory, "classifier", digits.MLP, False) / "Format-Serving", base / version)
    (base / "2" / warmup.IN_EXPORT).unlink()
    return base


def requests(version):
    """Signature -> (API, body) of each that has a warm-up request."""
    asked = {}
    for signature, api, arguments in warmup.read(version / warmup.IN_EXPORT):
        if api == "classify":
            [example] = [tf.train.Example.FromString(each) for each in np.asarray(arguments["inputs"])]
            given = {
                "examples": [{name: as_json(feature.bytes_list.value[0]) for name, feature in example.features.feature.items()}]
            }
        else:
            given = {"inputs": {name: as_json(np.asarray(value).tolist()) for name, value in arguments.items()}}
        asked.setdefault(signature, (api, json.dumps({"signature_name": signature, **given})))
    return asked


def as_json(value):
    if isinstance(value, list):
        return [as_json(each) for each in value]
    return {"b64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def seconds(base, version, asked):
    """Signature -> s of each of TIMES requests over REST, of a server that has just loaded that version."""
    config = model_config.of_models({base.name: str(base)})
    config.model_config_list.config[0].model_version_policy.specific.versions.append(version)
    server = Server(Settings(rest_port=0, grpc_port=None, poll=0, drain=0, linger=0, playground=False))
    server.start(config)
    took = {}
    try:
        connection = http.client.HTTPConnection("127.0.0.1", server.ports["rest"])
        for signature, (api, body) in asked.items():
            took[signature] = []
            for _ in range(TIMES):
                start = time.perf_counter()
                connection.request("POST", f"/v1/models/{base.name}:{api}", body)
                response = connection.getresponse()
                response.read()
                took[signature].append(time.perf_counter() - start)
                assert response.status == 200
        connection.close()
    finally:
        server.stop()
    return took


def ratio(loads, signature):
    """The first request's time to that of the tenth and those after it."""
    later = statistics.median(each for took in loads for each in took[signature][9:])
    return min(took[signature][0] for took in loads) / later


def test_the_first_request_of_each_signature_is_about_as_quick_as_the_tenth(base):
    asked = requests(base / "1")
    assert {"pixels", "image_bytes", "serving_default", "classify"} == set(asked)
    loads, slow = [], {}
    for _ in range(LOADS):
        loads.append(seconds(base, 1, asked))
        slow = {name: slower for name in asked if (slower := ratio(loads, name)) > FACTOR}
        if not slow:
            break
    assert slow == {}


def test_without_warm_up_it_is_not(base):
    asked = {"pixels": requests(base / "1")["pixels"]}
    assert ratio([seconds(base, 2, asked)], "pixels") > COLD
