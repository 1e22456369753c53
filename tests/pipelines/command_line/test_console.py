"""What the terminal shows of single events."""

import io
import re

import pytest
from rich.console import Console
from rich.progress import Progress

from components.example_gen import pictures
from components.example_gen.changes import WORDS
from components.inputs import storage_of
from configs.errors import HubelError
from pipelines.command_line.console import RunView, _spread, figures, plan, result, slices, table
from pipelines.command_line.steps_view import Counted
from pipelines.command_line.trials_view import Trials, duration, fitted
from reports.trials import without_defaults

IMAGES = {
    "event": "images",
    "counts": {"train": 6, "validation": 2, "test": 2},
    "classes": {"train": {"a": 3, "b": 3}},
    "quarantined": {"empty": 1},
    "duplicates": 1,
    "overall": {
        "height": {"mean": 8.0, "min": 8, "max": 8},
        "width": {"mean": 9.0, "min": 8, "max": 12},
        "brightness": {"mean": 77.7, "min": 3.2, "max": 120.0},
    },
    "warnings": ["leakage: 2 images [a]"],
}


def test_a_warning_is_a_line(capsys):
    RunView()({"event": "warning", "text": "augment flips digits [really]"})
    shown = capsys.readouterr()
    assert shown.err == "    warning: augment flips digits [really]\n"
    assert shown.out == ""


def test_a_bar_counts_where_it_is_known_of_how_many():
    bar = Progress(Counted())
    for total in (None, 3):
        bar.add_task("", total=total, completed=1)
    assert [str(Counted().render(task)) for task in bar.tasks] == ["", "1/3"]


def test_quiet_shows_no_warning(capsys):
    RunView(quiet=True)({"event": "warning", "text": "x"})
    assert capsys.readouterr().err == ""


def test_what_was_read_stands_below_its_component_and_warnings_last(capsys):
    with RunView() as view:
        view({"event": "node", "name": "ExampleGen"})
        view(IMAGES)
        view({"event": "node_done", "name": "ExampleGen", "cached": False, "seconds": 1.0})
        view({"event": "node_done", "name": "StatisticsGen", "cached": False, "seconds": 1.0})
    _, *lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "  ExampleGen            1.0 s  6 train, 2 validation, 2 test images",
        "    train           a: 3, b: 3",
        "    width 8 to 12, height 8 px, brightness 3 to 120 of 255, 78 in the mean",
        "    warning: leakage: 2 images [a]",
        "  StatisticsGen         1.0 s",
    ]


def test_what_is_read_is_called_what_it_is_and_measured_as_it_can_be(capsys):
    measures = {"characters": {"min": 4, "max": 60, "mean": 31.4}, "words": {"min": 1, "max": 1, "mean": 1}}
    with RunView() as view:
        view({"event": "node", "name": "ExampleGen"})
        view(IMAGES | {"overall": measures, "noun": "text", "warnings": []})
        view({"event": "node_done", "name": "ExampleGen", "cached": False, "seconds": 1.0})
    _, first, _, looks = capsys.readouterr().err.splitlines()
    assert first.endswith("6 train, 2 validation, 2 test texts")
    assert looks == "    characters 4 to 60, 31 in the mean, words 1, 1 in the mean"


def test_what_was_done_to_images_is_said_in_a_line(capsys):
    with RunView() as view:
        view({"event": "node", "name": "ExampleGen"})
        view(IMAGES | {"changes": {"16_bits": 3, "turned": 8}})
        view({"event": "node_done", "name": "ExampleGen", "cached": False, "seconds": 1.0})
    assert "    of these 3 of 16 bits, 8 turned as their EXIF tags say\n" in capsys.readouterr().err
    assert set(pictures.CHANGES) == set(WORDS)


