"""The model at hand: which of its versions are served, how large they are, and what they answer. Nothing is loaded."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError

from configs.errors import HubelError, UsageError, first_line
from serving import layout, promotions

CARD = Path("assets.extra", "hubel.json")
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
        base: the folder of its versions.
        versions: those that are loaded, ascending -> bytes of their files.
        labels: label -> version.
        signatures: of the stable version, by name.
        card: what the stable version says of itself (hubel.json); empty of a model that hubel did not push.
        remarks: sentences on what a person should know.
    """

    name: str
    base: Path
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
    card = _card(there[stable])
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


def _card(folder: Path) -> dict[str, Any]:
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        if not isinstance(card, dict):
            raise ValueError("no object")
        return card
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise HubelError(
            f"The card of the SavedModel {folder} ({CARD}) cannot be read: {first_line(error)}.",
            "Push it again, or name another version.",
        ) from None


def _signatures(folder: Path) -> dict[str, Signature]:
    file = folder / "saved_model.pb"
    try:
        described = _message().FromString(file.read_bytes())
    except DecodeError:
        described = _message()()
    if not described.meta_graphs or not described.meta_graphs[0].signature_def:
        raise HubelError(f"The SavedModel {folder} is damaged: {file.name} is none.", "Push it again, or name another version.")
    return {
        name: Signature(_tensors(signature.inputs), _tensors(signature.outputs))
        for name, signature in sorted(described.meta_graphs[0].signature_def.items())
        if not name.startswith(OWN)
    }


def _tensors(infos) -> dict[str, Tensor]:
    return {
        alias: Tensor(info.dtype == STRING, None if info.shape.unknown_rank else tuple(each.size for each in info.shape.dim))
        for alias, info in sorted(infos.items())
    }


@cache
def _message():
    """A SavedModel as far as its signatures: TensorFlow's own messages take the seconds that its import takes. Numbers are those of
    its saved_model.proto, meta_graph.proto and tensor_shape.proto; what else a file holds is passed over."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    package, label = "hubel.deployment", descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="hubel_deployment.proto", package=package, syntax="proto3")

    def message(name: str, within=file.message_type, **fields: tuple[int, str, bool]):
        kind = within.add(name=name)
        for key, (number, of, is_list) in fields.items():
            scalar = {
                "int64": label.TYPE_INT64,
                "int32": label.TYPE_INT32,
                "bool": label.TYPE_BOOL,
                "string": label.TYPE_STRING,
            }.get(of)
            added = kind.field.add(name=key, number=number, label=label.LABEL_REPEATED if is_list else label.LABEL_OPTIONAL)
            added.type = scalar or label.TYPE_MESSAGE
            if scalar is None:
                added.type_name = f".{package}.{of}"
        return kind

    def mapping(kind, name: str, number: int, of: str) -> None:
        entry = message(f"{name.title().replace('_', '')}Entry", kind.nested_type, key=(1, "string", False), value=(2, of, False))
        entry.options.map_entry = True
        kind.field.add(
            name=name, number=number, label=label.LABEL_REPEATED, type=label.TYPE_MESSAGE,
            type_name=f".{package}.{kind.name}.{entry.name}",
        )  # fmt: skip

    message("Dim", size=(1, "int64", False))
    message("Shape", dim=(2, "Dim", True), unknown_rank=(3, "bool", False))
    message("TensorInfo", dtype=(2, "int32", False), shape=(3, "Shape", False))
    signature = message("SignatureDef")
    mapping(signature, "inputs", 1, "TensorInfo")
    mapping(signature, "outputs", 2, "TensorInfo")
    mapping(message("MetaGraph"), "signature_def", 5, "SignatureDef")
    message("SavedModel", meta_graphs=(2, "MetaGraph", True))
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.SavedModel"))
