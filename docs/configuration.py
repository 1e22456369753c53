"""Writes docs/configuration.md from configs/schema/: `.venv/bin/python docs/configuration.py`. A test holds the two together."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import yaml

from configs.schema.run import RunConfig

PAGE = Path(__file__).with_suffix(".md")

HEAD = """\
# Configuration

<!-- Written by `.venv/bin/python docs/configuration.py` from configs/schema/; edit its files, not this one. -->

A config is one YAML file; `hubel run` takes a shipped config's name (`hubel list configs`) or a path. It is read and checked as a
whole before anything starts: an unknown key, a wrong type or a value out of bounds ends the command with exit code 2 and a sentence
that names the key and the nearest known one. Every default is in the tables below; a config states only what differs.

- `extends: NAME` or `extends: FILE.yaml` (beside the file that says it) takes over another config. Mappings merge key by key; lists
  and plain values replace; `null` takes a named bound, slice or search range out again. There may be several steps, but no circle.
- A mapping that gets another `name`, such as `model`, `train.optimizer`, `train.schedule` or a policy, starts anew: the keys of the
  old name fall away, and the new one has what is said beside it, and defaults. So `model: {name: lenet5}` over a config with a
  ResNet's options is a LeNet-5 without options. With the same name, or none, it is merged. `name` at the top is the served
  model's and changes nothing else.
- `--set KEY=VALUE` replaces one key after that, by its dotted path, with the same checks; the value is YAML. It may be
  given more than once, and the last one wins; a number reaches one item of a list, and a step's name that step or, at
  the end, a new one (`augment.0.rotate.degrees=5`, `augment.rotate.degrees=5`):
  `hubel run --set train.epochs=3 --set 'augment=[{flip: {horizontal: true}}]'`.
  It merges and replaces as `extends` does: `--set model.name=mlp` and `--set 'model={name: mlp}'` both take another model,
  without the old one's options, and `--set 'model.options.hidden=[100]'`, before or after it, is of the new one.
- The resolved config of each run is kept in `pipelines/NAME/runs/RUN/config.yaml` of the workspace; `hubel run` on that file
  runs it again.
- Input size, number of classes and class names are not configured for a model: they come from `transform` and from the data.

Each stage is given only the part that it reads, so a change re-runs what depends on it and nothing before
([pipeline.md](pipeline.md)). In the tables, `NAME` stands for a key that you choose, and `[]` for each item of a list.
"""

SECTIONS = {
    "": "The run",
    "data": "Where images come from and how they are split. [data.md](data.md) explains.",
    "transform": "From a file's bytes to the model's pixels; training and serving run the same graph.",
    "augment": "A list of steps, each with exactly one operation, such as "
    "`[{translate: {height: 0.1, width: 0.1}}, {rotate: {degrees: 10}}]`, or a policy's name, such as `digits`, alone or as an "
    "item of the list: `[photos, {mixup: {alpha: 0.2}}]`. "
    "[data.md](data.md#augmentation) says what each does and its source.",
    "model": "Which network. `hubel list models` shows the names, `hubel show NAME` the layers ([arithmetic.md](arithmetic.md)).",
    "transfer": "Another model's features in the place of a network that learns from nothing. [transfer.md](transfer.md) explains.",
    "train": "How it is trained. [training.md](training.md) explains, with the papers' recipes.",
    "anomaly": "Which images are unlike those of training. [anomalies.md](anomalies.md) explains.",
    "tune": "The search for better values before the training. The space names keys of this file, so whatever can be configured "
    "can be searched: `space: {train.optimizer.learning_rate: {min: 1.0e-4, max: 1.0e-2, sampling: log}}`, or `space: auto`. "
    "[tuning.md](tuning.md) explains.",
    "evaluate": "What a model must reach on the test split before it is pushed. [evaluation.md](evaluation.md) explains; the "
    "metrics are the task's: `accuracy`, `cross_entropy`, `macro_f1` for classifiers, `mse`, `psnr` for autoencoders.",
    "export": "What is written beside the weights. [serving.md](serving.md) explains, and [variants.md](variants.md) the variants.",
    "push": "Where a blessed model goes.",
    "card": "What the model card says that nobody can measure. [model_cards.md](model_cards.md) explains.",
    "beam": "Apache Beam, which runs ExampleGen, StatisticsGen, Transform and Evaluator.",
}

# Meanings of keys for which the schema has no description.
MEANINGS = {
    "seed": "of weights, shuffling, augmentation and the tuner",
    "augment[].translate": "shift",
    "augment[].rotate": "turn around the centre",
    "augment[].zoom": "scale around the centre",
    "augment[].shear": "slant",
    "augment[].flip": "mirror, each image with a chance of one half",
    "augment[].flip.horizontal": "left and right",
    "augment[].flip.vertical": "top and bottom",
    "augment[].crop": "a random patch, back at the old size",
    "augment[].elastic": "each pixel a way of its own, neighbours nearly the same one",
    "augment[].elastic_grid": "each point of a coarse grid a way of its own, and pixels between them (U-Net's)",
    "augment[].brightness": "darken or lighten",
    "augment[].contrast": "less or more of it",
    "augment[].saturation": "paler or stronger colours; three channels only",
    "augment[].hue": "other colours; three channels only",
    "augment[].color_shift": "a tint; three channels only",
    "augment[].pca_color": "a tint along the principal colours of the training split; three channels only",
    "augment[].cutout": "a square becomes the image's mean",
    "augment[].gaussian_noise": "a normal number added to each value",
    "augment[].salt_and_pepper": "pixels become black or white",
    "augment[].mask": "pixels become black",
    "augment[].rand_augment": "some of fourteen operations, drawn for each image",
    "augment[].policy": "steps by name: its name alone, or a mapping that gives its moves a border",
    "augment[].mixup": "a weighted mean with another image, and of both labels; classification only",
    "augment[].cutmix": "a rectangle of another image, and its share of the label; classification only",
    "train.schedule": "of the learning rate; null: constant",
    "train.early_stopping": "null: all epochs; train.keep says which one's weights are kept",
    "tune.enabled": "search, then train with what was found",
    "evaluate.thresholds.NAME.min": "the figure must not be below",
    "evaluate.thresholds.NAME.max": "the figure must not be above",
    "evaluate.slices.NAME.thresholds.NAME.min": "the figure must not be below",
    "evaluate.slices.NAME.thresholds.NAME.max": "the figure must not be above",
    "push.enabled": "false: train and judge, publish nothing",
}

_TYPES = {
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "boolean": "true or false",
    "null": "null",
    "object": "mapping",
}
_ANY = "/JsonValue"  # pydantic's definition of whatever JSON can hold
_BOUNDS = (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"), ("exclusiveMaximum", "<"))


class Row(NamedTuple):
    """One key as the tables show it; `path` is dotted from the top of a config."""

    path: str
    type: str
    default: str
    meaning: str


def rows() -> list[Row]:
    """Every key of RunConfig, in the schema's order."""
    schema = RunConfig.model_json_schema()
    return list(_rows(schema, schema, ""))