def test_shares_of_a_mask_s_pixels_are_a_line_a_split(capsys):
    shares = {"train": {"sky": 0.25, "sea": 0.75, "": 0.1}, "test": {f"c{n}": 0.05 for n in range(20)}}
    with RunView() as view:
        view({"event": "node", "name": "ExampleGen"})
        view(IMAGES | {"pixels": {"mask": shares}})
        view({"event": "node_done", "name": "ExampleGen", "cached": False, "seconds": 1.0})
    shown = capsys.readouterr().err
    assert "    train           mask pixels sea: 75.0%, sky: 25.0%, of no class: 10.0% of all\n" in shown
    assert "more classes\n" in shown


def test_of_many_features_that_moved_the_farthest_are_said(capsys):
    with RunView() as view:
        view({"event": "node", "name": "ExampleValidator"})
        view({"event": "distances", "drift": {}, "skew": {f"mask/share/{n}": n / 100 for n in range(1, 13)}})
        view({"event": "node_done", "name": "ExampleValidator", "cached": False, "seconds": 1.0})
    shown = capsys.readouterr().err
    assert "skew between train and test: mask/share/12 0.12, mask/share/11 0.11," in shown
    assert "mask/share/5 0.05 and 4 more" in shown


def test_a_whole_run_that_warns_of_all_it_can_is_less_than_40_lines(capsys):
    nodes = ["ExampleGen", "StatisticsGen", "EarlierStatistics", "SchemaGen", "ExampleValidator", "Transform", "AugmentedCopies"]
    nodes += ["Tuner", "Trainer", "InfraValidator", "Resolver", "Evaluator", "Pusher"]
    classes = {split: {"a": 3, "b": 3} for split in IMAGES["counts"]}
    with RunView() as view:
        for name in nodes:
            view({"event": "node", "name": name})
            if name == "ExampleGen":
                view(IMAGES | {"classes": classes, "warnings": ["4 images are damaged", "leakage: 2 images"]})
            if name == "ExampleValidator":
                view({"event": "distances", "drift": {"label": 0.2}, "skew": {"label": 0.3}})
            if name == "Trainer":
                view({"event": "warning", "text": "augment flips digits"})
                view({"event": "training", "epochs": 100, "steps": 3})
                for epoch in range(100):
                    view({"event": "epoch", "epoch": epoch, "epochs": 100, "seconds": 1.0, "figures": {"loss": 0.1}})
            view({"event": "node_done", "name": name, "cached": False, "seconds": 1.0})
    metrics = {"accuracy": 0.9, "cross_entropy": 0.1, "macro_f1": 0.9, "example_count": 2.0}
    value = {
        "slices": [],
        "comparison": "beside the last model",
        "blessed": True,
        "version": 1,
        "model": "a",
        "model_dir": "/a/1",
        "seconds": 9.0,
    }
    result({"metrics": metrics, **value})
    shown = capsys.readouterr()
    assert 25 < len((shown.err + shown.out).splitlines()) < 40


@pytest.mark.parametrize(("error", "shown"), [(HubelError("too many"), True), (KeyboardInterrupt(), False)])
def test_of_a_component_that_failed_the_counts_are_shown(error, shown, capsys):
    def fail():
        with RunView() as view:
            view({"event": "node", "name": "ExampleGen"})
            view(IMAGES)
            raise error

    with pytest.raises(type(error)):
        fail()
    said = capsys.readouterr().err
    assert ("  ExampleGen           failed  6 train, 2 validation, 2 test images\n" in said) == shown
    assert "warning" not in said


@pytest.mark.parametrize(
    ("drift", "skew", "said"),
    [
        ({}, {"image/width": 0.0, "label": 0.009}, ""),
        ({}, {"image/width": 0.0, "label": 0.01}, "skew between train and test: label 0.01"),
        ({"label": 0.0}, {"label": 0.0}, "drift since the data before: none"),
        ({"label": 0.2}, {"label": 0.3}, "drift since the data before: label 0.20; skew between train and test: label 0.30"),
    ],
)
def test_drift_and_skew_are_shown_from_a_hundredth_on(drift, skew, said, capsys):
    view = RunView()
    view({"event": "distances", "drift": drift, "skew": skew})
    view({"event": "node_done", "name": "ExampleValidator", "cached": False, "seconds": 0.2})
    assert capsys.readouterr().err == f"  ExampleValidator      0.2 s  {said}".rstrip() + "\n"


