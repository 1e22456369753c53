"""ExampleGen: any source to tf.Examples of one raw schema in three splits, damaged images set aside."""

import json
from collections import Counter
from pathlib import Path

import apache_beam as beam
from tfx.components.example_gen.base_example_gen_executor import BaseExampleGenExecutor
from tfx.dsl.components.base import executor_spec
from tfx.dsl.components.base.base_beam_component import BaseBeamComponent
from tfx.proto import example_gen_pb2
from tfx.types import Channel, artifact_utils, standard_artifacts, standard_component_specs

from components import fingerprint, keys, progress, spec
from components.example_gen import records, sources, splits
from configs.errors import HubelError
from configs.schema import DataConfig

ADDRESS = "address"
DIGEST = "content_digest"
QUARANTINE = "quarantine"


class Executor(BaseExampleGenExecutor):
    """Reads a located source, checks each image, splits by hash of its id."""

    def GetInputSourceToExamplePTransform(self):
        raise NotImplementedError("GenerateExamplesByBeam is overridden whole: splits may be the source's own or carved")

    def GenerateExamplesByBeam(self, pipeline, exec_properties):
        data = DataConfig.model_validate_json(exec_properties[spec.SLICE])
        located = sources.Located(json.loads(exec_properties[ADDRESS]), exec_properties[DIGEST])
        self._facts, collections = sources.module_of(data.source).read(pipeline, located)
        ours = splits.used(collections)
        kept = []
        for name, own in ours.items():
            images = collections[name]
            if data.limit is not None:
                images = images | f"Limit[{name}]" >> _Limit(data.limit)
            checked = images | f"Check[{name}]" >> beam.ParDo(_Check()).with_outputs("damaged", main="sound")
            _ = (
                checked.damaged
                | f"Quarantine[{name}]" >> beam.Map(json.dumps)
                | f"WriteQuarantine[{name}]"
                >> beam.io.WriteToText(f"{self._quarantine}/{name}", file_name_suffix=".jsonl", skip_if_empty=True)
            )
            kept.append(
                checked.sound
                | f"Split[{name}]"
                >> beam.Map(lambda raw, own=own: (splits.split_of(raw.image_id, own, set(ours.values()), data), raw))
            )
        every = kept | beam.Flatten()
        return {
            split: every
            | f"Pick[{split}]" >> beam.Filter(lambda pair, split=split: pair[0] == split and _is_wanted(pair[1], split, data))
            | f"Example[{split}]" >> beam.Map(lambda pair: records.example(*pair[1], anomaly=_is_outlier(pair[1], data)))
            for split in keys.SPLITS
        }

    def Do(self, input_dict, output_dict, exec_properties):
        """Reads: the source. Writes: Examples in three splits, quarantine/*.jsonl beside them (id and reason a line).

        Raises:
            HubelError: for damaged data, too many damaged images, or a split without an image.
        """
        examples = artifact_utils.get_single_instance(output_dict[standard_component_specs.EXAMPLES_KEY])
        data = DataConfig.model_validate_json(exec_properties[spec.SLICE])
        self._quarantine = str(Path(examples.uri) / QUARANTINE)
        super().Do(input_dict, output_dict, exec_properties)
        damaged = _reasons(Path(self._quarantine))
        counts = {split: _count(Path(artifact_utils.get_split_uri([examples], split))) for split in keys.SPLITS}
        _check(counts, damaged, data)
        examples.set_string_custom_property(keys.CLASS_NAMES, json.dumps(self._facts.class_names))
        examples.set_string_custom_property(keys.QUARANTINED, json.dumps(damaged))
        examples.set_string_custom_property(keys.COUNTS, json.dumps(counts))
        progress.emit("images", counts=counts, quarantined=damaged)


class ImageExampleGen(BaseBeamComponent):
    """TFX component for every hubel source. Output: `examples`, standard Examples."""

    SPEC_CLASS = spec.extended(standard_component_specs.QueryBasedExampleGenSpec, spec.SLICE, ADDRESS, DIGEST)
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(self, data: DataConfig, located: sources.Located):
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
                # allow_anomalies is ExampleValidator's business and must not read the images again
                slice=data.model_copy(update={"allow_anomalies": False}).model_dump_json(),
                address=json.dumps(dict(located.address)),
                content_digest=located.digest,
                source_digest=fingerprint.of(__name__, source),
                examples=Channel(type=standard_artifacts.Examples),
            )
        )


class _Check(beam.DoFn):
    """Sound images to the main output; {id, reason} of damaged ones aside."""

    def process(self, raw):
        reason = records.damage(raw.image)
        if reason:
            yield beam.pvalue.TaggedOutput("damaged", {"id": raw.image_id.decode(errors="replace"), "reason": reason})
        else:
            yield raw


class _Limit(beam.PTransform):
    """At most `count` images, those of the smallest hash: the same ones whatever the order."""

    def __init__(self, count: int):
        super().__init__()
        self._count = count

    def expand(self, images):
        return (
            images
            | beam.combiners.Top.Smallest(self._count, key=lambda raw: records.share(raw.image_id, b"limit"))
            | beam.FlatMap(list)
        )


def _is_wanted(raw: sources.Raw, split: str, data: DataConfig) -> bool:
    return split == keys.TEST or not _is_outlier(raw, data)


def _is_outlier(raw: sources.Raw, data: DataConfig) -> bool | None:
    return None if data.inliers is None else raw.label not in data.inliers


def _reasons(folder: Path) -> dict[str, int]:
    lines = [line for path in sorted(folder.glob("*.jsonl")) for line in path.read_text().splitlines()]
    return dict(Counter(json.loads(line)["reason"] for line in lines))


def _count(folder: Path) -> int:
    import tensorflow as tf

    return sum(1 for path in sorted(folder.iterdir()) for _ in tf.data.TFRecordDataset(str(path), compression_type="GZIP"))


def _check(counts: dict[str, int], damaged: dict[str, int], data: DataConfig) -> None:
    aside, total = sum(damaged.values()), sum(damaged.values()) + sum(counts.values())
    if aside > data.max_quarantined * total:
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(damaged.items()))
        raise HubelError(
            f"{aside} of {total} images are damaged ({reasons}), more than data.max_quarantined = {data.max_quarantined} allows.",
            "Repair or remove them, or raise data.max_quarantined.",
        )
    for split, count in counts.items():
        if not count:
            raise HubelError(
                f"The {split} split has no image ({total} in all).",
                "Give it more data, a larger share (data.validation, data.test), or check data.inliers and data.limit.",
            )
