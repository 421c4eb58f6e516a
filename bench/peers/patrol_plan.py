"""A week's plan of patrols on its way to a file: {"day,shift,zone": [officer, grid member, people]}."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

Seat = tuple[int, int]
"""The patrol's place in the file's list, and the seat: 0 officer, 1 grid member, 2 people."""


def write_plan(week: Mapping[str, Any], filled: Iterable[tuple[Seat, str]], path: Path) -> None:
    """Write who sits where; a seat that is not named stays empty."""
    names = [f"{day},{shift},{zone}" for day, shift, zone in week["patrols"]]
    plan: dict[str, list[str | None]] = {name: [None] * 3 for name in names}
    for (patrol, kind), who in filled:
        plan[names[patrol]][kind] = who
    path.write_text(json.dumps(plan) + "\n")