def test_what_others_reach_stands_beside_the_figure_of_the_same_measure():
    metrics = {
        "mse": 0.01,
        "ssim": 0.8,
        "ms_ssim": 0.9,
        "example_count": 360.0,
        "pca_mse": 0.02,
        "pca_psnr": 16.0,
        "kernel_pca_mse": 0.015,
    }
    assert figures(metrics) == [
        ("mse", "0.0100", "PCA 0.0200, kernel PCA 0.0150"),
        ("ssim", "0.8000", ""),
        ("ms_ssim", "0.9000", ""),
        ("example_count", "360 test images", ""),
        ("pca_psnr", "16.0000", ""),  # there is no psnr for it to stand beside
    ]


def test_counts_are_whole_numbers(capsys):
    assert figures({"example_count": 1, "true_positives": 45, "recall": 1.0}) == [
        ("example_count", "1 test image", ""),
        ("true_positives", "45", ""),
        ("recall", "1.0000", ""),
    ]
    [_, row] = shown_slices([part(3, "three", true_positives=12, recall=1.0)], capsys)
    assert row == ["label=3", "three", "13", "12", "1.0000"]


@pytest.mark.parametrize(
    ("images", "said"),
    [(dict.fromkeys(range(106), 14), "106 classes of 14 images each"), (dict.fromkeys(range(13), 1), "13 classes of 1 image each")],
)
def test_classes_of_one_size_are_said_to_be(images, said, capsys):
    view = RunView()
    view(IMAGES | {"classes": {"train": images}})
    view({"event": "node_done", "name": "ExampleGen", "cached": False, "seconds": 1.0})
    assert said in capsys.readouterr().err


def test_a_narrow_terminal_breaks_text_and_cuts_nothing(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "60")
    about = "Which digits are none of 0 to 4: an autoencoder that has seen only those, and says so of an image."
    table(["name", "about", "count"], [["digits_anomalies", about, 1_000]], right=["count"])
    lines = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()
    assert max(map(len, lines)) <= 60
    assert lines[1].split()[0] == "digits_anomalies"
    assert sorted(" ".join(lines[1:]).split()) == sorted(["digits_anomalies", *about.split(), "1000"])


def test_a_refused_run_shows_its_figures_what_it_was_compared_with_and_why(capsys):
    comparison = "mse 0.09000 against 0.02000 of PCA with the same code size of 8"
    value = {"metrics": {"mse": 0.09}, "slices": [], "comparison": comparison, "blessed": False, "seconds": 1.0}
    result(value | {"reason": "mse is above PCA's"})
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].split() == ["mse", "0.0900"]
    assert shown[1:] == [comparison, "Not blessed: mse is above PCA's. Nothing was pushed.", "1.0 s"]
    result(value | {"reason": ""})  # of a run of an earlier hubel
    assert "Not blessed. Nothing was pushed." in capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("is_blessed", [True, False])
def test_what_was_not_pushed_is_named_with_what_to_try(is_blessed, capsys):
    value = {"metrics": {"mse": 0.09}, "slices": [], "comparison": "", "version": None, "reason": "x", "seconds": 1.0, "model": "a"}
    result(value | {"blessed": is_blessed, "hints": [] if is_blessed else ["this [one]", "that"], "candidate": "/place/[1]"})
    _, first, *lines, _ = capsys.readouterr().out.splitlines()
    assert first.startswith("Blessed; not pushed" if is_blessed else "Not blessed: x.")
    tried = [] if is_blessed else ["  try: this [one]", "  try: that"]
    told = ["The candidate: /place/[1]", "  ask it all the same: hubel predict a@candidate IMAGE..."]
    assert lines == [*tried, *told]


