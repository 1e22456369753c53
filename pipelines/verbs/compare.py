"""Two models that answer the same question, on the same examples: who agrees, whose figures differ by more than noise, and how long
each takes. Used in the worker process."""

import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from components import examples, keys, progress
from components.evaluator import intervals, noise, per_image, statistic
from components.evaluator.statistic import ID, Mean, Rows
from components.inputs import storage_of
from components.tasks.judges.base import Judge
from components.tasks.judges.by_name import judge_of
from configs.schema.data import DataConfig
from pipelines.verbs import alike, evaluate, judging, outputs
from pipelines.verbs.asking.by_name import asking_of
from pipelines.verbs.served import Served
from reports import sheet
from serving import answers, formats

SHEET, TABLE = "sheet.png", "disagreements.csv"
ON_SHEET, COLUMNS = 60, 4
BATCH = 64
TIMED, WARM, LARGE, ROUNDS = 50, 3, 32, 10  # single requests, those before them, examples of a large one, large ones


def compare(
    models: Sequence[str],
    artifacts: Sequence[str | None],
    data: Mapping[str, Any],
    datasets: str,
    split: str | None,
    out: str | None,
    force: bool,
) -> dict[str, Any]:
    """Two SavedModels, a and b, on one source.

    Args:
        models, artifacts: of a and of b; each as of pipelines.verbs.evaluate.evaluate, and so are data, datasets and split.
        out: folder for the sheet and the table of what they disagree about; None: neither is written.

    Returns:
        {name, noun,
        models: of a and of b [{metrics, intervals, latency: {single_ms, single_p95_ms, batch_of, batch_ms: of one example in it}}],
        agreement: {same, of, share, interval}, None where they decide nothing,
        differences: [{metric, a, b, difference: of b from a, interval, p, test, within_noise, words}],
        disagreements: [{id, label, a, b}]; where nothing is decided the examples that a figure differs most for, with `apart`,
        by: the name of that figure, or None, sheet, table: files, or None,
        data, left_out: as of pipelines.verbs.evaluate.evaluate}.

    Raises:
        UsageError: where the two answer different questions, or a file would be overwritten.
        Others as pipelines.verbs.evaluate.evaluate.
    """
    cards = [Served.card_of(model) for model in models]
    alike.check(*cards)
    place = outputs.folder(out, [SHEET, TABLE], force) if out else None
    judge, card = judge_of(cards[0].task), cards[0]
    with tempfile.TemporaryDirectory(prefix="hubel-compare-") as scratch:
        folder, judged, rows = Path(scratch), [], []
        for model, its in zip(models, cards, strict=True):
            evaluate.check(Path(model), its)
        told = judging.read(DataConfig.model_validate(data), card, folder / "examples", Path(datasets), split)
        for number, (model, artifact) in enumerate(zip(models, artifacts, strict=True)):
            figures, written = evaluate.judged(Path(model), artifact, folder / "examples", None, {}, folder / str(number))
            judged.append({name: figures[name] for name in ("metrics", "intervals")})
            rows.append(noise.rows_of(written))
        files = sorted(map(str, (folder / "examples").rglob("*.gz")))
        records = list(examples.records_of(files).as_numpy_iterator())
    served = [Served.load(model) for model in models]
    for figures, latency in zip(judged, _latencies(served, records), strict=True):
        figures["latency"] = latency
    agreement, apart, by = _apart(served, records, judge, rows, told.class_names)
    value = {
        "name": card.name,
        "noun": told.noun,
        "models": judged,
        "agreement": agreement,
        "differences": list(_differences(judge, judged, rows)),
        "disagreements": [{name: part for name, part in row.items() if name != "place"} for row in apart],
        "by": by,
        "sheet": None,
        "table": None,
        "data": told.as_json(),
        "left_out": told.left_out,
    }
    if place and apart:
        columns = [name for name in apart[0] if name != "place"]
        content = formats.table(columns, [[row[column] for column in columns] for row in apart])
        value |= {"table": outputs.write(place / TABLE, content), "sheet": _sheet(place, served[0], records, apart)}
    return value


def _differences(judge: Judge, judged: Sequence[Mapping], rows: Sequence[Rows]):
    """Of b from a, of each figure that says whether it is noise."""
    a, b = rows
    for metric in judge.metrics:
        apart = noise.difference(metric, judge, b, a)
        if apart is None:
            continue
        ends = list(apart.interval) if apart.interval else None
        values = {name: of["metrics"].get(metric) for name, of in zip("ab", judged, strict=True)}
        said = {"difference": apart.value, "interval": ends, "p": apart.p, "test": apart.test, "within_noise": apart.is_noise}
        yield {"metric": metric, **values, **said, "words": apart.words}


def _apart(
    served: Sequence[Served], records: Sequence[bytes], judge: Judge, rows: Sequence[Rows], names: Sequence[str]
) -> tuple[dict[str, Any] | None, list[dict[str, Any]], str | None]:
    """How often the two agree; what they do not agree about; by which figure that is told where nothing is decided."""
    told = [_label(record, names) for record in records]
    decided = [list(_decisions(each, records)) for each in served]
    if any(None in of for of in decided):
        return None, *_by_figure(judge, rows, told)
    pairs = list(zip(*decided, strict=True))
    same = np.array([a == b for a, b in pairs])
    ends = intervals.share(int(same.sum()), len(same))
    agreement = {"same": int(same.sum()), "of": len(same), "share": float(same.mean()), "interval": list(ends) if ends else None}
    apart = [
        {"place": place, **told[place], "a": _words(pairs[place][0], served[0]), "b": _words(pairs[place][1], served[1])}
        for place in np.flatnonzero(~same).tolist()
    ]
    return agreement, apart, None


