"""What was read: examples by split and class, what was set aside and why, how they look, leakage, drift and skew."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components import inputs, keys
from components.example_gen import changes, summary
from components.inputs.reports import image
from components.reporter.material import Material
from configs import words
from configs.errors import printable
from reports.run import drawings
from reports.run.blocks import Block, Cell, Missing, Picture, Pictures, Prose, Section, Table
from reports.run.figures import figure

ORDER = 10
OF_EVALUATIONS = True
CLASSES = 40  # rows of a table, and bars of a chart; the largest and the smallest of more
SAMPLES = 3  # pictures of a class
SAMPLED = 12  # classes of which there are some
LETTERS = 200  # of a text
ASIDE = 20  # examples that were set aside
FAR = 0.1  # Jensen-Shannon divergence that `hubel drift` takes for drift
MEASURES = {"width": "width, px", "height": "height, px", "brightness": "brightness, 0 to 255"}
NO_CLASS = "all"


def section(material: Material) -> Section:
    """Raises Absent where nothing was read."""
    examples = material.artifact("examples")
    noun = inputs.storage_of(material.reads).noun
    source = (material.config.get("data") or {}).get("source", "the source")
    counts = examples.json(keys.COUNTS, {})
    if judged := material.judged:
        which = f"its split {judged.split}" if judged.split else "all of it"
        many = words.count(sum(counts.values()), noun)
        about = (
            f"{many} of {judged.source}, {which}, {'is' if sum(counts.values()) == 1 else 'are'} judged: what this page calls test."
        )
        return Section("data", "Data", about, [*_blocks(material, noun)])
    told = ", ".join(f"{count:,} {split}" for split, count in counts.items())
    about = f"{words.count(sum(counts.values()), noun)} of {source}: {told}."
    return Section("data", "Data", about, [*_blocks(material, noun)])


def _blocks(material: Material, noun: str) -> Iterator[Block]:
    examples = material.artifacts["examples"]
    by_split = examples.json(keys.CLASSES, {})
    if any(by_split.values()):
        yield from _by_class(by_split, noun)
    for target, pixels in examples.json(keys.MAPS, {}).items():
        yield _by_pixel(target, pixels)
    if (samples := _samples(material, noun)) is not None:
        yield samples
    yield from _set_aside(material, noun)
    if material.judged:
        yield from (Prose(note) for note in material.judged.data["notes"])
        return
    yield from _alike(material, noun)
    if (looks := _looks(material, noun)) is not None:
        yield looks
    yield from _spread(material, noun)
    yield from _distances(material)
    yield from _anomalies(material)


def _by_class(by_split: Mapping[str, Mapping[str, int]], noun: str) -> Iterator[Block]:
    splits = list(by_split)
    names = list(dict.fromkeys(name for counts in by_split.values() for name in counts))
    total = {name: sum(counts.get(name, 0) for counts in by_split.values()) for name in names}
    shown = names
    if len(names) > CLASSES:  # those that say the most: the rarest and the most frequent
        ranked = sorted(names, key=lambda name: -total[name])
        chosen = {*ranked[: CLASSES // 2], *ranked[-CLASSES // 2 :]}
        shown = [name for name in names if name in chosen]
    bars = [(printable(name), split, by_split[split].get(name, 0)) for name in shown for split in splits]
    yield drawings.stacked("classes", f"{noun.capitalize()}s by class", bars, ("class", "split", f"{noun}s"))
    rows = [[printable(name), *(f"{by_split[split].get(name, 0):,}" for split in splits), f"{total[name]:,}"] for name in shown]
    yield Table(("class", *splits, "all"), rows, f"{noun.capitalize()}s by class and split", len(names) - len(shown), folded=True)


def _by_pixel(target: str, by_split: Mapping[str, Mapping[str, int]]) -> Table:
    """Shares of the pixels that are of a class; of those that are of none, of all."""
    splits = [split for split in keys.SPLITS if split in by_split]
    names = sorted(dict.fromkeys(name for of in by_split.values() for name in of), key=lambda name: not name)
    rows = []
    for name in names[:CLASSES]:
        shares = []
        for split in splits:
            pixels = by_split[split]
            total = sum(pixels.values()) - (pixels.get("", 0) if name else 0)
            shares.append(f"{pixels.get(name, 0) / max(1, total):.2%}")
        rows.append([printable(name) or "of no class, of all pixels", *shares])
    return Table(
        ("class", *splits), rows, f"Shares of the pixels of each {target} by class and split", max(0, len(names) - CLASSES)
    )


def _samples(material: Material, noun: str) -> Pictures | Table | None:
    sample = material.glimpse()
    if sample is None:
        return None
    if material.reads != inputs.DEFAULT:
        return _texts(material, noun, sample.ids[:SAMPLED])
    names = material.class_names
    by_class: dict[int, list[int]] = {}
    for place, label in enumerate(sample.labels.ravel()[: len(sample)] if sample.labels.ndim == 1 else [-1] * len(sample)):
        by_class.setdefault(int(label), []).append(place)
    chosen = [(label, place) for label, places in sorted(by_class.items())[:SAMPLED] for place in places[: _each(by_class)]]
    kept = material.encoded(material.looked_at, [sample.ids[place] for _, place in chosen])
    pictures: list[Picture] = []
    for label, place in chosen:
        name = printable(names[label]) if 0 <= label < len(names) else noun
        if encoded := kept.get(sample.ids[place]):
            alt = f"A {_split(material)} {noun} of {name}: {printable(sample.ids[place])}"
            pictures.append(image.thumbnail(encoded, alt, name))
    more = f"; of {len(by_class) - SAMPLED:,} more classes none is shown" if len(by_class) > SAMPLED else ""
    return Pictures(pictures, f"{_split(material).capitalize()} {noun}s as they were read{more}")


def _split(material: Material) -> str:
    return "training" if material.looked_at == keys.TRAIN else material.looked_at


def _texts(material: Material, noun: str, ids: Sequence[str]) -> Table:
    kept = material.encoded(material.looked_at, ids)
    rows = [[printable(name), printable(kept[name].decode("utf-8", "replace"))[:LETTERS]] for name in ids if name in kept]
    caption = f"{_split(material).capitalize()} {noun}s as they were read, their first {LETTERS} characters"
    return Table(("id", noun), rows, caption, folded=True)


def _each(by_class: Mapping[int, Sequence[int]]) -> int:
    """Pictures of a class; where there are no classes, as many as of all."""
    return SAMPLES if len(by_class) > 1 else SAMPLES * SAMPLED // 2


def _set_aside(material: Material, noun: str) -> Iterator[Block]:
    examples = material.artifacts["examples"]
    counted = [
        *(("damaged, set aside", reason, count) for reason, count in examples.json(keys.QUARANTINED, {}).items()),
        *(("of a class that the model does not know", name, count) for name, count in _unknown(material)),
        *(("without a label", reason, count) for reason, count in examples.json(keys.UNLABELLED, {}).items()),
        *(("passed over", f"its name ends in {ending}", count) for ending, count in _passed_over(material)),
        *(("seen otherwise than stored", name.replace("_", " "), count) for name, count in examples.json(keys.CHANGES, {}).items()),
    ]
    if not counted:
        yield Prose(
            f"Every {noun} of the source was read: none is damaged, none was passed over, none had to be turned or converted."
        )
        return
    rows = [[what, printable(why), f"{count:,}"] for what, why, count in counted]
    yield Table(("what became of them", "why", f"{noun}s"), rows, "Set aside, passed over, or seen otherwise than stored")
    changed = examples.json(keys.CHANGES, {})
    if sentences := changes.listed(changed) if changed else "":
        yield Prose(f"Of these {sentences}.")
    aside = material.judged.data["named"] if material.judged else summary.lines(examples.uri / summary.QUARANTINE)
    if aside:
        told = [[printable(each["id"]), each["reason"]] for each in aside[:ASIDE]]
        many = sum(examples.json(keys.QUARANTINED, {}).values()) if material.judged else len(aside)
        yield Table(("id", "why"), told, f"Damaged {noun}s", max(0, many - len(told)), folded=True)


def _unknown(material: Material) -> list[tuple[str, int]]:
    return list(material.judged.data["unknown"].items()) if material.judged else []


def _passed_over(material: Material) -> list[tuple[str, int]]:
    return list((material.told.get("passed_over") or {}).items())


def _alike(material: Material, noun: str) -> Iterator[Block]:
    folder = material.artifacts["examples"].uri
    storage = inputs.storage_of(material.reads)
    leak, apart = summary.leakage(folder), summary.contradictions(folder)
    if leak is None:
        yield Prose(f"Leakage: no {noun} stands in more than one split.")
    else:
        twin, other = (f"{printable(each['id'])} in {each['split']}" for each in leak["first"])
        yield Prose(
            f"Leakage: {leak['images']:,} {noun}s {storage.alike} one in another split, which flatters the figures; {twin} and "
            f"{other}, for instance. All are in {leak['folder']}."
        )
    if apart is not None:
        first, other = (f"{printable(each['id'])} in {each['split']}" for each in apart["first"])
        yield Prose(
            f"{apart['images']:,} {noun}s occur with different labels, which nothing can learn to tell apart; {first} and {other}, "
            f"for instance. All are in {apart['folder']}."
        )


def _looks(material: Material, noun: str) -> Table | None:
    folder = material.artifacts["examples"].uri
    overall = summary.overall(summary.read(folder))
    classes = [(name, ranges) for name, ranges in summary.measures(folder, material.class_names).items() if name]
    rows = [
        [printable(name), MEASURES.get(what, what), *(figure(float(ends[end])) for end in ("min", "mean", "max"))]
        for name, ranges in [(NO_CLASS, overall), *classes[:CLASSES]]
        for what, ends in ranges.items()
    ]
    more = max(0, len(classes) - CLASSES) * len(overall)
    return Table(("class", "measure", "least", "mean", "most"), rows, f"How the {noun}s look", more, folded=True) if rows else None


def _spread(material: Material, noun: str) -> Iterator[Block]:
    """Of what StatisticsGen measured and is not the same for all."""
    for name in inputs.storage_of(material.reads).numbers:
        parts = {}
        for split, statistics in (material.statistics or {}).items():
            for feature in statistics.features:
                if (feature.name or "/".join(feature.path.step)) == name and feature.num_stats.max > feature.num_stats.min:
                    standard = next(held for held in feature.num_stats.histograms if held.type == held.STANDARD)
                    total = sum(bucket.sample_count for bucket in standard.buckets)
                    buckets = standard.buckets if total else ()
                    parts[split] = [(b.low_value, b.high_value, b.sample_count / total) for b in buckets]
        if parts:
            what = name.rpartition("/")[2]
            about = (
                f"How the {noun}s of each split are spread by {what}. Where they differ, another thing is judged than was learned."
            )
            yield drawings.histogram(f"spread-{what}", what.capitalize(), _in_order(parts), MEASURES.get(what, what), about)


def _in_order(by_split: Mapping[str, Any]) -> dict[str, Any]:
    return {split: by_split[split] for split in sorted(by_split, key=lambda name: (*keys.SPLITS, name).index(name))}


def _distances(material: Material) -> Iterator[Block]:
    anomalies = material.artifacts.get("anomalies")
    if anomalies is None:
        yield Missing("drift and skew", "ExampleValidator did not get so far in this run.")
        return
    skew, drift = anomalies.json(keys.SKEW, {}), anomalies.json(keys.DRIFT, {})
    names = list(dict.fromkeys([*skew, *drift]))
    rows = [[name, _far(skew.get(name)), _far(drift.get(name))] for name in names]
    if rows:
        columns = ("feature", "test from train (skew)", "train from the data before (drift)")
        yield Table(columns, rows, "Distances of distributions: Jensen-Shannon divergence, 0 alike to 1 apart")
    if not drift:
        yield Prose("Drift: there was no earlier data of this config to compare with.")


def _far(value: float | None) -> Cell | str:
    if value is None:
        return ""
    return Cell(figure(float(value)), 1.0) if value >= FAR else figure(float(value))


def _anomalies(material: Material) -> Iterator[Block]:
    told = [
        [split, name, info.short_description, info.description]
        for split, anomalies in (material.anomalies or {}).items()
        for name, info in sorted(anomalies.anomaly_info.items())
    ]
    if told:
        rows = told[:CLASSES]
        yield Table(
            ("split", "feature", "what is wrong", "in full"), rows, "Anomalies that ExampleValidator found", len(told) - len(rows)
        )
