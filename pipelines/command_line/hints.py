"""What to try where a model was not blessed: sentences from the record of its run. Plain data in, nothing heavy."""

import math
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras_models
from configs import words
from configs.schema.run import RunConfig

FALLS = 0.01  # share of val_loss that the last quarter of a training must have taken off, for more epochs to promise anything
RISES = 0.05  # share by which val_loss must have risen since its best epoch, to speak of learning by heart
FEW = 100  # training images a class, below which features that others learned are worth a try
LEAST_SIDE = 32  # px, of networks of keras.applications
PUBLISHED = "keras.applications:MobileNetV2"
OF_RECONSTRUCTION = ("mse", "psnr", "ssim", "ms_ssim", "log_likelihood", "elbo")


def of(cfg: RunConfig, value: Mapping[str, Any]) -> list[str]:
    """What to try, the most promising first.

    Args:
        value: of pipelines.orchestration.execute.run: `missed`, `training`, `metrics`, `images`, `slices`, `parity` and, where
            there are any, `intervals` {figure: [low, high]} and `differences`, as components.evaluator.noise has them.
    """
    if value["blessed"]:
        return []
    if not value["parity"]:
        return ["What is served does not answer like what was trained, which no training mends: the log has which signature."]
    missed = value["missed"]
    if refused := [variant for variant in value.get("variants", ()) if variant["reason"]]:
        return list(_variants(cfg, refused))
    if not missed:
        return list(_without_bounds(cfg, value))
    training = value["training"]
    return [*_epochs(cfg, training, _noun(value)), *_code(missed, training), *_few(cfg, value), *_bounds(missed, value)]


