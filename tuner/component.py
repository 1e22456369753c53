"""Tuner: TFX's, whose executor leaves the trials where they are, for a wider budget, a warm start, and whoever lists them."""

from pathlib import Path

from tfx.components.tuner import executor
from tfx.components.tuner.component import Tuner as TfxTuner
from tfx.dsl.components.base import executor_spec

from components.compat import tfx as compat
from components.driver import KeyDriver
from configs.schema.tune import TuneConfig
from tuner import records
from tuner.study import HALTS, OUTGROWN, budget

STUDY = "study"  # custom property of best_hyperparameters: fingerprint of the study that they are of


class Executor(executor.Executor):
    """TFX's, with what is written as a config has it."""

    def Do(self, input_dict, output_dict, exec_properties):
        """Reads: what tuner_fn does. Writes: HyperParameters, and TunerResults: values and score of each trial that was measured.

        Raises:
            HubelError: where no trial completed.
        """
        search = executor.search(input_dict, exec_properties, compat.scratch(self), print_tuning_summary=False)
        executor.write_best_hyperparameters(search.results(), output_dict)
        output_dict["best_hyperparameters"][0].set_string_custom_property(STUDY, search.study.record.fingerprint)


class Driver(KeyDriver):
    """Puts into the key what makes an answer that is on record another one: how often failed trials ended a search of this config,
    so that such a search, though it has a best trial, goes on when it is asked for again; and how many trials a study has by now
    that had others when a search with this budget ended, so that a smaller budget than the last one has the answer of them all."""

    def key(self, execution_info, custom):
        tuning = Path(custom["tuning_dir"])
        halts = records.halts(tuning)
        grown = records.outgrown(tuning, budget(TuneConfig.model_validate_json(custom["tune"])))
        return {**({HALTS: halts} if halts else {}), **({OUTGROWN: grown} if grown else {})}


class Tuner(TfxTuner):
    """TFX's Tuner with that executor and that driver."""

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)
    DRIVER_CLASS = Driver
