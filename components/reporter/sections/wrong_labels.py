"""Which labels are likely wrong, by what models answered about images that they were not trained on."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from components import keys
from components.reporter import folds, recorded, seen, wrong_labels
from components.reporter.classified import Classified, share
from components.reporter.material import Absent, Material
from components.reporter.sets import Sets
from configs import words
from configs.errors import UsageError
from reports.run.blocks import Block, Command, Missing, Picture, Pictures, Prose, Section, Table

ORDER = 65
OF_EVALUATIONS = True
SHOWN = 60  # images whose labels are doubted
LISTED = 300  # labels that are doubted, by id
PAIRS = 20  # of classes

SERVING = "Format-Serving"  # folder of a Model artifact, as TFX hands it over
SPLITS = (keys.VALIDATION, keys.TEST)  # whose images the run's own model was not trained on


@dataclass(frozen=True)
class _Asked:
    """What was answered, as of folds.OutOfSample. words: by whom, and about what."""

    words: str
    ids: Sequence[str]
    splits: Sequence[str]
    labels: np.ndarray
    probabilities: np.ndarray


@dataclass(frozen=True)
class _Doubted:
    """A label of the image at a place, its probability, what it rather is, the probability of that, and how far apart both are."""

    place: int
    label: str
    of_label: float
    rather: str
    of_rather: float
    margin: float


def section(material: Material) -> Section | None:
    """None of a task that does not answer its classes with probabilities."""
    if material.judge is None or not _is_doubtful(material):
        return None
    several = material.judge.label_key == keys.LABELS
    asked = _of_splits(material, several) if material.out_of_sample is None else _of_folds(material, material.out_of_sample)
    doubted, wrong = _doubted_of_sets(asked, material.class_names) if several else _doubted(asked, material.class_names)
    noun, many = seen.noun(material.reads), asked.labels.size
    about = (
        f"{asked.words} Confident learning (Northcutt, Jiang & Chuang 2021) takes one for another class where that is as "
        f"probable as it is on average for {noun}s of its own label. What a model has not learned looks like a wrong label, too."
    )
    said = (
        f"As far as this can tell, about {wrong:.0f} of {words.count(many, 'label')} are wrong ({100 * wrong / many:.1f} %). "
        f"Listed, the likeliest first: {words.count(len(doubted), 'label')}."
        if doubted
        else f"Of {words.count(many, 'label')} none is doubted."
    )
    blocks: list[Block] = [Prose(said)]
    if doubted:
        blocks += [_shown(material, asked, doubted), _pairs(doubted), _listed(asked, doubted)]
    if material.out_of_sample is None and not material.judged:
        blocks += [
            Prose(f"To look at every {noun}, those trained on too, by five trainings that each leave a fifth out:"),
            Command(f"hubel report {material.run} --folds 5{material.told.get('workspace', '')}"),
        ]
    return Section("wrong-labels", "Likely wrong labels", about, blocks)


def by_folds(material: Material, many: int) -> folds.OutOfSample:
    """What models that are trained on folds answer about all images of a run: minutes, or hours.

    Raises:
        UsageError: where there can be no such models, or they answer no probabilities of classes. Absent: where what they would be
            trained with is not there. What a training raises.
    """
    material.artifact("model")
    if not _is_doubtful(material):
        raise UsageError(
            f"Models of the task {material.card.task} answer no probabilities of classes, by which labels could be doubted.",
            "Leave --folds out.",
        )
    training = training_of(material)
    return folds.out_of_sample(training, many, Path(training.custom["training_dir"]) / "folds")


def _is_doubtful(material: Material) -> bool:
    """Whether labels are what is learned, and answered with probabilities."""
    return material.judge.prediction_key is not None and material.judge.label_key in (keys.LABEL, keys.LABELS)


def training_of(material: Material) -> folds.Training:
    """What the run's Trainer was given. Raises Absent where that is not on record, or gone."""
    model = material.artifact("model")
    known = recorded.training(material.metadata, model) if material.metadata and model.id is not None else None
    if known is None:
        raise Absent("ML Metadata has no record of how this model was trained, so that none can be trained alike.")
    custom, taken = known
    examples, graph, schema = material.artifact("examples").uri, taken["transform_graph"], taken["schema"] / "schema.pbtxt"
    if gone := [path for path in (examples, graph, schema) if not path.exists()]:
        raise Absent(f"{gone[0]} is gone, which the folds would be trained with. Run the config again.")
    initial = str(taken["base_model"] / SERVING) if "base_model" in taken else None
    return folds.Training(custom, examples, graph, schema, model.uri, initial)


def _doubted(asked: _Asked, names: Sequence[str]) -> tuple[list[_Doubted], float]:
    """Labels, the likeliest to be wrong first, and how many are."""
    doubts, doubted = wrong_labels.doubts(asked.labels, asked.probabilities), []
    for place in doubts.places.tolist():
        label, row = asked.labels[place], asked.probabilities[place]
        rather = int(np.where(np.arange(len(row)) == label, -np.inf, row).argmax())
        doubted.append(_Doubted(place, names[label], row[label], names[rather], row[rather], doubts.margins[place]))
    return doubted, doubts.wrong


