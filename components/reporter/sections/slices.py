"""Figures of the slices that `evaluate.slices` asks for, and of single classes where images may have several, as Evaluator has
them."""

from components import keys
from components.reporter.material import Material
from reports.run.blocks import Section, Table

ORDER = 55
OF_EVALUATIONS = True
SHOWN = 100  # slices, the worst first


def section(material: Material) -> Section | None:
    """None where there are no slices."""
    evaluation = material.evaluation
    if not evaluation or not evaluation[keys.SLICES]:
        return None
    slices = evaluation[keys.SLICES]
    names = list(dict.fromkeys(name for part in slices for name in part["metrics"]))
    rows = [[_called(part), f"{part['examples']:,}", *(_figure(part, name) for name in names)] for part in slices[:SHOWN]]
    about = "As Evaluator judged them, the worst first; in brackets 95 % intervals."
    table = Table(["slice", "images", *names], rows, "Figures of each slice", max(0, len(slices) - SHOWN))
    return Section("slices", "Slices", about, [table])


def _called(part) -> str:
    """Such as "label 3 (three)"."""
    words = ", ".join(f"{feature} {value}" for feature, value in part["slice"].items())
    return f"{words} ({part['class']})" if part["class"] and part["class"] not in words else words


def _figure(part, name: str) -> str:
    if name not in part["metrics"]:
        return ""
    ends, value = part.get("intervals", {}).get(name), part["metrics"][name]
    return f"{value:.4g}" + (f" ({ends[0]:.4g} to {ends[1]:.4g})" if ends else "")