def _decisions(served: Served, records: Sequence[bytes]):
    """What a model decides about each example, as serving.answers.decided; None where it decides nothing."""
    asked, gives = served.signatures[served.card.predicts], served.gives(served.card.predicts)
    for first in range(0, len(records), BATCH):
        progress.emit("step", what="Asking both", done=first, of=len(records))
        outputs_ = {name: value.numpy() for name, value in _ask(asked, records[first : first + BATCH]).items()}
        for place in range(len(records[first : first + BATCH])):
            yield answers.decided({name: value[place] for name, value in outputs_.items()}, gives)


def _ask(signature, records: Sequence[bytes]) -> Mapping[str, Any]:
    import tensorflow as tf

    [name] = signature.structured_input_signature[1]
    return signature(**{name: tf.constant(records)})


def _words(decided: Sequence[tuple[str, Any]], served: Served) -> str:
    about = answers.About(served.card.class_names or next(iter(served.card.targets.values()), []))
    return "; ".join(answers.kind(its).line(list(told) if isinstance(told, tuple) else told, about) for its, told in decided)


def _by_figure(judge: Judge, rows: Sequence[Rows], told: Sequence[Mapping]) -> tuple[list[dict[str, Any]], str | None]:
    """The examples that a figure of single ones differs most for, of the first figure that is one."""
    a, b = statistic.paired(*rows)
    if not statistic.is_paired(a, b):
        return [], None
    for metric in judge.metrics:
        of = noise.statistic_of(metric, judge, a)
        if isinstance(of, Mean) and noise.statistic_of(metric, judge, b) is not None:
            places = {per_image.digest(row["id"].encode(errors="surrogateescape")): place for place, row in enumerate(told)}
            values = [of.values(each) for each in (a, b)]
            ranked = np.argsort(-np.abs(values[1] - values[0]), kind="stable")[:ON_SHEET]
            ordered = [(places[int(a[ID][at])], *(float(each[at]) for each in values)) for at in ranked]
            return [
                {"place": at, **told[at], "a": ours, "b": theirs, "apart": theirs - ours} for at, ours, theirs in ordered
            ], metric
    return [], None


def _label(record: bytes, names: Sequence[str]) -> dict[str, str | None]:
    """{id, label: its classes in words, None without one}."""
    [example] = examples.parsed([record])
    [image_id] = examples.values(example, keys.EXAMPLE_ID)
    label = [names[place] for place in examples.values(example, keys.LABEL)]
    return {"id": image_id.decode(errors="surrogateescape"), "label": label[0] if label else None}


def _latencies(served: Sequence[Served], records: Sequence[bytes]) -> list[dict[str, float]]:
    """Of single examples and of many in a request, by turns, so that both have the machine in the same state."""
    asked = [each.signatures[each.card.predicts] for each in served]
    many = [records[place % len(records)] for place in range(LARGE)]
    single: list[list[float]] = [[] for _ in served]
    large: list[list[float]] = [[] for _ in served]
    for number in range(WARM + TIMED):
        progress.emit("step", what="Timing both", done=number, of=WARM + TIMED)
        for signature, one_by_one in zip(asked, single, strict=True):
            one_by_one.append(_seconds(signature, [records[number % len(records)]]))
    for _ in range(WARM + ROUNDS):
        for signature, together in zip(asked, large, strict=True):
            together.append(_seconds(signature, many))
    return [
        {
            "single_ms": 1e3 * statistics.median(of_single[WARM:]),
            "single_p95_ms": 1e3 * float(np.quantile(of_single[WARM:], 0.95)),
            "batch_of": LARGE,
            "batch_ms": 1e3 * statistics.median(of_large[WARM:]) / LARGE,
        }
        for of_single, of_large in zip(single, large, strict=True)
    ]


def _seconds(signature, records: Sequence[bytes]) -> float:
    start = time.perf_counter()
    for value in _ask(signature, records).values():
        value.numpy()
    return time.perf_counter() - start


def _sheet(place: Path, served: Served, records: Sequence[bytes], apart: Sequence[Mapping[str, Any]]) -> str | None:
    """What they disagree about as the first model sees it; None of what cannot be seen."""
    asking, feature, blocks = asking_of(served.card.reads), storage_of(served.card.reads).feature, []
    for row in apart[:ON_SHEET]:
        [example] = examples.parsed([records[row["place"]]])
        [encoded] = examples.values(example, feature)
        picture = asking.picture(served, encoded)
        if picture is None:
            return None
        shown = {name: f"{told:.4g}" if isinstance(told, float) else told for name, told in row.items()}
        label = "" if row["label"] is None else f"{row['label']}: "
        blocks.append(sheet.Block(f"{label}a {shown['a']}, b {shown['b']}", [picture]))
    return outputs.write(place / SHEET, formats.png(sheet.sheet(blocks, COLUMNS)))
