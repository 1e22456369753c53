"""A model that is there, judged on any data by Evaluator as in a run: the same metrics, intervals and slices. Used in the worker
process."""

import json
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components import keys, progress, saved_model
from components.tasks.judges.by_name import judge_of
from components.trainer.card import Card
from configs.errors import HubelError
from configs.schema.data import DataConfig
from configs.schema.evaluate import EvaluateConfig
from pipelines.verbs import judged_page, judging, robustness
from pipelines.verbs.served import Served


def evaluate(
    model: str,
    artifact: str | None,
    data: Mapping[str, Any],
    evaluate: Mapping[str, Any],
    train: str | None,
    datasets: str,
    split: str | None = None,
    page: Mapping[str, Any] | None = None,
    corruptions: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Figures of a SavedModel on a source.

    Args:
        model: its folder. artifact: of the Model artifact that it was exported in, None where that is not there.
        data: as of DataConfig. evaluate: as of EvaluateConfig; `change` is not looked at.
        train: folder of the training split's files, None where they are not there: figures that need it are left out, and said.
        datasets: folder of prepared data. split: as of pipelines.verbs.judging.read.
        page: where it goes and what it says of the model, as of pipelines.verbs.judged_page.pushed; None: none is written.
        corruptions: which, as of pipelines.verbs.robustness.told; None: none.

    Returns:
        {architecture, name: the card's; metrics, intervals, slices, differences, comparison, blessed, reason, missed: as of a run;
        data: as of pipelines.verbs.judging.Read; left_out: the same in words; components: [{name, cached, seconds}];
        report: path of the page or None; pushed: as of judged_page.pushed; corruptions, robustness: as of robustness.told, None
        where they were not asked for}.

    Raises:
        UsageError, HubelError: as of pipelines.verbs.judging.read, and for a SavedModel that hubel did not write or that lacks the
            signature which is judged, a page that cannot be written, and corruptions of what is no image.
    """
    with tempfile.TemporaryDirectory(prefix="hubel-evaluate-") as scratch:
        folder, began = Path(scratch), time.time()
        card = Served.card_of(model)
        check(Path(model), card)
        if corruptions:
            robustness.check(corruptions, card)
        told = judging.read(DataConfig.model_validate(data), card, folder / "examples", Path(datasets), split)
        was_read = time.time()
        figures, written = judged(Path(model), artifact, folder / "examples", train, evaluate, folder / "of_model")
        times = [("ExampleGen", was_read - began), ("Evaluator", time.time() - was_read)]
        under, sheet = {"corruptions": None, "robustness": None}, {}
        if corruptions:
            start = time.time()
            files = sorted(map(str, (folder / "examples").rglob("*.gz")))
            under, sheet = robustness.told(model, files, corruptions)
            times.append(("Robustness", time.time() - start))
        report = since = None
        if page:
            start = time.time()
            progress.emit("step", what="Writing the page", done=0, of=None)
            of = judged_page.Evaluation(
                Path(model), card, folder / "of_model", figures, written, told, (began, was_read, was_read + times[1][1]), evaluate
            )
            since = judged_page.pushed(of, page)
            shown = {**under["robustness"], "corruptions": under["corruptions"], **sheet} if corruptions else None
            report = judged_page.write(of, page, since, shown)
            times.append(("Reporter", time.time() - start))
    return {
        "architecture": card.architecture,
        "name": card.name,
        **figures,
        "data": told.as_json(),
        "left_out": told.left_out,
        "components": [{"name": name, "cached": False, "seconds": round(value, 2)} for name, value in times],
        "report": report,
        "pushed": since,
        **under,
    }


def check(model: Path, card: Card) -> None:
    """Raise HubelError for a SavedModel that lacks the signature which its task's judge asks."""
    signature = judge_of(card.task).signature
    if not saved_model.signature_of(model, signature).inputs:
        raise HubelError(
            f"The SavedModel {model} has no signature {signature}, by which its task is judged.",
            "It was pushed by an earlier hubel: train and push it again.",
        )


def judged(
    model: Path, artifact: str | None, examples: Path, train: str | None, evaluate: Mapping[str, Any], folder: Path
) -> tuple[dict[str, Any], str]:
    """What Evaluator says of a SavedModel, as of a run, and the folder of its output.

    Args:
        examples: folder of Examples with the split `test`. folder: is made, and holds all that is written.
        Others as of `evaluate`.
    """
    from tfx.types import standard_artifacts

    from components.compat import beam
    from components.evaluator import component

    beam.install()
    progress.emit("step", what="Judging", done=0, of=None)
    asked = EvaluateConfig.model_validate({**evaluate, "change": {}})
    made = {
        "model": standard_artifacts.Model(),
        "examples": standard_artifacts.Examples(),
        "evaluation": standard_artifacts.ModelEvaluation(),
        "blessing": standard_artifacts.ModelBlessing(),
    }
    for name, written in made.items():
        written.uri = str(folder / name)
        (folder / name).mkdir(parents=True)
    _lay_model(folder / "model", model, artifact)
    splits = {keys.TEST: examples / f"Split-{keys.TEST}", **({keys.TRAIN: Path(train)} if train else {})}
    for split, files in splits.items():
        (folder / "examples" / f"Split-{split}").symlink_to(files)
    made["examples"].split_names = json.dumps(sorted(splits))
    given = {component.spec.SLICE: asked.model_dump_json(), "example_splits": json.dumps([keys.TEST])}
    context = component.Executor.Context(beam_pipeline_args=[], tmp_dir=str(folder / "tmp"), unique_id="")
    inputs = {name: [made[name]] for name in ("model", "examples")}
    component.Executor(context).Do(inputs, {name: [made[name]] for name in ("evaluation", "blessing")}, given)

    def said(name: str, key: str, default: str = "null") -> Any:
        return json.loads(made[name].get_string_custom_property(key) or default)

    return {
        "metrics": said("evaluation", keys.METRICS),
        "intervals": said("evaluation", keys.INTERVALS),
        "slices": said("evaluation", keys.SLICES),
        "differences": said("evaluation", keys.DIFFERENCES),
        "comparison": made["evaluation"].get_string_custom_property(keys.COMPARISON),
        "blessed": made["blessing"].get_int_custom_property("blessed") == 1,
        "reason": made["blessing"].get_string_custom_property(keys.REASON),
        "missed": said("blessing", keys.MISSED, "[]"),
    }, made["evaluation"].uri


def _lay_model(folder: Path, model: Path, artifact: str | None) -> None:
    """A Model artifact whose SavedModel is `model`, beside what else `artifact` has of it."""
    from tfx.utils import path_utils

    Path(path_utils.serving_model_path(str(folder))).symlink_to(model.resolve())
    (folder / keys.CARD_FILE).symlink_to((model / keys.CARD_IN_EXPORT).resolve())
    for path in Path(artifact).iterdir() if artifact else ():
        if not (folder / path.name).exists():
            (folder / path.name).symlink_to(path)
