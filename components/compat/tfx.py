"""TFX: what its executors and its launcher keep to themselves. Nothing here imports it; whoever asks has its objects."""

from collections.abc import Callable, Iterable


def begin(executor, input_dict, output_dict, exec_properties) -> None:
    """Say in the log that an executor starts, as TFX's own do."""
    executor._log_startup(input_dict, output_dict, exec_properties)


def scratch(executor) -> str:
    """The folder that TFX gives an executor for what it leaves on the way."""
    return executor._get_tmp_dir()


def run_of(executor) -> str | None:
    """Id of hubel's run that an executor works for, of TFX's id NAME@RUN; None where it was given none."""
    given = executor._context.pipeline_run_id if executor._context else None
    _, at, run = (given or "").rpartition("@")
    return run if at else None


def beam_pipeline(executor):
    """The Beam pipeline of a BaseBeamExecutor, with the TFX pipeline's flags: a context manager that runs what it was given."""
    return executor._make_beam_pipeline()


def mark_pushed(executor, pushed, destination: str, version: str) -> None:
    """Say of a PushedModel where it is, as TFX's Pusher does."""
    executor._MarkPushed(pushed, pushed_destination=destination, pushed_version=version)


def mark_not_pushed(executor, pushed) -> None:
    """Say of a PushedModel that it is none."""
    executor._MarkNotPushed(pushed)


def computes_nothing(launcher) -> bool:
    """Whether a launcher's node is a resolver or an importer."""
    return launcher._system_node_handler is not None


def upstream(launcher) -> Iterable[str]:
    """Ids of the nodes whose outputs a launcher's node reads; not of those that it only waits for."""
    read = launcher._pipeline_node.inputs.inputs.values()
    return {channel.producer_node_query.id for each in read for channel in each.channels}


def metadata_of(launcher):
    """The connection of a launcher to ML Metadata: a context manager of a handle."""
    return launcher._mlmd_connection


def needs_execution(launcher) -> bool:
    """Whether a launcher would start its executor: nothing in ML Metadata is what it would make. Writes the execution there."""
    return launcher._prepare_execution().is_execution_needed


def resolve_outputs_by(launcher, resolver) -> None:
    """Let an OutputsResolver say where a launcher's outputs go, in the place of TFX's."""
    launcher._output_resolver = resolver


def tell_execution(launcher, told: Callable[[], None]) -> None:
    """Have a launcher call `told` before it starts its executor, which it does not for what is found in the cache."""
    run = launcher._run_executor

    def telling(execution_info):
        told()
        return run(execution_info)

    launcher._run_executor = telling
