"""Score a finished plan from its file alone: every broken hard rule by name, every part of the cost.

Written from the words of the benchmark data's README and from nothing else: it imports neither
the engine nor the readers that feed it, so that a mistake in those cannot hide here. Our own
rosters and every peer's pass through it.

    python -m bench.score FILE PLAN

prints one JSON line and ends with 1 if a hard rule is broken.
"""

import argparse
import csv
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

MINUTES_PER_DAY = 1440
NIGHT_ENDS_AFTER_MIN = 23 * 60
SEATS = ("officer", "grid member", "guard or group leader")
SATURDAY = 5


@dataclass
class Score:
    """What a plan breaks, and what it costs by part; a plan that breaks something is no roster."""

    violations: list[str] = field(default_factory=list)
    parts: dict[str, int] = field(default_factory=dict)

    @property
    def cost(self) -> int:
        """The sum of the parts, whether or not a hard rule is broken."""
        return sum(self.parts.values())

    @property
    def legal(self) -> bool:
        """Whether no hard rule is broken."""
        return not self.violations


# Weekly patrols


def score_patrol(file: Path, plan: Path | Mapping[str, Sequence[str | None]]) -> Score:
    """Score a week of patrols: {"day,shift,zone": [officer, grid member, people or null]}.

    A patrol the plan leaves out counts as three empty seats. Raises OSError or ValueError for a
    file that cannot be read.
    """
    data = json.loads(file.read_text())
    score = Score()
    if isinstance(plan, Path):
        plan = _without_repeats(json.loads(plan.read_text(), object_pairs_hook=list), score)
    people: dict[str, Any] = {person["id"]: person for person in data["people"]}
    patrols = {(int(d), int(s), int(z)) for d, s, z in data["patrols"]}

    walked: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    filled = 0
    for key, seats in plan.items():
        patrol = _patrol(key)
        if patrol is None or patrol not in patrols:
            score.violations.append(f"patrol {key}: not in the file")
            continue
        if len(seats) != len(SEATS):
            score.violations.append(f"patrol {key}: {len(seats)} seats instead of {len(SEATS)}")
        for kind, who in enumerate(seats[: len(SEATS)]):
            if who is None:
                continue
            if who not in people:
                score.violations.append(f"patrol {key}: no person {who}")
                continue
            filled += 1
            walked[who].append(patrol)
            if people[who]["kind"] != kind:
                score.violations.append(f"patrol {key}: {who} is no {SEATS[kind]}")

    for who, theirs in walked.items():
        theirs.sort()
        score.violations += [
            f"{who}: {broken}" for broken in _patrol_rules(data, people[who], theirs)
        ]

    weights = data["w"]
    score.parts = {
        "empty_seats": weights["unfilled"] * (len(patrols) * len(SEATS) - filled),
        "spread": weights["spread"] * _spread(people.values(), walked),
        "outside": weights["unfamiliar"]
        * sum(
            z not in people[who]["zones"] for who, theirs in walked.items() for _, _, z in theirs
        ),
        "repeats": weights["repeat"]
        * sum(
            max(0, times - 2)
            for theirs in walked.values()
            for times in Counter(z for _, _, z in theirs).values()
        ),
        "requests": weights["req"]
        * sum(_requests(person, walked.get(who, [])) for who, person in people.items()),
    }
    return score


def _without_repeats(pairs: Iterable[tuple[str, Any]], score: Score) -> dict[str, Any]:
    """Return the plan's object, noting a patrol that stands in it twice (JSON keeps the last)."""
    plan: dict[str, Any] = {}
    for key, seats in pairs:
        if key in plan:
            score.violations.append(f"patrol {key}: stands in the plan twice")
        plan[key] = seats
    return plan


def _patrol(key: str) -> tuple[int, int, int] | None:
    try:
        day, shift, zone = (int(part) for part in key.split(","))
    except ValueError:
        return None
    return day, shift, zone


