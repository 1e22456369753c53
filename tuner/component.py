"""Tuner: TFX's, which leaves no trials behind once what they found is written."""

import shutil

from tfx.components.tuner import executor
from tfx.components.tuner.component import Tuner as TfxTuner
from tfx.dsl.components.base import executor_spec

from components.compat import tfx as compat


class Executor(executor.Executor):
    """TFX's, which keeps all trials; a killed search goes on from them, a finished one has its result."""

    def Do(self, input_dict, output_dict, exec_properties):
        """Reads: what tuner_fn does. Writes: HyperParameters, and TunerResults, which has every trial's values and score."""
        search = executor.search(input_dict, exec_properties, compat.scratch(self))
        executor.write_best_hyperparameters(search, output_dict)
        shutil.rmtree(search.project_dir, ignore_errors=True)


class Tuner(TfxTuner):
    """TFX's Tuner with that executor."""

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)
