"""What limits a model, in sentences that follow from what its card says: nobody has to think of them, and nothing hides them."""

from collections.abc import Iterator, Mapping
from typing import Any

from configs import words
from configs.errors import printable

WIDE = 0.1  # of a figure: an interval that is wider leaves much open
FEW = 10  # examples of a class in a split, below which its figures say little
FAR = 0.1  # distance of two splits, or of two states of the data: what `hubel drift` takes for drift
NAMED = 5  # of a list

Card = Mapping[str, Any]


def of(card: Card, technical: Card, config: Card) -> list[dict[str, str]]:
    """[{kind, text}], the gravest first.

    Args:
        card: of reports.model_card.of, without its caveats. technical, config: as of Known.
    """
    told = [
        *_verdict(card["verdict"]),
        *_data(card["training_data"], config.get("data") or {}, _noun(technical)),
        *_figures(card, config),
        *_classes(card, _noun(technical)),
        *_slices(card, config),
        *_distances(card["training_data"]),
        *_left_out(card["training_data"], _noun(technical)),
        *_variants(card["model_details"]["variants"]),
        *_training(card, config, _noun(technical)),
        *_serving(technical),
        *_missing(card),
    ]
    return [{"kind": kind, "text": text} for kind, text in told]


Said = Iterator[tuple[str, str]]


def _noun(technical: Card) -> str:
    return technical.get("reads") or "example"


def _verdict(verdict: Card) -> Said:
    forced = verdict["forced"]
    if forced:
        who = f" by {printable(forced['user'])}" if forced.get("user") else ""
        yield (
            "forced",
            (
                f"It was not blessed ({printable(forced.get('verdict') or 'the reason is not on record')}), and was pushed by "
                f"force{who}, {forced.get('when', 'nobody knows when')}: {printable(forced['reason'])}"
            ),
        )
    elif verdict["blessed"] is False:
        yield "not_blessed", f"It was not blessed: {printable(verdict['reason'] or 'the reason is not on record')}."
    elif verdict["blessed"] is None:
        yield "not_judged", "Whether it is good enough is not on record."


def _data(data: Card, read: Card, noun: str) -> Said:
    leaked = (data["leakage"] or {}).get("images") or data["duplicates"]
    if leaked:
        yield "leakage", f"Leakage: {words.count(leaked, noun)} stand in more than one split, which flatters the figures."
    apart = (data["contradictions"] or {}).get("images")
    if apart:
        yield "contradictions", f"{words.count(apart, noun)} occur with different labels, which nothing can learn to tell apart."
    if read.get("allow_anomalies"):
        yield "anomalies", "Its training went on whatever ExampleValidator finds in the data: data.allow_anomalies."
    if read.get("limit"):
        yield "limit", f"At most {words.count(read['limit'], noun)} of each of the source's splits were read: data.limit."
    if read.get("downsample"):
        yield "downsample", "Frequent classes were cut down for training: data.downsample. Their frequency was not learned."
    if read.get("inliers"):
        yield "inliers", "Training and validation hold data.inliers alone; test holds all classes."
    if read.get("classes"):
        yield "classes", "It knows data.classes alone: whatever belongs to another class is given one of these."


def _figures(card: Card, config: Card) -> Said:
    overall = card["quantitative_analyses"]["overall"]
    metrics, intervals = overall["metrics"], overall["intervals"] or {}
    if not metrics:
        yield "no_figures", "No figures of the test split are on record."
        return
    wide = [name for name, ends in intervals.items() if name in metrics and ends[1] - ends[0] > WIDE * abs(metrics[name])]
    if wide:
        size = card["evaluation_data"]["examples"]
        few = f"The test split has {words.count(size, 'example')}: " if size is not None else ""
        ends = [f"{name} {metrics[name]:.4g} may be {intervals[name][0]:.4g} to {intervals[name][1]:.4g}" for name in wide[:NAMED]]
        yield "wide_intervals", f"{few}{'; '.join(ends)} (95 %){_more(wide)}."
    bare = [name for name in metrics if name not in intervals and name != "example_count"]
    if bare:
        yield "no_interval", f"Without an interval: {', '.join(bare[:NAMED])}{_more(bare)}."
    if intervals:
        seed = card["model_details"]["seed"]
        yield (
            "intervals",
            (
                "Intervals are over which examples might have been in the test split. What another training would have given "
                f"{'' if seed is None else f'than that of seed {seed} '}is in none of them."
            ),
        )
    bounds = config.get("evaluate") or {}
    if config and not any(bounds.get(name) for name in ("thresholds", "slices", "change")):
        yield "no_bounds", "The config holds it to no bound: evaluate.thresholds, slices and change are empty."


