"""The pipeline: wiring only. Each component gets its own slice of the config and a digest of the source it runs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tfx.components.trainer.component import Trainer
from tfx.dsl.components.base import base_node
from tfx.dsl.components.common.importer import Importer
from tfx.dsl.components.common.resolver import Resolver
from tfx.orchestration import pipeline
from tfx.proto import trainer_pb2
from tfx.types import Channel, standard_artifacts

from components import fingerprint, keys, targets
from components.converter.component import Converter
from components.evaluator.component import Evaluator
from components.evaluator.resolver import LatestBlessedOther
from components.example_gen import sources
from components.example_gen.component import ImageExampleGen
from components.example_gen.sources import Located
from components.example_validator.component import ExampleValidator
from components.example_validator.resolver import LatestOtherStatistics
from components.infra_validator.component import InfraValidator
from components.pusher.component import Pusher
from components.reporter import material
from components.reporter.component import Reporter
from components.schema_gen import pinned
from components.schema_gen.component import SchemaGen
from components.statistics_gen.component import StatisticsGen
from components.tasks.by_name import task_of
from components.tasks.judges.by_name import judge_of
from components.transform.component import Transform
from components.transform.copies import AugmentedCopies
from configs.schema.data import DataConfig
from configs.schema.slices.copies import CopiesSlice
from configs.schema.tune import TuneConfig
from pipelines.orchestration import local, reporting
from pipelines.orchestration.settled import Settled
from pipelines.workspace import runs

TRAINER = "components.trainer.component"
TUNER = "tuner.tuner_fn"


class Learning(NamedTuple):
    """What Trainer and Tuner are given: inputs, and their custom_config."""

    inputs: dict[str, Any]
    custom: dict[str, Any]


def build(known: Settled, served: bool = True, searched: bool = False) -> pipeline.Pipeline:
    """The TFX pipeline of one config.

    Args:
        served: without it the pipeline ends with Evaluator's figures: nothing is made ready to be served.
        searched: it ends with Tuner: nothing is trained but its trials.
    """
    config, task, reads = known.config, known.task, known.start.reads
    example_gen = _example_gen(config.data, known.located, task, reads)
    images = example_gen.outputs["examples"]
    statistics_gen = StatisticsGen(examples=images, reads=reads)
    statistics = statistics_gen.outputs["statistics"]
    earlier = _earlier_statistics(statistics)
    schema_gen = SchemaGen(statistics=statistics, examples=images, pinned=pinned.read(config.data.pinned_schema))
    schema = schema_gen.outputs["schema"]
    example_validator = ExampleValidator(
        statistics=statistics, schema=schema, earlier=earlier.outputs["earlier"], allow_anomalies=config.data.allow_anomalies
    )
    transform = Transform(examples=images, schema=schema, config=known.transform, materialize=config.materializes)
    transform.add_upstream_node(example_validator)
    read = transform.outputs["transformed_examples"] if config.materializes else images
    copies = _augmented_copies(known.copies, read, transform)
    importer = _initial_model(known.start.initial)
    learning = _learning(known, read, schema, transform, copies, importer)
    tuner = _tuner(config.tune, known.place.tuning(config.name), known.modules, learning) if config.tune.enabled else None
    nodes = [example_gen, statistics_gen, earlier, schema_gen, example_validator, transform, copies, importer, tuner]
    if not searched:
        anomalies = example_validator.outputs["anomalies"]
        nodes += _judged(known, images, statistics, anomalies, learning, tuner, served)
        if served:
            nodes.append(_reporter(known, nodes))
    return pipeline.Pipeline(
        pipeline_name=config.name,
        pipeline_root=str(known.place.pipeline(config.name)),
        components=[node for node in nodes if node is not None],
        enable_cache=True,
        metadata_connection_config=local.stored_in(known.place.metadata),
        beam_pipeline_args=list(config.beam.flags),
    )


def _judged(
    known: Settled,
    images: Channel,
    statistics: Channel,
    anomalies: Channel,
    learning: Learning,
    tuner: base_node.BaseNode | None,
    served: bool,
) -> list[base_node.BaseNode | None]:
    """What trains, and what judges and serves what was trained."""
    config, task, reads = known.config, known.task, known.start.reads
    trainer = _trainer(known.place.training(config.name), known.modules, known.members, learning, tuner)
    model = trainer.outputs["model"]
    resolver = _last_blessed(model)
    evaluator = Evaluator(
        examples=images, model=model, baseline_model=resolver.outputs["model"], config=config.evaluate, task=task, reads=reads
    )
    gate = InfraValidator(model=model, examples=images, task=task, reads=reads) if served else None
    if gate:
        gate.add_upstream_node(evaluator)  # its other process loads the model meanwhile
    converter = _converter(known, images, model, evaluator, gate) if gate and config.export.variants else None
    pusher = None
    if gate and config.push.enabled:
        pusher = _pusher(known, model, evaluator, gate, converter, statistics, images, anomalies)
    return [trainer, resolver, evaluator, gate, converter, pusher]


def _example_gen(data: DataConfig, located: Located, task: str, reads: str) -> ImageExampleGen:
    label, learned = targets.of(judge_of(task).label_key or ""), task_of(task)
    needed = [name for name in learned.targets if targets.is_further(name)]
    return ImageExampleGen(data, located, label.is_label, learned.classes, needed, reads).with_id("ExampleGen")


def _earlier_statistics(statistics: Channel) -> Resolver:
    """Those of other data, if there was any."""
    return Resolver(
        strategy_class=LatestOtherStatistics, current=statistics, earlier=Channel(type=standard_artifacts.ExampleStatistics)
    ).with_id("EarlierStatistics")


def _augmented_copies(slice_: CopiesSlice | None, read: Channel, transform: Transform) -> AugmentedCopies | None:
    if slice_ is None:
        return None
    return AugmentedCopies(examples=read, transform_graph=transform.outputs["transform_graph"], config=slice_)


def _initial_model(initial: str | None) -> Importer | None:
    if initial is None:
        return None
    return Importer(source_uri=initial, artifact_type=standard_artifacts.Model).with_id("InitialModel")


def _learning(
    known: Settled,
    read: Channel,
    schema: Channel,
    transform: Transform,
    copies: AugmentedCopies | None,
    importer: Importer | None,
) -> Learning:
    """Tuner's trials are trainings: it gets what Trainer gets."""
    inputs = {
        "examples": copies.outputs["augmented_examples"] if copies else read,
        "transform_graph": transform.outputs["transform_graph"],
        "schema": schema,
        "train_args": trainer_pb2.TrainArgs(splits=[keys.TRAIN, keys.COPIES] if copies else [keys.TRAIN]),
        "eval_args": trainer_pb2.EvalArgs(splits=[keys.VALIDATION]),
        **({"base_model": importer.outputs["result"]} if importer else {}),
    }
    custom = {
        "slice": known.trainer.model_dump_json(),
        "materialized": known.config.materializes,
        "task": known.task,
        **({"origin": known.start.origin.as_json()} if known.start.origin else {}),
        **({"vectors": known.start.vectors} if known.start.vectors else {}),
    }
    return Learning(inputs, custom)


