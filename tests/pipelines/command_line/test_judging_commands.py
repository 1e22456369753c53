"""What the verbs that judge models say besides figures. The values are the worker's own."""

from components.example_gen import pictures
from pipelines.command_line import judging_commands, robustness_view
from pipelines.verbs.judging import Read


def test_what_was_left_out_and_what_is_seen_otherwise_is_said():
    read = Read(images=3, unknown={"banana": 2}, changes={pictures.FIRST: 1}, named=[{"id": "zero/a.png", "reason": "is torn"}])
    said = judging_commands.left_out({"data": read.as_json(), "left_out": read.left_out})
    assert said[:2] == ["Left out: 2 of the class 'banana', which the model does not know.", "  zero/a.png: is torn"]
    assert said[2:] == ["1 image has several frames or pages, of which the first is read."]


def test_of_data_that_is_read_as_it_is_nothing_is_said():
    read = Read(images=3, classes={"zero": 3})
    assert judging_commands.left_out({"data": read.as_json(), "left_out": read.left_out}) == []


def test_the_first_figure_stands_beside_that_of_its_run_which_is_not_how_many_there_were():
    told = {"metric": "mse", "words": "within noise (Welch's t-test, p = 0.500)"}
    pushed = {"metrics": {"example_count": 120, "mse": 0.02}, "differences": [told]}
    value = {"pushed": pushed, "metrics": {"example_count": 298, "mse": 0.021}}
    said = "On its run's test split mse was 0.0200"
    assert [*robustness_view.since(value)] == [f"{said}: a difference within noise (Welch's t-test, p = 0.500)."]
    assert [*robustness_view.since({**value, "pushed": {**pushed, "differences": []}})] == [f"{said}."]
    assert [*robustness_view.since({**value, "pushed": None})] == []
