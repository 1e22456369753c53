"""What the light side asks of a worker process: one frozen class a call, its fields the called function's parameters.

Every field is a JSON value, since that is how it goes to the worker; tests/pipelines/process/test_requests.py holds each class to
its function's signature. What comes back is what the function's docstring says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar


@dataclass(frozen=True)
class Request:
    """A call. `calls` is "module:function" of the worker side."""

    calls: ClassVar[str]

    def arguments(self) -> dict[str, Any]:
        """The function's keyword arguments, as JSON has them."""
        return {part.name: _plain(getattr(self, part.name)) for part in fields(self)}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, (list, tuple)) else value


@dataclass(frozen=True)
class Run(Request):
    """One run of a config, as it was read when the run began, for its record."""

    calls = "pipelines.orchestration.execute:run"
    config: str
    tree: Mapping[str, Any]
    workspace: str
    run_id: str


@dataclass(frozen=True)
class WriteReport(Request):
    """The page of a run on record, written anew."""

    calls = "pipelines.orchestration.reporting:write"
    workspace: str
    name: str
    run: str
    full: bool = False
    folds: int | None = None


@dataclass(frozen=True)
class CompareRuns(Request):
    """Runs on record side by side, on one page."""

    calls = "pipelines.orchestration.comparing:compare"
    workspace: str
    runs: Sequence[Sequence[str]]
    out: str


@dataclass(frozen=True)
class PlanRun(Request):
    """What a run would do."""

    calls = "pipelines.orchestration.execute:plan"
    config: str
    assignments: Sequence[str]
    workspace: str


@dataclass(frozen=True)
class Tune(Run):
    """One search, as `Run`; with an address, as the chief of workers on other machines."""

    calls = "pipelines.orchestration.searching:tune"
    address: str | None = None


@dataclass(frozen=True)
class Join(Request):
    """Work for the chief of a search on another machine."""

    calls = "tuner.far:join"
    tuning: str
    address: str
    name: str | None = None


@dataclass(frozen=True)
class PlanTune(PlanRun):
    """What a search would do."""

    calls = "pipelines.orchestration.searching:plan"


@dataclass(frozen=True)
class RunExperiment(Request):
    """Every training of an experiment."""

    calls = "pipelines.orchestration.experiment:run"
    experiment: str
    assignments: Sequence[str]
    seeds: int | None
    workspace: str


@dataclass(frozen=True)
class PlanExperiment(RunExperiment):
    """What an experiment would do."""

    calls = "pipelines.orchestration.experiment:plan"


@dataclass(frozen=True)
class Look(Request):
    """What a data source holds."""

    calls = "pipelines.data_sets.survey:look"
    source: str
    datasets: str
    features: Mapping[str, Any] = field(default_factory=dict)
    images: str | None = None


@dataclass(frozen=True)
class Preview(Request):
    """Training examples as a model gets them."""

    calls = "pipelines.data_sets.preview:preview"
    config: str
    assignments: Sequence[str]
    datasets: str
    out: str
    images: int
    samples: int | None


@dataclass(frozen=True)
class Show(Request):
    """Arithmetic of a network."""

    calls = "pipelines.verbs.show:show"
    model: str
    shape: str | None
    classes: int | None
    options: Mapping[str, Any] | None = None
    artifact: str | None = None


@dataclass(frozen=True)
class Predict(Request):
    """What a pushed model answers by default."""

    calls = "pipelines.verbs.predict:predict"
    model: str
    files: Sequence[str]
    top: int
    texts: Sequence[str] = ()
    column: str | None = None
    out: str | None = None
    force: bool = False


@dataclass(frozen=True)
class PredictRemotely(Request):
    """What a model on a server answers by default."""

    calls = "pipelines.verbs.remote:predict"
    server: str
    model: str
    version: int | None
    label: str | None
    models: str
    grpc: bool
    api_key_file: str | None
    ca: str | None
    timeout: float
    files: Sequence[str]
    top: int
    texts: Sequence[str] = ()
    column: str | None = None
    out: str | None = None
    force: bool = False


@dataclass(frozen=True)
class Remake(Request):
    """Images made of images: `verb` is reconstruct, denoise or inpaint."""

    calls = "pipelines.verbs.image_verbs:remake"
    verb: str
    model: str
    images: Sequence[str]
    out: str
    force: bool
    with_sheet: bool
    mask: str | None = None


