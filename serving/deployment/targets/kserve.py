"""KServe: an InferenceService of its tensorflow runtime, which is TF Serving. KServe brings pods, scaling and routes."""

from pathlib import Path
from typing import Any

from configs.errors import UsageError
from serving.deployment import asking, monitoring, pods, server, sizes
from serving.deployment.model import Model
from serving.deployment.options import CLAIM, URI, Options, Storage

STORAGE = Storage(CLAIM, "models")
TAKES = ("namespace", "replicas", "most_replicas")
MOUNTED = "/mnt/models"  # where KServe puts what storageUri names
PORT = 8080  # of REST, in the runtime
RUNTIME = "kserve-tensorflow-serving"
WATCHED = "monitoring"


def files(model: Model, options: Options) -> dict[str, Any]:
    """See the package. Raises UsageError for a place that no storageUri names."""
    storage = options.storage or STORAGE
    resources = sizes.of(model, options.max_request)
    return {
        "configmap.yaml": pods.config_map(model, options, server.files(model, resources, MOUNTED)),
        "inferenceservice.yaml": _service(model, options, storage, resources),
        f"{WATCHED}/{monitoring.ALERTS}": monitoring.alerts(model, options),
        f"{WATCHED}/{monitoring.BOARD}": monitoring.board(model, options),
    }


def commands(model: Model, options: Options, folder: Path) -> list[str]:
    """See the package."""
    named = f"--namespace {options.namespace} " if options.namespace else ""
    url = f"$(kubectl {named}get inferenceservice {options.name} -o jsonpath='{{.status.url}}')"
    return [
        *asking.copying(model, options.storage or STORAGE),
        f"kubectl {named}apply -f {asking.quoted(folder)}",
        f"kubectl {named}wait --for=condition=Ready inferenceservice/{options.name} --timeout=600s",
        asking.curl(model, url),
    ]


def remarks(options: Options) -> list[str]:
    """See the package."""
    return [f"The cluster has to have KServe and its runtime {RUNTIME}."]


def _uri(storage: Storage) -> str:
    """What storageUri says of a place."""
    if storage.kind == CLAIM:
        return f"pvc://{storage.place}{f'/{storage.folder}' if storage.folder else ''}"
    if storage.kind == URI:
        return storage.place
    raise UsageError(
        f"KServe mounts a claim or fetches a URI; --storage {storage.kind} is neither.",
        "Use pvc:CLAIM[/FOLDER] or a URI, such as s3://bucket/models.",
    )


def _service(model: Model, options: Options, storage: Storage, resources: sizes.Resources) -> dict[str, Any]:
    unmounted = Storage(URI)  # KServe mounts the models itself
    serving = {
        "modelFormat": {"name": "tensorflow"},
        "runtime": RUNTIME,
        "protocolVersion": "v1",
        "storageUri": _uri(storage),
        "image": options.image,  # the runtime's own may be years older than what the model was exported by
        "args": server.flags(resources, options.batching),
        "resources": resources.amounts(),
        "readinessProbe": pods.probes(model, PORT)["readinessProbe"],
        "securityContext": pods.container_security(),
        "volumeMounts": pods.mounts(unmounted),
    }
    predictor = {
        "minReplicas": options.replicas,
        "maxReplicas": options.most_replicas,
        "timeout": server.TIMEOUT // 1000,
        "automountServiceAccountToken": False,
        "securityContext": pods.pod_security(),
        "model": serving,
        "volumes": pods.volumes(options, unmounted),
    }
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": pods.metadata(options) | {"annotations": pods.annotations(model)},
        "spec": {"predictor": predictor},
    }