def test_a_figure_stands_with_its_interval_and_fits_a_terminal(capsys):
    value = {"slices": [], "comparison": "", "blessed": True, "version": None, "seconds": 1.0}
    metrics = {"mse": 0.0292, "probe_accuracy": 0.9, "pca_mse": 0.0343, "kernel_pca_mse": 0.03, "example_count": 360.0}
    result({"metrics": metrics, "intervals": {"mse": [0.0251, 0.0333], "pca_mse": [0.03, 0.04]}, **value})
    header, error, probe, count, *_ = shown = capsys.readouterr().out.splitlines()
    assert header.split() == ["95", "%", "interval"]
    assert error.split() == ["mse", "0.0292", "0.0251", "to", "0.0333", "PCA", "0.0343,", "kernel", "PCA", "0.0300"]
    assert error.startswith("  mse  ")
    assert probe.split() == ["probe_accuracy", "0.9000"]
    assert count.split() == ["example_count", "360", "test", "images"]
    assert max(map(len, shown)) <= 100
    result({"metrics": {"log_likelihood": -1234.5678}, "intervals": {"log_likelihood": [-1300.1234, -1200.5678]}, **value})
    likelihood = capsys.readouterr().out.splitlines()[1]
    assert likelihood.split() == ["log_likelihood", "-1234.5678", "-1300.1234", "to", "-1200.5678"]


def test_a_slice_shows_the_interval_of_the_figure_by_which_it_stands(capsys):
    figures_ = {"mse": 0.0292, "psnr": 15.5714, "ssim": 0.8485, "pca_mse": 0.0343, "pca_psnr": 14.9543, "pca_ssim": 0.8258}
    worst = {**part(7, "seven", **figures_), "intervals": {"mse": [0.0251, 0.0333], "psnr": [15.0, 16.0]}}
    value = {"metrics": {"mse": 0.09}, "comparison": "", "blessed": True, "version": None, "seconds": 1.0}
    result({**value, "slices": [worst, part(2, "two", mse=0.01)]})
    _, header, first, second, *_ = shown = capsys.readouterr().out.splitlines()
    assert header.split()[:6] == ["slice", "images", "mse", "95", "%", "interval"]
    assert first.split()[:7] == ["label=7", "seven", "17", "0.0292", "0.0251", "to", "0.0333"]
    assert second.split() == ["label=2", "two", "12", "0.0100"]
    assert max(map(len, shown)) <= 100


def part(label, name, **metrics):
    return {"slice": {"label": label}, "class": name, "examples": 10 + label, "metrics": metrics}


def shown_slices(parts, capsys) -> list[list[str]]:
    """Words of each line of the result between its figures and its end."""
    value = {"metrics": {"mse": 0.09}, "comparison": "", "blessed": True, "version": None, "seconds": 1.0}
    result(value | {"slices": parts})
    return [line.split() for line in capsys.readouterr().out.splitlines()[1:-2]]


def test_each_slice_is_a_row_of_its_first_figures_and_pca_s(capsys):
    figures_ = {"mse": 0.02, "psnr": 17.0, "ssim": 0.8, "sparsity": 0.3, "pca_mse": 0.01, "pca_ssim": 0.9}
    without = {"psnr": 18.0}
    rows = shown_slices([part(3, "three", **figures_), part(4, "4", **without), part(5, None)], capsys)
    assert rows == [
        ["slice", "images", "mse", "PCA", "mse", "psnr", "ssim", "PCA", "ssim"],
        ["label=3", "three", "13", "0.0200", "0.0100", "17.0000", "0.8000", "0.9000"],
        ["label=4", "14", "18.0000"],
        ["label=5", "15"],
    ]
    assert shown_slices([], capsys) == []
    assert shown_slices([part(5, None)], capsys) == [["slice", "images"], ["label=5", "15"]]


def test_of_very_many_slices_the_worst_are_shown(capsys):
    header, *rows, note = shown_slices([part(label, None, accuracy=label / 100) for label in range(100)], capsys)
    assert header == ["slice", "images", "accuracy"]
    assert [row[0] for row in rows] == [f"label={label}" for label in range(5)]
    assert " ".join(note) == "these are the worst of 100 slices; --json has all"


