"""What every source promises of the images that it gives."""

import itertools
import pickle

import pytest

from components.example_gen import sources
from components.example_gen.sources import Raw
from tests.components.example_gen import sources_of

SOME = {scheme: getattr(sources_of, scheme, None) for scheme in sources.schemes()}


def test_each_scheme_is_tried_here():
    assert not [scheme for scheme, made in SOME.items() if made is None], "sources_of.py has no data of it"


def drawn(module, address):
    for shards in module.contents(address).shards.values():
        for shard in shards:
            yield from itertools.islice(module.images(address, shard), 20)


def read(raw: Raw):
    return raw.example_id, raw.label, raw.encoded(), pickle.dumps({name: target() for name, target in raw.targets.items()})


def stay_good(images) -> bool:
    """Whether images that are read after all were drawn, last to first and twice, are those that are read one by one."""
    at_once = [read(raw) for raw in images()]
    raws = list(images())
    later = [read(raw) for raw in reversed(raws)][::-1]
    assert len({image for _, _, image, _ in at_once}) > 3, "images alike show nothing"
    return at_once == later == [read(raw) for raw in raws]


@pytest.mark.parametrize("scheme", sorted(SOME))
def test_an_image_may_be_read_when_all_were_drawn(scheme, tmp_path, datasets):
    rest = str(SOME[scheme](tmp_path, datasets))
    module = sources.module_of(f"{scheme}:")
    located = module.locate(rest, datasets, {})
    assert stay_good(lambda: drawn(module, located.address))


def test_a_source_that_reads_what_its_loop_is_at_does_not_keep_the_rule():
    def images():
        for colour in sources_of.COLOURS:
            yield Raw(lambda: sources_of.png(colour), str(colour).encode(), 0)  # noqa: B023 the fault that is meant

    assert not stay_good(images)
