"""What a kind of input says of the examples of a sample. Subclass `Seen` in a file of this folder."""

from collections import Counter
from typing import Any

from components.example_gen.sources import Raw
from components.inputs import storage_of
from components.inputs.storing import Damaged
from configs.schema.data import DataConfig


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
