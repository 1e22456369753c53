"""How TF Serving is told what it serves: flags, and the files that these name. Their form is that of its own messages as text."""

from google.protobuf import text_format

from serving import protos, real_server
from serving.deployment.model import Model
from serving.deployment.sizes import Resources

REST_PORT, GRPC_PORT = real_server.REST_PORT, real_server.GRPC_PORT
FOLDER = "/etc/tf-serving"  # of its files, in a container
MODELS = "/models"  # of the models, in a container
CONFIG, MONITORING, BATCHING = "model.config", "monitoring.config", "batching.config"
METRICS = "/monitoring/prometheus/metrics"
LOOK = 10  # s between looks at model.config
BATCH_SIZES = (1, 8, 32)  # that batches are padded to, of a model whose config names none
TIMEOUT = 30_000  # ms of a request over REST


def model_config(model: Model, models: str = MODELS) -> str:
    """The ModelServerConfig of one model: specific versions and their labels, never `latest`, by which a push would serve at once.

    Args:
        models: the folder of models as the server sees it, or a URI.
    """
    config = protos.message("tensorflow.serving.ModelServerConfig")()
    entry = config.model_config_list.config.add(name=model.name, base_path=f"{models}/{model.name}", model_platform="tensorflow")
    entry.model_version_policy.specific.versions.extend(model.versions)
    entry.version_labels.update(model.labels)
    return text_format.MessageToString(config)


def monitoring_config() -> str:
    """A MonitoringConfig: that metrics are answered, and where. By itself the server answers none."""
    return f'prometheus_config {{\n  enable: true\n  path: "{METRICS}"\n}}\n'


def batch_sizes(model: Model) -> tuple[int, ...]:
    """Those that batches are padded to: what the model is warmed up for, where that is more than one example."""
    return tuple(sorted({1, *model.warmed})) if model.warmed[-1] > 1 else BATCH_SIZES


def batching_config(model: Model, resources: Resources) -> str:
    """BatchingParameters: nobody waits for others, what has queued up runs together."""
    sizes = batch_sizes(model)
    values = {
        "max_batch_size": sizes[-1],
        "batch_timeout_micros": 0,
        "max_enqueued_batches": 100,
        "num_batch_threads": resources.cores,
    }
    lines = [f"{name} {{ value: {value} }}" for name, value in values.items()]
    return "\n".join([*lines, *(f"allowed_batch_sizes: {size}" for size in sizes)]) + "\n"


def files(model: Model, resources: Resources, models: str = MODELS) -> dict[str, str]:
    """Name -> text of each file in FOLDER."""
    return {
        CONFIG: model_config(model, models),
        MONITORING: monitoring_config(),
        BATCHING: batching_config(model, resources),
    }


def flags(resources: Resources, batching: bool) -> list[str]:
    """What the server is started with besides its ports."""
    told = {
        "model_config_file": f"{FOLDER}/{CONFIG}",
        "model_config_file_poll_wait_seconds": LOOK,
        "allow_version_labels_for_unavailable_models": "true",
        "monitoring_config_file": f"{FOLDER}/{MONITORING}",
        "rest_api_timeout_in_ms": TIMEOUT,
        "tensorflow_intra_op_parallelism": resources.cores,  # by itself as many as the node has, whatever its limit
        "tensorflow_inter_op_parallelism": resources.cores,
    }
    if batching:
        told |= {"enable_batching": "true", "batching_parameters_file": f"{FOLDER}/{BATCHING}"}
    return [f"--{name}={value}" for name, value in told.items()]


def ports() -> list[str]:
    """The flags of both."""
    return [f"--port={GRPC_PORT}", f"--rest_api_port={REST_PORT}"]
