"""One SavedModel of an autoencoder, asked by the names of its signatures. Used in the worker process."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from components import earlier_cards, keys, saved_model
from components.trainer.card import Card
from configs.errors import HubelError, UsageError, first_line
from pipelines.verbs.batches import Unreadable

JUDGING = {"anomaly_score", "is_anomaly", "threshold", "heat"}  # kinds of what is said of an anomaly
PUSHED = "Was it pushed by hubel?"
WHICH = {  # signature -> the kind of model that has it
    "reconstruct": "an autoencoder",
    "encode": "an autoencoder",
    "decode": "an autoencoder",
    "inpaint": "an autoencoder",
    "denoise": "a denoising autoencoder, which was trained to undo noise",
    "generate": "a variational autoencoder",
}


@dataclass(frozen=True)
class Served:
    """A loaded SavedModel with its card."""

    folder: str
    card: Card
    signatures: dict[str, Any]

    @classmethod
    def load(cls, folder: str) -> "Served":
        """Raises UsageError for a SavedModel that hubel did not write, HubelError for a damaged one."""
        import tensorflow as tf

        card = cls.card_of(folder)
        try:
            signatures = tf.saved_model.load(folder).signatures
        except (OSError, tf.errors.OpError) as error:
            raise HubelError(
                f"The SavedModel {folder} cannot be loaded: {first_line(error).rstrip('.')}.",
                "Push it again, or name another version.",
            ) from None
        if not card.gives:
            are_texts = saved_model.texts_of(Path(folder))
            card = earlier_cards.completed(card, {name: are_texts[name] for name in signatures})
        return cls(folder, earlier_cards.judging(card), signatures)

    @staticmethod
    def card_of(folder: str) -> Card:
        """Its card alone, which takes no time. Raises as `load`."""
        try:
            card = Card.exported(folder)
        except ValueError as error:  # of no JSON, of other keys, of what is no text
            raise HubelError(
                f"The card of the SavedModel {folder} (assets.extra/hubel.json) cannot be read: {first_line(error)}.",
                "Push it again, or name another version.",
            ) from None
        if card is None:
            raise UsageError(f"The SavedModel {folder} has no card (assets.extra/hubel.json).", PUSHED)
        return card

    @property
    def size(self) -> list[int]:
        """Height and width in px, and channels, of the images it takes and gives."""
        return list(self.card.input_shape)

    def summary(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """What the JSON of a verb says of the model, how many images had another size, and of how many a model sees something else
        than the file holds, by what that is; `rows` as of `images.row`."""
        changes = Counter(change for row in rows for change in row.get("changes", ()))
        return {"model": self.folder, "size": self.size, "resized": len([*filter(self.resizes, rows)]), "changes": dict(changes)}

    def resizes(self, row: dict[str, Any]) -> bool:
        """Whether the image of a row, as of pipelines.verbs.images.row, has another size than the model's."""
        return list(row.get("size") or self.size[:2]) != self.size[:2]

    def frame(self, size: Sequence[int]) -> Sequence[float] | None:
        """Where an image of that height and width, px, lies in the model's input, as components.transform.placement.frame has it;
        None where it has several places."""
        import tensorflow as tf

        from components.transform import placement

        try:
            return placement.frame(tf.constant(size, tf.int32), self.card.seen).numpy().tolist()
        except UsageError:
            return None

    def gives(self, name: str) -> dict[str, str]:
        """The outputs of a signature, and the kind of each, of serving.answers."""
        return self.card.gives.get(name, {})

    def output(self, name: str, kind: str) -> str | None:
        """The output of a signature that is of that kind; None where it has none, or several."""
        outputs = [output for output, its in self.gives(name).items() if its == kind]
        return outputs[0] if len(outputs) == 1 else None

    def judging(self, threshold: float | None) -> tuple[str, dict[str, np.float32]]:
        """The signature that says how unlike its training images one is, the one that says the most, and what it is asked besides:
        `threshold`, where it is given and a signature takes one.

        Raises:
            UsageError: where no signature does.
        """
        scored = [name for name, kinds in self.card.gives.items() if "anomaly_score" in kinds.values()]
        there = {
            name: self.signatures[f"{name}_{keys.IMAGE_BYTES}"]
            for name in scored
            if f"{name}_{keys.IMAGE_BYTES}" in self.signatures
        }
        if not there:
            raise UsageError(
                f"{self._what()}: none of its signatures says how unlike its training images an image is.",
                "Autoencoders say it, and tasks of your own with an output of the kind anomaly_score.",
            )
        takes = {name: set(asked.structured_input_signature[1]) - {keys.IMAGE_BYTES} for name, asked in there.items()}
        if threshold is not None and (at := [name for name in there if len(takes[name]) == 1 and self.output(name, "threshold")]):
            return at[0], dict.fromkeys(takes[at[0]], np.float32(threshold))
        told = {name: len(JUDGING & set(self.gives(name).values())) for name in there if not takes[name]}
        return max(told, key=told.get), {}

    def _what(self) -> str:
        return f"{self.card.name} is a {self.card.architecture}, trained for {self.card.task}"

    @property
    def predicting(self) -> Callable:
        """The signature of encoded images that `predict` asks. Raises UsageError where there is none."""
        return self.of_end(self.card.predicts, keys.IMAGE_BYTES)

    def of_end(self, name: str, end: str) -> Callable:
        """The signature `name` behind an end of the model's kind of input. Raises UsageError where there is none."""
        full = end if name == keys.SERVING_DEFAULT else f"{name}_{end}"
        if full not in self.signatures:
            raise UsageError(f"The SavedModel {self.folder} has no signature {full}.", PUSHED)
        return self.signatures[full]

    def of_images(self, name: str) -> Callable:
        """The signature `name` of encoded images. Raises UsageError, naming who has it, where there is none."""
        return self._signature(name, f"{name}_image_bytes")

    def of_codes(self, name: str) -> Callable:
        """The signature `name` of codes. Raises UsageError, naming who has it, where there is none."""
        return self._signature(name, name)

    @property
    def code_size(self) -> int:
        """Numbers in a code. Raises UsageError for what is no autoencoder."""
        return self.of_codes("decode").structured_input_signature[1]["z"].shape[-1]

    def seen(self, encoded: bytes) -> np.ndarray:
        """An image file as the model sees it: uint8 [height, width, channels], decoded and resized by the served graph's function.

        Raises tf.errors.InvalidArgumentError for what the graph refuses.
        """
        import tensorflow as tf

        from components.transform import pixels

        return pixels.from_bytes(tf.constant([self.prepared(encoded)]), self.card.seen, self.card.reading)[0].numpy()

    def prepared(self, encoded: bytes) -> bytes:
        """What is sent of an image file: as it is, or encoded anew where the graph would not see it as a person does.

        Raises batches.Unreadable for values that training would have set aside too.
        """
        from components.example_gen import pictures

        try:
            return pictures.sendable(encoded, self.card.turns, self.card.reading.white if self.card.reading else None)
        except pictures.Damaged as error:
            if str(error) == pictures.VALUES:
                raise Unreadable(str(error)) from None
            return encoded  # the graph says what is wrong

    def missing(self, mask: bytes) -> np.ndarray:
        """Where pixels are missing, as `inpaint` sees it: bool [height, width, 1]."""
        import tensorflow as tf

        from components import inpainting

        return inpainting.missing(tf.constant([mask]), self.card)[0].numpy()

    def _signature(self, name: str, full: str) -> Callable:
        if full in self.signatures:
            return self.signatures[full]
        what = self._what()
        if name == "inpaint" and "reconstruct" in self.signatures:
            raise UsageError(f"{what}, by a hubel that did not inpaint yet.", "Train and push it again.")
        raise UsageError(f"{what}; to {name} takes {WHICH[name]}.", "`hubel list models` shows which there are.")
