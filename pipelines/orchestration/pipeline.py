"""The pipeline: wiring only. Each component gets its own slice of the config and a digest of the source it runs."""

import pkgutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tfx.components.trainer.component import Trainer
from tfx.dsl.components.base import base_node
from tfx.dsl.components.common.importer import Importer
from tfx.dsl.components.common.resolver import Resolver
from tfx.orchestration import pipeline
from tfx.proto import trainer_pb2
from tfx.types import Channel, standard_artifacts

import keras_models
from components import fingerprint, inputs, keys, targets
from components.evaluator.component import Evaluator
from components.evaluator.resolver import LatestBlessedOther
from components.example_gen.component import ImageExampleGen
from components.example_gen.sources import Located
from components.example_validator.component import ExampleValidator
from components.example_validator.resolver import LatestOtherStatistics
from components.infra_validator.component import InfraValidator
from components.pusher.component import Pusher
from components.schema_gen import pinned
from components.schema_gen.component import SchemaGen
from components.statistics_gen.component import StatisticsGen
from components.tasks import anomaly
from components.tasks.by_name import modules_of, name_of, of_data, task_of
from components.tasks.judges.by_name import judge_of
from components.trainer import by_name, transfer
from components.trainer import members as ensembles
from components.trainer.origin import Origin
from components.transform.augment import steps as augment
from components.transform.component import Transform
from components.transform.copies import AugmentedCopies
from configs import policies
from configs.schema.augment import AugmentStep
from configs.schema.run import RunConfig
from configs.schema.slices.copies import CopiesSlice
from configs.schema.slices.trainer import TrainerSlice
from configs.schema.slices.transform import TransformSlice
from keras_models import layers, published
from keras_models.record import CLASSIFICATION
from pipelines.orchestration import local
from pipelines.workspace import runs
from pipelines.workspace.layout import Workspace

TRAINER = "components.trainer.component"
TUNER = "tuner.tuner_fn"


@dataclass(frozen=True)
class Asked:
    """What the stages are made from: the config, and what was found for it."""

    config: RunConfig
    workspace: Workspace
    task: str
    modules: Sequence[str]  # that task and network are made of
    origin: Origin | None
    members: Mapping[str, str]

    @property
    def reads(self) -> str:
        """The kind of input."""
        return reads_of(self.config, self.origin)

    @property
    def steps(self) -> list[AugmentStep]:
        """Of the augmentation, policies expanded."""
        return policies.expand(self.config.augment, self.config.transform.channels)


class Learning(NamedTuple):
    """What Trainer and Tuner are given: inputs, and their custom_config."""

    inputs: dict[str, Any]
    custom: dict[str, Any]


def build(
    config: RunConfig,
    workspace: Workspace,
    located: Located,
    initial: str | None = None,
    origin: Origin | None = None,
    members: Mapping[str, str] | None = None,
    served: bool = True,
) -> pipeline.Pipeline:
    """The TFX pipeline of one config.

    Args:
        located: the data source, found.
        initial: folder of the Model artifact that training starts from.
        origin: of the network, in a transfer.
        members: of an ensemble, NAME/VERSION -> folder of the Model artifact.
        served: without it the pipeline ends with Evaluator's figures: nothing is made ready to be served.
    """
    asked = Asked(config, workspace, *learned(config, origin), origin, members or {})
    example_gen = _example_gen(asked, located)
    images = example_gen.outputs["examples"]
    statistics_gen = StatisticsGen(examples=images, reads=asked.reads)
    statistics = statistics_gen.outputs["statistics"]
    earlier = _earlier_statistics(statistics)
    schema_gen = SchemaGen(statistics=statistics, examples=images, pinned=pinned.read(config.data.pinned_schema))
    schema = schema_gen.outputs["schema"]
    example_validator = ExampleValidator(
        statistics=statistics, schema=schema, earlier=earlier.outputs["earlier"], allow_anomalies=config.data.allow_anomalies
    )
    transform = _transform(asked, images, schema)
    transform.add_upstream_node(example_validator)
    copies = _augmented_copies(asked, images, transform)
    importer = _initial_model(initial)
    learning = _learning(asked, images, schema, transform, copies, importer)
    tuner = _tuner(asked, learning)
    trainer = _trainer(asked, learning, tuner)
    model = trainer.outputs["model"]
    resolver = _last_blessed(model)
    evaluator = Evaluator(
        examples=images,
        model=model,
        baseline_model=resolver.outputs["model"],
        config=config.evaluate,
        task=asked.task,
        reads=asked.reads,
    )
    gate = InfraValidator(model=model, examples=images, task=asked.task, reads=asked.reads) if served else None
    pusher = _pusher(asked, model, evaluator, gate)
    nodes = [example_gen, statistics_gen, earlier, schema_gen, example_validator, transform, copies, importer, tuner]
    nodes += [trainer, resolver, evaluator, gate, pusher]
    return pipeline.Pipeline(
        pipeline_name=config.name,
        pipeline_root=str(workspace.pipeline(config.name)),
        components=[node for node in nodes if node is not None],
        enable_cache=True,
        metadata_connection_config=local.stored_in(workspace.metadata),
        beam_pipeline_args=list(config.beam.flags),
    )


