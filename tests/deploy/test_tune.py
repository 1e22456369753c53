"""The manifest of a search on a cluster is one that Kubernetes takes."""

import copy
import itertools
import string

import kubernetes_validate
import pytest
import yaml

from serving.deployment import pods
from tests import sources
from tests.deploy.test_kubernetes import check

GIVEN = {"IMAGE": "registry.example/hubel:1", "CONFIG": "digits_lenet5", "WORKERS": "4", "CLAIM": "hubel"}


@pytest.fixture(scope="module")
def manifest():
    """Its objects, by kind and name, with every argument put in."""
    text = string.Template((sources.ROOT / "deploy/tune.yaml").read_text()).substitute(GIVEN)
    made = list(yaml.safe_load_all(text))
    assert len(made) == 3
    return {(each["kind"], each["metadata"]["name"]): each for each in made}


def test_each_object_is_as_its_schema_says(manifest):
    for part in manifest.values():
        check(part)


@pytest.mark.parametrize(
    ("key", "value"), [("parallelism", "four"), ("paralelism", 4), ("template", {"spec": {"containers": [{"image": "x"}]}})]
)
def test_an_object_that_is_not_is_refused(manifest, key, value):
    wrong = copy.deepcopy(manifest["Job", "hubel-tune-worker"])
    wrong["spec"][key] = value
    with pytest.raises(kubernetes_validate.ValidationError):
        check(wrong)


def test_pods_are_the_user_of_hubel_s_image_who_may_write_the_claim(manifest):
    for part in list(manifest.values())[1:]:
        pod = part["spec"]["template"]["spec"]
        secured = pod["securityContext"]
        assert secured == {"runAsNonRoot": True, **dict.fromkeys(("runAsUser", "runAsGroup", "fsGroup"), pods.USER)}
        assert pod["automountServiceAccountToken"] is False


def test_workers_find_the_chief_and_all_see_one_workspace(manifest):
    service, *jobs = manifest.values()
    pods = [job["spec"]["template"] for job in jobs]
    assert service["spec"]["selector"].items() <= pods[0]["metadata"]["labels"].items()
    [port] = service["spec"]["ports"]
    commands = [pod["spec"]["containers"][0]["command"] for pod in pods]
    said = [dict(itertools.pairwise(command)) for command in commands]
    assert [words["--role"] for words in said] == ["chief", "worker"]
    assert said[0]["--address"] == f"0.0.0.0:{port['port']}"
    assert said[1]["--address"] == f"{service['metadata']['name']}:{port['port']}"
    for pod, words in zip(pods, said, strict=True):
        [container] = pod["spec"]["containers"]
        assert container["image"] == GIVEN["IMAGE"]
        assert [mount["mountPath"] for mount in container["volumeMounts"]] == [words["--workspace"]]
        assert pod["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"] == GIVEN["CLAIM"]
    workers = jobs[1]["spec"]
    assert (workers["completionMode"], workers["completions"], workers["parallelism"]) == ("Indexed", 4, 4)