def _variants(cfg: RunConfig, refused: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What was converted costs too much, or does not run."""
    for variant in refused:
        for name, cost in variant["costs"].items():
            if cost["allowed"] is not None and cost["loss"] > cost["allowed"]:
                enough = float(f"{1.05 * cost['loss']:.2g}")
                yield f"Allow {variant['name']} to lose as much: {_set(f'export.max_loss.{name}', enough)}"
    names = [variant["name"] for variant in refused]
    left = ", ".join(name for name in cfg.export.variants if name not in names)
    yield f"Push without {' and '.join(names)}: {_set('export.variants', f'[{left}]')}"


def _noun(value: Mapping[str, Any]) -> str:
    """What an example is called; runs recorded before read images."""
    return value.get("noun", "image")


def _set(key: str, value: Any) -> str:
    return f"--set {shlex.quote(f'{key}={value}')}"


def _without_bounds(cfg: RunConfig, value: Mapping[str, Any]) -> Iterator[str]:
    """Nothing was held to a bound: there is none, or none that could be judged."""
    metrics, noun = value["metrics"], _noun(value)
    largest = max((part["examples"] for part in value["slices"]), default=0)
    for feature, part in cfg.evaluate.slices.items():
        if part.thresholds and 0 < largest < part.min_count:
            yield f"Judge smaller slices, or give more test {noun}s: {_set(f'evaluate.slices.{feature}.min_count', largest)}"
            return
    figure = next((name for name in ("accuracy", "auroc", "ssim") if name in metrics), None)
    if figure:
        yield f"Say what is enough, such as {_set(f'evaluate.thresholds.{figure}.min', _rounded(metrics[figure], up=False))}"
    else:
        yield "Say what is enough: evaluate.thresholds, see docs/evaluation.md."


def _epochs(cfg: RunConfig, training: Mapping[str, Any], noun: str) -> Iterator[str]:
    losses, learned, count = training["val_loss"], training["loss"], training["epochs"]
    if count < 2 or None in losses:
        return
    best = losses.index(min(losses))
    start = max(1, count - max(1, count // 4))
    before, after = min(losses[:start]), min(losses[start:])
    if count >= training["asked"] and after < before - FALLS * abs(before):
        key, asked = "train.epochs", cfg.train.epochs
        if cfg.transfer and cfg.transfer.fine_tune:
            key, asked = "transfer.fine_tune.epochs", cfg.transfer.fine_tune.epochs
        last = "last epoch" if count - start == 1 else f"last {count - start} epochs"
        yield (
            f"val_loss still fell when the training ended, from {before:.4f} to {after:.4f} in the {last} of {count}: train "
            f"longer, such as {_set(key, 2 * asked)}"
        )
        return
    augmented = "`augment`, " if noun == "image" else ""
    by_heart = None not in (learned[best], learned[-1]) and learned[-1] < learned[best]
    if by_heart and losses[-1] - losses[best] > RISES * abs(losses[best]):
        yield (
            f"val_loss was lowest in epoch {best + 1} of {count} and rose after it while loss went on falling: the {noun}s were "
            f"learned by heart. More {noun}s, {augmented}train.optimizer.weight_decay or a smaller network help; more epochs do "
            "not."
        )


def _code(missed: Sequence[Mapping[str, Any]], training: Mapping[str, Any]) -> Iterator[str]:
    size = training["code_size"]
    rebuilt = next((miss for miss in missed if miss["metric"] in OF_RECONSTRUCTION), None)
    if size is None or rebuilt is None:
        return
    rival = " (what it is compared with gets as many)" if rebuilt["of"] == "comparison" else ""
    numbers, larger = words.count(size, "number"), _set("model.options.code_size", 2 * size)
    yield f"The code has {numbers}; a larger one keeps more of an image{rival}: {larger}"


def _few(cfg: RunConfig, value: Mapping[str, Any]) -> Iterator[str]:
    if cfg.transfer is None and keras_models.check(cfg.model.name).reads != keras_models.Record.reads:
        return  # what can be transferred reads images
    images, classes = value["training"]["train_images"], value["training"]["classes"]
    if cfg.transfer and cfg.transfer.shots:
        yield (
            f"transfer.shots: {cfg.transfer.shots} takes {words.count(images, 'image')} of the training split: more of them, such "
            f"as {_set('transfer.shots', 2 * cfg.transfer.shots)}"
        )
    is_started = cfg.transfer or cfg.model.initial or cfg.model.members
    if is_started or "accuracy" not in value["metrics"] or images >= FEW * classes:
        return
    many = f"{words.count(images, 'training image')} of {words.classes(classes)}"
    few = f"{many} are few for a network that starts from nothing"
    side = min(cfg.transform.height, cfg.transform.width)
    if side < LEAST_SIDE or cfg.train.precision != "float32" or cfg.train.pretrain:
        yield f"{few}; features that another one has learned need fewer: transfer, see docs/transfer.md."
    else:
        yield (
            f"{few}; features that another one has learned need fewer (docs/transfer.md), such as those of ImageNet, which are "
            f"fetched once: {_set('transfer.source', PUBLISHED)}"
        )


def _bounds(missed: Sequence[Mapping[str, Any]], value: Mapping[str, Any]) -> Iterator[str]:
    if any(miss["of"] == "change" for miss in missed):
        yield "evaluate.change says how much worse than the last blessed model a new one may be; that model stays live."
    parts = [miss["slice"] for miss in missed if miss["of"] == "threshold" and miss["slice"]]
    if parts:
        fewest, noun = min(_images_of(part, value) for part in parts), _noun(value)
        yield (
            f"{words.count(len(parts), 'slice')} of the test {noun}s {'misses' if len(parts) == 1 else 'miss'} a bound, the least "
            f"of {words.count(fewest, noun)}: more {noun}s of those, or a larger min_count."
        )
    for miss in missed:
        if miss["of"] != "change" and not miss["slice"]:
            yield from _bound(miss, value)


def _bound(miss: Mapping[str, Any], value: Mapping[str, Any]) -> Iterator[str]:
    metric, figure, bound = miss["metric"], miss["value"], miss["bound"]
    images = words.count(value["images"].get("test", 0), f"test {_noun(value)}")
    interval = (value.get("intervals") or {}).get(metric)
    span = f"{interval[0]:.4f} to {interval[1]:.4f}" if interval else ""
    if figure is None or bound is None:
        yield f"This data gives no {metric}, or one that is no number: take its bound out, or look at the log."
    elif miss["of"] == "comparison":
        known = [told for told in value.get("differences") or () if told["metric"] == metric and told["within_noise"]]
        if known:
            yield (
                f"{metric} differs from {known[0]['against']} by no more than noise, on {images}: too few to tell. A larger "
                "data.test tells more."
            )
    elif interval and interval[0] <= bound <= interval[1]:
        yield (
            f"The bound {bound:g} of {metric} lies within the 95 % interval of the figure, {span} on {images}: too few to tell. A "
            "larger data.test tells more."
        )
    else:
        end, side = ("min", "below") if figure < bound else ("max", "above")
        enough = _set(f"evaluate.thresholds.{metric}.{end}", _rounded(figure, up=end == "max"))
        yield (
            f"{metric} {figure:.4f}{f' (95 % interval {span})' if span else ''} is {abs(bound - figure):.4f} {side} its bound, on "
            f"{images}. If it is enough for what you do, move the bound, which trains nothing: {enough}"
        )


def _images_of(part: str, value: Mapping[str, Any]) -> int:
    known = {", ".join(f"{name}={label}" for name, label in each["slice"].items()): each["examples"] for each in value["slices"]}
    return known.get(part, 0)


def _rounded(figure: float, up: bool) -> float:
    """To two digits after the first that counts, on the side that lets the figure pass."""
    digits = 2 if abs(figure) >= 0.1 or not figure else 1 - math.floor(math.log10(abs(figure)))
    step = 10**digits
    return round((math.ceil if up else math.floor)(figure * step) / step, digits)