def _example_gen(asked: Asked, located: Located) -> ImageExampleGen:
    label, task = targets.of(judge_of(asked.task).label_key or ""), task_of(asked.task)
    needed = [name for name in task.targets if targets.is_further(name)]
    return ImageExampleGen(asked.config.data, located, label.is_label, task.classes, needed, asked.reads).with_id("ExampleGen")


def _earlier_statistics(statistics: Channel) -> Resolver:
    """Those of other data, if there was any."""
    return Resolver(
        strategy_class=LatestOtherStatistics, current=statistics, earlier=Channel(type=standard_artifacts.ExampleStatistics)
    ).with_id("EarlierStatistics")


def _transform(asked: Asked, images: Channel, schema: Channel) -> Transform:
    slice_ = TransformSlice(
        transform=asked.config.transform,
        reading=asked.config.reading,
        reads=asked.reads,
        targets=list(task_of(asked.task).targets),
        covariance=any(step.operation[0] == "pca_color" for step in asked.steps),
    )
    return Transform(examples=images, schema=schema, config=slice_, materialize=asked.config.materializes)


def _augmented_copies(asked: Asked, images: Channel, transform: Transform) -> AugmentedCopies | None:
    plan = policies.schedule(asked.steps)
    if not plan.copies:
        return None
    slice_ = CopiesSlice(seed=asked.config.seed, transform=asked.config.transform, steps=plan.written, copies=plan.copies)
    return AugmentedCopies(
        examples=_stored(asked, images, transform), transform_graph=transform.outputs["transform_graph"], config=slice_
    )


def _stored(asked: Asked, images: Channel, transform: Transform) -> Channel:
    """What is read of the images: transformed ones where these are stored."""
    return transform.outputs["transformed_examples"] if asked.config.materializes else images


def _initial_model(initial: str | None) -> Importer | None:
    if initial is None:
        return None
    return Importer(source_uri=initial, artifact_type=standard_artifacts.Model).with_id("InitialModel")


def _learning(
    asked: Asked,
    images: Channel,
    schema: Channel,
    transform: Transform,
    copies: AugmentedCopies | None,
    importer: Importer | None,
) -> Learning:
    """Tuner's trials are trainings: it gets what Trainer gets."""
    config = asked.config
    inputs = {
        "examples": copies.outputs["augmented_examples"] if copies else _stored(asked, images, transform),
        "transform_graph": transform.outputs["transform_graph"],
        "schema": schema,
        "train_args": trainer_pb2.TrainArgs(splits=[keys.TRAIN, keys.COPIES] if copies else [keys.TRAIN]),
        "eval_args": trainer_pb2.EvalArgs(splits=[keys.VALIDATION]),
        **({"base_model": importer.outputs["result"]} if importer else {}),
    }
    custom = {
        "slice": TrainerSlice(**{name: getattr(config, name) for name in TrainerSlice.model_fields}).model_dump_json(),
        "materialized": config.materializes,
        "task": asked.task,
        **({"origin": asked.origin.as_json()} if asked.origin else {}),
    }
    return Learning(inputs, custom)


