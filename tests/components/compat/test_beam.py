"""What is remembered is what Beam would find anew."""

import functools
import json
import subprocess
import sys
import types
import xml.etree.ElementTree

import apache_beam
import numpy as np
import pytest
from apache_beam import DoFn, FlatMap, Map
from apache_beam.coders import VarIntCoder
from apache_beam.internal.cloudpickle import cloudpickle
from apache_beam.options import pipeline_options
from apache_beam.runners.worker import statecache
from apache_beam.transforms import core, userstate
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.typehints.typecheck import TypeCheckWrapperDoFn

from components.compat import beam


class Add(DoFn):
    """A DoFn with a default and a Beam parameter."""

    def process(self, element, by=1, window=DoFn.WindowParam):
        yield element + by


@pytest.mark.parametrize(
    "function",
    [
        Add().process,
        Add.process,
        lambda x, y=2: x,
        functools.partial(max, key=None),
        len,
        Add().setup,
        Map(str).fn.process,
    ],
)
def test_it_answers_like_beam_the_first_time_and_the_second(function):
    inspect = getattr(core.get_function_args_defaults, "__wrapped__", core.get_function_args_defaults)
    remembered = beam.remembering(inspect)
    try:
        expected = inspect(function)
    except ValueError:
        with pytest.raises(ValueError, match="signature"):
            remembered(function)
        return
    assert remembered(function) == expected
    names, defaults = remembered(function)
    names.append("spoiled")
    defaults.append("spoiled")
    assert remembered(function) == expected


def test_it_inspects_once_for_a_bound_and_once_for_a_plain_function():
    seen = []

    def inspect(function):
        seen.append(function)
        return [], []

    remembered = beam.remembering(inspect)
    for fn in (Add(), Add(), Add()):
        remembered(fn.process)
    remembered(Add.process)
    remembered(Add.process)
    assert len(seen) == 2


SEEN, LATER = userstate.BagStateSpec("seen", VarIntCoder()), userstate.TimerSpec("later", TimeDomain.REAL_TIME)
STATE, TIMER = DoFn.StateParam(SEEN), DoFn.TimerParam(LATER)
SPECS = getattr(userstate.get_dofn_specs, "__wrapped__", userstate.get_dofn_specs)


class Keeping(DoFn):
    """A DoFn with state and a timer."""

    def process(self, element, seen=STATE, later=TIMER):
        yield element

    @userstate.on_timer(LATER)
    def late(self, seen=STATE):
        yield 0


def of_its_own(**attributes) -> DoFn:
    """An object whose attributes hide its class's, or stand beside them."""
    made = Keeping()
    vars(made).update(attributes)
    return made


def stepwise(x, seen=STATE):
    return [x]


def test_the_same_state_and_timers_are_seen_whoever_asked_before():
    looked = beam.looking_once(SPECS)
    dofns = [
        *(Add(), Keeping(), of_its_own(process=len), of_its_own(late=None), of_its_own(process=len, late=None)),
        *(of_its_own(more=Add().process), of_its_own(more=3), FlatMap(stepwise).fn, FlatMap(Add().process).fn),
        *(core.CallableWrapperDoFn(Keeping().process), Map(str).fn, FlatMap(list).fn),
        *(TypeCheckWrapperDoFn(made, made.get_type_hints()) for made in (Add(), Keeping())),
    ]
    expected = [SPECS(dofn) for dofn in dofns]
    assert ({SEEN}, {LATER}) in expected
    assert (set(), set()) in expected
    for order in (dofns, dofns[::-1]):
        assert [looked(dofn) for dofn in order] == (expected if order is dofns else expected[::-1])
    looked(dofns[1])[0].clear()
    assert looked(Keeping()) == ({SEEN}, {LATER})


def test_a_class_is_looked_at_once():
    seen = []
    looked = beam.looking_once(lambda dofn: seen.append(dofn) or SPECS(dofn))
    for _ in range(3):
        looked(Add())
        looked(Map(lambda x: x).fn)
    assert len(seen) == 2


def test_it_is_installed_once(monkeypatch):
    monkeypatch.setattr(core, "get_function_args_defaults", core.get_function_args_defaults)
    beam.install()
    first = core.get_function_args_defaults
    beam.install()
    assert core.get_function_args_defaults is first


def test_options_mean_the_same_with_one_formatter(monkeypatch):
    flags = ["--direct_num_workers=3", "--runner=DirectRunner", "--experiments=a", "--experiments=b"]
    monkeypatch.delattr(pipeline_options._BeamArgumentParser, "_get_formatter", raising=False)
    plain = pipeline_options.PipelineOptions(flags).get_all_options(drop_default=True)
    beam.install()
    made = pipeline_options._BeamArgumentParser()
    assert made._get_formatter() is made._get_formatter()
    assert pipeline_options.PipelineOptions(flags).get_all_options(drop_default=True) == plain


