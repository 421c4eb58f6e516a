"""Effort (勤务投入): minutes a patrol spent per analysis cell and hour, from its places in time."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

CELL_M = 50
"""Width of a cell in metres of the community's metric projection."""
LONGEST_SILENCE_S = 300
"""Between two places further apart in time nobody knows where the patrol was: it is not counted."""

Cell = tuple[int, int, int]
"""Start of the hour in seconds since 1970, column, row."""


@dataclass(frozen=True, slots=True)
class Fix:
    """A place at a time: seconds since 1970, metres east and north."""

    at_s: int
    x: float
    y: float


def effort_of(fixes: Sequence[Fix]) -> dict[Cell, float]:
    """Return minutes per cell and hour of one patrol; two phones of a team count once.

    The time to the next place counts where the patrol was; an hour's border splits it.
    """
    found: dict[Cell, float] = {}
    ordered = sorted(fixes, key=lambda fix: fix.at_s)
    for here, there in pairwise(ordered):
        if there.at_s - here.at_s > LONGEST_SILENCE_S:
            continue
        column, row = int(here.x // CELL_M), int(here.y // CELL_M)
        at = here.at_s
        while at < there.at_s:
            hour = at - at % 3600
            until = min(hour + 3600, there.at_s)
            cell = (hour, column, row)
            found[cell] = found.get(cell, 0.0) + (until - at) / 60
            at = until
    return found