def page() -> str:
    """The whole document."""
    parts, every = [HEAD], rows()
    for section, about in SECTIONS.items():
        title = f"## `{section}`\n\n{about}" if section else f"## {about}"
        lines = ["| key | type | default | meaning |", "|---|---|---|---|"]
        for row in every:
            if row.path.replace("[]", "").partition(".")[0] == section or (not section and row.path in ("name", "seed")):
                lines.append(f"| `{row.path}` | {row.type} | {row.default} | {row.meaning} |")
        parts.append("\n".join([title, "", *lines, ""]))
    return "\n".join(parts)


def _rows(schema: dict, node: dict, prefix: str) -> Iterator[Row]:
    needed = node.get("required", ())
    for name, field in node["properties"].items():
        path = f"{prefix}{name}"
        inner, end = _inner(schema, field)
        is_section = inner is not None and not end and "anyOf" not in field
        if not is_section:
            default = "(required)" if name in needed else f"`{_written(field['default'])}`"
            yield Row(path, _type(schema, field), default, (field.get("description") or MEANINGS.get(path, "")).replace("|", "\\|"))
        if inner is not None:
            yield from _rows(schema, inner, f"{path}{end}.")


def _inner(schema: dict, field: dict) -> tuple[dict | None, str]:
    """The slice inside a field, and what a path to it has after the field's name."""
    for option in (field, *field.get("anyOf", ())):
        for place, end in ((option, ""), (option.get("items"), "[]"), (option.get("additionalProperties"), ".NAME")):
            if isinstance(place, dict) and "$ref" in place and not place["$ref"].endswith(_ANY):
                return schema["$defs"][place["$ref"].rsplit("/", 1)[1]], end
    return None, ""


def _type(schema: dict, field: dict) -> str:
    options = [_one_type(schema, option) for option in field.get("anyOf", [field])]
    if "number" in options:
        options = [option for option in options if option != "whole number"]
    *most, last = dict.fromkeys(options)
    return f"{', '.join(most)} or {last}" if most else last


def _one_type(schema: dict, option: dict) -> str:
    if "$ref" in option:
        return "any value" if option["$ref"].endswith(_ANY) else "mapping"
    if "enum" in option or "const" in option:
        return ", ".join(f"`{_written(value)}`" for value in option.get("enum", [option.get("const")]))
    if "anyOf" in option:
        return _type(schema, option) + (f" > {option['gt']}" if "gt" in option else "")
    if option.get("type") == "array":
        return f"list of {_type(schema, option['items'])}"
    kind = _TYPES[option["type"]]
    bounds = [f"{sign} {option[key]}" for key, sign in _BOUNDS if key in option]
    if option.get("type") == "object" and "additionalProperties" in option and option["additionalProperties"] is not True:
        kind = "mapping of names"
    return f"{kind} {', '.join(bounds)}".strip()


def _written(value) -> str:
    """A value as YAML on one line."""
    return yaml.safe_dump(value, default_flow_style=True, width=10_000).removesuffix("\n").removesuffix("\n...")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
