"""A config settled: what is known of a run before its first stage. Whoever wires, launches or answers asks this and no config."""

import dataclasses
import pkgutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras_models
from components import inputs, keys, progress, targets
from components.converter import checks as converter
from components.evaluator import eval_config
from components.example_gen import classes, digest, listing, naming, sources
from components.example_gen.sources import Located
from components.inputs import checks
from components.tasks import anomaly
from components.tasks.by_name import modules_of, name_of, of_data, task_of
from components.tasks.judges.by_name import judge_of
from components.trainer import by_name, transfer
from components.trainer import checks as trainer
from components.trainer import members as ensembles
from components.trainer.card import Card
from components.trainer.origin import RANDOM, Origin
from components.transform.augment import steps as augment
from configs import load, policies
from configs import space as spaces
from configs.errors import UsageError
from configs.override import override
from configs.schema.augment import AugmentStep
from configs.schema.data import DataConfig
from configs.schema.evaluate import EvaluateConfig
from configs.schema.model import ModelConfig
from configs.schema.run import RunConfig
from configs.schema.slices.copies import CopiesSlice
from configs.schema.slices.trainer import TrainerSlice
from configs.schema.slices.transform import TransformSlice
from configs.schema.transform import TransformConfig
from keras_models import building, contract, layers, published
from pipelines.workspace import origins, starts
from pipelines.workspace.layout import Workspace
from pipelines.workspace.starts import Start
from tuner import auto, corners, figures


@dataclass(frozen=True)
class Settled:
    """A config, and all that was looked up, tried and found for it."""

    config: RunConfig  # a transfer's source by its full name, nothing of what its network decides, a search's space written out
    place: Workspace
    start: Start
    located: Located  # the data
    task: str  # what is learned
    architecture: str  # name or dotted path of what is learned by
    modules: Sequence[str]  # that task, input and network are made of
    members: Mapping[str, Mapping[str, str]]  # of an ensemble, NAME/VERSION -> {uri: folder of the Model artifact, digest}
    trainer: TrainerSlice  # what Trainer and Tuner get of the config
    of_search: Sequence[str] = ()  # sentences: what a search leaves out

    @property
    def steps(self) -> list[AugmentStep]:
        """Of the augmentation, policies expanded."""
        return policies.expand(self.config.augment, self.config.transform.channels)

    @property
    def transform(self) -> TransformSlice:
        """What Transform gets of the config."""
        return TransformSlice(
            transform=self.config.transform.of_graph,
            reading=self.config.reading,
            reads=self.start.reads,
            targets=list(task_of(self.task).targets),
            covariance=any(step.operation[0] == "pca_color" for step in self.steps),
        )

    @property
    def copies(self) -> CopiesSlice | None:
        """What AugmentedCopies gets; None where there are to be none."""
        plan = policies.schedule(self.steps)
        of_config = {"seed": self.config.seed, "transform": self.config.transform.of_graph}
        return CopiesSlice(**of_config, steps=plan.written, copies=plan.copies) if plan.copies else None

    @property
    def served(self) -> Path | str:
        """Folder of the versions that are pushed, or its URL."""
        return self.place.served(self.config.name, self.config.push.destination)

    @property
    def notes(self) -> list[str]:
        """What is said before the first stage, each time."""
        source, passed_over = self.config.data.source, self.located.passed_over
        unread = f"which classes {source} has is known once its records are read, in the first stage"
        return [
            *([f"passed over in {source}: {listing.words(passed_over)}"] if passed_over else []),
            *self.located.notes,
            *(f"{asked} is {name}" for asked, name in self.start.names.items() if name != asked),
            *([unread] if self.located.class_names is None else []),
            *(
                [f"{self.start.origin.source} has random weights: what it makes of images was never learned"]
                if self._is_random
                else []
            ),
            *self.of_search,
        ]

    @property
    def _is_random(self) -> bool:
        return self.start.origin is not None and self.start.origin.weights == RANDOM

    @property
    def fetches(self) -> dict[str, str] | None:
        """{file, url, folder} of weights that are not here yet; see `fetch`."""
        origin = self.start.origin
        absent = transfer.missing(origin, _shape(self.config.transform)) if origin and origin.is_published else None
        return dataclasses.asdict(absent) if absent else None

    def told(self) -> dict[str, Any]:
        """What of it the value of the JSON contract's `run` has."""
        return {
            "config": self.config.name,
            "model": self.config.name,
            "architecture": self.architecture,
            "starts_from": list(self.start.names.values()),
            "reads": self.start.reads,
            "noun": inputs.storage_of(self.start.reads).noun,
            "given_as": inputs.storage_of(self.start.reads).given_as,
            "passed_over": dict(self.located.passed_over),
            "data_digest": self.located.digest,
            "notes": self.notes,
        }


