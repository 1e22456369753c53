"""TF Serving in a cluster: what of its pods is the same with and without KServe."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from serving import promotions
from serving.deployment import server
from serving.deployment.model import Model
from serving.deployment.options import CLAIM, HOST, IMAGE, URI, Options, Storage

USER = 10001  # of the process: no user of the image, and not root
TMP = "/tmp"  # noqa: S108 - in a container whose root is read-only
CONFIG_VOLUME, MODELS_VOLUME, TMP_VOLUME = "config", "models", "tmp"
SLOW, RARE = 10, 60  # s between probes, and s without an answer after which a process is started anew
LOADING = 600  # s that the versions may take to load


def labels(options: Options) -> dict[str, str]:
    """Those by which its objects are told from others'."""
    return {"app.kubernetes.io/name": "tf-serving", "app.kubernetes.io/instance": options.name}


def metadata(options: Options) -> dict[str, Any]:
    """Of each object. What no label can hold, such as a model's name, stands in annotations."""
    made: dict[str, Any] = {"name": options.name}
    if options.namespace:
        made["namespace"] = options.namespace
    made["labels"] = labels(options) | {"app.kubernetes.io/managed-by": "hubel"}
    return made


def annotations(model: Model) -> dict[str, str]:
    """What is served, for a person who looks at the objects."""
    versions = {version: name for name, version in model.labels.items()}
    told = ", ".join(f"{version} ({versions[version]})" if version in versions else str(version) for version in model.versions)
    return {"hubel/model": model.name, "hubel/versions": told, "hubel/signatures": ", ".join(model.signatures)}


def config_map(model: Model, options: Options, files: Mapping[str, str]) -> dict[str, Any]:
    """The server's files. Its name never changes, so that a change reaches pods that run."""
    about = metadata(options) | {"annotations": annotations(model)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": about, "data": dict(files)}


def probes(model: Model, port: int) -> dict[str, Any]:
    """Of TF Serving's status URL; it listens once its models are loaded. Ready is who has a version with the label `stable`: the
    status says nothing of labels, so readiness asks for that version's metadata."""
    status = f"/v1/models/{quote(model.name, safe='')}"

    def probe(path: str, period: int, failures: int) -> dict[str, Any]:
        return {
            "httpGet": {"path": path, "port": port},
            "periodSeconds": period,
            "timeoutSeconds": 5,
            "failureThreshold": failures,
        }

    return {
        "startupProbe": probe(status, 5, LOADING // 5),
        "readinessProbe": probe(f"{status}/labels/{promotions.STABLE}/metadata", 5, 3),
        "livenessProbe": probe(status, SLOW, RARE // SLOW),
    }


def pod_security() -> dict[str, Any]:
    """Of a pod: no root, and files of claims for its group."""
    return {
        "runAsNonRoot": True,
        "runAsUser": USER,
        "runAsGroup": USER,
        "fsGroup": USER,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def container_security() -> dict[str, Any]:
    """Of a container: it writes nowhere but into mounted folders, and gets no rights."""
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "capabilities": {"drop": ["ALL"]},
    }


def mounts(storage: Storage) -> list[dict[str, Any]]:
    """Of the container: the server's files, a folder to write in, and the models where they are no image's and at no URI."""
    made: list[dict[str, Any]] = [
        {"name": CONFIG_VOLUME, "mountPath": server.FOLDER, "readOnly": True},
        {"name": TMP_VOLUME, "mountPath": TMP},
    ]
    if storage.kind in (CLAIM, HOST):
        mount = {"name": MODELS_VOLUME, "mountPath": server.MODELS, "readOnly": True}
        made.append(mount | ({"subPath": storage.folder} if storage.folder else {}))
    return made


def volumes(options: Options, storage: Storage) -> list[dict[str, Any]]:
    """What these mounts are of."""
    made: list[dict[str, Any]] = [
        {"name": CONFIG_VOLUME, "configMap": {"name": options.name}},
        {"name": TMP_VOLUME, "emptyDir": {"sizeLimit": "64Mi"}},
    ]
    if storage.kind == CLAIM:
        made.append({"name": MODELS_VOLUME, "persistentVolumeClaim": {"claimName": storage.place, "readOnly": True}})
    if storage.kind == HOST:
        made.append({"name": MODELS_VOLUME, "hostPath": {"path": storage.place, "type": "Directory"}})
    return made


def models_at(storage: Storage) -> str:
    """The folder of models as the server sees it."""
    return storage.place if storage.kind == URI else server.MODELS


def is_mounted(storage: Storage) -> bool:
    """Whether a push into the folder of models reaches pods that run."""
    return storage.kind != IMAGE
