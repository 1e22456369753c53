"""`hubel serve`, worker side: a server that runs until this process is told to end."""

import contextlib
import logging
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from components import progress
from configs.errors import UsageError
from pipelines.verbs import api_key
from serving.server import model_config
from serving.server.access import ApiKey
from serving.server.server import Server, settings_of


def serve(
    models: Sequence[Mapping[str, Any]],
    config: str | None,
    follow: float,
    settings: Mapping[str, Any],
    api_key_file: str | None,
    access_log: int | None,
) -> dict[str, Any]:
    """Serve until SIGTERM, then answer what there is to answer.

    Args:
        models: {name, folder, version}: `folder` is of versions, and the `version` alone is served unless it is None; without a
            version's number in its path, `folder` is the SavedModel and `version` 0. `is_bare`: which versions, and their labels,
            is for `config` to say.
        config: file of a model.config: of these, or without models to be served as it is. follow: s between looks at it; 0: none.
        settings: as serving.server.server.settings_of takes them.
        api_key_file: file of the key that clients must send; None: the environment's, if there is one.
        access_log: file descriptor that gets a line of JSON for each request; None: the log of this process.

    Returns:
        {seconds}: that the last requests and unloading took. Tells `serving` {rest, grpc, models} once it answers, and `shadows`
        {pairs: as of Shadow.summary} at the end, where there are any.

    Raises:
        UsageError, HubelError: as Server.
    """
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with _logged(access_log), tempfile.TemporaryDirectory(prefix="hubel-serve-") as aliases:
        path, read = (Path(config) if config else None), model_config.read
        if models:
            told, read = _config_of(models, path, Path(aliases))
        elif path is not None:
            told = read(path)
        server = Server(settings_of(dict(settings)), ApiKey(api_key.read(api_key_file)))
        server.start(told, path, follow, read)
        progress.emit("serving", **server.ports, models=server.manager.overview())
        stop.wait()
        seconds = round(server.stop(), 2)
        if server.shadow is not None:
            progress.emit("shadows", pairs=server.shadow.summary())
        return {"seconds": seconds}


def _config_of(models: Sequence[Mapping[str, Any]], path: Path | None, aliases: Path) -> tuple[Any, Callable[[Path], Any]]:
    """A config of what was asked for, and what makes it anew of a model.config that has changed.

    Args:
        path: the model.config that says which versions of bare names are served; of one that it does not have, the highest.
        aliases: folder for links, by which a SavedModel that is no version gets the number 1.
    """
    bases, only = {}, {}
    for model in models:
        name, folder, version = model["name"], model["folder"], model["version"]
        if version == 0:
            (aliases / name).mkdir()
            (aliases / name / "1").symlink_to(folder, target_is_directory=True)
            folder, version = str(aliases / name), None
        bases[name] = folder
        if version is not None:
            only[name] = version
    bare = {model["name"] for model in models if model.get("is_bare")} if path else set()

    def of_file(path: Path, names: Collection[str]):
        parts = {part.name: part for part in model_config.read(path).model_config_list.config}
        if gone := sorted(set(names) - parts.keys()):
            raise UsageError(f"The file {path} has no {', '.join(gone)} any more.", "What was served before goes on being served.")
        config = model_config.of_models(bases, only)
        for entry in config.model_config_list.config:
            if entry.name in bare and entry.name in parts:
                entry.CopyFrom(parts[entry.name])
                entry.base_path = bases[entry.name]  # the workspace may have moved since
        return config

    if not bare:
        return model_config.of_models(bases, only), model_config.read
    known = bare & {part.name for part in model_config.read(path).model_config_list.config}
    return of_file(path, known), lambda path: of_file(path, known)


@contextlib.contextmanager
def _logged(access_log: int | None) -> Iterator[None]:
    """The server's log goes to this process's, requests to `access_log`, while the block lasts."""
    handlers = {"serving.server": _handler(sys.stderr, "%(asctime)s %(levelname)s %(message)s")}
    with contextlib.ExitStack() as stack:
        if access_log is not None:
            written = stack.enter_context(os.fdopen(os.dup(access_log), "w", buffering=1))
            handlers["serving.server.access"] = _handler(written, "%(message)s")
        for name, handler in handlers.items():
            logger = logging.getLogger(name)
            stack.callback(setattr, logger, "propagate", logger.propagate)
            stack.callback(logger.setLevel, logger.level)
            stack.callback(logger.removeHandler, handler)
            logger.propagate = False
            logger.setLevel(logging.INFO)
            logger.addHandler(handler)
        yield


def _handler(stream, form: str) -> logging.Handler:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter(form))
    return handler
