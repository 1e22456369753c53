"""How a person sees a kind of input: what is said of a sample, and what is shown before it is learned from. Subclass `Seen` and
`Preview` in a file of this folder."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from components.example_gen.sources import Raw
from components.inputs import storage_of
from components.inputs.storing import Damaged
from configs.schema.data import DataConfig
from configs.schema.run import RunConfig
from pipelines.data_sets import pages, tables
from pipelines.data_sets.choosing import Chosen, Looked


class Seen:
    """Examples, added one by one, which are checked as ExampleGen checks them."""

    def __init__(self, kind: str):
        self.storage, self.sound, self.damaged = storage_of(kind), 0, Counter()

    def add(self, raw: Raw) -> Any:
        """What was read of it; None where it is damaged."""
        try:
            read = self.read(raw.encoded())
        except Damaged as error:
            self.damaged[str(error)] += 1
        except OSError:
            self.damaged["unreadable"] += 1
        else:
            self.sound += 1
            return read
        return None

    def read(self, raw: bytes) -> Any:
        """Raises Damaged."""
        return self.storage.store(raw, DataConfig())

    def is_flat(self, read: Any) -> bool | None:
        """Whether what `add` read looks like a mask; None for what may be none."""
        return None

    def as_json(self) -> dict[str, Any]:
        """{sampled: how many, damaged: {reason: how many}}, and what else the kind knows."""
        return {"sampled": self.sound + self.damaged.total(), "damaged": dict(self.damaged.most_common())}


class Made(NamedTuple):
    """What a preview is. files: ending -> what is written; value: what its JSON has of the kind alone; notes: sentences."""

    files: Mapping[str, bytes]
    value: Mapping[str, Any]
    notes: Sequence[str]


class Preview:
    """Training examples as a person sees them before they are learned from: here a table of ids, classes and measures."""

    measured: ClassVar[int] = 0  # training examples that are read to be measured, at most, beside those that are shown
    columns: ClassVar[Sequence[str]] = ()  # of an example's keys those that a terminal has room for; empty: all

    def __init__(self, kind: str, cfg: RunConfig, task):
        """task: components.tasks.base.Task that learns from them. Raises UsageError for what of a config cannot be shown."""
        self.kind, self.cfg, self.task, self.noun = kind, cfg, task, storage_of(kind).noun

    def made(self, looked: Looked, samples: int, notes: Sequence[str]) -> Made:
        """
        Args:
            samples: augmented ones of each, of a kind that has such.
            notes: sentences on what was looked at.
        """
        value, told = self.about(looked)
        examples = self.examples(looked)
        notes = [*notes, *told]
        table, counts = tables.of_rows(examples), tables.of_counts(looked.counts)
        page = pages.rendered("table.html.j2", cfg=self.cfg, noun=self.noun, notes=notes, counts=counts, table=table)
        return Made({"html": page.encode()}, {**value, "examples": examples, "columns": self.columns or table.columns}, notes)

    def about(self, looked: Looked) -> tuple[dict[str, Any], list[str]]:
        """What is known of all that were measured, for the JSON, and as sentences."""
        return {}, []

    def examples(self, looked: Looked) -> list[dict[str, Any]]:
        """A row for each that is shown: id, classes, said (what else is said of it), and what the kind has of it."""
        return [{**self.row(example, looked), **example.stored.measures} for example in looked.chosen]

    def row(self, example: Chosen, looked: Looked) -> dict[str, Any]:
        """What each kind's row begins with."""
        classes, said = looked.told(example)
        return {"id": example.raw.example_id.decode(errors="replace"), "classes": classes, "said": said}
