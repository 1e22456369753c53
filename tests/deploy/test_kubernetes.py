"""What is rendered for Kubernetes is what Kubernetes takes, by kubernetes-validate, and fits together."""

import kubernetes_validate
import pytest

from serving.deployment import pods
from serving.deployment.targets import kubernetes
from tests.deploy import rendered

VERSION = "1.37"
KINDS = {"ConfigMap", "Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy"}


def check(part):
    kubernetes_validate.validate(part, VERSION, strict=True)


@pytest.fixture(params=list(rendered.CHOICES["kubernetes"]))
def choice(request):
    return request.param


@pytest.fixture
def objects(models, tmp_path, choice):
    return rendered.objects(rendered.folder("kubernetes", choice, models, tmp_path))


def test_each_object_is_as_kubernetes_own_schema_says(objects):
    assert objects.keys() == KINDS
    for part in objects.values():
        check(part)


def pod(objects) -> dict:
    return objects["Deployment"]["spec"]["template"]


def test_objects_find_each_other(objects):
    """By labels, names and ports."""
    labels, [container] = pod(objects)["metadata"]["labels"], pod(objects)["spec"]["containers"]
    name = objects["Deployment"]["metadata"]["name"]
    for kind in KINDS:
        assert objects[kind]["metadata"]["name"] == name == "digits-lenet5"
        assert objects[kind]["metadata"].get("namespace") == objects["Deployment"]["metadata"].get("namespace")
    selectors = [
        objects["Deployment"]["spec"]["selector"]["matchLabels"],
        objects["Service"]["spec"]["selector"],
        objects["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        objects["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
        pod(objects)["spec"]["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"],
    ]
    assert all(selector.items() <= labels.items() for selector in selectors)
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert {port["targetPort"] for port in objects["Service"]["spec"]["ports"]} == ports.keys()
    assert {port["port"] for rule in objects["NetworkPolicy"]["spec"]["ingress"] for port in rule["ports"]} == {*ports.values()}
    told = dict(flag.removeprefix("--").split("=", 1) for flag in container["args"])
    assert {"rest": int(told["rest_api_port"]), "grpc": int(told["port"])} == ports
    scaled = objects["HorizontalPodAutoscaler"]["spec"]
    assert scaled["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    assert scaled["minReplicas"] <= scaled["maxReplicas"]
    assert "replicas" not in objects["Deployment"]["spec"], "the autoscaler's number would be taken back by each apply"


def test_every_file_that_a_flag_names_is_mounted(objects):
    [container] = pod(objects)["spec"]["containers"]
    volumes = {volume["name"]: volume for volume in pod(objects)["spec"]["volumes"]}
    mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
    assert {mount["name"] for mount in mounts.values()} == volumes.keys()
    assert volumes["config"]["configMap"]["name"] == objects["ConfigMap"]["metadata"]["name"]
    told = dict(flag.removeprefix("--").split("=", 1) for flag in container["args"])
    files = [value for name, value in told.items() if name.endswith("_file")]
    assert files
    for path in files:
        place, _, name = path.rpartition("/")
        assert mounts[place]["name"] == "config"
        assert name in objects["ConfigMap"]["data"]


def test_models_are_where_the_config_says(objects, choice):
    config = objects["ConfigMap"]["data"]["model.config"]
    mounted = {mount["name"]: mount for mount in pod(objects)["spec"]["containers"][0]["volumeMounts"]}.get("models")
    at = "gs://bucket/models" if choice == "bucket" else "/models"
    assert f'base_path: "{at}/digits_lenet5"' in config
    assert (mounted is None) == (choice in ("bucket", "image"))
    assert mounted is None or (mounted["mountPath"], mounted["readOnly"]) == ("/models", True)
    if choice == "other":
        assert mounted["subPath"] == "of/team"
    may_fetch = bool(objects["NetworkPolicy"]["spec"]["egress"])
    assert may_fetch == (choice == "bucket"), "a server that fetches nothing asks nobody"


def test_a_pod_has_no_rights(objects):
    spec = pod(objects)["spec"]
    [container] = spec["containers"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == pods.USER > 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    secured = container["securityContext"]
    assert (secured["readOnlyRootFilesystem"], secured["allowPrivilegeEscalation"]) == (True, False)
    assert secured["capabilities"] == {"drop": ["ALL"]}


def test_probes_ask_urls_of_tf_serving_at_the_port_that_answers(objects):
    from serving.server.rest import urls

    [container] = pod(objects)["spec"]["containers"]
    called = {}
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        asked = container[probe]["httpGet"]
        assert asked["port"] == container["ports"][0]["containerPort"]
        called[probe] = urls.call("GET", asked["path"])
    assert called["startupProbe"] == called["livenessProbe"] == urls.Call(urls.STATUS, "digits_lenet5")
    assert called["readinessProbe"] == urls.Call(urls.METADATA, "digits_lenet5", label="stable")


def test_a_model_whose_name_is_odd_everywhere(models, tmp_path):
    place = rendered.folder("kubernetes", "plain", models, tmp_path, 'My "odd" {Model}.1')
    objects = rendered.objects(place)
    for part in objects.values():
        check(part)
    assert objects["Service"]["metadata"]["name"] == "my-odd-model-1"
    from serving.server.rest import urls

    path = pod(objects)["spec"]["containers"][0]["livenessProbe"]["httpGet"]["path"]
    assert urls.call("GET", path).name == 'My "odd" {Model}.1'


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("Deployment", ("spec", "template", "spec", "containers", 0, "ports", 0, "containerPort"), "eight"),
        ("Deployment", ("spec", "template", "spec", "containers", 0, "livenesProbe"), {}),
        ("Deployment", ("spec", "selector"), None),
        ("Service", ("spec", "ports", 0, "port"), None),
        ("HorizontalPodAutoscaler", ("spec", "maxReplicas"), "many"),
        ("PodDisruptionBudget", ("spec", "maxUnavailabel"), 1),
        ("NetworkPolicy", ("spec", "ingress", 0, "from", 0, "podSelector"), "all"),
        ("ConfigMap", ("data", "model.config"), {"a": 1}),
    ],
)
def test_an_object_that_is_not_is_refused(models, tmp_path, kind, path, value):
    right = rendered.objects(rendered.folder("kubernetes", "plain", models, tmp_path))[kind]
    wrong = rendered.changed(right, path, value)
    with pytest.raises(kubernetes_validate.ValidationError):
        check(wrong)


def test_whoever_may_ask_is_told_by_the_label_that_the_policy_names(models, tmp_path):
    policy = rendered.objects(rendered.folder("kubernetes", "plain", models, tmp_path))["NetworkPolicy"]["spec"]["ingress"]
    assert policy[0]["from"] == [{"podSelector": {"matchLabels": {kubernetes.CLIENT: "digits-lenet5"}}}]
