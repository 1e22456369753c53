"""Charts of a page: Vega-Lite specifications by Altair, drawn in the reader's browser with everything inlined.

A chart has a title, a sentence for whoever does not see it, and its numbers as a table. Colours are named by what they say
(`style`) and come from a theme, so that the same specification is drawn light and dark. Data goes in as plain rows.
"""

import copy
import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

HERE = Path(__file__).parent
VEGA = HERE / "vega.min.js"  # as reports/vega.py makes it
FONT = "system-ui, sans-serif"
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")  # Okabe & Ito 2008, fit for the colour-blind


def _theme(paper: str, ink: str, soft: str, line: str, strong: str, weak: str) -> dict[str, Any]:
    return {
        "background": "transparent",
        "font": FONT,
        "view": {"stroke": None},
        "axis": {
            "labelColor": soft,
            "titleColor": soft,
            "gridColor": line,
            "domainColor": line,
            "tickColor": line,
            "titleFontWeight": 400,
        },
        "legend": {"labelColor": soft, "titleColor": soft, "titleFontWeight": 400},
        "text": {"color": soft},
        "range": {"category": list(SERIES), "ramp": [weak, strong]},
        "style": {
            "strong": {"color": strong, "stroke": strong},
            "weak": {"color": weak, "stroke": weak},
            "bar": {"color": strong},
            "rail": {"color": line, "stroke": line},
            "soft": {"color": soft, "fill": soft},
            "ink": {"color": ink, "fill": ink},
            "beneath": {"stroke": paper, "strokeOpacity": 0.85},
            "halo": {"color": paper, "fill": paper, "stroke": paper, "strokeWidth": 4, "strokeOpacity": 0.85},
        },
    }


THEMES = {
    "light": _theme("#ffffff", "#1c1c1e", "#5c5c62", "#e2e2e6", "#0060a0", "#9aa0ab"),
    "dark": _theme("#17181a", "#ececee", "#a6a6ae", "#303237", "#6cc3ff", "#646a75"),
}


@dataclass(frozen=True)
class Chart:
    """One chart of a page.

    Args:
        key: its id in the page.
        title: what stands above it.
        about: a sentence that says what it shows, for a reader and in place of the picture.
        spec: Vega-Lite, by Altair.
        columns, rows: its numbers, as a person reads them.
        narrow: what is drawn in its place in a window of a phone's width.
    """

    key: str
    title: str
    about: str
    spec: Mapping[str, Any]
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    narrow: Mapping[str, Any] | None = None


def rows(values: Sequence[Mapping[str, Any]]):
    """Altair's data of plain rows; a number that is not finite is none."""
    import altair

    return altair.InlineData(values=[{name: _finite(value) for name, value in row.items()} for row in values])


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def scale(values: Sequence[float]):
    """Altair's scale for numbers on an axis: logarithmic where they are above 0 and span two powers of ten; 0 need not be on it."""
    import altair

    known = [value for value in values if math.isfinite(value)]
    is_wide = bool(known) and min(known) > 0 and max(known) > 100 * min(known)
    return altair.Scale(type="log") if is_wide else altair.Scale(zero=False)


def spec(chart, about: str) -> dict[str, Any]:
    """Of an Altair chart: as wide as its place in the page, described in words; the page's theme is its only configuration."""
    made = chart.properties(width="container", autosize={"type": "fit-x", "contains": "padding"}, description=about).to_dict()
    made.pop("config", None)
    return made


def environment(folder: Path) -> jinja2.Environment:
    """Jinja2's, for the templates of a folder and those of the charts; everything is escaped."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader([folder, HERE]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@functools.cache
def libraries() -> str:
    """Vega, Vega-Lite and Vega-Embed as one module without requests, safe inside a page."""
    return VEGA.read_text(encoding="utf-8")


def svg(chart_spec: Mapping[str, Any], theme: str = "light") -> str:
    """A specification as an SVG file. Its fonts are the reader's, nothing is fetched."""
    import vl_convert

    themed = copy.deepcopy(THEMES[theme])
    return vl_convert.vegalite_to_svg(dict(chart_spec), config=themed, allowed_base_urls=[])