def read(called: str, tree: Mapping[str, Any], place: Workspace) -> Settled:
    """As `settle`, of the keys that a config was given (configs.load.written); messages call it `called`."""
    return settle(load.validate(tree, called), place)


def settle(config: RunConfig, place: Workspace) -> Settled:
    """For a run: the network is tried, the weights that it starts from are fetched, the data is found, prepared where need be.

    Raises:
        UsageError: with what cannot be; see starts.find, contract.prove, transfer.prove and sources.locate.
    """
    start = tried(config, place)
    fetch(start, config.transform)
    return of(config, place, start, sources.locate(config.data, place.datasets, start.reads))


def planned(config: RunConfig, place: Workspace, first: RunConfig | None = None) -> Settled:
    """For a look ahead: as `settle`, but nothing is fetched, prepared or written.

    Args:
        first: the config that pushes what this one starts from, where it has yet to be run.
    """
    if first is not None:
        source = config.transfer.source
        start = starts.transferred(source, origins.awaited(source, first.model.name, first.name, place))
    else:
        with digest.unremembered():
            start = tried(config, place)
    return of(config, place, start, sources.planned(config.data, place.datasets, start.reads))


def tried(config: RunConfig, place: Workspace) -> Start:
    """What a config's network starts from, once the network was tried before any data is read, and where it is searched each corner
    of its space; one of keras.applications has random weights. Fetches nothing.

    Raises:
        UsageError: with what is wrong with it; see starts.find, contract.prove, transfer.prove and corners.prove.
    """
    start = starts.find(config.model, config.transfer, config.transform, place)
    _try_network(config, start)
    if config.tune.enabled:
        _try_search(config, start)
    return start


def _check_input(config: RunConfig, start: Start) -> None:
    """Raise UsageError for what only networks of another kind of input read, whatever the network is started from."""
    name = config.model.name if start.origin is None else start.origin.source
    checks.check(start.reads, name, config.data, config.transform, config.augment, config.export.crops is not None)


def _try_network(config: RunConfig, start: Start) -> None:
    _check_input(config, start)
    if start.origin is not None:
        transfer.prove(start.origin, config.transfer, _shape(config.transform))
    elif not config.model.members:  # those were proved when they were trained
        if start.initial is not None:
            trainer.check_initial(Card.read(start.initial).reads, start.reads)
        entry, kind = keras_models.get(config.model.name), inputs.input_of(start.reads)
        _check_takes(entry, kind.asks(config.transform))
        stand_in = kind.stand_in(config.transform, contract.EXAMPLES)
        contract.prove(entry, stand_in.of_data, config.model.options, stand_in.batch)
        if config.train.pretrain is not None:
            net = keras_models.build(entry, stand_in.of_data, config.model.options, kind.dtype)
            by_name.part(by_name.PRETRAIN).check(net, config.model.name)


def _check_takes(entry: keras_models.ModelEntry, asked: Mapping[str, str]) -> None:
    """Raise UsageError where a builder takes no notice of what a key of the config gives it: name -> key."""
    for name, key in asked.items():
        if not building.takes(entry, name):
            raise UsageError(
                f"{key} is given, and the builder of {entry.name} takes no {name}.",
                f"Take {key} out, or name a network whose builder has the argument {name}.",
            )