def _classes(card: Card, noun: str) -> Said:
    by_split = card["training_data"]["by_class"] or {}
    for split in ("train", "test"):
        counts = by_split.get(split) or {}
        few = sorted((count, name) for name, count in counts.items() if count < FEW)
        if few:
            listed = ", ".join(f"{printable(name)}: {count}" for count, name in few[:NAMED])
            yield "few_examples", f"Fewer than {FEW} {noun}s of {words.classes(len(few))} in {split} ({listed}{_more(few)})."
        absent = [name for name in by_split.get("train") or {} if name not in counts] if split == "test" and counts else []
        if absent:
            names = ", ".join(map(printable, absent[:NAMED]))
            yield "untested_classes", f"No {noun} in test, and so no figures, of {names}{_more(absent)}."


def _slices(card: Card, config: Card) -> Said:
    slices = card["quantitative_analyses"]["slices"]
    if slices is not None and not slices:
        yield (
            "no_slices",
            "No slices were evaluated (evaluate.slices): for whom it is worse than on the whole, nobody knows.",
        )
    for feature, asked in ((config.get("evaluate") or {}).get("slices") or {}).items():
        least = asked.get("min_count", 0)
        small = [part for part in slices or [] if list(part["slice"]) == [feature] and part["examples"] < least]
        if small and asked.get("thresholds"):
            have = f"{words.count(len(small), 'slice')} by {feature} {'has' if len(small) == 1 else 'have'}"
            yield "unjudged_slices", f"{have} fewer than {least} test examples: reported, and not judged."


def _distances(data: Card) -> Said:
    for kind, what in (("skew", "test is unlike train"), ("drift", "the data is unlike what it was before")):
        far = [f"{name} {value:.3g}" for name, value in (data[kind] or {}).items() if value > FAR]
        if far:
            yield kind, f"By distance above {FAR:g}, {what}: {', '.join(far[:NAMED])}{_more(far)}."


def _left_out(data: Card, noun: str) -> Said:
    for name, what in (("quarantined", "damaged and set aside"), ("unlabelled", "without a label")):
        reasons = data[name] or {}
        if reasons:
            listed = ", ".join(f"{printable(reason)}: {count}" for reason, count in list(reasons.items())[:NAMED])
            yield name, f"{words.count(sum(reasons.values()), noun)} of the source {what} ({listed}{_more(list(reasons))})."
    if data["changes"]:
        listed = ", ".join(f"{printable(name)}: {count}" for name, count in list(data["changes"].items())[:NAMED])
        yield "changes", f"Seen otherwise than its file has it ({listed}{_more(list(data['changes']))})."


def _variants(variants: Any) -> Said:
    for variant in variants or ():
        if variant.get("reason"):
            yield "variant_refused", f"The variant {variant['name']} was refused: {printable(variant['reason'])}."


def _training(card: Card, config: Card, noun: str) -> Said:
    given = [step for step in config.get("augment") or () if isinstance(step, dict)]
    steps = dict.fromkeys(name for step in given for name, value in step.items() if value is not None)
    if steps:
        changed = f"changed at random ({', '.join(steps)})"
        yield "augmented", f"It was trained on {noun}s {changed}, and tested on plain ones."
    if (config.get("train") or {}).get("random_labels"):
        yield "random_labels", "A share of its training labels were replaced at random: train.random_labels."
    starts = [*(card["model_details"]["starts_from"] or ()), *card["model_details"]["members"]]
    if starts:
        listed = ", ".join(map(printable, starts))
        yield "starts_from", f"It starts from {listed}: what limits their data limits it too, and is not on this card."


def _serving(technical: Card) -> Said:
    shape = technical.get("input_shape")
    if technical.get("reads") != "image" or not shape or len(shape) != 3:
        return
    ground = (technical.get("reading") or {}).get("ground")
    lays = f" Transparency is laid over {ground}." if isinstance(ground, str) else ""
    sees = f"{shape[0]} x {shape[1]} px in {words.count(shape[2], 'channel')}"
    yield "input", f"Whatever the size of an image, it sees {sees}; what is smaller is lost.{lays}"
    takes = "Served, it decodes PNG, JPEG, WebP, BMP and the first frame of a GIF."
    yield "formats", f"{takes} TIFF, PPM, JPEG 2000 and AVIF are refused: clients encode them anew."
    yield "not_a_number", "Pixels that are no number (NaN) or infinite are no error: the answer has NaN in it."


def _missing(card: Card) -> Said:
    if card["not_stated"]:
        yield "not_stated", f"Not stated: {', '.join(card['not_stated'])} (keys of `card` in the config)."
    if card["not_on_record"]:
        yield "not_on_record", f"Not on record: {', '.join(card['not_on_record'])}."


def _more(listed: list) -> str:
    return f" and {len(listed) - NAMED} more" if len(listed) > NAMED else ""