def _tuner(tune: TuneConfig, folder: Path, modules: Sequence[str], learning: Learning) -> base_node.BaseNode:
    from tuner.component import Tuner

    custom = {
        **learning.custom,
        "tune": tune.model_dump_json(),
        "tuning_dir": str(folder),
        "source": fingerprint.of(TUNER, *modules),
    }
    return Tuner(tuner_fn=f"{TUNER}.tuner_fn", custom_config=custom, **learning.inputs)


def _trainer(
    folder: Path,
    modules: Sequence[str],
    members: Mapping[str, Mapping[str, str]],
    learning: Learning,
    tuner: base_node.BaseNode | None,
) -> Trainer:
    custom = {
        **learning.custom,
        "source": fingerprint.of(TRAINER, *modules),
        **({"members": members} if members else {}),
        "training_dir": str(folder),
    }
    chosen = {"hyperparameters": tuner.outputs["best_hyperparameters"]} if tuner else {}
    return Trainer(run_fn=f"{TRAINER}.run_fn", custom_config=custom, **learning.inputs, **chosen)


def _last_blessed(model: Channel) -> Resolver:
    return Resolver(
        strategy_class=LatestBlessedOther,
        candidate=model,
        model=Channel(type=standard_artifacts.Model),
        model_blessing=Channel(type=standard_artifacts.ModelBlessing),
    ).with_id("Resolver")


def _converter(known: Settled, images: Channel, model: Channel, evaluator: Evaluator, gate: InfraValidator) -> Converter:
    return Converter(
        model=model,
        examples=images,
        model_blessing=evaluator.outputs["blessing"],
        infra_blessing=gate.outputs["blessing"],
        config=known.config.export.of_variants,
        task=known.task,
        reads=known.start.reads,
    )


def _pusher(
    known: Settled,
    model: Channel,
    evaluator: Evaluator,
    gate: InfraValidator,
    converter: Converter | None,
    statistics: Channel,
    images: Channel,
    anomalies: Channel,
) -> Pusher:
    return Pusher(
        model=converter.outputs["converted"] if converter else model,
        model_blessing=evaluator.outputs["blessing"],
        infra_blessing=(converter or gate).outputs["blessing"],
        statistics=statistics,
        examples=images,
        evaluation=evaluator.outputs["evaluation"],
        anomalies=anomalies,
        described=_described(known),
        base=known.served,
        gone=runs.gone(known.place, known.config.name),
    )


def _reporter(known: Settled, nodes: Sequence[base_node.BaseNode | None]) -> Reporter:
    """Of all that the nodes before it give; see components.reporter.material."""
    made = {node.id: node.outputs for node in nodes if node is not None}
    channels = {name: made[stage][output] for name, (stage, output) in material.MAKERS.items() if stage in made}
    place, name = known.place, known.config.name
    config = known.config.model_dump(mode="json")
    told = reporting.told(place, name, known.told())
    return Reporter(channels, known.task, known.start.reads, name, config, told, place.tuning(name), place.metadata)


def _described(known: Settled) -> dict[str, Any]:
    """What the model card says that no artifact holds."""
    told = known.told()
    return {
        "config": known.config.model_dump(mode="json", exclude={"beam", "push"}),
        "terms": sources.terms(known.config.data.source, known.place.datasets),
        **{name: told[name] for name in ("starts_from", "data_digest")},
    }
