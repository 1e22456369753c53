"""Sections of a run's page that every task has: a file each, found by its name, with `ORDER: int`, its place in the page, and
`section(material) -> Section | None`, None where the run has nothing of the kind. TASK is the place of what the task adds. One that
has `OF_EVALUATIONS = True` is also of the page of a model that was judged again (material.Judged)."""

TASK = 50
LAST = 99
OF_EVALUATIONS = "OF_EVALUATIONS"
