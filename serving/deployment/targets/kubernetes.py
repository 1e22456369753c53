"""Kubernetes: a Deployment of TF Serving with what keeps it up, and who may reach it.

No number of replicas stands in the Deployment: the autoscaler's is the only one, so that applying the files anew takes no pod away.
"""

from pathlib import Path
from typing import Any

from configs.errors import UsageError
from serving.deployment import asking, monitoring, pods, server, sizes
from serving.deployment.model import Model
from serving.deployment.options import CLAIM, URI, Options, Storage

STORAGE = Storage(CLAIM, "models")
TAKES = ("namespace", "replicas", "most_replicas")
CLIENT = "tf-serving-client"  # label of pods that may ask, whose value is the name of the objects
MONITORING_NAMESPACE = "monitoring"
BUSY = 70  # % of the requested cores at which there are more pods
GONE = 10  # s in which a pod that ends still answers, while balancers take it out
GRACE = 60  # s that a pod has to end
WATCHED = "monitoring"  # folder of what `kubectl apply -f DIR` must not see


def files(model: Model, options: Options) -> dict[str, Any]:
    """See the package. Raises UsageError for a place that TF Serving cannot read."""
    storage = options.storage or STORAGE
    if storage.kind == URI and not storage.place.startswith("gs://"):
        raise UsageError(
            f"TF Serving does not read {storage.place} by itself; of URIs it knows gs:// alone.",
            "Use --to kserve, which fetches others, or copy the models to a claim: --storage pvc:CLAIM.",
        )
    resources = sizes.of(model, options.max_request)
    discovered = {"role": "pod", **({"namespaces": {"names": [options.namespace]}} if options.namespace else {})}
    return {
        "configmap.yaml": pods.config_map(model, options, server.files(model, resources, pods.models_at(storage))),
        "deployment.yaml": _deployment(model, options, storage, resources),
        "service.yaml": _service(options),
        "horizontal-pod-autoscaler.yaml": _autoscaler(options),
        "pod-disruption-budget.yaml": _budget(options),
        "network-policy.yaml": _policy(options, storage),
        f"{WATCHED}/{monitoring.ALERTS}": monitoring.alerts(model, options),
        f"{WATCHED}/{monitoring.BOARD}": monitoring.board(model, options),
        f"{WATCHED}/{monitoring.SCRAPING}": monitoring.scraping(
            options, {"kubernetes_sd_configs": [discovered], "relabel_configs": _relabelled(options)}
        ),
    }


def commands(model: Model, options: Options, folder: Path) -> list[str]:
    """See the package."""
    storage = options.storage or STORAGE
    named = f"--namespace {options.namespace} " if options.namespace else ""
    at = asking.quoted(folder)
    return [
        *asking.copying(model, storage),
        f"kubectl {named}apply -f {at}",
        f"kubectl {named}rollout status deployment/{options.name}",
        f"kubectl {named}port-forward service/{options.name} {server.REST_PORT}:{server.REST_PORT}",
        asking.curl(model, f"http://localhost:{server.REST_PORT}"),
    ]


def remarks(options: Options) -> list[str]:
    """See the package."""
    return [
        f"Who may ask: pods of its namespace with the label {CLIENT}: {options.name}. Prometheus is let in from the namespace "
        f"{MONITORING_NAMESPACE}."
    ]


def _deployment(model: Model, options: Options, storage: Storage, resources: sizes.Resources) -> dict[str, Any]:
    container = {
        "name": "tf-serving",
        "image": options.image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["tensorflow_model_server"],
        "args": [*server.ports(), *server.flags(resources, options.batching)],
        "ports": [
            {"name": "rest", "containerPort": server.REST_PORT, "protocol": "TCP"},
            {"name": "grpc", "containerPort": server.GRPC_PORT, "protocol": "TCP"},
        ],
        "resources": resources.amounts(),
        **pods.probes(model, server.REST_PORT),
        "lifecycle": {"preStop": {"exec": {"command": ["sleep", str(GONE)]}}},
        "securityContext": pods.container_security(),
        "volumeMounts": pods.mounts(storage),
    }
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": pods.labels(options)},
    }
    template = {
        "metadata": {"labels": pods.labels(options), "annotations": {"hubel/model": model.name}},
        "spec": {
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": pods.pod_security(),
            "terminationGracePeriodSeconds": GRACE,
            "topologySpreadConstraints": [spread],
            "containers": [container],
            "volumes": pods.volumes(options, storage),
        },
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": pods.metadata(options) | {"annotations": pods.annotations(model)},
        "spec": {
            "revisionHistoryLimit": 5,
            "progressDeadlineSeconds": pods.LOADING + 60,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "selector": {"matchLabels": pods.labels(options)},
            "template": template,
        },
    }


def _service(options: Options) -> dict[str, Any]:
    ports = (("rest", server.REST_PORT, "http"), ("grpc", server.GRPC_PORT, "kubernetes.io/h2c"))
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": pods.metadata(options),
        "spec": {
            "type": "ClusterIP",
            "selector": pods.labels(options),
            "ports": [
                {"name": name, "port": port, "targetPort": name, "protocol": "TCP", "appProtocol": protocol}
                for name, port, protocol in ports
            ],
        },
    }


def _autoscaler(options: Options) -> dict[str, Any]:
    cores = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": BUSY}}}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": pods.metadata(options),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": options.name},
            "minReplicas": options.replicas,
            "maxReplicas": options.most_replicas,
            "metrics": [cores],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 300}},
        },
    }


def _budget(options: Options) -> dict[str, Any]:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": pods.metadata(options),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": pods.labels(options)}},
    }


def _policy(options: Options, storage: Storage) -> dict[str, Any]:
    """Clients by their label, Prometheus by its namespace; a server asks nobody, but for models that it fetches."""
    rest, grpc = ({"protocol": "TCP", "port": port} for port in (server.REST_PORT, server.GRPC_PORT))
    watching = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": MONITORING_NAMESPACE}}}
    fetching = [{"ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}, {"protocol": "TCP", "port": 443}]}]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": pods.metadata(options),
        "spec": {
            "podSelector": {"matchLabels": pods.labels(options)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [
                {"from": [{"podSelector": {"matchLabels": {CLIENT: options.name}}}], "ports": [rest, grpc]},
                {"from": [watching], "ports": [rest]},
            ],
            "egress": fetching if storage.kind == URI else [],
        },
    }


def _relabelled(options: Options) -> list[dict[str, Any]]:
    """Of all pods those of this Deployment, at the port that answers metrics."""
    label = "__meta_kubernetes_pod_label_app_kubernetes_io_instance"
    return [
        {"source_labels": [label], "regex": options.name, "action": "keep"},
        {"source_labels": ["__meta_kubernetes_pod_container_port_name"], "regex": "rest", "action": "keep"},
        {"source_labels": ["__meta_kubernetes_pod_name"], "target_label": "pod"},
    ]