def test_a_long_training_is_few_plain_lines_where_there_is_no_terminal(capsys):
    view = RunView()
    for epoch in range(100):
        view({"event": "epoch", "epoch": epoch, "epochs": 100, "seconds": 1.0, "figures": {"loss": 0.1}})
    shown = capsys.readouterr().err
    assert 5 <= len(shown.splitlines()) <= 7
    assert "\x1b" not in shown


def test_what_stands_between_colons_is_no_picture(capfd):
    RunView()({"event": "note", "text": "passed over in folder:a: 1 .txt"})
    table(["class"], [[":b:"]])
    shown = capfd.readouterr()
    assert shown.err == "    passed over in folder:a: 1 .txt\n"
    assert shown.out.split() == ["class", ":b:"]


def test_what_reads_texts_is_tried_with_one():
    from pipelines.command_line import console

    assert console._question({"given_as": storage_of("text").given_as}) == "--text TEXT"
    assert console._question({"reads": "image"}) == console._question({}) == "IMAGE..."


def test_what_is_read_is_called_by_its_name(capsys):
    assert figures({"example_count": 12}, "text") == [("example_count", "12 test texts", "")]
    slices([{"slice": {"label": 3}, "class": "x", "examples": 7, "metrics": {}}], "text")
    assert capsys.readouterr().out.split()[:2] == ["slice", "texts"]
    assert _spread({str(number): number for number in range(1, 21)}, "text") == "20 classes of 1 to 20 texts"


STUDY = {
    "config": "a",
    "algorithm": "random",
    "objective": [{"name": "val_accuracy", "direction": "max"}],
    "space": {"train.epochs": {"min": 1, "max": 9}, "model.options.hidden": {"choices": [[300, 100], [50]]}},
    "seed": 0,
    "fingerprint": "f",
    "started": 1.7e9,
}
EARLIER = {"id": "0000", "values": {"train.epochs": 3}, "status": "completed", "value": 0.5, "seconds": 1.0}


def search(view, trials=(EARLIER,)):
    view({"event": "node", "name": "Tuner"})
    view({"event": "search", "study": STUDY, "trials": list(trials)})
    view({"event": "trial", "trial": "0001", "values": {"train.epochs": 2, "model.options.hidden": [300, 100]}, "worker": "w"})
    view({"event": "trial_epoch", "trial": "0001", "epoch": 1, "epochs": 2, "figures": {"val_accuracy": 0.4}})


def done(number, status="completed", **told):
    return {"event": "trial_done", "trial": f"{number:04d}", "status": status, "value": None, "seconds": 2.0, "reason": ""} | told


def test_a_search_in_a_pipe_is_a_line_a_trial_and_what_it_found_in_the_stages_line(capsys):
    with RunView() as view:
        search(view)
        view({"event": "trials", "done": 0, "failed": 0, "pruned": 0, "left": 10, "seconds_left": None})
        view(done(1, value=0.75))
        view({"event": "trials", "done": 2, "failed": 0, "pruned": 0, "left": 8, "seconds_left": 170.0})
        view({"event": "trial", "trial": "0002", "values": {"train.epochs": 9}, "worker": "w"})
        view(done(2, "failed", reason="Out of memory [sic]."))
        view({"event": "trials", "done": 9, "failed": 1, "pruned": 0, "left": 0, "seconds_left": 0.0})
        view({"event": "node_done", "name": "Tuner", "cached": False, "seconds": 9.0})
    shown = capsys.readouterr().err
    assert shown.splitlines()[1:] == [
        "    random search for the best val_accuracy (max); goes on from 1 trial",
        "    trial 0001  completed  val_accuracy 0.7500  2.0 s  epochs 2  hidden [300, 100]",
        "    2 done, 8 left, about 3 min left",
        "    trial 0002  failed  2.0 s  epochs 9: Out of memory [sic].",
        "  Tuner                 9.0 s  3 trials, the best val_accuracy 0.7500 of trial 0001",
    ]
    assert "\x1b" not in shown


