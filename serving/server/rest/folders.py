"""What openapi.py describes, of folders that nobody serves yet. TensorFlow is not needed for it."""

from collections.abc import Mapping
from pathlib import Path

from configs.errors import UsageError
from serving import layout, protos, saved_model
from serving.server import model_config
from serving.server.rest.openapi import Model


def of_model(name: str, folder: str, version: int | None, labels: tuple[str, ...] = ()) -> Model:
    """A version of a model.

    Args:
        folder: of versions; of the SavedModel where `version` is 0, which is then served as 1.
        version: None for the newest.

    Raises:
        UsageError: where there is none. HubelError: for a damaged one.
    """
    place = Path(folder)
    if version == 0:
        return Model(name, [1], saved_model.signatures(place), saved_model.card(place), labels)
    there = layout.versions(place)
    number = max(there, default=None) if version is None else version
    if number not in there:
        raise UsageError(f"There is no version{'' if number is None else f' {number}'} of {name} in {folder}.", "Name another one.")
    return Model(name, [number], saved_model.signatures(there[number]), saved_model.card(there[number]), labels)


def of_config(path: Path, bases: Mapping[str, str] | None = None) -> list[Model]:
    """The models of a model.config, each as its newest version that its policy chooses.

    Args:
        bases: those of them that are meant -> their folders, whatever the config says of that; None: all.

    Raises:
        As model_config.read and of_model.
    """
    config = model_config.read(path, protos.message("tensorflow.serving.ModelServerConfig"))
    models = []
    for entry in config.model_config_list.config:
        if bases is not None and entry.name not in bases:
            continue
        base = entry.base_path if bases is None else bases[entry.name]
        chosen = model_config.chosen(entry.model_version_policy, dict.fromkeys(layout.versions(Path(base)), ""))
        if not chosen:
            raise UsageError(
                f"No version of {entry.name} that {path} asks for is in {base}.", "`hubel list runs` shows what was pushed."
            )
        models.append(of_model(entry.name, base, max(chosen), tuple(sorted(entry.version_labels))))
    return models
