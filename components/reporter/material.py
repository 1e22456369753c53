"""What there is of a run for its page: each thing read when it is first asked for, and once; None where no stage left it."""

import contextlib
import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components import keys
from components.trainer.card import Card
from configs.errors import HubelError

if TYPE_CHECKING:  # seconds that a page of a run without a model need not wait for
    import keras
    from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

    from components.evaluator.statistic import Rows
    from components.reporter.folds import OutOfSample
    from components.reporter.reading import Answers, Reader, Sample

MAKERS = {  # what Material has -> the stage that writes it, and the output that it is of that
    "examples": ("ExampleGen", "examples"),
    "statistics": ("StatisticsGen", "statistics"),
    "schema": ("SchemaGen", "schema"),
    "anomalies": ("ExampleValidator", "anomalies"),
    "transform_graph": ("Transform", "transform_graph"),
    "hyperparameters": ("Tuner", "best_hyperparameters"),
    "model": ("Trainer", "model"),
    "model_run": ("Trainer", "model_run"),
    "evaluation": ("Evaluator", "evaluation"),
    "blessing": ("Evaluator", "blessing"),
    "infra_blessing": ("InfraValidator", "blessing"),
    "converted": ("Converter", "converted"),
    "converter_blessing": ("Converter", "blessing"),
    "pushed_model": ("Pusher", "pushed_model"),
    "report": ("Reporter", "report"),  # which a page that is written anew has, and Reporter itself has not
}
KEYS = {output: name for name, output in MAKERS.items()}
MOST = 10_000  # test images that a page asks the model about
CANDIDATE = "candidate"  # what Evaluator calls the model where there is a baseline
GLIMPSE = 400  # training examples that it shows some of


class Absent(HubelError):
    """What a section needs and no stage left; the text says which stage that would have been."""


@dataclass(frozen=True)
class Artifact:
    """One artifact of a run.

    Args:
        uri: its folder. properties: custom ones. id: in ML Metadata.
        began, ended: when the stage that made it did, seconds since 1970; None where that is not known.
    """

    uri: Path
    properties: Mapping[str, Any] = field(default_factory=dict)
    id: int | None = None
    began: float | None = None
    ended: float | None = None

    def text(self, name: str) -> str:
        """A custom property; empty where it has none of that name."""
        return str(self.properties.get(name) or "")

    def json(self, name: str, default: Any) -> Any:
        """The same, of JSON."""
        return json.loads(text) if (text := self.text(name)) else default


@dataclass(frozen=True)
class Failure:
    """What ended a run before its time: the stage, what was wrong, and what to do."""

    stage: str | None
    sentence: str
    hint: str = ""


