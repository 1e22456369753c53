"""TFX's local runner, node by node: the same launcher, with events a person can follow, and a dry run."""

import datetime
import functools
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.compiler import compiler, constants
from tfx.orchestration import metadata, pipeline
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable import data_types, launcher, outputs_utils, runtime_parameter_utils

from components.compat import tfx


@dataclass(frozen=True)
class NodeResult:
    """How one node ended."""

    name: str
    cached: bool
    seconds: float
    outputs: dict[str, list[tuple[str, dict]]]  # key -> (uri, custom properties) of each artifact

    def property(self, key: str, name: str, default=None):
        """A custom property of the one artifact under an output key."""
        return self.outputs[key][0][1].get(name, default) if self.outputs.get(key) else default


def run(
    tfx_pipeline: pipeline.Pipeline,
    before: Callable[[str], None],
    after: Callable[[NodeResult], None],
    executes: Callable[[str], None] = lambda node: None,
    run: str | None = None,
) -> dict[str, NodeResult]:
    """Run every node in order. `before` and `after` are told of each, `executes` of those that are not found in the cache; an
    exception of a node ends the run.

    Args:
        run: id of hubel's run, of which TFX's is then NAME@RUN; None: TFX's is the time.
    """
    ir = _compiled(tfx_pipeline, run)
    results = {}
    for node, made in _launchers(ir, launcher.Launcher):
        before(node)
        tfx.tell_execution(made, functools.partial(executes, node))
        start = time.monotonic()
        info = made.launch()
        results[node] = NodeResult(node, _is_cached(made, info), time.monotonic() - start, _outputs(made, info))
        after(results[node])
    return results


def stored_in(database: Path) -> metadata_store_pb2.ConnectionConfig:
    """ML Metadata in a file, which need not exist; TFX's own function makes its folder at once."""
    kept = metadata_store_pb2.SqliteMetadataSourceConfig(
        filename_uri=str(database), connection_mode=metadata_store_pb2.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    )
    return metadata_store_pb2.ConnectionConfig(sqlite=kept)


def plan(tfx_pipeline: pipeline.Pipeline, database: Path) -> list[dict]:
    """What `run` would do, as [{name, cached}]; nothing is written.

    It asks TFX's own launcher on a copy of the metadata, up to the moment where an executor would start.
    """
    with tempfile.TemporaryDirectory(prefix="hubel-plan-") as scratch:
        copy = Path(scratch) / "metadata.db"
        if database.is_file():
            shutil.copyfile(database, copy)
        ir = _compiled(tfx_pipeline)
        connection = stored_in(copy)
        planned, stale = [], set()
        for node, made in _launchers(ir, _Planner, connection):
            needs = bool(stale & set(made.upstream)) or made.needs_run()
            if needs:
                stale.add(node)
            planned.append({"name": node, "cached": not needs or made.computes_nothing})
        return planned


class _NoFolders(outputs_utils.OutputsResolver):
    """TFX's, without the folders that it makes for an executor before that runs."""

    def get_executor_output_uri(self, execution_id: int) -> str:
        return ""

    def get_driver_output_uri(self) -> str:
        return ""

    def get_stateful_working_directory(self, execution=None) -> str:
        return ""

    def make_tmp_dir(self, execution_id: int) -> str:
        return ""


class _Planner(launcher.Launcher):
    """A launcher that stops before it executes."""

    def __init__(self, **given):
        super().__init__(**given)
        described = (given[name] for name in ("pipeline_node", "pipeline_info", "pipeline_runtime_spec"))
        tfx.resolve_outputs_by(self, _NoFolders(*described))

    @property
    def upstream(self) -> list[str]:
        return list(tfx.upstream(self))

    @property
    def computes_nothing(self) -> bool:
        """Whether it is a resolver or an importer, which `run` counts as cached too."""
        return tfx.computes_nothing(self)

    def needs_run(self) -> bool:
        if tfx.computes_nothing(self):
            self.launch()
            return False
        return tfx.needs_execution(self)


def _compiled(tfx_pipeline: pipeline.Pipeline, run: str | None = None):
    ir = compiler.Compiler().compile(tfx_pipeline)
    called = f"{tfx_pipeline.pipeline_info.pipeline_name}@{run}" if run else datetime.datetime.now().isoformat()
    runtime_parameter_utils.substitute_runtime_parameter(ir, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: called})
    return ir


def _launchers(ir, make, connection=None) -> Iterator[tuple[str, launcher.Launcher]]:
    deployment = runner_utils.extract_local_deployment_config(ir)
    if connection is None:
        config = deployment.metadata_connection_config
        connection = getattr(config, config.WhichOneof("connection_config"))
    for node in ir.nodes:
        pipeline_node = node.pipeline_node
        name = pipeline_node.node_info.id
        yield (
            name,
            make(
                pipeline_node=pipeline_node,
                mlmd_connection=metadata.Metadata(connection),
                pipeline_info=ir.pipeline_info,
                pipeline_runtime_spec=ir.runtime_spec,
                executor_spec=runner_utils.extract_executor_spec(deployment, name),
                custom_driver_spec=runner_utils.extract_custom_driver_spec(deployment, name),
            ),
        )


def _is_cached(made: launcher.Launcher, info: data_types.ExecutionInfo | None) -> bool:
    if info is None or info.execution_id is None or tfx.computes_nothing(made):
        return True  # a resolver or importer computes nothing
    with tfx.metadata_of(made) as handle:
        [execution] = handle.store.get_executions_by_id([info.execution_id])
    return execution.last_known_state == metadata_store_pb2.Execution.CACHED


def _outputs(made: launcher.Launcher, info) -> dict[str, list]:
    """Output artifacts as MLMD has them: key -> [(uri, custom properties)]."""
    if info is None or info.execution_id is None:
        return {}
    outputs = {}
    with tfx.metadata_of(made) as handle:
        events = [
            e for e in handle.store.get_events_by_execution_ids([info.execution_id]) if e.type == metadata_store_pb2.Event.OUTPUT
        ]
        artifacts = {a.id: a for a in handle.store.get_artifacts_by_id([e.artifact_id for e in events])}
    for event in events:
        artifact = artifacts[event.artifact_id]
        properties = {name: getattr(value, value.WhichOneof("value")) for name, value in artifact.custom_properties.items()}
        outputs.setdefault(event.path.steps[0].key, []).append((artifact.uri, properties))
    return outputs