def test_of_several_objectives_the_first_line_says_what_is_summed():
    several = [{"name": "val_accuracy", "direction": "max", "weight": 1.0}, {"name": "val_loss", "direction": "min", "weight": 0.2}]
    assert Trials().search({"study": STUDY | {"objective": several}, "trials": []}) == (
        "random search for the best objective (min), the sum of val_accuracy (max) + 0.2 x val_loss (min), those of (max) counted "
        "negative"
    )


def test_of_a_long_search_few_lines_say_how_far_it_is(capsys):
    with RunView() as view:
        search(view)
        for number in range(1, 101):
            view({"event": "trials", "done": number, "failed": 0, "pruned": 0, "left": 100 - number, "seconds_left": None})
    assert capsys.readouterr().err.count(" left") == 9  # of the last one the line of the stage tells


def test_how_long_a_trial_was_trained_is_in_its_line_and_in_the_live_table(capsys):
    with RunView() as view:
        search(view)
        view(done(1, value=0.75, epochs=2))
        view(done(2, value=0.5, epochs=1))
    shown = capsys.readouterr().err.splitlines()
    assert shown[-2:] == [
        "    trial 0001  completed  val_accuracy 0.7500  2 epochs  2.0 s  epochs 2  hidden [300, 100]",
        "    trial 0002  completed  val_accuracy 0.5000  1 epoch  2.0 s",
    ]
    trials = Trials()
    trials.search({"study": STUDY, "trials": [EARLIER | {"epochs": 27}]})
    assert live(trials).splitlines()[1].split() == ["0000", "completed", "0.5000", "27", "1.0", "3"]


MOVES = [
    {"translate": {"border": "mirror", "value": 0.0, "height": 0.1, "width": 0.1}},
    {"rotate": {"border": "mirror", "value": 0.0, "degrees": 10.0}},
]
LONG = {
    "augment": MOVES,
    "train.optimizer": {"name": "sgd", "momentum": 0.9, "nesterov": True},
    "train.schedule": {"name": "cosine"},
    "train.optimizer.learning_rate": 0.0123,
}


@pytest.mark.parametrize("width", [80, 120])
def test_long_choices_are_cut_and_never_the_trial_its_status_and_its_value(width):
    trials = Trials()
    first = EARLIER | {"values": LONG, "epochs": 27}
    trials.search({"study": STUDY | {"space": {path: {} for path in LONG}}, "trials": [first]})
    head, row, progress = live(trials, width).splitlines()
    assert head.split()[:5] == ["trial", "status", "val_accuracy", "epochs", "seconds"]
    assert row.split()[:5] == ["0000", "completed", "0.5000", "27", "1.0"]
    assert "…" in row
    assert max(map(len, (head, row, progress))) <= width
    hidden = {80: ["schedule", "learning_rate"], 120: []}[width]
    assert head.split()[5:] == [name for name in ("augment", "optimizer", "schedule", "learning_rate") if name not in hidden]
    assert ("; no room for schedule, learning_rate" in progress) == bool(hidden)


def test_columns_that_cannot_be_read_are_left_out_the_last_first():
    columns, rows = ["trial", "a", "b", "c"], [["0000", "x" * 30, "1", "y" * 30]]
    assert fitted(columns, rows, ["trial"], 7 + 12) == (["trial", "a"], [["0000", "x" * 30]], ["b", "c"])
    assert fitted(columns, rows, ["trial"], 7 + 12 + 3) == (["trial", "a", "b"], [["0000", "x" * 30, "1"]], ["c"])
    assert fitted(columns, rows, ["trial"], 5) == (["trial"], [["0000"]], ["a", "b", "c"])
    assert fitted(columns, rows, ["trial"], 200) == (columns, rows, [])


def test_a_line_of_a_pipe_ends_with_its_text(capsys):
    table(["file", "class", "note"], [["a.png", "one", None], ["b.png", None, "It is no image, or a kind that nobody reads."]])
    assert capsys.readouterr().out.splitlines() == [
        "file   class  note",
        "a.png  one",
        "b.png         It is no image, or a kind that nobody reads.",
    ]