def _doubted_of_sets(asked: _Asked, names: Sequence[str]) -> tuple[list[_Doubted], float]:
    """The same of images that may have several classes: each class that is there or not."""
    doubts, doubted = wrong_labels.doubts_of_sets(asked.labels > 0, asked.probabilities), []
    for place, number in doubts.pairs.tolist():
        there, probability = asked.labels[place, number] > 0, asked.probabilities[place, number]
        having, lacking = names[number], f"no {names[number]}"
        label, rather = (having, lacking) if there else (lacking, having)
        of_label = probability if there else 1 - probability
        doubted.append(_Doubted(place, label, of_label, rather, 1 - of_label, doubts.margins[place, number]))
    return doubted, doubts.wrong


def _of_splits(material: Material, several: bool) -> _Asked:
    """Of the run's own model. Raises Absent where there is no label in either split."""
    parts, why = [], []
    for split in SPLITS:
        try:
            parts.append((Sets if several else Classified).of(material, split))
        except Absent as absent:
            why.append(str(absent))
    if not parts:
        raise Absent(" ".join(why))
    on = " and ".join(part.words for part in parts)
    who = f"The model on {on}." if material.judged else f"The run's model on {on}, none of which it was trained on."
    if material.judged:
        why = []
    return _Asked(
        who + "".join(f" {reason}" for reason in why),
        [name for part in parts for name in part.ids],
        [part.split for part in parts for _ in part.ids],
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.probabilities for part in parts]),
    )


def _of_folds(material: Material, of: folds.OutOfSample) -> _Asked:
    noun = seen.noun(material.reads)
    labels = "" if of.targets.ndim == 1 else " of the labels"
    who = (
        f"All {len(of.ids):,} {noun}s of the run, each by one of {of.folds} models that were trained as the run's was, but without "
        f"it ({of.as_labelled:.2%}{labels} as labelled)."
    )
    if of.left_out:
        who += f" {of.left_out:,} without a label are left out."
    if of.together:
        who += f" {of.together:,} that are the same as another one share its fold."
    if of.lacks_copies:
        who += " The run was trained on copies that augmentation made beforehand as well (augment: copies), these were not."
    if of.untaught:
        untaught = ", ".join(dict.fromkeys(material.class_names[number] for _, number in of.untaught))
        who += f" In a fold nothing was left to learn of {untaught}: what is said of these means little."
    return _Asked(who, of.ids, of.splits, of.targets, of.probabilities.astype(np.float64))


def _shown(material: Material, asked: _Asked, doubted: Sequence[_Doubted]) -> Pictures | Missing:
    wanted = {(asked.splits[each.place], asked.ids[each.place]) for each in doubted[:SHOWN]}
    kept: Mapping[tuple[str, str], bytes] = {
        (split, name): encoded
        for split in keys.SPLITS
        if (ids := sorted(name for of, name in wanted if of == split))
        for name, encoded in material.encoded(split, ids).items()
    }
    pictures: list[Picture] = []
    for each in doubted[:SHOWN]:
        split, name = asked.splits[each.place], asked.ids[each.place]
        alt = f"{name} of {split}: labelled {each.label} ({share(each.of_label)}), rather {each.rather} ({share(each.of_rather)})"
        caption = f"{each.label}? rather {each.rather}, {share(each.of_rather)}"
        picture = seen.kept(material.reads, kept[split, name], alt, caption, "bad") if (split, name) in kept else None
        if picture is not None:
            pictures.append(picture)
    if not pictures:
        return Missing("pictures of them", "This kind of input has none, or its examples are gone.")
    return Pictures(pictures, "As labelled, and what it rather is", len(doubted) - len(pictures))


def _pairs(doubted: Sequence[_Doubted]) -> Table:
    """Which labels stand for which, the most frequent first."""
    counts = Counter((each.label, each.rather) for each in doubted).most_common()
    rows = [[label, rather, f"{many:,}"] for (label, rather), many in counts[:PAIRS]]
    return Table(["label", "rather", "labels"], rows, "Which labels stand for which", max(0, len(counts) - PAIRS), folded=True)


def _listed(asked: _Asked, doubted: Sequence[_Doubted]) -> Table:
    """What can be acted on: by id."""
    rows = [
        [asked.ids[each.place], asked.splits[each.place], each.label, share(each.of_label), each.rather, share(each.of_rather),
         f"{each.margin:.3f}"]
        for each in doubted[:LISTED]
    ]  # fmt: skip
    columns = ["id", "split", "label", "its probability", "rather", "its probability", "margin"]
    return Table(columns, rows, "By their ids", max(0, len(doubted) - LISTED), folded=True)
