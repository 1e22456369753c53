"""What a config names, looked up before anything is started."""

import os
import sys
from pathlib import Path

import keras_models
from components.example_gen import sources
from configs import paths
from configs.schema.run import RunConfig
from pipelines.workspace import origins
from pipelines.workspace.layout import Workspace


def check(config: RunConfig, place: Workspace) -> None:
    """Raise UsageError for what is not there: a typo must fail before anything is started. In milliseconds."""
    place.check()
    if config.push.enabled:
        folder = place.served(config.name, config.push.destination)
        paths.literal(Path(folder), "The folder of served models", "Set another push.destination.")
    look_here_for_builders()
    if config.transfer is None:
        keras_models.check(config.model.name)
    elif earlier := origins.before(config.name, config.transfer):
        made = earlier[-1][1].transform
        origins.check_takes(config.transfer.source, config.transform, made.height, made.width, made.channels)
    else:
        origins.check(config.transfer.source, config.transform, place)
    sources.check(config.data.source, place.datasets)


def look_here_for_builders() -> None:
    """Builders of one's own may be in the folder where hubel is started; last, so that hubel's packages keep their names."""
    sys.path.append(os.getcwd())