def _patrol_rules(
    data: Mapping[str, Any], person: Mapping[str, Any], theirs: list[tuple[int, int, int]]
) -> Iterable[str]:
    """Yield what one person's patrols, in order of time, break."""
    shifts = data["shifts"]
    for day, shift, _ in theirs:
        if day in person["off"]:
            yield f"day {day} is a day off"
        if shift in person["ban"]:
            yield f"day {day}: shift {shift} is banned"
    for day, times in Counter(day for day, _, _ in theirs).items():
        if times > 1:
            yield f"day {day}: {times} patrols on one day"
    for (day, shift, _), (later, then, _) in pairwise(theirs):
        if later == day:
            continue
        rest = (later - day) * MINUTES_PER_DAY + shifts[then]["start"] - shifts[shift]["end"]
        if rest < data["rest"]:
            yield f"day {day} to {later}: {rest} minutes of rest instead of {data['rest']}"
    if len(theirs) > person["max"]:
        yield f"{len(theirs)} patrols instead of at most {person['max']}"
    nights = sum(shifts[shift]["end"] > NIGHT_ENDS_AFTER_MIN for _, shift, _ in theirs)
    if nights > data["maxnight"]:
        yield f"{nights} patrols end after 23:00 instead of at most {data['maxnight']}"
    days = {day for day, _, _ in theirs}
    for first, run in _runs([day in days for day in range(data["D"])], worked=True):
        if run > data["maxcons"]:
            yield f"day {first}: {run} days in a row instead of at most {data['maxcons']}"


def _spread(
    people: Iterable[Mapping[str, Any]], walked: Mapping[str, list[tuple[int, int, int]]]
) -> int:
    """Return the sum over the roles of most minus least patrols, those carried over included."""
    loads: dict[str, list[int]] = defaultdict(list)
    for person in people:
        loads[person["role"]].append(person["hist"] + len(walked.get(person["id"], [])))
    return sum(max(of_role) - min(of_role) for of_role in loads.values())


def _requests(person: Mapping[str, Any], theirs: list[tuple[int, int, int]]) -> int:
    """Return the weights of unmet requests: sign 1 asks for a shift of a day, −1 to be spared it."""
    worked = {(day, shift) for day, shift, _ in theirs}
    return sum(
        weight
        for day, shift, weight, sign in person["req"]
        if ((day, shift) in worked) != (sign > 0)
    )


# Rosters of shifts


def score_roster(file: Path, roster: Path | Sequence[Sequence[str]]) -> Score:
    """Score a roster in Curtois & Qu's form: a row per employee in file order, a column per day.

    A cell holds a shift's id or is empty. Raises OSError, KeyError or ValueError for an instance
    that cannot be read.
    """
    sections = _sections(file)
    days = int(sections["HORIZON"][0][0])
    minutes = {row[0]: int(row[1]) for row in sections["SHIFTS"]}
    forbidden = {row[0]: set(row[2].split("|")) - {""} for row in sections["SHIFTS"] if row[2:]}
    days_off = {
        row[0]: {int(day) for day in row[1:] if day} for row in sections.get("DAYS_OFF", [])
    }
    score = Score()

    lines = _lines(roster, [row[0] for row in sections["STAFF"]], days, minutes, score)
    for row in sections["STAFF"]:
        line = lines[row[0]]
        broken = _employee_rules(row, line, minutes, forbidden, days_off.get(row[0], set()))
        score.violations += [f"{row[0]}: {what}" for what in broken]

    present = Counter(
        (day, shift) for line in lines.values() for day, shift in enumerate(line) if shift
    )
    under = over = 0
    for day, shift, wanted, under_weight, over_weight in sections["COVER"]:
        more = present[int(day), shift] - int(wanted)
        under += max(0, -more) * int(under_weight)
        over += max(0, more) * int(over_weight)
    score.parts = {
        "on_requests": sum(
            int(weight)
            for who, day, shift, weight in sections.get("SHIFT_ON_REQUESTS", [])
            if lines[who][int(day)] != shift
        ),
        "off_requests": sum(
            int(weight)
            for who, day, shift, weight in sections.get("SHIFT_OFF_REQUESTS", [])
            if lines[who][int(day)] == shift
        ),
        "under_cover": under,
        "over_cover": over,
    }
    return score


