"""Whose weights a training may start from: of the same classes in the same order, where its head is taken over."""

import pytest

from components import keys
from components.tasks import classification
from components.tasks.base import Task
from components.tasks.by_name import task_of
from components.trainer import checks
from configs.errors import UsageError
from tests.components import digits

PETS = ["cat", "dog", "owl"]


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (["cat", "owl", "dog"], "cat, dog, owl of label, and here they are cat, owl, dog: class 1 is dog there and owl here."),
        (["cat", "dog"], "class 2 is owl there and none here."),
        ([*PETS, "fox"], "class 3 is none there and fox here."),
        ([f"n{number}" for number in range(20)], "n10, n11 and 8 more: class 0 is cat there and n0 here."),
    ],
)
def test_other_classes_or_another_order_are_refused(now, words):
    with pytest.raises(UsageError) as refused:
        checks.check_initial_classes(digits.card(class_names=PETS), task_of("classification"), {keys.LABEL: now})
    assert refused.value.message.endswith(words)
    assert refused.value.hint


class Segmentation(Task):
    targets = (keys.MASK,)
    pair = compile = signatures = None


def test_a_further_target_s_classes_are_held_against_its_own(monkeypatch):
    monkeypatch.setattr(checks, "task_of", lambda name: Segmentation())
    card = digits.card(class_names=["paper", "ink"], targets={keys.MASK: ["paper", "ink"]})
    checks.check_initial_classes(card, Segmentation(), {keys.MASK: ["paper", "ink"], keys.LABEL: PETS})
    with pytest.raises(
        UsageError, match="the classes paper, ink of mask, and here they are ink, paper: class 0 is paper there and ink"
    ):
        checks.check_initial_classes(card, Segmentation(), {keys.MASK: ["ink", "paper"], keys.LABEL: PETS})


class NewHead(classification.Task):
    keeps_head = False


@pytest.mark.parametrize(
    ("earlier", "task", "names"),
    [
        ({}, task_of("classification"), {keys.LABEL: PETS}),  # the same
        ({}, task_of("classification"), {}),  # nothing here has names
        ({"class_names": []}, task_of("classification"), {keys.LABEL: PETS}),  # nothing there has
        ({"task": "reconstruction"}, task_of("classification"), {keys.LABEL: PETS[::-1]}),  # has seen labels, and learned none
        ({}, task_of("anomaly:reconstruction"), {keys.LABEL: PETS[::-1]}),
        ({}, task_of("multilabel"), {keys.LABEL: PETS[::-1], keys.LABELS: PETS[::-1]}),  # another target
        ({}, NewHead(), {keys.LABEL: PETS[::-1]}),
    ],
)
def test_the_same_classes_and_what_has_none_are_taken(earlier, task, names):
    checks.check_initial_classes(digits.card(**{"class_names": PETS, **earlier}), task, names)
