"""An invented joint service team, sized to a community's zones. Pure.

Names are plainly invented, as the sample's are: the next of the Hundred Surnames with the next of
the sixty stem-branch pairs. Numbers per zone follow the sample's team (7 zones: 2 officers,
6 auxiliaries, 9 grid members, 20 guards, 18 group leaders).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from grid.people import Force
from grid.sample.team import BRANCHES, STEMS, SURNAMES

PER_ZONE = {
    Force.OFFICER: 0.4,
    Force.AUXILIARY: 1.0,
    Force.GRID_MEMBER: 1.5,
    Force.GROUP_LEADER: 2.0,
}
GUARDS_PER_ZONE = 3
PREFIX = {
    Force.OFFICER: "P",
    Force.AUXILIARY: "A",
    Force.GRID_MEMBER: "G",
    Force.GUARD: "B",
    Force.GROUP_LEADER: "L",
}


@dataclass(frozen=True)
class ZoneAsked:
    """A zone to be walked, and the employer whose guards may walk it."""

    code: str
    employer: str | None


@dataclass(frozen=True)
class InventedMember:
    """A member nobody is: contract limits in minutes and patrols a week, days off as ISO weekdays."""

    staff_number: str
    name: str
    force: Force
    zone: str
    employer: str | None = None
    qualifications: tuple[str, ...] = ()
    contract: str = "full_time"
    max_minutes_week: int = 2400
    max_patrols_week: int = 5
    max_nights_week: int = 2
    days_off: tuple[int, ...] = ()


def invented_name(number: int) -> str:
    """Return the ``number``-th name (from 0): 赵甲子, 钱乙丑, … no two alike in the first thousands."""
    turn = number // len(SURNAMES)
    pair = number + turn
    return SURNAMES[number % len(SURNAMES)] + STEMS[pair % 10] + BRANCHES[pair % 12]


def invent_team(zones: Sequence[ZoneAsked]) -> list[InventedMember]:
    """Return a team for these zones: every force, guards where a zone's estate has an employer."""
    if not zones:
        return []
    team: list[InventedMember] = []

    def join(force: Force, number: int, zone: ZoneAsked, **more: object) -> None:
        team.append(
            InventedMember(
                f"{PREFIX[force]}{number:02d}",
                invented_name(len(team)),
                force,
                zone.code,
                **more,  # type: ignore[arg-type]
            )
        )

    for force, share in PER_ZONE.items():
        count = max(2, round(share * len(zones)))
        for n in range(count):
            zone = zones[n * len(zones) // count]
            if force is Force.OFFICER:
                join(force, n + 1, zone, qualifications=("leader", "enforcement", "first_aid"))
            elif force is Force.AUXILIARY:
                leads = ("leader",) if n % 3 == 0 else ()
                join(force, n + 1, zone, qualifications=(*leads, "first_aid"), max_nights_week=3)
            elif force is Force.GRID_MEMBER:
                leads = ("leader",) if n % 2 == 0 else ()
                join(force, n + 1, zone, qualifications=leads, days_off=(6 + n % 2,))
            else:
                join(
                    force, n + 1, zone, contract="part_time", max_minutes_week=720,
                    max_patrols_week=3, max_nights_week=0, days_off=(n % 5 + 1,),
                )  # fmt: skip
    number = 0
    for zone in zones:
        if zone.employer is None:
            continue
        for _ in range(GUARDS_PER_ZONE):
            join(
                Force.GUARD, number + 1, zone, employer=zone.employer, max_minutes_week=2880,
                max_patrols_week=6, max_nights_week=3, days_off=(number % 7 + 1,),
            )  # fmt: skip
            number += 1
    return team
