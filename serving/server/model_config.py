"""TF Serving's model.config: the text of a ModelServerConfig, what one may say, and which versions its policies choose."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from configs.errors import UsageError, first_line
from serving.server.status import ServingError

PLATFORM = "tensorflow"


def read(path: Path, of: type | None = None):
    """The ModelServerConfig of a file, as the class `of`; by default tensorflow-serving-api's, which imports TensorFlow.

    Raises:
        UsageError: where it cannot be read or is none.
    """
    from google.protobuf import text_format

    if of is None:
        from tensorflow_serving.config import model_server_config_pb2

        of = model_server_config_pb2.ModelServerConfig
    try:
        return text_format.Parse(path.read_text(encoding="utf-8"), of())
    except OSError as error:
        raise UsageError(f"The file {path} cannot be read: {error.strerror or error}.", "Check the path of --config.") from None
    except (text_format.ParseError, UnicodeDecodeError) as error:
        raise UsageError(
            f"The file {path} is no model.config: {first_line(error).rstrip('.')}.",
            "It is the text of a ModelServerConfig: model_config_list { config { name base_path model_platform } }.",
        ) from None


def of_models(bases: Mapping[str, str], only: Mapping[str, int] | None = None):
    """The ModelServerConfig that serves models from folders of versions.

    Args:
        bases: absolute folder by model. only: the version of those of which it is one; of the others the latest is served.
    """
    from tensorflow_serving.config import model_server_config_pb2

    config = model_server_config_pb2.ModelServerConfig()
    for name, base in bases.items():
        entry = config.model_config_list.config.add(name=name, base_path=base, model_platform=PLATFORM)
        if only and name in only:
            entry.model_version_policy.specific.versions.append(only[name])
    return config


def chosen(policy, numbers: Mapping[int, str]) -> set[int]:
    """Versions that a ServableVersionPolicy chooses."""
    kind = policy.WhichOneof("policy_choice") or "latest"
    if kind == "all":
        return set(numbers)
    if kind == "specific":
        return set(policy.specific.versions) & set(numbers)
    return set(sorted(numbers)[-(policy.latest.num_versions or 1) :])


def checked(config) -> dict[str, Any]:
    """ModelConfig by name.

    Raises:
        ServingError: INVALID_ARGUMENT for what no config of models may say.
    """
    from tensorflow_serving.config import model_server_config_pb2

    if config.WhichOneof("config") != "model_config_list":
        raise ServingError("INVALID_ARGUMENT", "ServerModelConfig type not supported. Only ModelConfigList is currently supported")
    entries: dict[str, Any] = {}
    for entry in config.model_config_list.config:
        platform = entry.model_platform
        if entry.model_type and platform:
            raise ServingError("INVALID_ARGUMENT", "Illegal setting both model_type(deprecated) and model_platform.")
        if entry.model_type == model_server_config_pb2.TENSORFLOW:
            platform = PLATFORM
        if not entry.name:
            raise ServingError("INVALID_ARGUMENT", "A ModelConfig has no name.")
        if not platform:
            raise ServingError(
                "INVALID_ARGUMENT", f"Illegal setting neither model_type(deprecated) nor model_platform, of model {entry.name}."
            )
        if platform != PLATFORM:
            raise ServingError(
                "INVALID_ARGUMENT", f"Model {entry.name} has the platform {platform}; only {PLATFORM} is known here."
            )
        if entry.name in entries:
            raise ServingError("INVALID_ARGUMENT", f"Illegal to list model {entry.name} multiple times in config list")
        if not entry.base_path.startswith("/") and "://" not in entry.base_path:
            raise ServingError(
                "INVALID_ARGUMENT",
                f"Expected model {entry.name} to have an absolute path or URI; got base_path()={entry.base_path}",
            )
        policy = entry.model_version_policy
        if policy.WhichOneof("policy_choice") == "specific" and not policy.specific.versions:
            raise ServingError("INVALID_ARGUMENT", f"Model {entry.name} has a policy of specific versions, and names none.")
        entries[entry.name] = entry
    return entries