@dataclass(frozen=True)
class Judged:
    """What a model was judged on that is no run's data (`hubel evaluate`). The test split is that data, all of it.

    Args:
        model: as it was asked for. source, split: of the data; split None: all of it. command: that says it again.
        served: folder of the SavedModel. version: None of what was not pushed.
        data: as of pipelines.verbs.judging.Read.
        has_bounds: whether anything says what is good enough.
        pushed: {run, metrics, intervals, differences} of the model's run, as components.keys has them, the differences those of the
            figures here from these; None where they are not on record.
        robustness: as components.reporter.sections.robustness reads it; None where it was not asked for.
    """

    model: str
    source: str
    split: str | None
    command: str
    served: Path
    version: int | None
    data: Mapping[str, Any]
    has_bounds: bool
    pushed: Mapping[str, Any] | None = None
    robustness: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Material:
    """What there is of a run, or of a model that was judged again.

    Args:
        artifacts: by the names of MAKERS; of one that is on record and whose folder is gone there is nothing here.
        config: resolved, as JSON.
        told: of the run, what no artifact holds: {run, starts_from, passed_over, data_digest, notes, reads, forced: {version,
            reason} of what was pushed by force} as far as it is known.
        name: of the config.
        failure: what ended it, if anything did.
        tuning: folder of the studies of the config's searches.
        full: whether the page is to have all that `hubel report --full` adds.
        out_of_sample: what the models of `hubel report --folds` answered; None: not asked for.
        metadata: the file of ML Metadata, which knows what Trainer was given.
        judged: what a model was judged on that is no run's data; None of a run.
    """

    artifacts: Mapping[str, Artifact]
    config: Mapping[str, Any] = field(default_factory=dict)
    told: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    failure: Failure | None = None
    tuning: Path | None = None
    full: bool = False
    out_of_sample: "OutOfSample | None" = None
    metadata: Path | None = None
    judged: Judged | None = None

    def artifact(self, name: str) -> Artifact:
        """One that a section cannot do without.

        Raises:
            Absent: with the stage that would have written it.
        """
        if name not in self.artifacts:
            stage = MAKERS[name][0]
            raise Absent(f"{stage} is no part of an evaluation." if self.judged else f"{stage} did not get so far in this run.")
        return self.artifacts[name]

    def need(self, name: str) -> Any:
        """An attribute of this that a section cannot do without. Raises Absent where it is None."""
        if (value := getattr(self, name)) is None and self.judged and name == "model":
            raise Absent("The Keras network is not on record any more: what was pushed answers, and holds no more than that.")
        if value is None:
            raise Absent(f"No stage of this run has left the {name.replace('_', ' ')}.")
        return value

    @property
    def run(self) -> str | None:
        """Id of hubel's run."""
        return self.told.get("run")

    @functools.cached_property
    def card(self) -> Card | None:
        """What the model says of itself."""
        return Card.read(str(self.artifacts["model"].uri)) if "model" in self.artifacts else None

    @property
    def task(self):
        """The components.tasks.base.Task that was learned; None without a model."""
        from components.tasks.by_name import task_of

        return task_of(self.card.task) if self.card else None

    @property
    def judge(self):
        """Its components.tasks.judges.base.Judge; None without a model."""
        from components.tasks.judges.by_name import judge_of

        return judge_of(self.card.task) if self.card else None

    @property
    def class_names(self) -> list[str]:
        """Index = label; empty without classes. Behind those of the model stand those that only the data has."""
        if self.card and self.judged:
            known = len(self.card.class_names)
            return [*self.card.class_names, *self.judged.data["class_names"][known:]]
        if self.card:
            return self.card.class_names
        return self.artifacts["examples"].json(keys.CLASS_NAMES, []) if "examples" in self.artifacts else []

    @functools.cached_property
    def statistics(self) -> "dict[str, statistics_pb2.DatasetFeatureStatistics] | None":
        """TFDV's, by split."""
        if "statistics" not in self.artifacts:
            return None
        from tensorflow_metadata.proto.v0 import statistics_pb2

        read = {}
        for path in sorted(self.artifacts["statistics"].uri.glob("Split-*/FeatureStats.pb")):
            statistics = statistics_pb2.DatasetFeatureStatisticsList.FromString(path.read_bytes())
            read[path.parent.name.removeprefix("Split-")] = statistics.datasets[0]
        return read

    @functools.cached_property
    def schema(self) -> "schema_pb2.Schema | None":
        """TFDV's."""
        if "schema" not in self.artifacts:
            return None
        from google.protobuf import text_format
        from tensorflow_metadata.proto.v0 import schema_pb2

        return text_format.Parse((self.artifacts["schema"].uri / "schema.pbtxt").read_text(), schema_pb2.Schema())

    @functools.cached_property
    def anomalies(self) -> "dict[str, anomalies_pb2.Anomalies] | None":
        """TFDV's, by split."""
        if "anomalies" not in self.artifacts:
            return None
        from tensorflow_metadata.proto.v0 import anomalies_pb2

        paths = sorted(self.artifacts["anomalies"].uri.glob("Split-*/SchemaDiff.pb"))
        return {path.parent.name.removeprefix("Split-"): anomalies_pb2.Anomalies.FromString(path.read_bytes()) for path in paths}

    @functools.cached_property
    def history(self) -> list[dict[str, float]] | None:
        """Figures of each epoch."""
        if "model_run" not in self.artifacts:
            return None
        return json.loads((self.artifacts["model_run"].uri / "history.json").read_text())

    @functools.cached_property
    def evaluation(self) -> dict[str, Any] | None:
        """{metrics, intervals, differences, slices, comparison}, as Evaluator wrote them; see components.keys."""
        if "evaluation" not in self.artifacts:
            return None
        held = self.artifacts["evaluation"]
        maps = {name: held.json(name, {}) for name in (keys.METRICS, keys.INTERVALS)}
        lists = {name: held.json(name, []) for name in (keys.DIFFERENCES, keys.SLICES)}
        return {**maps, **lists, keys.COMPARISON: held.text(keys.COMPARISON)}

    @functools.cached_property
    def each(self) -> "Rows":
        """What Evaluator kept of each test image, of this model; empty where it kept none. See Judge.each."""
        from components.evaluator import per_image, slices

        if "evaluation" not in self.artifacts:
            return {}
        for model in (CANDIDATE, None):  # it is called so where there is another one beside it
            with contextlib.suppress(ValueError, KeyError):
                tables, _ = per_image.read(str(self.artifacts["evaluation"].uri), model)
                if tables.get(slices.WHOLE):
                    return tables[slices.WHOLE]
        return {}

    @functools.cached_property
    def blessings(self) -> dict[str, dict[str, Any]]:
        """Of Evaluator, InfraValidator and Converter, as far as they got: {blessed, reason, missed}."""
        said = {}
        for stage, name in (("Evaluator", "blessing"), ("InfraValidator", "infra_blessing"), ("Converter", "converter_blessing")):
            if held := self.artifacts.get(name):
                is_blessed = held.properties.get("blessed") == 1
                said[stage] = {"blessed": is_blessed, "reason": held.text(keys.REASON), "missed": held.json(keys.MISSED, [])}
        return said

    @functools.cached_property
    def model(self) -> "keras.Model | None":
        """Keras's, input float32 pixels of 0..255, the normalisation inside."""
        if "model" not in self.artifacts:
            return None
        uri = self.artifacts["model"].uri
        if self.judged and not (uri / f"{keys.KERAS_NAME}{keys.KERAS_ENDING}").is_file():
            return None
        from components.trainer import artifact

        return artifact.load(str(uri))

    def files(self, split: str) -> list[str]:
        """Paths of a split's raw examples; none where there is no such split.

        Raises:
            Absent: where there are no examples.
        """
        folder = self.artifact("examples").uri / f"Split-{split}"
        return sorted(str(path) for path in folder.glob("*") if path.is_file() and not path.name.startswith("."))

    def examples(self, split: str, n: int | None = MOST, within: int | None = None) -> "Sample | None":
        """At most so many examples of a split, chosen by a hash of their ids; None where there are none. n None: all.

        Each reading is remembered.

        Args:
            within: how many of the first ones they are chosen from; None: all.
        """
        if "examples" not in self.artifacts or self.card is None:
            return None
        return self._sample(split, n, within)

    @property
    def looked_at(self) -> str:
        """The split of which a few examples are shown as they were read."""
        return keys.TEST if self.judged else keys.TRAIN

    def glimpse(self) -> "Sample | None":
        """A few examples of that split."""
        return self.examples(self.looked_at, GLIMPSE, within=10 * GLIMPSE)

    @functools.cached_property
    def answers(self) -> "Answers | None":
        """What the model answers about the test split, of at most MOST images; see `asked`."""
        return self.asked(keys.TEST) if self.card else None

    def asked(self, split: str, n: int | None = MOST, signatures: Sequence[str] = ()) -> "Answers | None":
        """What the model answers about examples of a split.

        Args:
            signatures: by their names in Task.signatures; by default the one that Evaluator reads and the one that `hubel predict`
                asks.
        """
        from components.reporter import reading

        sample, names = self.examples(split, n), tuple(signatures or self._signatures)
        if sample is None:
            return None
        if (split, n, names) not in self._asked:
            if self.judged:
                told = reading.served(self.judged.served, self.files(split), sample, names)
            else:
                told = reading.answers(self.need("model"), self.card, self.task, sample, names)
            self._asked[split, n, names] = told
        return self._asked[split, n, names]

    def encoded(self, split: str, ids: Sequence[str]) -> dict[str, bytes]:
        """Of examples with these ids what ExampleGen kept: an image as a PNG, or a text."""
        from components.reporter import reading

        return reading.encoded(self.files(split), self.reads, ids)

    @property
    def reads(self) -> str:
        """Kind of input; see components.inputs."""
        from components import inputs

        return self.card.reads if self.card else self.told.get("reads", inputs.DEFAULT)

    @property
    def _signatures(self) -> list[str]:
        return list(dict.fromkeys([self.judge.signature, self.task.predicts]))

    @functools.cached_property
    def _asked(self) -> dict[tuple[str, int | None, tuple[str, ...]], "Answers"]:
        return {}

    @functools.cached_property
    def _samples(self) -> dict[tuple[str, int | None, int | None], "Sample | None"]:
        return {}

    @functools.cached_property
    def _reader(self) -> "Reader":
        from components.reporter import reading

        return reading.Reader(self.card, self.task)

    def _sample(self, *asked) -> "Sample | None":
        if asked not in self._samples:
            split, n, within = asked
            self._samples[asked] = self._reader.sample(self.files(split), split, n, within)
        return self._samples[asked]

    @functools.cached_property
    def trials(self) -> list[Any]:
        """Records of the search's trials, as tuner/records.py writes them, as plain data; empty without a search."""
        return list(self._trials())

    def _trials(self) -> Iterator[dict[str, Any]]:
        if self.tuning is None or not (study := self.study):
            return
        for path in sorted((self.tuning / study["fingerprint"] / "trials").glob("*.json")):
            yield json.loads(path.read_text())

    @functools.cached_property
    def study(self) -> dict[str, Any] | None:
        """The record of the newest search that this run worked on or took its values from; None without one."""
        if self.tuning is None or "hyperparameters" not in self.artifacts:
            return None
        studies = [json.loads(path.read_text()) for path in sorted(self.tuning.glob("*/study.json"))]
        return max(studies, key=lambda study: (self.run in study.get("runs", ()), study["started"]), default=None)
