"""A model, a target and what a person chose -> files in a folder, and what to say of them."""

import importlib
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from configs import by_name
from configs.errors import UsageError
from serving.deployment import asking, pods, server, sizes, targets, writing
from serving.deployment.model import Model
from serving.deployment.options import HOST, IMAGE, Options, Storage

TARGETS = ("files", "commands", "remarks")  # what a target defines


@dataclass(frozen=True)
class Deployed:
    """What was rendered: paths of the files, commands that a person types next, and sentences on what to know."""

    files: list[Path]
    resources: sizes.Resources
    commands: list[str]
    remarks: list[str] = field(default_factory=list)


def names() -> list[str]:
    """Of all targets."""
    return by_name.names(targets.__path__, TARGETS)


def check(target: str, given: Collection[str] = ()) -> None:
    """Raise UsageError for no target, or where one of the options that were given is none of its; names what there is."""
    if target not in names():
        raise UsageError(f"--to {target!r} is no target.", f"There are: {', '.join(names())}.")
    takes = {name: _module(name).TAKES for name in names()}
    unused = sorted({*given} & {option for some in takes.values() for option in some} - {*takes[target]})
    if unused:
        whose = ", ".join(name for name, some in takes.items() if unused[0] in some)
        raise UsageError(f"--{unused[0].replace('_', '-')} says nothing to {target}.", f"Leave it out; it is for {whose}.")


def _module(target: str) -> Any:
    return importlib.import_module(f"{targets.__name__}.{target}")


def deploy(model: Model, target: str, options: Options, folder: Path, force: bool = False) -> Deployed:
    """Render a model's files into a folder.

    Raises:
        UsageError: for no target, for a place of models that it does not read, and as writing.write.
        HubelError: as writing.write.
    """
    check(target)
    kind = _module(target)
    if options.storage and options.storage.kind == IMAGE and not options.is_own_image:
        raise UsageError(
            f"{options.image} has no model in it.", "--storage image needs --image, of an image that has: see docker/."
        )
    storage = options.storage or kind.STORAGE or Storage(HOST, str(options.models))
    paths = writing.write(writing.rendered(kind.files(model, options), model.name), folder, force)
    return Deployed(
        paths,
        sizes.of(model, options.max_request),
        kind.commands(model, options, folder),
        [*model.remarks, *_named(model, options), *_placed(model, storage), *_warmed(model, options), *kind.remarks(options)],
    )


def _named(model: Model, options: Options) -> list[str]:
    if options.name == model.name:
        return []
    return [f"The objects are called {options.name}: {model.name} is no name of an object. Requests still say {model.name}."]


def _warmed(model: Model, options: Options) -> list[str]:
    cold = [size for size in server.batch_sizes(model) if size > 1 and size not in model.warmed]
    if not options.batching or not cold:
        return []
    sizes, none = (", ".join(map(str, each)) for each in (server.batch_sizes(model), cold))
    return [
        f"Batches have {sizes} rows, and the model's warm-up has none of {none}: the first of each waits for its graph. "
        f"export.warmup_batches: [{sizes}] in its config warms them up."
    ]


def _placed(model: Model, storage: Storage) -> list[str]:
    said = [f"It is served if {asking.place(model, storage)}, for {', '.join(map(str, model.versions))}."]
    base = model.base if isinstance(model.base, Path) else None
    is_this = base is not None and storage.kind == HOST and Path(storage.place) == base.parent
    hidden = [path for path in (base, *base.parents) if not path.stat().st_mode & 0o001] if base and is_this else []
    if hidden:
        names = ", ".join(map(str, reversed(hidden)))
        said.append(f"TF Serving runs as user {pods.USER}, who may not enter {names}: `chmod o+x` lets it.")
    return said
