"""What a config names, looked up before anything is started."""

import os
import sys


def check(cfg, place) -> None:
    """A typo must fail before anything is started: the model and the data are looked up here, in milliseconds."""
    import keras_models
    from components.example_gen import sources
    from configs import paths
    from pipelines.workspace import origins

    place.check()
    if cfg.push.enabled:
        paths.literal(place.served(cfg.name, cfg.push.destination), "The folder of served models", "Set another push.destination.")
    look_here_for_builders()
    if cfg.transfer:
        origins.check(cfg, place)
    else:
        keras_models.check(cfg.model.name)
    sources.check(cfg.data.source, place.datasets)


def look_here_for_builders() -> None:
    """Builders of one's own may be in the folder where hubel is started; last, so that hubel's packages keep their names."""
    sys.path.append(os.getcwd())
