"""What docs/filters.md shows: what the command prints, every filter with its defaults, and options that a model takes."""

import inspect
import re

import yaml

from keras_models import build
from keras_models.classifiers.hand_made import FILTERS, PATTERNS
from pipelines.command_line import show_view
from pipelines.verbs.show import show
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs/filters.md").read_text(encoding="utf-8")


def test_the_table_is_what_the_command_prints(capsys):
    ((shape, classes, shown),) = re.findall(
        r"^```console\n\$ hubel show hog --input (\w+) --classes (\d+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE
    )
    show_view.terminal(show("hog", shape, int(classes)))
    assert shown.splitlines() == [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def test_every_filter_is_listed_with_its_defaults():
    table = PAGE[PAGE.index("| `uniform` |") :].partition("\n\n")[0]
    cells = [[cell.strip(" `") for cell in line.split("|")[1:3]] for line in table.splitlines()]
    listed = {name: yaml.safe_load(f"{{{arguments.replace('`', '')}}}") for name, arguments in cells if name in FILTERS}
    built = {name: {p.name: p.default for p in list(inspect.signature(f).parameters.values())[3:]} for name, f in FILTERS.items()}
    built["match"]["patterns"] = None  # the page says below what they are
    assert listed == built
    assert len(PATTERNS) == 9


def test_the_options_that_are_shown_build_a_model():
    (shown,) = (yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE))
    of_data = {"input_shape": (16, 16, 3), "num_classes": 2}
    assert build(shown["model"]["name"], of_data, shown["model"]["options"]).output_shape == (None, 2)
