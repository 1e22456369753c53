"""Apache Beam: what it is better told before it runs.

Which runner the pipelines have that hubel starts: Beam 2.77's default first tries to download a program (Prism) from the internet
and to run the pipeline on that. The name is not a flag, because TFX packs itself for other machines wherever there is any flag,
which takes a second in each stage.

What it computes anew each time although the answer cannot change is remembered, together about a tenth of a run's CPU time:
the signature of every DoFn method, inspected some 200,000 times in one run, and argparse's help formatter, made for each
pipeline option at each look at one, only to check that `nargs` can be printed.

And records are batched by their bytes, 20 MiB at a time: by default batches grow to 1,000 records, which are 450 MB of photographs.
"""

import argparse
import functools
import weakref
from collections.abc import Callable

from absl import flags
from apache_beam.options import pipeline_options
from apache_beam.transforms import core
from tfx_bsl.coders import batch_util  # noqa: F401 defines the flag

RUNNER = "FnApiRunner"  # in this process's memory
_INSPECT = "get_function_args_defaults"
_PARSER = "_BeamArgumentParser"
_BY_BYTES = "tfxio_use_byte_size_batching"


def install() -> None:
    """Tell Beam, in this process; the runner is that of pipelines for which no flag names another one. Names to remember by that it
    does not have are passed over: they only save time."""
    pipeline_options.StandardOptions.DEFAULT_RUNNER = RUNNER
    inspect = getattr(core, _INSPECT, None)
    if inspect is not None and not hasattr(inspect, "__wrapped__"):
        setattr(core, _INSPECT, remembering(inspect))
    parser = getattr(pipeline_options, _PARSER, None)
    if parser is not None and "_get_formatter" not in vars(parser):
        formatter = argparse.HelpFormatter("hubel")
        parser._get_formatter = lambda self: formatter
    if _BY_BYTES in flags.FLAGS:
        flags.FLAGS.set_default(_BY_BYTES, True)


def remembering(inspect: Callable[[Callable], tuple[list, list]]) -> Callable[[Callable], tuple[list, list]]:
    """The same function of (names, defaults), which keeps what it found for as long as the inspected function lives."""
    known = weakref.WeakKeyDictionary()

    @functools.wraps(inspect)
    def remembered(function):
        plain = getattr(function, "__func__", function)
        is_bound = plain is not function  # a bound method has one argument less
        try:
            answers = known.setdefault(plain, {})
        except TypeError:  # some callables can neither be hashed nor referred to weakly
            return inspect(function)
        if is_bound not in answers:
            answers[is_bound] = inspect(function)
        names, defaults = answers[is_bound]
        return list(names), list(defaults)

    return remembered
