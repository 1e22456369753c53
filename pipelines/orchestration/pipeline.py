"""The pipeline: wiring only. Each component gets its own slice of the config and a digest of the source it runs."""

import pkgutil
from collections.abc import Collection, Mapping

from tfx.components.trainer.component import Trainer
from tfx.dsl.components.common.importer import Importer
from tfx.dsl.components.common.resolver import Resolver
from tfx.orchestration import pipeline
from tfx.proto import trainer_pb2
from tfx.types import Channel, standard_artifacts

import keras_models
from components import fingerprint, keys
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
from components.tasks.by_name import modules_of, name_of, task_of
from components.tasks.judges.by_name import judge_of
from components.trainer import members as ensembles
from components.trainer.origin import Origin
from components.transform.component import Transform
from components.transform.copies import AugmentedCopies
from configs import policies
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
    of_task, modules = learned(config, origin)
    task = task_of(of_task)
    materialized = config.materializes
    steps = policies.expand(config.augment, config.transform.channels)

    is_label_learned = judge_of(of_task).label_key == keys.LABEL
    example_gen = ImageExampleGen(config.data, located, is_label_learned, task.classes).with_id("ExampleGen")
    images = example_gen.outputs["examples"]
    statistics_gen = StatisticsGen(examples=images)
    statistics = statistics_gen.outputs["statistics"]
    earlier = Resolver(
        strategy_class=LatestOtherStatistics, current=statistics, earlier=Channel(type=standard_artifacts.ExampleStatistics)
    ).with_id("EarlierStatistics")
    schema_gen = SchemaGen(statistics=statistics, examples=images, pinned=pinned.read(config.data.pinned_schema))
    schema = schema_gen.outputs["schema"]
    example_validator = ExampleValidator(
        statistics=statistics, schema=schema, earlier=earlier.outputs["earlier"], allow_anomalies=config.data.allow_anomalies
    )
    transform = Transform(
        examples=images,
        schema=schema,
        config=TransformSlice(
            transform=config.transform,
            reading=config.reading,
            targets=list(task.targets),
            covariance=any(step.operation[0] == "pca_color" for step in steps),
        ),
        materialize=materialized,
    )
    transform.add_upstream_node(example_validator)
    nodes = [example_gen, statistics_gen, earlier, schema_gen, example_validator, transform]

    graph = transform.outputs["transform_graph"]
    read, splits = transform.outputs["transformed_examples"] if materialized else images, [keys.TRAIN]
    plan = policies.schedule(steps)
    if plan.copies:
        slice_ = CopiesSlice(seed=config.seed, transform=config.transform, steps=plan.written, copies=plan.copies)
        copies = AugmentedCopies(examples=read, transform_graph=graph, config=slice_)
        nodes.append(copies)
        read, splits = copies.outputs["augmented_examples"], [keys.TRAIN, keys.COPIES]

    training = {
        "examples": read,
        "transform_graph": graph,
        "schema": schema,
        "train_args": trainer_pb2.TrainArgs(splits=splits),
        "eval_args": trainer_pb2.EvalArgs(splits=[keys.VALIDATION]),
    }
    custom = {
        "slice": TrainerSlice(**{name: getattr(config, name) for name in TrainerSlice.model_fields}).model_dump_json(),
        "materialized": materialized,
        "source": fingerprint.of(TRAINER, *modules),
        **({"origin": origin.as_json()} if origin else {}),
    }
    if members:
        parts = ensembles.cards(members, config.transform, config.reading)
        custom["members"] = {name: {"uri": uri, "digest": ensembles.digest(uri)} for name, uri in members.items()}
        architectures = set().union(*(card.architectures for card in parts.values()))
        custom["source"] = fingerprint.of(TRAINER, *modules, *_sources(architectures))
    chosen = {}
    if config.tune.enabled:
        from tfx.components.tuner.component import Tuner

        tuner = Tuner(
            tuner_fn=f"{TUNER}.tuner_fn",
            custom_config={
                **custom,
                "tune": config.tune.model_dump_json(),
                "tuning_dir": str(
                    workspace.tuning(config.name) / fingerprint.of_text(custom["slice"], config.tune.model_dump_json())
                ),
                "source": fingerprint.of(TUNER, *modules),
            },
            **training,
        )
        nodes.append(tuner)
        chosen["hyperparameters"] = tuner.outputs["best_hyperparameters"]
    if initial:
        importer = Importer(source_uri=initial, artifact_type=standard_artifacts.Model).with_id("InitialModel")
        nodes.append(importer)
        chosen["base_model"] = importer.outputs["result"]
    trainer = Trainer(
        run_fn=f"{TRAINER}.run_fn",
        custom_config={**custom, "training_dir": str(workspace.training(config.name))},
        **training,
        **chosen,
    )
    model = trainer.outputs["model"]
    resolver = Resolver(
        strategy_class=LatestBlessedOther,
        candidate=model,
        model=Channel(type=standard_artifacts.Model),
        model_blessing=Channel(type=standard_artifacts.ModelBlessing),
    ).with_id("Resolver")
    evaluator = Evaluator(
        examples=images, model=model, baseline_model=resolver.outputs["model"], config=config.evaluate, task=of_task
    )
    nodes += [trainer, resolver, evaluator]
    if served:
        infra_validator = InfraValidator(model=model, examples=images, task=of_task)
        nodes.append(infra_validator)
    if served and config.push.enabled:
        pusher = Pusher(
            model=model,
            model_blessing=evaluator.outputs["blessing"],
            infra_blessing=infra_validator.outputs["blessing"],
            base=workspace.served(config.name, config.push.destination),
            gone=runs.gone(workspace, config.name),
        )
        nodes.append(pusher)
    return pipeline.Pipeline(
        pipeline_name=config.name,
        pipeline_root=str(workspace.pipeline(config.name)),
        components=nodes,
        enable_cache=True,
        metadata_connection_config=local.stored_in(workspace.metadata),
        beam_pipeline_args=list(config.beam.flags),
    )


def learned(config: RunConfig, origin: Origin | None) -> tuple[str, list[str]]:
    """The task's name, and the modules that task and network are made of."""
    entry = keras_models.get(config.model.name) if origin is None else None
    task = entry.task if entry else CLASSIFICATION
    if config.anomaly is not None:
        anomaly.check(task_of(task), config.anomaly)
    name = name_of(task, config.anomaly)
    return name, [*modules_of(name), *([entry.module] if entry else _sources([origin.architecture]))]


def _sources(architectures: Collection[str]) -> list[str]:
    """Modules of registered networks and of a person's own, and, where one is of a file, of every layer that may be in it; of those
    of Keras there is nothing to look at."""
    from_files = {name for name in architectures if name.endswith(keys.KERAS_ENDING)}
    named = [name for name in architectures if name not in from_files and not name.startswith(published.PREFIX)]
    any_layer = [module.name for module in pkgutil.iter_modules(layers.__path__, f"{layers.__name__}.")] if from_files else []
    return sorted({*any_layer, *(keras_models.check(name).module for name in named)})
