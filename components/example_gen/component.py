"""ExampleGen: any source to tf.Examples of one raw schema in three splits, damaged images set aside."""

import json
import sys
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import apache_beam as beam
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_beam_executor, executor_spec
from tfx.dsl.components.base.base_beam_component import BaseBeamComponent
from tfx.proto import example_gen_pb2
from tfx.types import Channel, artifact_utils, standard_artifacts, standard_component_specs

from components import fingerprint, inputs, keys, progress, spec
from components.compat import tfx
from components.example_gen import beside, classes, labels, maps, naming, sources, splits, summary, write
from components.example_gen.alike import CONTRADICTIONS, DUPLICATES
from configs import words
from configs.errors import HubelError, UsageError
from configs.schema.data import DataConfig

ADDRESS = "address"
DIGEST = "content_digest"
NEEDS_LABELS = "needs_labels"
LEAST = "least_classes"
READS = "reads"
NEEDS = "needs"
LISTED = 5  # classes named in a message


class Executor(base_beam_executor.BaseBeamExecutor):
    """Reads a located source, checks each image, splits by hash of its id."""

    def Do(self, input_dict, output_dict, exec_properties):
        """Reads: the source. Writes: Examples in three splits; beside them quarantine/*.jsonl (an id and a reason a line, which are
        printed too), unlabelled/*.jsonl (the same of images without a label, where others have one), duplicates/*.jsonl (the places
        of the same pixels in two splits), contradictions/*.jsonl (those of the same pixels with two labels) and summary.json (of
        components.example_gen.summary).

        Raises:
            HubelError: for fewer classes than the task tells apart, damaged data, too many damaged images, missing labels where
                data.missing_labels refuses them, a split without an image, or a class without one to train on.
        """
        tfx.begin(self, input_dict, output_dict, exec_properties)
        examples = artifact_utils.get_single_instance(output_dict[standard_component_specs.EXAMPLES_KEY])
        examples.split_names = artifact_utils.encode_split_names(list(keys.SPLITS))
        data = DataConfig.model_validate_json(exec_properties[spec.SLICE])
        address = json.loads(exec_properties[ADDRESS])
        data, contents = sources.opened(data, address)
        least = json.loads(exec_properties[LEAST])
        folder = Path(examples.uri)
        needs_labels, needs = (json.loads(exec_properties[name]) for name in (NEEDS_LABELS, NEEDS))
        reads = exec_properties[READS]
        noun = inputs.storage_of(reads).noun
        if needs:
            naming.check(data, address, contents, needs, least, "this model", HubelError)
        else:
            classes.check_told_apart(data.source, contents.class_names, data, least, "this model", HubelError, noun)
        with tfx.beam_pipeline(self) as pipeline:
            _read(pipeline, contents, address, data, folder, needs_labels, needs, reads)
        written = summary.read(folder)
        aside = summary.lines(folder / summary.QUARANTINE)
        damaged = dict(Counter(record["reason"] for record in aside))
        unlabelled = summary.unlabelled(folder)
        duplicates = len(summary.lines(folder / DUPLICATES))
        by_class = _classes(written["classes"], contents.class_names)
        several = contents.targets.get(contents.labelled, [])
        if several:
            by_class = _classes(written["labels"], several)
        counts = {split: sum(written["classes"].get(split, {}).values()) for split in keys.SPLITS}
        for record in aside:  # into the log: where the run is stopped, TFX removes what was written
            print(f"Set aside: {json.dumps(record)}", file=sys.stderr)
        if unlabelled:
            print(f"Without a label, {'left out' if needs_labels else 'kept'}: {json.dumps(unlabelled)}", file=sys.stderr)
        progress.emit(
            "images",
            counts=counts,
            classes=by_class,
            quarantined=damaged,
            unlabelled=unlabelled,
            duplicates=duplicates,
            overall=summary.overall(written),
            noun=noun,
            changes=written["changes"],
            pixels={target: maps.shares(counted, contents.targets[target]) for target, counted in written["maps"].items()},
            warnings=[
                *summary.warnings(folder, data, needs_labels, reads, contents.targets),
                *(summary.rare(by_class, noun) if several else []),
            ],
        )
        if needs_labels:
            check_labels(data, unlabelled, noun=noun)
        _check(counts, by_class, aside, data, needs_labels, sum(unlabelled.values()) if needs_labels else 0, noun)
        examples_utils.set_payload_format(examples, example_gen_pb2.FORMAT_TF_EXAMPLE)
        examples_utils.set_file_format(examples, "tfrecords_gzip")
        examples.set_string_custom_property(keys.CLASS_NAMES, json.dumps(contents.class_names))
        examples.set_string_custom_property(keys.TARGETS, json.dumps({name: list(of) for name, of in contents.targets.items()}))
        examples.set_string_custom_property(keys.QUARANTINED, json.dumps(damaged))
        examples.set_string_custom_property(keys.UNLABELLED, json.dumps(unlabelled))
        examples.set_int_custom_property(keys.BARE, 0 if needs_labels else sum(unlabelled.values()))
        examples.set_string_custom_property(keys.COUNTS, json.dumps(counts))
        examples.set_string_custom_property(keys.CLASSES, json.dumps(by_class))
        examples.set_string_custom_property(keys.CHANGES, json.dumps(written["changes"]))
        examples.set_int_custom_property(keys.DUPLICATES, duplicates)
        of_maps = {target: maps.by_class(counted, contents.targets[target]) for target, counted in written["maps"].items()}
        examples.set_string_custom_property(keys.MAPS, json.dumps(of_maps))


