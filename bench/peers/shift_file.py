"""A Curtois & Qu file as its own words: shifts, employees, requests, cover. Standard library only.

Apart from the engine's reader, so that a peer does not inherit a mistake of ours.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Employee:
    """One row of SECTION_STAFF with the employee's days off."""

    name: str
    most_of: Mapping[str, int]
    most_min: int
    least_min: int
    most_run: int
    least_run: int
    least_free: int
    most_weekends: int
    days_off: frozenset[int]


@dataclass(frozen=True)
class ShiftFile:
    """One instance; days count from 0, a Monday; ``weight`` is paid when a request is not met."""

    days: int
    minutes: Mapping[str, int]
    forbidden: frozenset[tuple[str, str]]
    employees: tuple[Employee, ...]
    wanted_on: tuple[tuple[str, int, str, int], ...]
    wanted_off: tuple[tuple[str, int, str, int], ...]
    cover: tuple[tuple[int, str, int, int, int], ...]


def read_shift_file(path: Path) -> ShiftFile:
    """Read an instance. Raises OSError, KeyError or ValueError for a file that is none."""
    sections: dict[str, list[list[str]]] = {}
    for line in map(str.strip, path.read_text().splitlines()):
        if line.startswith("SECTION_"):
            section = sections.setdefault(line.removeprefix("SECTION_"), [])
        elif line and not line.startswith("#"):
            section.append([part.strip() for part in line.split(",")])
    off = {row[0]: frozenset(int(day) for day in row[1:] if day) for row in sections["DAYS_OFF"]}
    return ShiftFile(
        days=int(sections["HORIZON"][0][0]),
        minutes={row[0]: int(row[1]) for row in sections["SHIFTS"]},
        forbidden=frozenset(
            (row[0], then) for row in sections["SHIFTS"] for then in row[2].split("|") if then
        ),
        employees=tuple(_employee(row, off.get(row[0], frozenset())) for row in sections["STAFF"]),
        wanted_on=tuple(_request(row) for row in sections["SHIFT_ON_REQUESTS"]),
        wanted_off=tuple(_request(row) for row in sections["SHIFT_OFF_REQUESTS"]),
        cover=tuple(
            (int(day), shift, int(wanted), int(under), int(over))
            for day, shift, wanted, under, over in sections["COVER"]
        ),
    )


def _employee(row: list[str], days_off: frozenset[int]) -> Employee:
    most_min, least_min, most_run, least_run, least_free, most_weekends = map(int, row[2:8])
    most_of = {shift: int(most) for shift, most in (pair.split("=") for pair in row[1].split("|"))}
    return Employee(
        row[0],
        most_of,
        most_min,
        least_min,
        most_run,
        least_run,
        least_free,
        most_weekends,
        days_off,
    )


def _request(row: list[str]) -> tuple[str, int, str, int]:
    who, day, shift, weight = row
    return who, int(day), shift, int(weight)


def write_roster(rows: list[list[str]], path: Path) -> None:
    """Write one row per employee in file order, one column per day, a shift's id or empty."""
    with path.open("w", newline="") as text:
        csv.writer(text).writerows(rows)