def test_records_are_batched_by_their_bytes_in_a_process_that_has_imported_nothing_else():
    code = (
        "from components.compat import beam\n"
        "beam.install()\n"
        "from tfx_bsl.coders import batch_util\n"
        "batching = batch_util.GetBatchElementsKwargs(None)\n"
        "print(batching['max_batch_size'], batching['element_size_fn'](b'x' * 450_000))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(20 * 2**20), "450000"]


KINDS = [kind for kind in pipeline_options.PipelineOptions.__subclasses__() if kind.__module__ == pipeline_options.__name__]
VIEW_AS = getattr(pipeline_options.PipelineOptions.view_as, "__wrapped__", pipeline_options.PipelineOptions.view_as)


@pytest.mark.parametrize("flags", [[], ["--runner=FnApiRunner", "--experiments=a", "--direct_num_workers=2"]], ids=["none", "some"])
def test_options_are_seen_as_beam_sees_them(flags, monkeypatch):
    assert KINDS
    for view_as in VIEW_AS, beam.parsing_once(VIEW_AS):
        monkeypatch.setattr(pipeline_options.PipelineOptions, "view_as", view_as)
        options = pipeline_options.PipelineOptions(flags)
        options.view_as(pipeline_options.StandardOptions).runner = "Other"
        options.view_as(pipeline_options.DebugOptions).add_experiment("b")  # to a list
        seen = {
            kind: {name: getattr(options.view_as(kind), name) for name in options.view_as(kind)._visible_option_list()}
            for kind in KINDS
        }
        if view_as is VIEW_AS:
            expected = seen
    assert seen == expected
    assert seen[pipeline_options.StandardOptions]["runner"] == "Other"
    assert list(seen) == KINDS


def test_options_of_one_pipeline_do_not_leak_into_another(monkeypatch):
    monkeypatch.setattr(pipeline_options.PipelineOptions, "view_as", beam.parsing_once(VIEW_AS))
    options, other = (pipeline_options.PipelineOptions(["--experiments=a"]) for _ in range(2))
    options.view_as(pipeline_options.DebugOptions).add_experiment("b")
    assert other.view_as(pipeline_options.DebugOptions).experiments == ["a"]


def test_flags_are_read_once_for_each_kind_of_options(monkeypatch):
    monkeypatch.setattr(pipeline_options.PipelineOptions, "view_as", beam.parsing_once(VIEW_AS))
    built, parser = [], pipeline_options._BeamArgumentParser
    monkeypatch.setattr(pipeline_options, "_BeamArgumentParser", lambda **given: built.append(1) or parser(**given))
    for _ in range(5):
        options = pipeline_options.PipelineOptions([])
        options.view_as(pipeline_options.TypeOptions)
        options.view_as(pipeline_options.TypeOptions)
    assert len(built) == 5 + 1  # the options themselves, and the first look at them


traverse = statecache.objsize.traverse
GLOBALS = getattr(traverse._iter_modules_globals, "__wrapped__", traverse._iter_modules_globals)


def test_side_inputs_weigh_what_they_did_and_modules_are_listed_once_until_another_comes(monkeypatch):
    values = [b"x" * 1000, [(1, "a"), (2, "b")], {"a": np.zeros(10)}, lambda: sys, vars(sys)]
    monkeypatch.setattr(traverse, "_iter_modules_globals", GLOBALS)
    expected = [statecache.get_deep_size([value]) for value in values]
    listed = []
    monkeypatch.setattr(traverse, "_iter_modules_globals", beam.listing_once(lambda: listed.append(1) or GLOBALS()))
    assert [statecache.get_deep_size([value]) for value in values] == expected
    assert len(listed) == 1
    monkeypatch.setitem(sys.modules, "one_more", types.ModuleType("one_more"))
    assert statecache.get_deep_size([vars(sys.modules["one_more"])]) == statecache.get_deep_size([vars(sys)])
    assert len(listed) == 2


SUBMODULES = getattr(cloudpickle._find_imported_submodules, "__wrapped__", cloudpickle._find_imported_submodules)


def test_modules_that_a_function_reaches_are_beam_s_and_grouped_once_until_another_comes(monkeypatch):
    def reaching():
        return np.linalg.norm, apache_beam.io.textio, xml.etree.ElementTree, json.decoder, np.nothing, sys.path

    packages = [np, apache_beam, xml, json, sys, 3, None, types.SimpleNamespace(__package__="a"), core]
    grouped = beam.grouping_once(SUBMODULES)
    expected = SUBMODULES(reaching.__code__, packages)
    assert {"numpy.linalg", "apache_beam.io", "apache_beam.io.textio", "xml.etree", "json.decoder"} <= {
        m.__name__ for m in expected
    }
    assert [grouped(reaching.__code__, packages) for _ in range(2)] == [expected] * 2
    monkeypatch.setitem(sys.modules, "numpy.nothing", types.ModuleType("numpy.nothing"))
    assert grouped(reaching.__code__, packages) == SUBMODULES(reaching.__code__, packages) != expected
    monkeypatch.delitem(sys.modules, "numpy.nothing")
    assert grouped(reaching.__code__, packages) == expected
    assert grouped(reaching.__code__, []) == []
