"""Docker Compose: TF Serving on one host, Prometheus that watches it, and Grafana that shows what Prometheus knows."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

from configs.errors import UsageError
from serving.deployment import asking, monitoring, pods, server, sizes
from serving.deployment.model import Model
from serving.deployment.options import HOST, IMAGE, URI, Options, Storage

STORAGE = None
TAKES = ("host", "rest_port", "grpc_port")
LOOPBACK = ("127.0.0.1", "::1", "localhost")
PROMETHEUS, GRAFANA = "prom/prometheus:v3.5.0", "grafana/grafana:12.1.0"
PROMETHEUS_PORT, GRAFANA_PORT = 9090, 3000
SERVICE, WATCHED = "tf-serving", "monitoring"
CONFIGURED = "tf-serving"  # folder of the server's files
BOARDS = "/etc/grafana/boards"  # of Grafana's container
NOBODY, GRAFANAS = 65534, 472  # users of Prometheus's image and of Grafana's
NO_RIGHTS = {"cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"], "read_only": True}


def files(model: Model, options: Options) -> dict[str, Any]:
    """See the package. Raises UsageError for a place that is no folder of the host."""
    storage = _storage(options)
    resources = sizes.of(model, options.max_request)
    told = server.files(model, resources)
    where = {"static_configs": [{"targets": [f"{SERVICE}:{server.REST_PORT}"]}]}
    provisioned = "grafana/provisioning"
    return {
        "compose.yaml": _compose(model, options, storage, resources),
        **{f"{CONFIGURED}/{name}": text for name, text in told.items()},
        f"{WATCHED}/{monitoring.SCRAPING}": monitoring.scraping(options, where),
        f"{WATCHED}/{monitoring.ALERTS}": monitoring.alerts(model, options),
        f"{WATCHED}/{monitoring.BOARD}": monitoring.board(model, options),
        f"{WATCHED}/{provisioned}/datasources/prometheus.yaml": _source(),
        f"{WATCHED}/{provisioned}/dashboards/boards.yaml": _boards(),
    }


def commands(model: Model, options: Options, folder: Path) -> list[str]:
    """See the package."""
    at = asking.quoted(folder / "compose.yaml")
    host = f"[{options.host}]" if ":" in options.host else options.host
    shown = "localhost" if options.host in ("127.0.0.1", "0.0.0.0") else host  # noqa: S104 - of what a person chose
    return [
        f"docker compose -f {at} up --detach --wait",
        asking.curl(model, f"http://{shown}:{options.rest_port}"),
        f"docker compose -f {at} down",
    ]


def remarks(options: Options) -> list[str]:
    """See the package."""
    if options.host in LOOPBACK:
        return []
    return [f"It binds {options.host}: whoever reaches that may ask, without a key, and sees the metrics and the board."]


def _storage(options: Options) -> Storage:
    storage = options.storage or Storage(HOST, str(options.models))
    if storage.kind not in (HOST, IMAGE):
        raise UsageError(
            f"Docker Compose mounts a folder of its host; {storage.place if storage.kind == URI else storage.kind} is none.",
            "Use --storage hostpath:/FOLDER, or image for an image with the model in it.",
        )
    return storage


def _bound(options: Options, port: str, inside: int) -> dict[str, Any]:
    return {"target": inside, "published": port, "host_ip": options.host, "protocol": "tcp", "mode": "host"}


def _mounted(source: str, target: str) -> dict[str, Any]:
    """Compose reads $$ as a dollar."""
    return {
        "type": "bind",
        "source": source.replace("$", "$$"),
        "target": target,
        "read_only": True,
        "bind": {"create_host_path": False},
    }


def _compose(model: Model, options: Options, storage: Storage, resources: sizes.Resources) -> dict[str, Any]:
    volumes = [_mounted(f"./{CONFIGURED}", server.FOLDER)]
    if storage.kind == HOST:
        volumes.append(_mounted(storage.place, server.MODELS))
    amounts = {
        "limits": {"cpus": str(resources.cores), "memory": str(resources.limit)},
        "reservations": {"memory": str(resources.requested)},
    }
    tf_serving = {
        "image": options.image,
        "entrypoint": ["tensorflow_model_server"],
        "command": [*server.ports(), *server.flags(resources, options.batching)],
        "user": f"{pods.USER}:{pods.USER}",
        **NO_RIGHTS,
        "tmpfs": [f"{pods.TMP}:size=64m,mode=1777"],
        "ports": [
            _bound(options, str(options.rest_port), server.REST_PORT),
            _bound(options, str(options.grpc_port), server.GRPC_PORT),
        ],
        "volumes": volumes,
        "healthcheck": {
            "test": ["CMD", "bash", "-c", _looks(model)],
            "interval": "10s",
            "timeout": "5s",
            "retries": 6,
            "start_period": f"{pods.LOADING}s",
            "start_interval": "1s",
        },
        "deploy": {"resources": amounts},
        "restart": "unless-stopped",
        "stop_grace_period": "60s",
        "networks": ["inside"],
    }
    prometheus = {
        "image": PROMETHEUS,
        "command": [f"--config.file=/etc/prometheus/{monitoring.SCRAPING}", "--storage.tsdb.retention.time=30d"],
        "user": f"{NOBODY}:{NOBODY}",
        **NO_RIGHTS,
        "ports": [_bound(options, f"${{PROMETHEUS_PORT:-{PROMETHEUS_PORT}}}", PROMETHEUS_PORT)],
        "volumes": [
            *(_mounted(f"./{WATCHED}/{name}", f"/etc/prometheus/{name}") for name in (monitoring.SCRAPING, monitoring.ALERTS)),
            {"type": "volume", "source": "prometheus", "target": "/prometheus"},
        ],
        "restart": "unless-stopped",
        "networks": ["inside"],
    }
    folder = "/etc/grafana/provisioning"
    grafana = {
        "image": GRAFANA,
        "user": f"{GRAFANAS}:0",
        **NO_RIGHTS,
        "tmpfs": [pods.TMP],
        "environment": {  # whoever reaches the port, which is of this machine, may look and not change
            "GF_AUTH_ANONYMOUS_ENABLED": "true",
            "GF_AUTH_ANONYMOUS_ORG_ROLE": "Viewer",
            "GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION": "true",
            "GF_ANALYTICS_REPORTING_ENABLED": "false",
            "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
        },
        "ports": [_bound(options, f"${{GRAFANA_PORT:-{GRAFANA_PORT}}}", GRAFANA_PORT)],
        "volumes": [
            _mounted(f"./{WATCHED}/grafana/provisioning", folder),
            _mounted(f"./{WATCHED}/{monitoring.BOARD}", f"{BOARDS}/{monitoring.BOARD}"),
            {"type": "volume", "source": "grafana", "target": "/var/lib/grafana"},
        ],
        "depends_on": ["prometheus"],
        "restart": "unless-stopped",
        "networks": ["inside"],
    }
    return {
        "name": options.name,
        "services": {SERVICE: tf_serving, "prometheus": prometheus, "grafana": grafana},
        "networks": {"inside": {}},
        "volumes": {"prometheus": {}, "grafana": {}},
    }


def _looks(model: Model) -> str:
    """Ask for the model's status by bash alone: the image has no curl."""
    path = quote(f"/v1/models/{model.name}")
    request = f"GET {path} HTTP/1.0\\r\\n\\r\\n"
    return f"exec 3<>/dev/tcp/127.0.0.1/{server.REST_PORT} && printf '{request}' >&3 && grep -q AVAILABLE <&3".replace("$", "$$")


def _source() -> dict[str, Any]:
    source = {
        "name": "Prometheus",
        "type": "prometheus",
        "uid": "prometheus",
        "access": "proxy",
        "url": f"http://prometheus:{PROMETHEUS_PORT}",
        "isDefault": True,
    }
    return {"apiVersion": 1, "datasources": [source]}


def _boards() -> dict[str, Any]:
    provider = {"name": "boards", "type": "file", "options": {"path": BOARDS}}
    return {"apiVersion": 1, "providers": [provider]}
