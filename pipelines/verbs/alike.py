"""Whether two models answer the same question. Used in the worker process."""

from components import keys
from components.inputs import storage_of
from components.tasks.judges.by_name import judge_of
from components.trainer.card import Card
from configs.errors import UsageError


def check(a: Card, b: Card) -> None:
    """Raise UsageError where they do not."""
    if (a.task, a.reads) != (b.task, b.reads):
        what = [f"{card.architecture} ({card.task}, of {storage_of(card.reads).noun}s)" for card in (a, b)]
        raise UsageError(f"The two answer different questions: {what[0]} and {what[1]}.", "Compare models of one task.")
    if judge_of(a.task).label_key in (keys.LABEL, keys.LABELS) and (a.class_names, a.targets) != (b.class_names, b.targets):
        names = [", ".join(card.class_names or next(iter(card.targets.values()), [])) for card in (a, b)]
        raise UsageError(f"The two know different classes: {names[0]}, and {names[1]}.", "Compare models of the same classes.")
