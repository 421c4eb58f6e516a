"""The 排班表 on paper: which columns stand on which A4 page, and what a cell says.

Dates run down, shifts across with the zones under each; seven zones by six shifts are forty
columns, and an A4 page in landscape holds nine that can be read with a telephone number in them.
So each estate has its pages, divided between two shifts, never within one unless it is wider than
a page by itself. Workbook and PDF are both written from this.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.rosters.board import FORCES, STATES, Board, Card
from api.rosters.reviewing import Signatures, signatures
from api.web import local_time, minutes, weekday
from grid.communities import Community
from grid.people import Force, Member
from scheduling.core.problem import Member as Person
from scheduling.core.problem import Shift, Zone
from scheduling.events import EVENT_NOTE
from scheduling.rosters import RosterVersion
from scheduling.week import plan_of, problem_of

T = TypeVar("T")

COLUMNS_MAX = 9
"""Columns of a page: each 27 mm wide at least, a name and a telephone number at 8 points."""
DAY_KINDS = {"holiday": "节假日", "compensatory_workday": "调休上班"}
REST_DAYS = {"weekend", "holiday"}
NOTES = (
    "备注：辅警须在民警带领下或与其他力量共同执勤；物业保安仅在本公司服务小区巡逻；"
    "两次勤务间隔不少于{rest}小时。换班、请假须经队长批准。"
)


@dataclass(frozen=True)
class Line:
    """One line of a cell: ``kind`` is type, leader, phone, team or short."""

    text: str
    kind: str


@dataclass(frozen=True)
class Cell:
    """What stands where a day meets a column."""

    lines: tuple[Line, ...]
    short: bool
    """A patrol of the cell is not walked."""

    @property
    def text(self) -> str:
        """The cell as one text."""
        return "\n".join(line.text for line in self.lines)


@dataclass(frozen=True)
class PaperDay:
    """One row."""

    day: date
    kind: str
    cells: tuple[Cell, ...]

    @property
    def name(self) -> str:
        """The date, and what is special about it."""
        special = DAY_KINDS.get(self.kind)
        return f"{self.day.month}月{self.day.day}日" + (f"\n{special}" if special else "")

    @property
    def weekday(self) -> str:
        """周一 … 周日."""
        return weekday(self.day)

    @property
    def rest(self) -> bool:
        """Say whether it is a weekend or holiday."""
        return self.kind in REST_DAYS

    @property
    def lines(self) -> int:
        """Lines of the fullest cell."""
        return max((len(cell.lines) for cell in self.cells), default=0)


@dataclass(frozen=True)
class PaperShift:
    """A shift of a page's head, and the zones under it."""

    name: str
    hours: str
    zones: tuple[str, ...]


@dataclass(frozen=True)
class PaperPage:
    """One page: its place, its head and seven rows."""

    name: str
    shifts: tuple[PaperShift, ...]
    days: tuple[PaperDay, ...]

    @property
    def columns(self) -> int:
        """Count the columns of patrols."""
        return sum(len(s.zones) for s in self.shifts)


@dataclass(frozen=True)
class MemberRow:
    """A member's week in one row: what they walk on each day."""

    number: str
    name: str
    force: str
    phone: str
    days: tuple[str, ...]
    patrols: int
    hours: float
    nights: int


