"""How wide the columns of a table are where a terminal has not the room for all that they hold."""

from collections.abc import Collection, Sequence

from rich.cells import cell_len


def needed(column: str, rows: Sequence[Sequence[object]], place: int) -> int:
    """Cells that a column takes, heading and all."""
    return max(map(cell_len, [column, *("" if row[place] is None else str(row[place]) for row in rows)]))


def shared(wanted: Sequence[int], room: int) -> list[int]:
    """What each of some columns gets of the room that they have together: what it wants, or as much as any other; 1 at least."""
    widths = [1] * len(wanted)
    for position, place in enumerate(sorted(range(len(wanted)), key=lambda place: wanted[place])):
        widths[place] = max(1, min(wanted[place], room // (len(wanted) - position)))
        room -= widths[place]
    return widths


def beside(columns: Sequence[str], wanted: Sequence[int], whole: Collection[str], room: int) -> list[int]:
    """Of all columns: those of `whole` get what they want, the others share what these leave."""
    others = [place for place, column in enumerate(columns) if column not in whole]
    left = room - sum(wanted[place] for place, column in enumerate(columns) if column in whole)
    given = dict(zip(others, shared([wanted[place] for place in others], left), strict=True))
    return [given.get(place, wanted[place]) for place in range(len(columns))]