def _try_search(config: RunConfig, start: Start) -> None:
    """Each corner of a config's space; says what there was no time for."""
    of_config = (_learned(config, start)[0], start.reads)

    def fits(corner: RunConfig) -> None:
        name = corner.model.name
        reads = start.reads if start.origin is not None else keras_models.check(name).reads
        of_corner = (_learned(corner, start)[0], reads)
        if of_corner != of_config:
            what = " and ".join(f"{name} is for {task} of {kind}s" for name, (task, kind) in ((name, of_corner), *own))
            raise UsageError(f"{what}; trials of two tasks cannot be compared.", "Search among models of one task.")

    own = [(config.model.name, of_config)]
    space = auto.written_out(config).tune.space
    for text in corners.prove(config, space, config.name, fits, lambda corner: _try_network(corner, start)):
        progress.emit("note", text=text)


def fetch(start: Start, transform: TransformConfig) -> None:
    """Have the weights that a network starts from here, before any data is read. Raises as transfer.fetch."""
    if start.origin is not None and start.origin.is_published:
        transfer.fetch(start.origin, _shape(transform))


def of(config: RunConfig, place: Workspace, start: Start, located: Located) -> Settled:
    """What follows from a config once it is known what it starts from and what its data is; nothing is tried.

    Raises:
        UsageError: for what task, data and network cannot have together.
    """
    name = config.model.name
    _check_input(config, start)
    task, given = _learned(config, start)
    of_search = [*auto.notes(config), *corners.notes(config, auto.written_out(config).tune.space)] if config.tune.enabled else []
    given = _with_space(given) if config.tune.enabled else given
    of_trainer = _of_trainer(given)
    parts = ensembles.cards(start.members, config.transform, config.reading)
    converter.check(config.export.of_variants, task, start.reads, config.export.crops is not None)
    goes_on = start.initial is not None and config.transfer is None  # in a transfer it is the source, under a new head
    initial = Card.read(start.initial) if goes_on else None
    _check_data(config.data, config.evaluate, located, task, parts, initial, start.reads)
    modules = [*modules_of(task), inputs.module_of(start.reads), *by_name.modules_of(of_trainer)]
    if start.origin is not None:
        modules += [module for fit in transfer.tasks(config.transfer) for module in modules_of(fit)]
        modules = [*dict.fromkeys(modules), *sources_of([start.origin.architecture])]
    else:
        modules.append(keras_models.get(name).module)
    if config.tune.enabled:
        modules = [*dict.fromkeys([*modules, *_modules_of_search(given, start)])]
    if parts:
        modules += [by_name.module(by_name.MEMBERS), *sources_of(set().union(*(card.architectures for card in parts.values())))]
    if config.tune.enabled:
        _check_objective(config, start, task, of_trainer)
    return Settled(
        given,
        place,
        start,
        located,
        task,
        keras_models.check(name).name if start.origin is None else start.origin.architecture,
        modules,
        {member: {"uri": uri, "digest": ensembles.digest(uri)} for member, uri in start.members.items()},
        of_trainer,
        of_search,
    )


def _learned(config: RunConfig, start: Start) -> tuple[str, RunConfig]:
    """The task's name, and the config as the components get it. Raises UsageError for what the task cannot be trained with."""
    task = of_data(
        transfer.served(config.transfer) if start.origin else keras_models.get(config.model.name).task, config.data.features
    )
    if config.anomaly is not None:
        anomaly.check(task_of(task), config.anomaly)
    task = name_of(task, config.anomaly, config.data.features)
    augment.check(policies.expand(config.augment, config.transform.channels), task_of(task).targets)
    given = config if start.origin is None else with_origin(config, start.origin)
    trainer.check(_of_trainer(given), task_of(task))
    return task, given


def _with_space(config: RunConfig) -> RunConfig:
    """The config with its search's space written out, defaults too."""
    space = spaces.with_defaults(auto.written_out(config).tune.space, config.model_dump(mode="json"))
    return config.model_copy(update={"tune": config.tune.model_copy(update={"space": space})})


def _modules_of_search(config: RunConfig, start: Start) -> list[str]:
    """That networks and trainings of a search may be made of besides the config's own."""
    modules = []
    for values in spaces.corners(config.tune.space):
        corner = override(config, values)
        modules += by_name.modules_of(_of_trainer(corner))
        modules += [keras_models.check(corner.model.name).module] if start.origin is None else []
    return modules