@dataclass(frozen=True)
class Anomalies(Request):
    """Scores of images."""

    calls = "pipelines.verbs.image_verbs:anomalies"
    model: str
    images: Sequence[str]
    out: str | None
    force: bool
    with_sheet: bool
    threshold: float | None
    table: str | None = None


@dataclass(frozen=True)
class Encode(Request):
    """Codes of images."""

    calls = "pipelines.verbs.code_verbs:encode"
    model: str
    images: Sequence[str]
    out: str
    force: bool
    form: str


@dataclass(frozen=True)
class Decode(Request):
    """Images of codes."""

    calls = "pipelines.verbs.code_verbs:decode"
    model: str
    codes: str
    out: str
    force: bool
    with_sheet: bool


@dataclass(frozen=True)
class Generate(Request):
    """Images of codes drawn at random."""

    calls = "pipelines.verbs.code_verbs:generate"
    model: str
    count: int
    seed: int
    label: str | None
    out: str
    force: bool
    with_sheet: bool


@dataclass(frozen=True)
class Interpolate(Request):
    """Images on the way from one to another."""

    calls = "pipelines.verbs.code_verbs:interpolate"
    model: str
    images: Sequence[str]
    steps: int
    spherical: bool
    out: str
    force: bool


@dataclass(frozen=True)
class Embed(Request):
    """A map of images by their codes."""

    calls = "pipelines.verbs.code_space:embed"
    model: str
    images: Sequence[str]
    method: str
    seed: int
    out: str
    force: bool


@dataclass(frozen=True)
class Neighbours(Request):
    """Images nearest to others by their codes."""

    calls = "pipelines.verbs.code_space:neighbours"
    model: str
    images: Sequence[str]
    among: str
    count: int
    out: str | None
    force: bool
    with_sheet: bool


@dataclass(frozen=True)
class PrepareDataset(Request):
    """A TFDS data set, prepared in the workspace."""

    calls = "components.example_gen.prepare:prepare"
    name: str
    datasets: str
    archives: str | None


@dataclass(frozen=True)
class PushByForce(Request):
    """A model that was not blessed, pushed for a reason."""

    calls = "pipelines.orchestration.forced:push"
    artifact: str
    base: str
    run: str
    reason: str
    verdict: str
    metadata: str


@dataclass(frozen=True)
class MoveStable(Request):
    """Which version is stable, of models at a URL."""

    calls = "components.pusher.remote:move"
    model: str
    by: str
    version: int | None
    reason: str | None


@dataclass(frozen=True)
class MirrorModel(Request):
    """What tells of a model at a URL, in a folder here."""

    calls = "components.pusher.remote:mirror"
    model: str
    to: str
    whole_without: str | None = None


@dataclass(frozen=True)
class Serve(Request):
    """A server of models, until it is told to end."""

    calls = "pipelines.verbs.serve:serve"
    models: Sequence[Mapping[str, Any]]
    config: str | None
    follow: float
    settings: Mapping[str, Any]
    api_key_file: str | None
    access_log: int | None


@dataclass(frozen=True)
class TensorBoard(Request):
    """TensorBoard's server of a folder of logs, until it is told to end."""

    calls = "pipelines.verbs.tensorboard:tensorboard_of"
    folder: str
    host: str
    port: int


@dataclass(frozen=True)
class Evaluate(Request):
    """Figures of a model that is there, on any data."""

    calls = "pipelines.verbs.evaluate:evaluate"
    model: str
    artifact: str | None
    data: Mapping[str, Any]
    evaluate: Mapping[str, Any]
    train: str | None
    datasets: str
    split: str | None = None
    page: Mapping[str, Any] | None = None
    corruptions: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Compare(Request):
    """Two models that are there, on the same data."""

    calls = "pipelines.verbs.compare:compare"
    models: Sequence[str]
    artifacts: Sequence[str | None]
    data: Mapping[str, Any]
    datasets: str
    split: str | None
    out: str | None
    force: bool


@dataclass(frozen=True)
class Drift(Request):
    """What a version is asked in service, held against its training."""

    calls = "pipelines.verbs.drift:drift"
    model: str
    statistics: str
    since: float | None
    thresholds: Mapping[str, float]
    least: int


@dataclass(frozen=True)
class Visualize(Request):
    """A page of what is inside a model that a run trained."""

    calls = "pipelines.verbs.visualize:visualize"
    model: str
    name: str
    artifact: str
    test: Sequence[str]
    images: Sequence[str]
    layer: str | None
    unit: str | None
    methods: Sequence[str]
    seed: int
    out: str
    png: bool
    force: bool
