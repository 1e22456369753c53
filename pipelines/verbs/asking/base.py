"""What a kind of input decides about `predict`. Subclass `Asking` in a file of this folder."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np

from components.inputs import input_of, storage_of
from components.inputs.storing import Damaged
from configs.errors import UsageError
from configs.schema.data import DataConfig
from pipelines.verbs import batches
from pipelines.verbs.batches import Unreadable
from pipelines.verbs.served import Served


class Given(NamedTuple):
    """What a person gave on the command line: files and folders, texts themselves, the column of a table that is asked about."""

    files: Sequence[str] = ()
    texts: Sequence[str] = ()
    column: str | None = None


class Told(NamedTuple):
    """Of one example: what the JSON says of it, with `error` where it cannot be used; and the outputs, by name, as NumPy arrays."""

    row: dict[str, Any]
    outputs: Mapping[str, Any]


class Asking:
    """Files, one example each, which are checked as a source's are and sent to the end of raw bytes."""

    unshown: ClassVar[frozenset[str]] = frozenset()  # keys of a row that JSON has and a table has not
    batch: ClassVar[int] = 64  # examples of one request

    def __init__(self, kind: str):
        self.kind, self.storage = kind, storage_of(kind)

    @property
    def many(self) -> str:
        """What a person calls several of them; the key of the JSON's rows."""
        return f"{self.storage.noun}s"

    def examples(self, given: Given, model: str, out: Path | None = None) -> list[Any]:
        """Each example that was given, in order; of a folder the files in it that are not hidden, by path.

        Args:
            model: its name, for a sentence. out: the folder that a verb writes into.

        Raises:
            UsageError: where there is none, or where it is given in a way that is of another kind.
        """
        self.refuse_texts(given, model)
        paths = [path for name in given.files for path in _files(Path(name).expanduser())]
        if not paths:
            raise UsageError(f"There is no {self.storage.noun} in {', '.join(given.files)}.", "Name files, or folders of them.")
        return paths

    def refuse_texts(self, given: Given, model: str) -> None:
        """Raise UsageError for what is of texts alone."""
        if given.texts or given.column is not None:
            raise UsageError(f"{model} reads {self.many}, and a text is given.", "Give it files, without --text and --column.")

    def file(self, example: Any) -> Path:
        """What files of its answer are named after."""
        return example

    def files(self, examples: Sequence[Any]) -> list[Path]:
        """Those that no answer may take the place of."""
        return [self.file(example) for example in examples]

    def row(self, example: Any) -> dict[str, Any]:
        """What the JSON says of it, whatever the answer."""
        return {"file": str(example)}

    def encoded(self, example: Any) -> bytes:
        """What is sent: checked, and in the form that ExampleGen keeps. Raises Unreadable, or storing.Damaged."""
        return self.storage.store(batches.read(example), DataConfig()).encoded

    def answers(self, served: Served, examples: Sequence[Any]) -> Iterator[Told]:
        """What a model says of each, in order; one that training would have set aside fails alone."""
        end = self.end(served)
        requests = ((example, self._request(end, example)) for example in examples)
        for example, outputs, error in batches.asked(served.of_end(served.card.predicts, end), requests, self.batch):
            yield Told({**self.row(example), **({} if error is None else {"error": error})}, outputs)

    def end(self, served: Served) -> str:
        """The name of the end that is asked: that of raw bytes."""
        return next(iter(input_of(self.kind).ends(served.card)))

    def _request(self, end: str, example: Any) -> dict[str, bytes] | str:
        try:
            return {end: self.encoded(example)}
        except (Unreadable, Damaged) as error:
            return str(error)

    def frame(self, served: Served, row: Mapping[str, Any], gives: Mapping[str, str]) -> Sequence[float] | None:
        """Where the example lies in what the model gets, for answers that do not say it themselves; see serving.answers.frame."""
        return None

    def picture(self, served: Served, encoded: bytes) -> np.ndarray | None:
        """What a model sees of an example, as ExampleGen keeps it, for a person: uint8 [height, width, 1 or 3]; None of what cannot
        be seen."""
        return None

    def summary(self, served: Served, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """What the JSON of a verb says of the model, and of all rows together."""
        return {"model": served.folder}


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    below = (entry for entry in sorted(path.rglob("*")) if entry.is_file())
    return [file for file in below if not any(part.startswith(".") for part in file.relative_to(path).parts)]