class Paper:
    """A version as it is printed."""

    def __init__(self, session: Session, version: RosterVersion) -> None:
        self.version = version
        self.board = Board(problem_of(version), plan_of(version))
        self.community = session.get_one(Community, version.community_id).name
        self.signed: Signatures = signatures(session, version)
        self.phones = {
            number: _phone(phone, force)
            for number, phone, force in session.execute(
                select(Member.staff_number, Member.phone, Member.force).where(
                    Member.community_id == version.community_id
                )
            )
        }

    def title(self, what: str = "巡逻排班表") -> str:
        """The title: whose, what, and the ISO week with its dates."""
        return f"{self.community}综合服务队{what}（{self.week}）"

    @property
    def week(self) -> str:
        """The ISO week with its year and dates."""
        first = self.version.week_start
        year, week, _ = first.isocalendar()
        return f"{year}年第{week}周　{first:%Y-%m-%d} 至 {first + timedelta(days=6):%Y-%m-%d}"

    @property
    def under(self) -> str:
        """The line under the title."""
        version = self.version
        return (
            f"第 {version.number} 版　{STATES[version.state]}　"
            f"生成于 {local_time(version.created_at)}　★ 带班　▲ 热点要求"
        )

    @property
    def notes(self) -> str:
        """What the law and the house say, and the week's special events, under the table."""
        said = NOTES.format(rest=f"{self.board.problem.law.rest_min / 60:g}")
        events = [n.zh for n in self.board.problem.notes if n.zh.startswith(EVENT_NOTE)]
        return "".join((said, *events))

    def file_name(self, ending: str) -> str:
        """The name of a downloaded file."""
        year, week, _ = self.version.week_start.isocalendar()
        return f"{self.community}排班表-{year}年第{week}周-第{self.version.number}版.{ending}"

    def pages(self) -> list[PaperPage]:
        """Return the pages, estate by estate in the zones' order."""
        return [
            self._page(place, columns)
            for place, zones in self._places()
            for columns in self._columns(zones)
        ]

    def _places(self) -> Iterator[tuple[str, list[Zone]]]:
        """Yield each estate with its zones; one wider than a page by itself in parts."""
        places: dict[str, list[Zone]] = {}
        for zone in self.board.problem.zones:
            places.setdefault(zone.estate or "公共区域", []).append(zone)
        for place, zones in places.items():
            parts = -(-len(zones) // COLUMNS_MAX)
            for part in _slices(zones, -(-len(zones) // parts)):
                which = f" {part[0].name}–{part[-1].name}" if parts > 1 else ""
                yield place + which, list(part)

    def _columns(self, zones: list[Zone]) -> Iterator[list[tuple[Shift, Zone]]]:
        """Yield the columns of each page: those in which anybody walks this week, or should."""
        shifts = sorted(self.board.problem.shifts, key=lambda s: (s.start_min, s.end_min))
        used = {(p.shift, p.zone) for p in self.board.plan.patrols}
        blocks = [[(s, z) for z in zones if (s.key, z.key) in used] for s in shifts]
        blocks = [block for block in blocks if block]
        if not blocks:
            return
        total = sum(map(len, blocks))
        # About as many on each page: six and six are easier to read than nine and three.
        aim = -(-total // -(-total // COLUMNS_MAX))
        for part in _parted(blocks, max(aim, max(map(len, blocks)))):
            yield [column for block in part for column in block]

    def _page(self, place: str, columns: list[tuple[Shift, Zone]]) -> PaperPage:
        shifts = list(dict.fromkeys(shift for shift, _ in columns))
        cards: dict[tuple[int, str, str], list[Card]] = {}
        for patrol in self.board.plan.patrols:
            where = (patrol.day, patrol.shift, patrol.zone)
            cards.setdefault(where, []).append(self.board.card(patrol))
        name = f"{place} {shifts[0].name}"
        return PaperPage(
            name=name if len(shifts) == 1 else f"{name}–{shifts[-1].name}",
            shifts=tuple(
                PaperShift(
                    shift.name,
                    hours_of(shift),
                    tuple(zone.name for one, zone in columns if one is shift),
                )
                for shift in shifts
            ),
            days=tuple(
                PaperDay(
                    self.board.problem.date_of(n),
                    kind,
                    tuple(self._cell(cards.get((n, s.key, z.key), [])) for s, z in columns),
                )
                for n, kind in enumerate(self.board.problem.days)
            ),
        )

    def _cell(self, cards: list[Card]) -> Cell:
        return Cell(
            tuple(line for card in cards for line in self._lines(card)),
            any(not card.patrol.walked for card in cards),
        )

    def _lines(self, card: Card) -> Iterator[Line]:
        yield Line(("▲" if card.requirements else "") + card.type.name, "type")
        if not card.patrol.walked:
            yield Line("空缺，未成行", "short")
            return
        for seat in card.seats:
            if seat.member and seat.leader:
                yield Line(f"★{seat.member.name}", "leader")
                if self.phones.get(seat.member.key):
                    yield Line(self.phones[seat.member.key], "phone")
        others = [s.member.name for s in card.seats if s.member and not s.leader]
        for pair in _slices(others, 2):
            yield Line("、".join(pair), "team")
        for seat in card.seats:
            if not seat.member:
                yield Line("缺" + "/".join(FORCES.get(f, f) for f in seat.forces[:2]), "short")

    def members(self) -> list[MemberRow]:
        """Return every member who may be called on this week, force by force."""
        loads = {load.member: load for load in self.board.plan.loads}
        order = {force: n for n, force in enumerate(FORCES)}
        rows = []
        for member in sorted(
            self.board.problem.members, key=lambda m: (order.get(m.force, 99), m.key)
        ):
            load = loads[member.key]
            rows.append(
                MemberRow(
                    member.key,
                    member.name,
                    FORCES.get(member.force, member.force),
                    self.phones.get(member.key, ""),
                    tuple(self._member_day(member, n) for n in range(len(self.board.problem.days))),
                    load.patrols,
                    round(load.minutes / 60, 1),
                    load.nights,
                )
            )
        return rows

    def _member_day(self, member: Person, day: int) -> str:
        lines = []
        for patrol in self.board.plan.patrols:
            seat = next((s for s in patrol.seats if s.member == member.key), None)
            if patrol.day == day and patrol.walked and seat is not None:
                shift, zone = self.board.shifts[patrol.shift], self.board.zones[patrol.zone]
                lines.append(f"{'★' if seat.leader else ''}{shift.name}\n{zone.name}")
        if lines:
            return "\n".join(lines)
        return "假" if day in member.leave else "休" if day in member.days_off else ""


def hours_of(shift: Shift) -> str:
    """Return a shift's hours; past midnight is marked."""
    return f"{minutes(shift.start_min)}–{minutes(shift.end_min)}"


def _slices(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[n : n + size] for n in range(0, len(items), size))


def _parted(
    blocks: list[list[tuple[Shift, Zone]]], most: int
) -> list[list[list[tuple[Shift, Zone]]]]:
    """Return the blocks in order, as many together as ``most`` columns hold."""
    parts: list[list[list[tuple[Shift, Zone]]]] = [[]]
    for block in blocks:
        if parts[-1] and sum(map(len, parts[-1])) + len(block) > most:
            parts.append([])
        parts[-1].append(block)
    return parts


def _phone(phone: str | None, force: str) -> str:
    """Return a telephone number; a volunteer's is masked."""
    if not phone:
        return ""
    return f"{phone[:3]}****{phone[-4:]}" if force == Force.VOLUNTEER else phone