def _of_trainer(config: RunConfig) -> TrainerSlice:
    return TrainerSlice(**{name: getattr(config, name) for name in TrainerSlice.model_fields} | {"export": config.export.of_graph})


def _check_objective(config: RunConfig, start: Start, task: str, of_trainer: TrainerSlice) -> None:
    """Raise UsageError for an objective that no epoch of its training has; of a source that is still to be trained nobody knows."""
    origin = start.origin
    if origin is None or origin.file is not None or origin.is_published:
        custom = {"task": task, **({"origin": origin.as_json()} if origin else {})}
        figures.objectives(custom, of_trainer, config.tune)


def with_origin(config: RunConfig, origin: Origin) -> RunConfig:
    """The config as the components get it: the source by its full name, and nothing of what its network decides."""
    asked = config.transfer.model_copy(update={"source": origin.source})
    transform = config.transform.model_copy(update={"normalize": "none"} if origin.normalizes else {})
    return config.model_copy(update={"transfer": asked, "transform": transform, "model": ModelConfig()})


def sources_of(architectures: Collection[str]) -> list[str]:
    """Modules of registered networks and of a person's own, and, where one is of a file, of every layer that may be in it; of those
    of Keras there is nothing to look at."""
    from_files = {name for name in architectures if name.endswith(keys.KERAS_ENDING)}
    named = [name for name in architectures if name not in from_files and not name.startswith(published.PREFIX)]
    any_layer = [module.name for module in pkgutil.iter_modules(layers.__path__, f"{layers.__name__}.")] if from_files else []
    return sorted({*any_layer, *(keras_models.check(name).module for name in named)})


def _check_data(
    data: DataConfig,
    evaluate: EvaluateConfig,
    located: Located,
    task: str,
    members: Mapping[str, Card],
    initial: Card | None,
    reads: str,
) -> None:
    """Raise UsageError where data has not what a task learns from, what evaluate.slices names, or the classes of an ensemble's
    members or of model.initial. Of data that is still to be prepared or read, nothing is known."""
    needed = [name for name in task_of(task).targets if targets.is_further(name)]
    if needed and located.address:
        opened, contents = sources.opened(data, located.address)
        for name in needed:
            if name not in contents.targets:
                raise UsageError(
                    f"A model for {task} learns from {name}, and {data.source} gives none.",
                    f"Name what has them: data.features: {{{name}: ...}} (docs/data.md).",
                )
        naming.check(opened, located.address, contents, needed, task_of(task).classes, f"a model for {task}")
        eval_config.check_classes(evaluate, judge_of(task), targets.classes_of(needed, contents.targets))
        if initial is not None:
            trainer.check_initial_classes(initial, task_of(task), contents.targets)
    if located.class_names is None:
        return
    chosen, names = classes.resolved(data, located.class_names), located.class_names
    kept = [names[label] for label in chosen.classes] if chosen.classes is not None else names
    if not needed:  # of the classes of others naming.check has spoken
        noun = inputs.storage_of(reads).noun
        classes.check_told_apart(data.source, kept, chosen, task_of(task).classes, f"a model for {task}", noun=noun)
    if members:
        ensembles.check_classes(members, kept, "the data")
    if initial is not None:
        trainer.check_initial_classes(initial, task_of(task), {keys.LABEL: kept})
    if not names:
        asked = [f"evaluate.slices.{name}" for name in evaluate.slices if name == keys.LABEL]
        asked += [*(["data.stratify: true"] if data.stratify is True else []), *(["data.downsample"] if data.downsample else [])]
        if asked:
            what = f"{' and '.join(asked)} {'goes' if len(asked) == 1 else 'go'} by classes"
            raise UsageError(f"{what}, and {data.source} has no labels.", "Take it out, or give labels (docs/data.md).")


def _shape(transform: TransformConfig) -> tuple[int, int, int]:
    """(height px, width px, channels) of the images that a network gets."""
    return transform.height, transform.width, transform.channels
