"""Apache Beam: what it is better told before it runs.

Which runner the pipelines have that hubel starts: Beam 2.77's default first tries to download a program (Prism) from the internet
and to run the pipeline on that. The name is not a flag, because TFX packs itself for other machines wherever there is any flag,
which takes a second in each stage.

What it computes anew each time although the answer cannot change is remembered, together more than a tenth of a run's CPU time:
the signature of every DoFn method, inspected some 200,000 times in one run, and the state and timers that a DoFn's methods ask for,
looked for among all of them seven times for each step that is built or started; what a kind of pipeline options reads of the flags,
for which Beam builds a parser at each look at one, 1,900 times in StatisticsGen alone; and argparse's help formatter, made for each
option of such a parser, only to check that `nargs` can be printed; and the globals of all modules that are imported, 9,000 of them,
listed to weigh each side input that goes into a cache, which was a fifth of ExampleGen; and which of these modules lie below one
that a pickled function names, for which all their names are looked through, some 200 times in each stage.

And records are batched by their bytes, 20 MiB at a time: by default batches grow to 1,000 records, which are 450 MB of photographs.
"""

import argparse
import copy
import functools
import sys
import types
import weakref
from collections.abc import Callable, Iterable

from absl import flags
from apache_beam.internal.cloudpickle import cloudpickle
from apache_beam.options import pipeline_options
from apache_beam.runners.worker import statecache
from apache_beam.transforms import core, userstate
from tfx_bsl.coders import batch_util  # noqa: F401 defines the flag

RUNNER = "FnApiRunner"  # in this process's memory
_INSPECT = "get_function_args_defaults"
_SPECS = "get_dofn_specs"
_INSPECTED_BY = "_inspect_"
_PARSER = "_BeamArgumentParser"
_VIEW = "view_as"
_GLOBALS = "_iter_modules_globals"
_SUBMODULES = "_find_imported_submodules"
_BY_BYTES = "tfxio_use_byte_size_batching"


def install() -> None:
    """Tell Beam, in this process; the runner is that of pipelines for which no flag names another one. Names to remember by that it
    does not have are passed over: they only save time."""
    pipeline_options.StandardOptions.DEFAULT_RUNNER = RUNNER
    inspect = getattr(core, _INSPECT, None)
    if inspect is not None and not hasattr(inspect, "__wrapped__"):
        setattr(core, _INSPECT, remembering(inspect))
    specs = getattr(userstate, _SPECS, None)
    if specs is not None and not hasattr(specs, "__wrapped__"):
        setattr(userstate, _SPECS, looking_once(specs))
    parser = getattr(pipeline_options, _PARSER, None)
    if parser is not None and "_get_formatter" not in vars(parser):
        formatter = argparse.HelpFormatter("hubel")
        parser._get_formatter = lambda self: formatter
    view = getattr(pipeline_options.PipelineOptions, _VIEW, None)
    if view is not None and not hasattr(view, "__wrapped__"):
        setattr(pipeline_options.PipelineOptions, _VIEW, parsing_once(view))
    every = getattr(statecache.objsize.traverse, _GLOBALS, None)
    if every is not None and not hasattr(every, "__wrapped__"):
        setattr(statecache.objsize.traverse, _GLOBALS, listing_once(every))
    submodules = getattr(cloudpickle, _SUBMODULES, None)
    if submodules is not None and not hasattr(submodules, "__wrapped__"):
        setattr(cloudpickle, _SUBMODULES, grouping_once(submodules))
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


def looking_once(specs: Callable[[core.DoFn], tuple[set, set]]) -> Callable[[core.DoFn], tuple[set, set]]:
    """The same function of a DoFn -> (state, timers), which looks once at each class. Whose methods are an object's own, or are
    asked otherwise than by their signatures, is looked at anew."""
    known = weakref.WeakKeyDictionary()  # class -> names that an object has of its own -> its answer

    @functools.wraps(specs)
    def looked(dofn):
        cls, own = type(dofn), vars(dofn)
        asked = any(isinstance(getattr(dofn, name, None), types.MethodType) for name in _asked(cls))
        if asked or any(isinstance(value, types.MethodType) for value in own.values()):
            return specs(dofn)
        answers, hidden = known.setdefault(cls, {}), frozenset(name for name in own if hasattr(cls, name))
        if hidden not in answers:
            answers[hidden] = specs(dofn)
        state, timers = answers[hidden]
        return set(state), set(timers)

    return looked


@functools.lru_cache(maxsize=1024)
def _asked(cls: type) -> list[str]:
    """Methods that Beam asks a class about, by another method of it, instead of inspecting them."""
    return [name.removeprefix(_INSPECTED_BY) for name in dir(cls) if name.startswith(_INSPECTED_BY)]


def parsing_once(view_as: Callable) -> Callable:
    """The same method of (options, class) -> these options as that class sees them, which reads the flags once for each class."""
    parsed = {}  # (class, flags) -> values

    @functools.wraps(view_as)
    def viewed(self, cls):
        if self._flags is None or cls.__init__ is not pipeline_options.PipelineOptions.__init__:
            return view_as(self, cls)
        key = cls, tuple(self._flags)
        if key not in parsed:
            parsed[key] = copy.deepcopy(cls(self._flags)._visible_options)
        view = cls.__new__(cls)
        view._flags, view._visible_options = self._flags, copy.deepcopy(parsed[key])  # lists among them are added to
        for name in view._visible_option_list():
            self._all_options.setdefault(name, getattr(view._visible_options, name))
        view._all_options = self._all_options
        return view

    return viewed


def listing_once(every: Callable[[], Iterable[dict]]) -> Callable[[], Iterable[dict]]:
    """The same function of no argument -> the globals of all modules, which lists them anew where a module came or went."""
    listed, of = [], -1

    @functools.wraps(every)
    def remembered():
        nonlocal listed, of
        if of != len(sys.modules):
            listed, of = list(every()), len(sys.modules)
        return listed

    return remembered


def grouping_once(submodules: Callable[[types.CodeType, Iterable], list]) -> Callable[[types.CodeType, Iterable], list]:
    """The same function of (code, what it names) -> imported modules in those that it names, which its other names reach. They are
    grouped anew where one came or went."""
    below, of = {}, -1  # name of a package -> names of modules in it, at any depth

    @functools.wraps(submodules)
    def grouped(code, dependencies):
        nonlocal below, of
        if of != len(sys.modules):
            below, of = {}, len(sys.modules)
            for name in list(sys.modules):
                parts = name.split(".")
                for depth in range(1, len(parts)):
                    below.setdefault(".".join(parts[:depth]), []).append(name)
        reached = []
        for module in dependencies:
            if isinstance(module, types.ModuleType) and getattr(module, "__package__", None):
                skipped = len(module.__name__) + 1
                named = (name for name in below.get(module.__name__, ()) if name in sys.modules)
                reached += [sys.modules[name] for name in named if set(name[skipped:].split(".")) <= {*code.co_names}]
        return reached

    return grouped