class ImageExampleGen(BaseBeamComponent):
    """TFX component for every hubel source. Output: `examples`, standard Examples."""

    SPEC_CLASS = spec.extended(
        standard_component_specs.QueryBasedExampleGenSpec, spec.SLICE, ADDRESS, DIGEST, NEEDS_LABELS, NEEDS, LEAST, READS
    )
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(
        self,
        data: DataConfig,
        located: sources.Located,
        learns_labels: bool = False,
        least_classes: int = 0,
        targets: Collection[str] = (),
        reads: str = inputs.DEFAULT,
    ):
        """
        Args:
            learns_labels: whether the task learns from the label, so that images without one are left out and each class is trained
                on. So it is with data.inliers, of which nobody can say whether an image without a label is one.
            least_classes: how many the task tells apart; nobody could look before where only reading the images tells.
            targets: further ones that the task learns from; images without one of them are left out too.
            reads: kind of input that the model reads; see components.inputs.

        Raises:
            UsageError: where labels are known to be missing and data.missing_labels refuses that.
        """
        needs_labels = learns_labels or data.inliers is not None
        if needs_labels:
            check_labels(data, located.unlabelled or {}, UsageError, inputs.storage_of(reads).noun)
        source = sources.module_of(data.source).__name__
        super().__init__(
            self.SPEC_CLASS(
                input_config=example_gen_pb2.Input(splits=[example_gen_pb2.Input.Split(name="all", pattern=data.source)]),
                output_config=example_gen_pb2.Output(
                    split_config=example_gen_pb2.SplitConfig(
                        splits=[example_gen_pb2.SplitConfig.Split(name=name, hash_buckets=1) for name in keys.SPLITS]
                    )
                ),
                output_data_format=example_gen_pb2.FORMAT_TF_EXAMPLE,
                output_file_format=example_gen_pb2.FORMAT_TFRECORDS_GZIP,
                # what later stages make of the data must not read the images again
                slice=data.model_copy(update={"allow_anomalies": False, "pinned_schema": None}).model_dump_json(),
                address=json.dumps(dict(located.address)),
                content_digest=located.digest,
                needs_labels=json.dumps(needs_labels),
                least_classes=json.dumps(least_classes),
                needs=json.dumps(sorted(targets)),
                reads=reads,
                source_digest=fingerprint.of(__name__, source, inputs.storing_module_of(reads)),
                examples=Channel(type=standard_artifacts.Examples),
            )
        )


def check_labels(
    data: DataConfig, unlabelled: Mapping[str, int], error: type[HubelError] = HubelError, noun: str = "image"
) -> None:
    """Raise an error for missing labels that data.missing_labels refuses."""
    if unlabelled and data.missing_labels == "refuse":
        doubt = labels.doubt(unlabelled)
        raise error(
            f"{sum(unlabelled.values()):,} {noun}s of {data.source} have no label ({labels.reasons(unlabelled)}), and "
            "data.missing_labels is refuse.",
            "Give them one, or leave them out (data.missing_labels: drop)" + (f"; {doubt}." if doubt else "."),
        )


