"""What a team agrees on beside the law (内部约定), kept for a community and put into its problems.

Who walks with whom, which shift may follow which, how even and how staggered the week is to be.
Members and shifts are named by staff number and code, as in the problem; whoever has left is
passed over, so that a rule about them stands in nobody's way.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from grid.database import Base, Instant
from scheduling.core.contract import Limits, RollingLimit
from scheduling.core.house_rules import Pair, Shares, Staggering, Succession
from scheduling.core.problem import RosterProblem
from scheduling.core.problem_errors import between

PAIRS_MAX = 60
SUCCESSIONS_MAX = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseRules:
    """One community's; None, 0 and False ask for nothing."""

    gap_max_min: int | None = None
    """Minutes a zone may be without a team before each minute more counts."""
    same_start_days: int | None = None
    """Days a week on which a zone's teams may start at the same minute."""
    familiar_team: bool = False
    nights: int = 0
    weekends: int = 0
    holidays: int = 0
    """What the spreads of nights, weekends and holidays count beside the load's."""
    zone_week: int | None = None
    weekends_row: int | None = None
    weekends_in_four: int | None = None
    rolling_days: int | None = None
    rolling_hours: int | None = None
    complete_weekends: bool = False
    successions: tuple[Succession, ...] = ()
    pairs: tuple[Pair, ...] = ()

    def __post_init__(self) -> None:
        self.limits(Limits())
        self.shares()
        self.staggering()
        between("house rules", 0, PAIRS_MAX, pairs=len(self.pairs))
        between("house rules", 0, SUCCESSIONS_MAX, successions=len(self.successions))

    def limits(self, own: Limits) -> Limits:
        """Return a member's limits with what holds for the whole team."""
        rolling: tuple[RollingLimit, ...] = ()
        if self.rolling_days is not None and self.rolling_hours is not None:
            between("house rules", 1, 14, rolling_days=self.rolling_days)
            rolling = (RollingLimit(days=self.rolling_days, minutes=60 * self.rolling_hours),)
        return replace(
            own,
            zone_week=self.zone_week,
            weekends_row=self.weekends_row,
            weekends_in_four=self.weekends_in_four,
            rolling=rolling,
            complete_weekends=self.complete_weekends,
        )

    def shares(self) -> Shares | None:
        """Return what is shared evenly, if anything."""
        asked = Shares(nights=self.nights, weekends=self.weekends, holidays=self.holidays)
        return asked if self.nights or self.weekends or self.holidays else None

    def staggering(self) -> Staggering | None:
        """Return how patrols are staggered, if anything is asked of it."""
        if self.gap_max_min is None and self.same_start_days is None:
            return None
        return Staggering(gap_max_min=self.gap_max_min, same_start_days=self.same_start_days)


_RULES = TypeAdapter(HouseRules)


class HouseRulesRow(Base):
    """The rules of one community as they stand; the audit log keeps what they were."""

    __tablename__ = "house_rules"

    community_id: Mapped[int] = mapped_column(
        ForeignKey("community.id", ondelete="CASCADE"), primary_key=True
    )
    rules: Mapped[dict[str, object]] = mapped_column(JSONB)
    changed_by: Mapped[str]
    changed_at: Mapped[Instant]


def house_rules(session: Session, community_id: int) -> HouseRules:
    """Return a community's rules; nothing is asked where nobody has set any."""
    row = session.get(HouseRulesRow, community_id)
    return _RULES.validate_python(row.rules) if row is not None else HouseRules()


def as_document(rules: HouseRules) -> dict[str, object]:
    """Return rules as plain data."""
    found: dict[str, object] = _RULES.dump_python(rules, mode="json")
    return found


def keep_house_rules(
    session: Session, community_id: int, rules: HouseRules, *, by: str, at: datetime
) -> None:
    """Store a community's rules in place of those before."""
    row = session.get(HouseRulesRow, community_id)
    if row is None:
        row = HouseRulesRow(community_id=community_id, rules={}, changed_by=by, changed_at=at)
        session.add(row)
    row.rules, row.changed_by, row.changed_at = as_document(rules), by, at
    session.flush()


def with_house_rules(problem: RosterProblem, rules: HouseRules) -> RosterProblem:
    """Return a problem with the rules that are not a member's own.

    Raises what RosterProblem raises where rules contradict each other: two who walk together and
    apart, shifts that may follow nothing.
    """
    members = {m.key for m in problem.members}
    shifts = {s.key for s in problem.shifts}
    law = replace(
        problem.law,
        familiar_team=rules.familiar_team,
        forbidden_successions=tuple(_of_shifts(rules.successions, shifts)),
    )
    return replace(
        problem,
        law=law,
        pairs=tuple(p for p in rules.pairs if {p.one, p.other} <= members),
        staggering=rules.staggering(),
        shares=rules.shares(),
    )


def _of_shifts(successions: Sequence[Succession], shifts: set[str]) -> list[Succession]:
    return [s for s in successions if {s.first, s.then} <= shifts]
