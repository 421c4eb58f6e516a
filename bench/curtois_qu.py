"""The shift scheduling instances of Curtois & Qu (2014) as lines of work, and rosters written out.

Semantics: the day before and after the horizon count as free; a run that touches a border is not
held to its minimum; a weekend is worked if its Saturday or Sunday is; day 0 is a Monday. Costs:
unmet requests by weight, and cover under and over by weight.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scheduling.core.lines.line_problem import FORBIDDEN, Counter, Ints, LineProblem, Worker


@dataclass(frozen=True)
class Instance:
    """A file: its lines of work, and the names to write a roster with."""

    problem: LineProblem
    employees: list[str]
    shifts: list[str]


def _sections(path: Path) -> dict[str, list[list[str]]]:
    found: dict[str, list[list[str]]] = {}
    section = ""
    for raw in path.read_text().splitlines():
        line = raw.strip()
        if line.startswith("SECTION_"):
            section = line.removeprefix("SECTION_")
            found[section] = []
        elif line and not line.startswith("#"):
            found[section].append([part.strip() for part in line.split(",")])
    return found


def read(path: Path) -> Instance:
    """Read an instance. Raises KeyError, ValueError or OSError for a file that is none."""
    parts = _sections(path)
    days = int(parts["HORIZON"][0][0])
    shifts = [row[0] for row in parts["SHIFTS"]]
    number = {name: n for n, name in enumerate(shifts)}
    minutes = np.array([int(row[1]) for row in parts["SHIFTS"]])
    follows = np.ones((len(shifts), len(shifts)), dtype=np.uint8)
    for row in parts["SHIFTS"]:
        for other in filter(None, row[2].split("|") if len(row) > 2 else []):
            follows[number[row[0]], number[other]] = 0
    employees = [row[0] for row in parts["STAFF"]]
    who = {name: n for n, name in enumerate(employees)}
    # One post per day and shift; its number is day × shifts + shift.
    posts = days * len(shifts)
    cost = np.zeros((len(employees), posts))
    off = np.zeros((len(employees), days))
    constant = 0.0
    for name, day, shift, weight in parts.get("SHIFT_ON_REQUESTS", []):
        constant += int(weight)
        cost[who[name], int(day) * len(shifts) + number[shift]] -= int(weight)
    for name, day, shift, weight in parts.get("SHIFT_OFF_REQUESTS", []):
        cost[who[name], int(day) * len(shifts) + number[shift]] += int(weight)
    for row in parts.get("DAYS_OFF", []):
        for day in row[1:]:
            first = int(day) * len(shifts)
            cost[who[row[0]], first : first + len(shifts)] = FORBIDDEN
    workers = []
    for row in parts["STAFF"]:
        name, most_shifts, most_min, least_min, most_run, least_run, least_off, weekends = row
        workers.append(
            _worker(
                name,
                cost[who[name]],
                off[who[name]],
                dict(pair.split("=") for pair in most_shifts.split("|")),
                [int(x) for x in (most_min, least_min, most_run, least_run, least_off, weekends)],
                days,
                shifts,
                minutes,
            )
        )
    want = np.zeros(posts, dtype=np.int64)
    under, over = np.zeros(posts), np.zeros(posts)
    for day, shift, requirement, under_weight, over_weight in parts["COVER"]:
        row_number = int(day) * len(shifts) + number[shift]
        want[row_number] = int(requirement)
        under[row_number], over[row_number] = int(under_weight), int(over_weight)
    problem = LineProblem(
        days=days,
        shifts=len(shifts),
        follows=follows,
        post_day=np.repeat(np.arange(days), len(shifts)),
        post_shift=np.tile(np.arange(len(shifts)), days),
        post_row=np.arange(posts),
        row_want=want,
        row_under=under,
        row_over=over,
        workers=tuple(workers),
        constant=constant,
        name=path.stem,
    )
    return Instance(problem, employees, shifts)


def _worker(
    name: str,
    cost: np.ndarray,
    off: np.ndarray,
    most_of: dict[str, str],
    limits: list[int],
    days: int,
    shifts: list[str],
    minutes: Ints,
) -> Worker:
    most_min, least_min, most_run, least_run, least_off, weekends = limits
    each = np.broadcast_to(minutes, (days, len(shifts))).copy()
    saturday = np.zeros((days, len(shifts)), dtype=np.int64)
    saturday[5::7] = 1
    either = saturday.copy()
    either[6::7] = 1
    counters = [
        Counter(name="minutes", after_off=each, after_work=each, most=most_min, least=least_min),
        Counter(name="weekends", after_off=either, after_work=saturday, most=weekends),
    ]
    cost = cost.copy()
    for n, shift in enumerate(shifts):
        most = int(most_of.get(shift, days))
        if most == 0:
            cost[n :: len(shifts)] = FORBIDDEN
        elif most < days:
            one = np.zeros((days, len(shifts)), dtype=np.int64)
            one[:, n] = 1
            counters.append(Counter(name=f"{shift}", after_off=one, after_work=one, most=most))
    cost[cost >= FORBIDDEN / 2] = FORBIDDEN
    return Worker(
        name=name,
        post_cost=cost,
        off_cost=off,
        counters=tuple(counters),
        most_run=most_run,
        least_run=least_run,
        least_off=least_off,
    )


def write(instance: Instance, lines: list[Ints], path: Path) -> None:
    """Write one row per employee in file order, one column per day: the shift's id or empty."""
    shifts = len(instance.shifts)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        for posts in lines:
            writer.writerow(["" if p < 0 else instance.shifts[p % shifts] for p in posts])