def test_the_end_table_cuts_long_choices_on_a_terminal_alone(capsys, monkeypatch):
    whole, rows = ["trial", "status"], [["0000", "completed", "x" * 200, "It diverged, for the rate was too high for it."]]
    monkeypatch.setenv("COLUMNS", "60")
    table(["trial", "status", "augment", "reason"], rows, whole=whole, cut=["augment"])
    assert "x" * 200 in capsys.readouterr().out
    monkeypatch.setenv("FORCE_COLOR", "1")
    table(["trial", "status", "augment", "reason"], rows, whole=whole, cut=["augment"])
    lines = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()
    assert lines[1].split()[:2] == ["0000", "completed"]
    assert lines[1].split()[2].endswith("x…")
    assert all(len(line) <= 60 for line in lines)
    folded = "".join(line[-20:].strip() for line in lines[1:])
    assert "diverged" in folded
    assert "for it." in lines[-1]


def test_of_a_mapping_what_is_its_default_is_left_out():
    short = [{"translate": {"height": 0.1, "width": 0.1}}, {"rotate": {"degrees": 10.0}}]
    assert without_defaults("augment", MOVES) == short
    assert without_defaults("train.optimizer", LONG["train.optimizer"]) == LONG["train.optimizer"]
    assert without_defaults("train.optimizer", {"name": "adam", "momentum": 0.0}) == {"name": "adam"}
    assert without_defaults("model.options.hidden", [300, 100]) == [300, 100]
    assert without_defaults("train.no_such", {"key": 1}) == {"key": 1}


def test_a_cached_search_has_a_line_like_any_stage(capsys):
    with RunView() as view:
        view({"event": "node", "name": "Tuner"})
        view({"event": "node_done", "name": "Tuner", "cached": True, "seconds": 0.0})
    assert capsys.readouterr().err.splitlines()[1:] == ["  Tuner                cached"]


def live(trials, width=80) -> str:
    """What a terminal shows of a search while it goes on."""
    console = Console(width=width, height=50, file=io.StringIO(), force_terminal=True, color_system=None)
    console.print(trials)
    return console.file.getvalue()


def test_the_live_table_has_the_best_first_then_what_runs_and_fits_a_screen():
    trials = Trials()
    trials.search({"study": STUDY, "trials": [EARLIER]})
    for number in range(1, 31):
        trials.begun({"trial": f"{number:04d}", "values": {"train.epochs": number % 9, "model.options.hidden": [300, 100]}})
        trials.over(done(number, value=number / 100) if number % 3 else done(number, "failed", reason="It diverged."))
    trials.begun({"trial": "0031", "values": {"train.epochs": 4}})
    trials.epoch({"trial": "0031", "epoch": 3, "epochs": 4, "figures": {}})
    trials.counted({"done": 21, "pruned": 0, "failed": 10, "left": 9, "seconds_left": 9000.0})
    lines = live(trials).splitlines()
    assert lines[0].split() == ["trial", "status", "val_accuracy", "epochs", "seconds", "train.epochs", "hidden"]
    assert lines[1].split()[:3] == ["0000", "completed", "0.5000"]
    assert lines[2].split()[:3] == ["0029", "completed", "0.2900"]
    assert lines[-3].split()[:3] == ["0031", "epoch", "3/4"]
    assert lines[-2:] == ["  and 22 trials behind these", "  21 done, 0 pruned, 10 failed, 9 left, about 2.5 h left"]
    assert len(lines) < 16
    assert all(len(line) <= 80 for line in lines)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (119.0, "119 s"), (121.0, "2 min"), (7100.0, "118 min"), (9000.0, "2.5 h")]
)
def test_durations(seconds, words):
    assert duration(seconds) == words


def test_a_plan_has_the_notes_of_each_config(capsys):
    step = {"config": "mine", "components": [{"name": "Tuner", "cached": False}], "fetches": None, "notes": ["grid search tries 6"]}
    plan(step | {"first": [step | {"config": "before", "notes": ["mine is mine@1"]}]})
    assert capsys.readouterr().out.splitlines()[-2:] == ["mine is mine@1", "grid search tries 6"]