def _sections(file: Path) -> dict[str, list[list[str]]]:
    """Return the rows of every section; a line that starts with # is a comment."""
    sections: dict[str, list[list[str]]] = {}
    rows: list[list[str]] = []
    for line in map(str.strip, file.read_text().splitlines()):
        if line.startswith("SECTION_"):
            rows = sections.setdefault(line.removeprefix("SECTION_"), [])
        elif line and not line.startswith("#"):
            rows.append([part.strip() for part in line.split(",")])
    return sections


def _lines(
    roster: Path | Sequence[Sequence[str]],
    employees: Sequence[str],
    days: int,
    shifts: Iterable[str],
    score: Score,
) -> dict[str, list[str]]:
    """Return each employee's shift by day, "" when free, noting what is no roster of this file."""
    if isinstance(roster, Path):
        with roster.open(newline="") as text:
            roster = list(csv.reader(text))
    if len(roster) != len(employees):
        score.violations.append(f"{len(roster)} rows instead of {len(employees)}")
    known = {"", *shifts}
    lines: dict[str, list[str]] = {who: [""] * days for who in employees}
    for who, row in zip(employees, roster, strict=False):
        if len(row) != days:
            score.violations.append(f"{who}: {len(row)} days instead of {days}")
        for day, cell in enumerate(row[:days]):
            shift = cell.strip()
            if shift in known:
                lines[who][day] = shift
            else:
                score.violations.append(f"{who}: day {day}: no shift {shift}")
    return lines


def _employee_rules(
    staff: Sequence[str],
    line: Sequence[str],
    minutes: Mapping[str, int],
    forbidden: Mapping[str, set[str]],
    days_off: set[int],
) -> Iterable[str]:
    """Yield what one employee's line breaks."""
    most_of = dict(pair.split("=") for pair in staff[1].split("|") if pair)
    most_min, least_min, most_run, least_run, least_free, most_weekends = map(int, staff[2:8])
    worked = [bool(shift) for shift in line]
    last = len(line) - 1

    for day in sorted(days_off):
        if worked[day]:
            yield f"day {day} is a day off"
    for day, (shift, following) in enumerate(pairwise(line)):
        if following and following in forbidden.get(shift, set()):
            yield f"day {day}: {following} may not follow {shift}"
    for shift, times in Counter(filter(None, line)).items():
        if shift in most_of and times > int(most_of[shift]):
            yield f"{times} shifts {shift} instead of at most {most_of[shift]}"
    total = sum(minutes[shift] for shift in line if shift)
    if total > most_min:
        yield f"{total} minutes instead of at most {most_min}"
    if total < least_min:
        yield f"{total} minutes instead of at least {least_min}"
    for first, run in _runs(worked, worked=True):
        if run > most_run:
            yield f"day {first}: {run} shifts in a row instead of at most {most_run}"
        if run < least_run and first > 0 and first + run - 1 < last:
            yield f"day {first}: {run} shifts in a row instead of at least {least_run}"
    for first, run in _runs(worked, worked=False):
        if run < least_free and first > 0 and first + run - 1 < last:
            yield f"day {first}: {run} days off in a row instead of at least {least_free}"
    weekends = len({day // 7 for day in range(len(line)) if worked[day] and day % 7 >= SATURDAY})
    if weekends > most_weekends:
        yield f"{weekends} weekends worked instead of at most {most_weekends}"


def _runs(line: Sequence[bool], *, worked: bool) -> Iterable[tuple[int, int]]:
    """Yield (first day, length) of every run of worked, or of free, days."""
    first = 0
    for value, days in groupby(line):
        length = len(list(days))
        if value == worked:
            yield first, length
        first += length


def main(arguments: Sequence[str] | None = None) -> int:
    """Score one plan; a file that ends in .json is a week of patrols, any other a roster."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("file", type=Path)
    parser.add_argument("plan", type=Path)
    asked = parser.parse_args(arguments)
    of_kind = score_patrol if asked.file.suffix == ".json" else score_roster
    score = of_kind(asked.file, asked.plan)
    line = {
        "instance": asked.file.stem,
        "cost": score.cost,
        "violations": len(score.violations),
        "parts": score.parts,
        "broken": score.violations[:20],
    }
    print(json.dumps(line, ensure_ascii=False))
    return 0 if score.legal else 1


if __name__ == "__main__":
    sys.exit(main())
