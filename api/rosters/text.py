"""A roster as plain text to paste into the group chat: one day, or the whole week.

No telephone numbers: a chat group is larger than the team.
"""

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy.orm import Session

from api.rosters.board import FORCES, Board, Card
from api.rosters.paper import DAY_KINDS, hours_of
from api.web import weekday
from grid.communities import Community
from scheduling.rosters import RosterVersion
from scheduling.week import plan_of, problem_of


class RosterText:
    """A version in words."""

    def __init__(self, session: Session, version: RosterVersion) -> None:
        self.version = version
        self.board = Board(problem_of(version), plan_of(version))
        self.community = session.get_one(Community, version.community_id).name

    def day(self, index: int) -> str:
        """Return one day, with a heading of its own."""
        return "\n".join(
            [f"【{self.community}】{self._day_name(index)}巡逻安排", *self._lines(index)]
        )

    def week(self) -> str:
        """Return the whole week."""
        first = self.version.week_start
        year, week, _ = first.isocalendar()
        last = first + timedelta(days=6)
        heading = (
            f"【{self.community}】{year}年第{week}周巡逻安排"
            f"（{first.month}月{first.day}日–{last.month}月{last.day}日）"
        )
        days = [
            "\n".join([f"■ {self._day_name(n)}", *self._lines(n)])
            for n in range(len(self.board.problem.days))
        ]
        return "\n\n".join([heading, *days, "★为带班。如有疑问请联系队长。"])

    def _day_name(self, index: int) -> str:
        day = self.board.problem.date_of(index)
        special = DAY_KINDS.get(self.board.problem.days[index])
        return f"{day.month}月{day.day}日 {weekday(day)}" + (f"（{special}）" if special else "")

    def _lines(self, index: int) -> Iterator[str]:
        rows = self.board.days()[index].rows
        if not any(card.patrol.walked for row in rows for cards in row.cells for card in cards):
            yield "当日无巡逻"
        for row in rows:
            walked = [c for cards in row.cells for c in cards if c.patrol.walked]
            if walked:
                yield f"{row.shift.name} {hours_of(row.shift)}"
                for card in walked:
                    yield f"　{self.board.zones[card.patrol.zone].name}：{_team(card)}"


def _team(card: Card) -> str:
    names = [
        f"{'★' if s.leader else ''}{s.member.name}"
        for s in sorted(card.seats, key=lambda s: not s.leader)
        if s.member
    ]
    missing = [
        "缺" + "/".join(FORCES.get(f, f) for f in s.forces[:2])
        for s in card.seats
        if not s.member and s.required
    ]
    return "、".join([*names, *missing])
