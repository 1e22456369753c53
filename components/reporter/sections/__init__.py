"""Sections of a run's page that every task has: a file each, found by its name, with `ORDER: int`, its place in the page, and
`section(material) -> Section | None`, None where the run has nothing of the kind. TASK is the place of what the task adds."""

TASK = 50
