"""What is rendered for KServe is what KServe takes: by the models of its package, as a schema, and Kubernetes' own for the rest."""

import json
from pathlib import Path

import importlib_resources
import jsonschema
import kubernetes_validate
import pytest
from referencing import Registry, Resource

from serving import real_server
from serving.deployment.targets import kserve
from tests.deploy import rendered
from tests.deploy.test_kubernetes import VERSION

SCHEMA = json.loads(Path(__file__).with_name("kserve.json").read_text())


@pytest.fixture(scope="module")
def check():
    """Raises jsonschema.ValidationError for what is no InferenceService."""
    place = importlib_resources.files("kubernetes_validate") / f"kubernetes-json-schema/v{VERSION}.0-local-strict/_definitions.json"
    definitions = Resource.from_contents(json.loads(place.read_text()))
    return jsonschema.Draft202012Validator(SCHEMA, registry=definitions @ Registry()).validate


@pytest.fixture(params=list(rendered.CHOICES["kserve"]))
def choice(request):
    return request.param


@pytest.fixture
def objects(models, tmp_path, choice):
    return rendered.objects(rendered.folder("kserve", choice, models, tmp_path))


def test_each_object_is_as_its_schema_says(objects, check):
    assert objects.keys() == {"ConfigMap", "InferenceService"}
    kubernetes_validate.validate(objects["ConfigMap"], VERSION, strict=True)
    check(objects["InferenceService"])


def test_it_serves_what_the_config_names_from_where_kserve_puts_it(objects, choice):
    predictor = objects["InferenceService"]["spec"]["predictor"]
    model = predictor["model"]
    wanted = {"plain": "pvc://models", "other": "pvc://models/of/team", "bucket": "s3://bucket/models"}
    assert model["storageUri"] == wanted[choice]
    assert model["modelFormat"] == {"name": "tensorflow"}
    assert f'base_path: "{kserve.MOUNTED}/digits_lenet5"' in objects["ConfigMap"]["data"]["model.config"]
    volumes = {volume["name"]: volume for volume in predictor["volumes"]}
    assert {mount["name"] for mount in model["volumeMounts"]} == volumes.keys()
    assert volumes["config"]["configMap"]["name"] == objects["ConfigMap"]["metadata"]["name"]
    told = dict(flag.removeprefix("--").split("=", 1) for flag in model["args"])
    files = [value.rpartition("/")[2] for name, value in told.items() if name.endswith("_file")]
    assert set(files) <= objects["ConfigMap"]["data"].keys()
    assert not {"port", "rest_api_port", "model_name", "model_base_path"} & told.keys(), "these are the runtime's"
    assert model["image"] == ("a/b:1" if choice == "other" else real_server.IMAGE)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("spec", "predictor", "model", "storageUrl"), "pvc://a"),
        (("spec", "predictor", "model", "modelFormat"), {"name": 2}),
        (("spec", "predictor", "minReplicas"), "two"),
        (("spec", "predictors"), {}),
        (("spec", "predictor", "model", "volumeMounts", 0, "mountPath"), 3),
        (("spec", "predictor", "model", "readinessProbe", "httpGets"), {}),
    ],
)
def test_an_object_that_is_not_is_refused(models, tmp_path, check, path, value):
    wrong = rendered.changed(
        rendered.objects(rendered.folder("kserve", "plain", models, tmp_path))["InferenceService"], path, value
    )
    with pytest.raises(jsonschema.ValidationError):
        check(wrong)
