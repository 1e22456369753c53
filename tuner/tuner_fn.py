"""Tuner entry point: TFX asks for a tuner and has it search."""

from tfx.components.tuner.component import TunerFnResult

from tuner.search import Search


def tuner_fn(fn_args) -> TunerFnResult:
    """See TFX's Tuner.

    Reads: as Trainer's run_fn, and custom_config: tune (TuneConfig as JSON), tuning_dir (of the config's studies), training (what a
        trial is, "module:Class"; tuner.trial:Training by default).
    Writes: the study's folder in tuning_dir; see tuner/records.py.
    """
    return TunerFnResult(tuner=Search(fn_args), fit_kwargs={})
