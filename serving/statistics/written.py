"""The file of one version's statistics: DIR/NAME/VERSION/statistics.json, and beside it the same for TFDV, statistics.pb."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from configs import atomic
from configs.errors import HubelError
from serving.statistics import proto
from serving.statistics.windows import Windows

FILE, PROTO, LOCK = "statistics.json", "statistics.pb", ".statistics.lock"
OF_TRAINING = "assets.extra/hubel_statistics.pb"  # in a pushed SavedModel
TRAIN, TEST = "train", "test"  # data sets of it: inputs as StatisticsGen measured them, and inputs and answers as they are here
FORMAT = 1


@dataclass
class Statistics:
    """Of one version that is served.

    Attributes:
        model: digest that tells which model it is: a number may come again. since: when the first request was measured, s since
            1970; None before. seen: requests that were answered; passed_over: of these, that were not measured, because the
            measuring was behind.
    """

    model: str
    windows: Windows = field(default_factory=Windows)
    since: float | None = None
    seen: int = 0
    passed_over: int = 0

    def write(self, folder: Path) -> None:
        """Write both files, each in one step."""
        folder.mkdir(parents=True, exist_ok=True)
        value = {
            "format": FORMAT,
            "model": self.model,
            "since": self.since,
            "seen": self.seen,
            "passed_over": self.passed_over,
            **self.windows.as_json(),
        }
        atomic.write_text(folder / FILE, json.dumps(value))
        from tensorflow_metadata.proto.v0 import statistics_pb2

        dataset = proto.dataset_of(self.windows.since(), "served")
        atomic.write_bytes(
            folder / PROTO, statistics_pb2.DatasetFeatureStatisticsList(datasets=[dataset]).SerializeToString(deterministic=True)
        )

    @classmethod
    def read(cls, folder: Path) -> "Statistics | None":
        """What is in a folder; None where there is nothing.

        Raises:
            HubelError: for a file that cannot be read.
        """
        path = folder / FILE
        try:
            value: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if value["format"] != FORMAT:
                raise ValueError(f"it has the format {value['format']}")
            since = None if value["since"] is None else float(value["since"])
            counts = int(value["seen"]), int(value["passed_over"])
            return cls(str(value["model"]), Windows.of_json(value), since, *counts)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise HubelError(
                f"The statistics of what was served, {path}, cannot be read ({error}).", "Move the file away: a server begins anew."
            ) from None


def model_of(folder: Path) -> str:
    """Digest by which a SavedModel is known again: of its graph and of what its weights are indexed by."""
    digest = hashlib.sha256()
    for name in ("saved_model.pb", "variables/variables.index", "fingerprint.pb"):
        path = folder / name
        digest.update(path.read_bytes() if path.is_file() else b"")
        digest.update(b"\0")
    return digest.hexdigest()[:32]


def card_of(folder: str | Path) -> dict[str, Any]:
    """The model card of a SavedModel, as JSON; {} where it has none that can be read."""
    try:
        card = json.loads((Path(folder) / "assets.extra" / "hubel.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return card if isinstance(card, dict) else {}
