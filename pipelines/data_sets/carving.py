"""Which shares of a source leave no split without an image, for `hubel init`. Runs in the worker process."""

from collections import Counter
from collections.abc import Collection
from typing import Any

from components import keys
from components.example_gen import splits
from components.example_gen.sources import Raw
from configs.schema.data import DataConfig
from pipelines.init.proposal import SHARES


class Carving:
    """Plans of a source for each of SHARES, made as ExampleGen makes them. Sources of more than splits.SMALL images need none."""

    def __init__(self, source_splits: Collection[str], is_labelled: bool):
        self._own = splits.used(source_splits)
        self._is_labelled = is_labelled
        self._rows: list[tuple[str, Raw]] = []
        self._unlabelled: list[tuple[str, Raw]] = []

    def add(self, source_split: str, raw: Raw) -> None:
        """Count an image; nothing of it is read."""
        rows = self._unlabelled if self._is_labelled and raw.label is None else self._rows
        if source_split in self._own and len(rows) <= splits.SMALL:
            rows.append((source_split, raw._replace(encoded=bytes)))

    def tried(self) -> list[dict[str, Any]]:
        """[{validation, test: shares, images: {split: images}}]; empty where there are too many images to have to ask."""
        needs_labels = len({raw.label for _, raw in self._rows}) > 1  # with one class nothing is told apart: all images are kept
        rows = self._rows if needs_labels else self._rows + self._unlabelled
        return [] if len(rows) > splits.SMALL else [self._tried(rows, *shares) for shares in SHARES]

    def _tried(self, rows: list[tuple[str, Raw]], validation: float, test: float) -> dict[str, Any]:
        data = DataConfig(validation=validation, test=test)
        census = splits.Census(data)
        counted = census.create_accumulator()
        for name, raw in rows:
            counted = census.add_input(counted, (name, splits.row_of(raw)))
        plan = splits.Plan(self._own)
        if splits.needs_census(self._own, dict.fromkeys(self._own), self._is_labelled, data):
            plan = splits.plan(census.extract_output(counted), self._own, data)
        counts = Counter(plan.split_of(name, raw, data) for name, raw in rows)
        return {"validation": validation, "test": test, "images": {split: counts[split] for split in keys.SPLITS}}
