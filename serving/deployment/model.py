"""The model at hand: which of its versions are served, how large they are, and what they answer. Nothing is loaded."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from configs.errors import HubelError, UsageError
from serving import layout, promotions, saved_model

STRING = 7  # of TensorFlow's DataType
PLAIN = ("image_bytes", "text")  # what a client has: the ends of signatures that take it as it is
OWN = "__"  # what signatures of TensorFlow's own begin with


@dataclass(frozen=True)
class Tensor:
    """An input or an output of a signature: whether it is of strings, and its shape, -1 where any; None where that is open too."""

    is_string: bool
    shape: tuple[int, ...] | None


@dataclass(frozen=True)
class Signature:
    """What a model may be asked: its tensors by name."""

    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]


@dataclass(frozen=True)
class Model:
    """Of one model what a deployment has to know.

    Attributes:
        base: the folder of its versions, or the URL of it.
        versions: those that are loaded, ascending -> bytes of their files.
        labels: label -> version.
        signatures: of the stable version, by name.
        card: what the stable version says of itself (hubel.json); empty of a model that hubel did not push.
        remarks: sentences on what a person should know.
    """

    name: str
    base: Path | str
    versions: Mapping[int, int]
    labels: Mapping[str, int]
    signatures: Mapping[str, Signature]
    card: Mapping[str, Any] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    @property
    def channels(self) -> int:
        """Of an image that it reads; 0 where it reads none, or does not say."""
        shape = self.card.get("input_shape") or ()
        return shape[-1] if self.card.get("reads", "image") == "image" and len(shape) == 3 else 0

    @property
    def warmed(self) -> tuple[int, ...]:
        """Examples of the requests that warm it up, ascending, as its config had them; (1,) of a model that does not say."""
        return tuple(sorted(self.card.get("export", {}).get("warmup_batches") or [1]))

    @property
    def asked(self) -> str:
        """The signature that a first request is of: what the card says that `hubel predict` asks, of files or of texts."""
        first = self.card.get("predicts")
        known = [*(f"{first}_{end}" for end in PLAIN), *PLAIN, "serving_default", *sorted(self.signatures)]
        return next(name for name in known if name in self.signatures)


def read(asked: str, models: Path) -> Model:
    """The model of NAME, its stable version, its canary and the one before, with their labels; of NAME/VERSION that version alone,
    which is stable then. Either may be a path.

    Raises:
        UsageError: where there is none, or no version of it is stable.
        HubelError: where what lies there cannot be read.
    """
    base, version = _base(asked, models)
    there, state = layout.versions(base), promotions.state(base)
    if version is not None and version not in there:
        known = ", ".join(f"{base.name}/{each}" for each in there)
        raise UsageError(f"There is no version {version} of {base.name}.", f"There are: {known}.")
    loaded, labels = (state.loaded, state.labels) if version is None else ([version], {promotions.STABLE: version})
    stable = labels.get(promotions.STABLE)
    if stable is None:
        raise UsageError(f"No version of {base.name} is stable.", f"`hubel promote {base.name}/VERSION` makes one.")
    card = saved_model.card(there[stable])
    remarks = tuple(state.remarks(base.name)) if version is None else ()
    sizes = {number: _bytes(there[number]) for number in loaded}
    return Model(base.name, base, sizes, labels, _signatures(there[stable]), card, remarks)


def _base(asked: str, models: Path) -> tuple[Path, int | None]:
    path = Path(asked).expanduser()
    is_bare = (path / "saved_model.pb").is_file() and layout.number(path.resolve().name) is None
    if is_bare and not layout.versions(models / asked):
        raise UsageError(
            f"{asked} is a SavedModel without a version: TF Serving serves folders of numbered versions.",
            "Move it to NAME/1 and name that folder.",
        )
    return promotions.base_of(asked, models)


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _signatures(folder: Path) -> dict[str, Signature]:
    signatures = {
        name: Signature(_tensors(signature.inputs), _tensors(signature.outputs))
        for name, signature in saved_model.signatures(folder).items()
        if not name.startswith(OWN)
    }
    if not signatures:
        raise HubelError(f"The SavedModel {folder} has no signature to ask.", "Push it again, or name another version.")
    return signatures


def _tensors(infos) -> dict[str, Tensor]:
    shapes = {alias: info.tensor_shape for alias, info in sorted(infos.items())}
    return {
        alias: Tensor(infos[alias].dtype == STRING, None if shape.unknown_rank else tuple(each.size for each in shape.dim))
        for alias, shape in shapes.items()
    }
