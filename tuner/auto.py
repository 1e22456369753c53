"""`tune.space: auto`: what is worth a search, by the model's own record and by its task.

What the config has is among what is tried: its value joins the choices, or widens the range, so that the search cannot end worse
than where it began for want of it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

import keras_models
from components import inputs
from components.tasks.by_name import of_data, task_of
from configs import entries, policies, searched
from configs.schema.augment import AugmentStep
from configs.schema.run import RunConfig
from configs.schema.tune import Distribution, same
from keras_models.record import Record

OPTIONS = "model.options."
RATE, SCHEDULE, OPTIMIZER = "train.optimizer.learning_rate", "train.schedule", "train.optimizer"
RATES = {"min": 1e-4, "max": 1e-2, "sampling": "log"}  # the most important one, by its order of magnitude: Bengio 2012, section 3
RATES_OF = {  # those whose steps are as long as the gradient; the others' are about as long as the rate, in each weight
    "sgd": {**RATES, "min": 1e-3, "max": 1.0},
    "adagrad": {**RATES, "min": 1e-3, "max": 1e-1},  # whose steps become ever shorter
}
OPTIMIZERS = ({"name": "adam"}, {"name": "sgd", "momentum": 0.9, "nesterov": True})
DECAYS = ({"name": "cosine"}, {"name": "constant"})
WARM_UPS = (0.0, 1.0)  # epochs
STRENGTHS = (0.5, 2.0)  # times the config's own
MOVES = (  # of a config without augmentation: small ones, after which any image is still itself
    ({"translate": {"height": 0.05, "width": 0.05}},),
    ({"translate": {"height": 0.1, "width": 0.1}}, {"rotate": {"degrees": 10.0}}),
)
STRENGTH_OF = {  # step -> the parameters that say how strong it is
    "translate": ("height", "width"),
    "rotate": ("degrees",),
    "zoom": ("factor",),
    "shear": ("degrees",),
    "crop": ("share",),
    "elastic": ("alpha",),
    "elastic_grid": ("sigma",),
    "brightness": ("share",),
    "contrast": ("factor",),
    "saturation": ("factor",),
    "hue": ("degrees",),
    "color_shift": ("share",),
    "pca_color": ("stddev",),
    "cutout": ("size",),
    "gaussian_noise": ("stddev",),
    "salt_and_pepper": ("share",),
    "mask": ("share",),
    "rand_augment": ("magnitude",),
}
IN_THE_LOSS = ("weight", "rate", "penalty", "pull", "beta")  # options that change what the loss is, and not only how low it gets


def written_out(config: RunConfig) -> RunConfig:
    """The config with the space that its `auto` stands for; as it is, where it says its space itself."""
    if not config.tune.is_auto:
        return config
    return config.model_copy(update={"tune": config.tune.model_copy(update={"space": space(config)})})


def space(config: RunConfig) -> dict[str, Distribution]:
    """What `auto` stands for in a config: dotted path -> distribution, of the model first, then of its task.

    Raises:
        UsageError: for a model that there is not.
    """
    if config.transfer is not None:
        return {path: Distribution.model_validate(drawn) for path, drawn in _of_transfer(config)}
    record = keras_models.check(config.model.name)
    entries = {**dict(_of_model(config, record)), **dict(_of_task(config, record))}
    return {path: Distribution.model_validate(drawn) for path, drawn in entries.items()}


def notes(config: RunConfig) -> list[str]:
    """What of an `auto` is left out, and why: said before a search."""
    if not config.tune.is_auto or config.transfer is not None or not _is_judged_by_loss(config):
        return []
    options = [option for option in _options(config, keras_models.check(config.model.name)) if option in IN_THE_LOSS]
    names = " and ".join(f"{OPTIONS}{option}" for option in options)
    left = f"space: auto leaves out {names}: it changes what the loss is, so that trials cannot be compared by it"
    return [f"{left}; set tune.objective to another figure to search it"] if options else []


def _is_judged_by_loss(config: RunConfig) -> bool:
    return config.tune.objective is None or any(asked.name.endswith("loss") for asked in config.tune.objective)


def _options(config: RunConfig, record: Record) -> dict[str, Mapping[str, Any]]:
    """Of a record's space the options that this name does not fix, and that there are with what the config says."""
    there = {}
    for option, drawn in record.space.items():
        settled = {key: value for key, value in drawn.get("when", {}).items() if key not in record.space}
        known = {key: {**record.options, **config.model.options}.get(key) for key in settled}
        holds = all(
            any(same(known[key], each) for each in (value if isinstance(value, list) else [value]))
            for key, value in settled.items()
        )
        if entries.path_of(option) not in record.options and holds:
            there[option] = {key: value for key, value in drawn.items() if key != "when"}
            if when := {f"{OPTIONS}{key}": value for key, value in drawn.get("when", {}).items() if key in record.space}:
                there[option]["when"] = when
    return there


def _of_model(config: RunConfig, record: Record) -> Iterator[tuple[str, Mapping]]:
    own = config.model_dump(mode="json")["model"]["options"]
    for option, drawn in _options(config, record).items():
        name = entries.path_of(option)
        if name not in IN_THE_LOSS or not _is_judged_by_loss(config):
            yield f"{OPTIONS}{option}", _with_own(drawn, own.get(name))


