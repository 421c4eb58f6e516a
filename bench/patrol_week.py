"""The weekly patrol files as lines of work, and plans written out.

A patrol (day, shift, zone) has three seats: an officer, a grid member, a guard or group leader.
Hard: kind, days off, banned shifts, one patrol a day, 11 h rest, ``max`` patrols, at most 2 that
end after 23:00, at most 5 days in a row. Costs: 1000 per empty seat, 20 × spread of patrols with
history within each role, 2 per patrol outside the member's zones, 3 per third and later patrol in
one zone, request weights; the file may give other weights in ``w``.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scheduling.core.lines.line_problem import (
    FORBIDDEN,
    Counter,
    Group,
    Ints,
    LineProblem,
    Repeat,
    Worker,
)

NIGHT_AFTER_MIN = 1380
SEATS = 3


@dataclass(frozen=True)
class Week:
    """A file: its lines of work, and what a plan is written with."""

    problem: LineProblem
    people: list[str]
    patrols: list[tuple[int, int, int]]
    zones: int


def read(path: Path) -> Week:
    """Read a file. Raises KeyError, ValueError or OSError for one that is none."""
    data = json.loads(path.read_text())
    days, shifts, weight = int(data["D"]), data["shifts"], data["w"]
    patrols = [(int(d), int(s), int(z)) for d, s, z in data["patrols"]]
    night = np.zeros((days, len(shifts)), dtype=np.int64)
    for n, shift in enumerate(shifts):
        night[:, n] = shift["end"] > NIGHT_AFTER_MIN
    one = np.ones((days, len(shifts)), dtype=np.int64)
    follows = np.ones((len(shifts), len(shifts)), dtype=np.uint8)
    for a, before in enumerate(shifts):
        for b, after in enumerate(shifts):
            follows[a, b] = after["start"] + 1440 - before["end"] >= data["rest"]
    day = np.array([d for d, _, _ in patrols for _ in range(SEATS)], dtype=np.int64)
    shift_of = np.array([s for _, s, _ in patrols for _ in range(SEATS)], dtype=np.int64)
    zone = np.array([z for _, _, z in patrols for _ in range(SEATS)], dtype=np.int64)
    seat = np.tile(np.arange(SEATS), len(patrols))
    workers = []
    constant = 0.0
    for person in data["people"]:
        cost = np.where(np.isin(zone, person["zones"]), 0.0, float(weight["unfamiliar"]))
        for d, s, wanted, wish in person["req"]:
            # 1: wishes to work then, and costs when it does not; -1: wishes to be off.
            cost[(day == d) & (shift_of == s)] -= wanted * wish * weight["req"]
            constant += wanted * (wish > 0) * weight["req"]
        closed = (seat != person["kind"]) | np.isin(day, person["off"])
        closed |= np.isin(shift_of, person["ban"])
        cost[closed] = FORBIDDEN
        workers.append(
            Worker(
                name=person["id"],
                post_cost=cost,
                off_cost=np.zeros(days),
                counters=(
                    Counter(name="patrols", after_off=one, after_work=one, most=person["max"]),
                    Counter(
                        name="nights", after_off=night, after_work=night, most=data["maxnight"]
                    ),
                ),
                most_run=data["maxcons"],
                load=one.astype(float),
                load_before=float(person["hist"]),
            )
        )
    roles = list(dict.fromkeys(p["role"] for p in data["people"]))
    n = len(patrols) * SEATS
    problem = LineProblem(
        days=days,
        shifts=len(shifts),
        follows=follows,
        post_day=day,
        post_shift=shift_of,
        post_row=np.arange(n),
        row_want=np.ones(n, dtype=np.int64),
        row_under=np.full(n, float(weight["unfilled"])),
        row_over=np.full(n, FORBIDDEN),
        workers=tuple(workers),
        repeat=Repeat(of_post=zone, places=int(data["Z"]), free=3, cost=int(weight["repeat"])),
        groups=tuple(
            Group(
                workers=tuple(k for k, p in enumerate(data["people"]) if p["role"] == role),
                weight=float(weight["spread"]),
            )
            for role in roles
        ),
        constant=constant,
        name=path.stem,
    )
    return Week(problem, [p["id"] for p in data["people"]], patrols, int(data["Z"]))


def write(week: Week, lines: list[Ints], path: Path) -> None:
    """Write {"d,s,z": [officer, grid member, people or null]}."""
    plan: dict[str, list[str | None]] = {f"{d},{s},{z}": [None] * SEATS for d, s, z in week.patrols}
    for name, posts in zip(week.people, lines, strict=True):
        for post in posts[posts >= 0]:
            d, s, z = week.patrols[post // SEATS]
            plan[f"{d},{s},{z}"][post % SEATS] = name
    path.write_text(json.dumps(plan, indent=0) + "\n")