def _tuner(asked: Asked, learning: Learning) -> base_node.BaseNode | None:
    if not asked.config.tune.enabled:
        return None
    from tuner.component import Tuner

    custom = {
        **learning.custom,
        "tune": asked.config.tune.model_dump_json(),
        "tuning_dir": str(asked.workspace.tuning(asked.config.name)),
        "source": fingerprint.of(TUNER, *asked.modules),
    }
    return Tuner(tuner_fn=f"{TUNER}.tuner_fn", custom_config=custom, **learning.inputs)


def _trainer(asked: Asked, learning: Learning, tuner: base_node.BaseNode | None) -> Trainer:
    custom = {
        **learning.custom,
        "source": fingerprint.of(TRAINER, *asked.modules),
        **_members(asked),
        "training_dir": str(asked.workspace.training(asked.config.name)),
    }
    chosen = {"hyperparameters": tuner.outputs["best_hyperparameters"]} if tuner else {}
    return Trainer(run_fn=f"{TRAINER}.run_fn", custom_config=custom, **learning.inputs, **chosen)


def _members(asked: Asked) -> dict[str, Any]:
    """What Trainer's custom_config has of an ensemble's members; their networks' source is among what it runs."""
    if not asked.members:
        return {}
    parts = ensembles.cards(asked.members, asked.config.transform, asked.config.reading)
    architectures = set().union(*(card.architectures for card in parts.values()))
    return {
        "members": {name: {"uri": uri, "digest": ensembles.digest(uri)} for name, uri in asked.members.items()},
        "source": fingerprint.of(TRAINER, *asked.modules, by_name.module(by_name.MEMBERS), *_sources(architectures)),
    }


def _last_blessed(model: Channel) -> Resolver:
    return Resolver(
        strategy_class=LatestBlessedOther,
        candidate=model,
        model=Channel(type=standard_artifacts.Model),
        model_blessing=Channel(type=standard_artifacts.ModelBlessing),
    ).with_id("Resolver")


def _pusher(asked: Asked, model: Channel, evaluator: Evaluator, gate: InfraValidator | None) -> Pusher | None:
    config, workspace = asked.config, asked.workspace
    if gate is None or not config.push.enabled:
        return None
    return Pusher(
        model=model,
        model_blessing=evaluator.outputs["blessing"],
        infra_blessing=gate.outputs["blessing"],
        base=workspace.served(config.name, config.push.destination),
        gone=runs.gone(workspace, config.name),
    )


def learned(config: RunConfig, origin: Origin | None) -> tuple[str, list[str]]:
    """The task's name, and the modules that task, input and network are made of."""
    entry = keras_models.get(config.model.name) if origin is None else None
    task = of_data(entry.task if entry else CLASSIFICATION, config.data.features)
    if config.anomaly is not None:
        anomaly.check(task_of(task), config.anomaly)
    name = name_of(task, config.anomaly)
    augment.check(policies.expand(config.augment, config.transform.channels), task_of(name).targets)
    of_input, parts = inputs.module_of(reads_of(config, origin)), by_name.modules_of(config)
    if entry:
        return name, [*modules_of(name), of_input, *parts, entry.module]
    fits = [module for fit in transfer.tasks(config.transfer) for module in modules_of(fit)]
    return name, [*dict.fromkeys([*modules_of(name), of_input, *parts, *fits]), *_sources([origin.architecture])]


def reads_of(config: RunConfig, origin: Origin | None) -> str:
    """The kind of input that the network reads; see components.inputs. What is transferred is of images."""
    return keras_models.get(config.model.name).reads if origin is None else inputs.DEFAULT


def _sources(architectures: Collection[str]) -> list[str]:
    """Modules of registered networks and of a person's own, and, where one is of a file, of every layer that may be in it; of those
    of Keras there is nothing to look at."""
    from_files = {name for name in architectures if name.endswith(keys.KERAS_ENDING)}
    named = [name for name in architectures if name not in from_files and not name.startswith(published.PREFIX)]
    any_layer = [module.name for module in pkgutil.iter_modules(layers.__path__, f"{layers.__name__}.")] if from_files else []
    return sorted({*any_layer, *(keras_models.check(name).module for name in named)})
