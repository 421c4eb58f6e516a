"""Swaps as people read them: who, which patrols, where it stands, and what the rules say today."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.i18n import word
from grid.cells import PatrolZone
from grid.people import Member
from scheduling.demand import ShiftTemplate
from scheduling.exchange import PublishedWeek, Verdict, published_week
from scheduling.rosters import Patrol, RosterState, RosterVersion
from scheduling.swaps import OPEN, Swap, exchange_of

REASONS = (
    word("巡逻已经开始，换班没有办完"),
    word("这一周的排班已不是发布状态"),
    word("这一周的排班已锁定"),
    word("排班已变动，其中一方已不在原来的巡逻上"),
)
"""Why a swap lapsed, as :mod:`scheduling.swaps` stores it; pages translate what they know."""


@dataclass(frozen=True)
class Side:
    """One patrol of a swap."""

    day: date
    start_min: int
    end_min: int
    zone: str
    shift: str


@dataclass(frozen=True)
class Shown:
    """A swap with its people and patrols."""

    swap: Swap
    asker: Member
    other: Member
    asker_side: Side | None
    other_side: Side | None
    verdict: Verdict | None = None
    """Only where somebody still has to decide."""


def shown(session: Session, swaps: Sequence[Swap], *, verdicts: bool = False) -> list[Shown]:
    """Return swaps laid out; with ``verdicts``, what the rules say of those still open."""
    members = {
        m.id: m
        for m in session.scalars(
            select(Member).where(
                Member.id.in_({s.asker_id for s in swaps} | {s.other_id for s in swaps})
            )
        )
    }
    sides = _sides(session, swaps)
    weeks: dict[date, PublishedWeek | None] = {}

    def verdict(swap: Swap) -> Verdict | None:
        if not verdicts or swap.state not in OPEN:
            return None
        if swap.week_start not in weeks:
            version = published_week(session, swap.community_id, swap.week_start)
            weeks[swap.week_start] = PublishedWeek(session, version) if version else None
        week = weeks[swap.week_start]
        return week.verdict(exchange_of(session, swap)) if week else Verdict(there=False)

    return [
        Shown(
            swap,
            members[swap.asker_id],
            members[swap.other_id],
            sides.get((swap.week_start, swap.asker_patrol)),
            sides.get((swap.week_start, swap.other_patrol or "")),
            verdict(swap),
        )
        for swap in swaps
    ]


def _sides(session: Session, swaps: Iterable[Swap]) -> dict[tuple[date, str], Side]:
    """Return the patrols by week and key: of the published version, else of any that has them."""
    swaps = list(swaps)
    if not swaps:
        return {}
    rows = session.execute(
        select(RosterVersion.week_start, Patrol, PatrolZone.name, ShiftTemplate.name)
        .join(RosterVersion, RosterVersion.id == Patrol.roster_version_id)
        .join(PatrolZone, PatrolZone.id == Patrol.zone_id)
        .join(ShiftTemplate, ShiftTemplate.id == Patrol.shift_template_id)
        .where(
            RosterVersion.community_id == swaps[0].community_id,
            RosterVersion.week_start.in_({s.week_start for s in swaps}),
            Patrol.key.in_(
                {s.asker_patrol for s in swaps} | {s.other_patrol for s in swaps if s.other_patrol}
            ),
        )
        .order_by(
            RosterVersion.state.in_([RosterState.PUBLISHED, RosterState.LOCKED]),
            RosterVersion.number,
        )
    )
    return {
        (week, patrol.key): Side(patrol.day, patrol.start_min, patrol.end_min, zone, shift)
        for week, patrol, zone, shift in rows
    }