def _of_task(config: RunConfig, record: Record) -> Iterator[tuple[str, Mapping]]:
    task = task_of(of_data(record.task, config.data.features))
    if task.is_closed_form:
        return
    of_classes = task.mix is not None
    own = config.train.optimizer.name
    rates = _with_own(_rates(own), config.train.optimizer.learning_rate)
    if of_classes:
        others = [other for other in OPTIMIZERS if other["name"] != own]
        yield OPTIMIZER, {"choices": [{"name": own}, *others]}
        yield RATE, {**rates, "when": {f"{OPTIMIZER}.name": own}}
        for name in (other["name"] for other in others):
            yield f"{RATE}{entries.MARK}{name}", {**_rates(name), "when": {f"{OPTIMIZER}.name": name}}
    else:
        yield RATE, rates
    yield from _of_schedule(config)
    if (of_classes or task.cleans) and inputs.input_of(record.reads).augments and not config.copies:
        yield from _of_augment(config, of_classes)


def _of_schedule(config: RunConfig) -> Iterator[tuple[str, Mapping]]:
    own = config.train.schedule
    if own is None:
        choices = [None, DECAYS[0]]
    else:
        choices = [{"name": own.name}, next(other for other in DECAYS if other["name"] != own.name)]
    yield SCHEDULE, {"choices": choices}
    when = {f"{SCHEDULE}.name": [choice["name"] for choice in choices if choice]}
    warm_up = _with_own({"choices": [*WARM_UPS]}, own.warmup_epochs if own else None)
    yield f"{SCHEDULE}.warmup_epochs", {**warm_up, **({"when": when} if own is None else {})}


def _of_augment(config: RunConfig, of_classes: bool) -> Iterator[tuple[str, Mapping]]:
    own = config.model_dump(mode="json")["augment"]
    if not own:
        if of_classes:
            yield "augment", {"choices": [[], *map(list, MOVES)]}
        return
    steps = policies.expand(config.augment, config.transform.channels)
    stronger = [[_scaled(step, factor) for step in steps] for factor in STRENGTHS]
    kept = [step for step in own if searched.BEFORE & step.keys()]
    choices = [own, *stronger, *([kept] if of_classes else [])]  # without noise there is nothing to denoise
    unlike = [choice for at, choice in enumerate(choices) if not any(same(choice, before) for before in choices[:at])]
    if len(unlike) > 1:
        yield "augment", {"choices": unlike}


def _scaled(step: AugmentStep, factor: float) -> dict[str, Any]:
    """A step so many times as strong; as it is, where that is more than there can be."""
    [(name, tree)] = step.model_dump(mode="json").items()
    if name not in STRENGTH_OF:
        return {name: tree}
    scaled = {name: {**tree, **{key: round(tree[key] * factor, 6) for key in STRENGTH_OF[name]}}}
    try:
        return AugmentStep.model_validate(scaled).model_dump(mode="json")
    except ValidationError:
        return {name: tree}


def _of_transfer(config: RunConfig) -> Iterator[tuple[str, Mapping]]:
    asked = config.transfer
    if asked.head == "padim":
        yield "transfer.dimensions", _with_own({"choices": [25, 50, 100, 200]}, asked.dimensions)
    if asked.head == "patchcore":
        yield "transfer.coreset", _with_own({"choices": [0.01, 0.1, 0.25]}, asked.coreset)
    if asked.detects:
        yield "transfer.smoothing", _with_own({"choices": [0.0, 2.0, 4.0]}, asked.smoothing)
        return
    if not asked.is_trained:
        yield "transfer.neighbours", _with_own({"choices": [1, 3, 5, 9]}, asked.neighbours)
        yield "transfer.distance", {"choices": ["cosine", "euclidean"]}
        return
    yield RATE, _with_own(_rates(config.train.optimizer.name), config.train.optimizer.learning_rate)
    if asked.fine_tune is not None:
        rates = _rates(config.train.optimizer.name)
        slower = {**rates, "min": rates["min"] / 10, "max": rates["max"] / 10}
        yield "transfer.fine_tune.learning_rate", _with_own(slower, asked.fine_tune.learning_rate)


def _rates(optimizer: str) -> Mapping[str, Any]:
    """Customary ones: one range for all of them would decide which optimizer wins (Choi et al. 2019, "On empirical comparisons of
    optimizers for deep learning")."""
    return RATES_OF.get(optimizer, RATES)


def _with_own(drawn: Mapping[str, Any], own: Any) -> dict[str, Any]:
    """A distribution whose values the config's own is among; None where it says none."""
    if own is None:
        return dict(drawn)
    if "choices" not in drawn:
        return {**drawn, "min": min(drawn["min"], own), "max": max(drawn["max"], own)}
    if any(same(own, choice) for choice in drawn["choices"]):
        return dict(drawn)
    choices = [own, *drawn["choices"]]
    numbers = all(isinstance(choice, int | float) and not isinstance(choice, bool) for choice in choices)
    return {**drawn, "choices": sorted(choices) if numbers else choices}
