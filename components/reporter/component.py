"""Reporter: the page of a run, once all is judged and pushed, or was refused. Nothing rests on it, so that it holds up no run."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types import artifact_utils, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components import fingerprint, inputs, progress, spec
from components.compat import tfx
from components.reporter import recorded, writing
from components.reporter.material import Artifact, Material
from components.reporter.sections import lineage
from configs import atomic
from configs.errors import first_line, log_traceback

CONFIG, TOLD, TUNING, METADATA, NAME = "config", "told", "tuning", "metadata", "name"
PAGE, RUN = "index.html", "run"  # file of the artifact, and its custom property: the run whose page it is
THUMBNAIL = "index.webp"  # file beside it
INPUTS = {
    "examples": standard_artifacts.Examples,
    "statistics": standard_artifacts.ExampleStatistics,
    "schema": standard_artifacts.Schema,
    "anomalies": standard_artifacts.ExampleAnomalies,
    "transform_graph": standard_artifacts.TransformGraph,
    "hyperparameters": standard_artifacts.HyperParameters,
    "model": standard_artifacts.Model,
    "model_run": standard_artifacts.ModelRun,
    "evaluation": standard_artifacts.ModelEvaluation,
    "blessing": standard_artifacts.ModelBlessing,
    "infra_blessing": standard_artifacts.InfraBlessing,
    "converted": standard_artifacts.Model,
    "converter_blessing": standard_artifacts.InfraBlessing,
    "pushed_model": standard_artifacts.PushedModel,
}


class Report(types.Artifact):
    """A page, index.html, that needs nothing beside it, and a small picture of it, index.webp; without them where they could not be
    made."""

    TYPE_NAME = "hubel.Report"


class Executor(base_executor.BaseExecutor):
    """Writes the page."""

    def Do(self, input_dict, output_dict, exec_properties):
        """Reads: every artifact of the run that there is. Writes: Report, with the custom properties `run` and `told`."""
        [report] = output_dict["report"]
        held = {name: artifact_utils.get_single_instance(given) for name, given in input_dict.items() if given}
        run = tfx.run_of(self)
        told = {**json.loads(exec_properties[TOLD]), lineage.MADE_WITH: lineage.made_with()}
        material = Material(
            recorded.timed(Path(exec_properties[METADATA]), {name: _plain(artifact) for name, artifact in held.items()}),
            json.loads(exec_properties[CONFIG]),
            {**told, "run": run},
            exec_properties[NAME],
            tuning=Path(exec_properties[TUNING]),
        )
        report.set_string_custom_property(RUN, run or "")
        report.set_string_custom_property(TOLD, json.dumps(told))
        try:
            page = writing.of(material)
            if page.thumbnail:
                atomic.write_bytes(Path(report.uri, THUMBNAIL), page.thumbnail)
            atomic.write_text(Path(report.uri, PAGE), page.text)
        except Exception as error:  # a model that is pushed already has not failed because of its picture
            log_traceback()
            progress.emit("warning", text=f"the page of the run was not written: {type(error).__name__}: {first_line(error)}")


def _plain(artifact: types.Artifact) -> Artifact:
    properties = {
        name: getattr(value, value.WhichOneof("value")) for name, value in artifact.mlmd_artifact.custom_properties.items()
    }
    return Artifact(Path(artifact.uri), properties, artifact.id)


class ReporterSpec(ComponentSpec):
    """Every input is optional: what a config does without, its page does too."""

    PARAMETERS = {name: ExecutionParameter(type=str) for name in (CONFIG, TOLD, TUNING, METADATA, NAME)}
    INPUTS = {name: ChannelParameter(type=kind, optional=True) for name, kind in INPUTS.items()}
    OUTPUTS = {"report": ChannelParameter(type=Report)}


class Reporter(base_component.BaseComponent):
    """Output: `report`, a page.

    Args:
        channels: those of INPUTS that the pipeline has.
        task, reads: what was learned, and the kind of input that it reads.
        config: resolved. told: what else no artifact holds; see material.Material.
        tuning: folder of the config's studies. metadata: the file of ML Metadata, which knows when stages began and ended.
    """

    SPEC_CLASS = spec.extended(ReporterSpec)
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        channels: Mapping[str, types.BaseChannel],
        task: str,
        reads: str,
        name: str,
        config: Mapping[str, Any],
        told: Mapping[str, Any],
        tuning: Path,
        metadata: Path,
    ):
        super().__init__(
            self.SPEC_CLASS(
                **channels,
                config=json.dumps(config, sort_keys=True),
                told=json.dumps(told, sort_keys=True),
                tuning=str(tuning),
                metadata=str(metadata),
                name=name,
                source_digest=fingerprint.of(__name__, *writing.modules_of(task), inputs.module_of(reads)) + writing.templates(),
                report=types.Channel(type=Report),
            )
        )
