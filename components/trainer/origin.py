"""Where a transferred network comes from: what the config names, found."""

import dataclasses
import json
from dataclasses import dataclass

from keras_models import published

RANDOM = "random"  # weights of a network that has learned nothing


@dataclass(frozen=True)
class Origin:
    """A source of keras_models.transfer that is there."""

    source: str  # as the config names it; of a pushed model with its version
    architecture: str  # name or dotted path whose file registers its layers; of a file that nobody pushed its path
    file: str | None  # .keras; None: keras.applications
    digest: str  # of what it holds
    normalizes: bool  # whether it takes pixels of 0..255, whatever transform.normalize says
    artifact: str | None = None  # folder of the pushed Model
    weights: str | None = None  # of keras.applications: path of a file, or random; None: ImageNet's

    @property
    def is_published(self) -> bool:
        """Whether it is a network of keras.applications."""
        return self.source.startswith(published.PREFIX)

    def as_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def of_json(cls, text: str) -> "Origin":
        return cls(**json.loads(text))