def _read(
    pipeline: beam.Pipeline,
    contents: sources.Contents,
    address: dict[str, Any],
    data: DataConfig,
    folder: Path,
    needs_labels: bool,
    needs: Collection[str] = (),
    reads: str = inputs.DEFAULT,
) -> None:
    """Everything that ExampleGen writes under `folder`, as Beam work."""
    own, noun = splits.used(contents.shards), inputs.storage_of(reads).noun
    is_labelled = bool(contents.class_names)
    labelled = contents.labelled
    needed = {*needs, *([labelled] if needs_labels and labelled else [])}

    def looked_at(item):
        raws = sources.images_of(data, address, item[2])
        return ((item[0], splits.row_of(raw)) for raw in raws if not needed - raw.known)

    numbered = list(enumerate((name, shard) for name in own for shard in contents.shards[name]))
    shards = (
        pipeline
        | "Shards" >> beam.Create([(name, number, shard) for number, (name, shard) in numbered])
        | "Spread" >> beam.Reshuffle()
    )
    plan: Any = splits.Plan(own)
    if splits.needs_census(own, contents.counts, is_labelled, data):
        census = shards | "Look" >> beam.FlatMap(looked_at) | "Census" >> beam.CombineGlobally(splits.Census(data))
        plan = beam.pvalue.AsSingleton(
            census | "Plan" >> beam.Map(lambda census: splits.usable(splits.plan(census, own, data, noun), census, data, noun))
        )
    folders = {split: str(folder / f"Split-{split}") for split in keys.SPLITS}
    writer = write.WriteShard(data, address, folders, len(numbered), labelled, contents.targets, needed, reads)
    written = shards | "Write" >> beam.ParDo(writer, plan).with_outputs(write.DAMAGED, write.UNLABELLED, main="examples")
    alike = written.examples | "Content" >> beam.Map(summary.place) | beam.GroupByKey()
    lists = {
        summary.QUARANTINE: written[write.DAMAGED],
        summary.UNLABELLED: written[write.UNLABELLED],
        DUPLICATES: alike | "Leaks" >> beam.FlatMap(summary.leak),
        CONTRADICTIONS: alike | "Contradictions" >> beam.FlatMap(summary.contradiction),
    }
    beside.write(
        {folder / name / "images.jsonl": values for name, values in lists.items()}
        | {folder / summary.FILE: written.examples | "Summary" >> beam.CombineGlobally(summary.Summary())}
    )


def _classes(by_label: dict[str, dict[str, int]], names: list[str]) -> dict[str, dict[str, int]]:
    """Images by split and class name; empty without labels."""
    if not names:
        return {}
    return {split: {name: by_label.get(split, {}).get(str(label), 0) for label, name in enumerate(names)} for split in keys.SPLITS}


def _check(
    counts: dict[str, int],
    classes: dict[str, dict[str, int]],
    aside: list[dict[str, str]],
    data: DataConfig,
    needs_labels: bool = True,
    left_out: int = 0,
    noun: str = "image",
) -> None:
    total = len(aside) + sum(counts.values())
    if len(aside) > data.max_quarantined * total:
        damaged = dict(Counter(record["reason"] for record in aside))
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(damaged.items()))
        raise HubelError(
            f"{len(aside)} of {total} {noun}s are damaged ({reasons}), more than data.max_quarantined = {data.max_quarantined} "
            f"allows: {summary.named(aside)}.",
            "Repair or remove them, or raise data.max_quarantined. The log names each of them.",
            quarantined=damaged,
        )
    for split, count in counts.items():
        if not count:
            without = f"; {words.count(left_out, noun)} without a label left out" if left_out else ""
            raise HubelError(
                f"The {split} split has no {noun} ({total} in all{without}).",
                "Give it more data, a larger share (data.validation, data.test), or check data.inliers and data.limit.",
            )
    wanted = enumerate(classes.get(keys.TRAIN, {}).items())
    empty = [name for label, (name, count) in wanted if not count and (data.inliers is None or label in data.inliers)]
    if empty and needs_labels:
        named = ", ".join(map(repr, empty[:LISTED])) + (f" and {len(empty) - LISTED} more" if len(empty) > LISTED else "")
        raise HubelError(
            f"No training {noun} has the class {named}.",
            f"Give these classes {noun}s, leave them out of the data, or raise data.limit.",
        )
