"""A new community's demand: shifts that start staggered, patrol types, and a cover it can fill.

The sizes come from the team itself: what its members may legally walk in a week, less a reserve
for leave and for requirements from hot places. A person edits them afterwards.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from grid.cells import PatrolZone
from grid.communities import Estate
from grid.errors import DomainError
from grid.people import Force, Member
from scheduling.demand import CoverDemand, PatrolType, ShiftTemplate
from scheduling.duties import seed_duties

EVERY_DAY = [1, 2, 3, 4, 5, 6, 7]
SHIFTS = (
    ("D1", "早班", 450, 690),
    ("D2", "上午班", 570, 780),
    ("D3", "下午班", 840, 1080),
    ("E1", "晚班一", 1110, 1320),
    ("E2", "晚班二", 1170, 1380),
    ("N1", "夜班", 1320, 1560),
)
"""Code, name, start and end in minutes: six starting times, so that patrols are staggered (错时)."""
DAY_SHIFTS = ("D1", "D2", "D3")
EVENING_SHIFTS = ("E1", "E2")
NIGHT_SHIFT = "N1"

JOINT, ROUND, ESTATE = "joint", "round", "estate"
TYPES: tuple[tuple[str, str, bool, list[dict[str, object]]], ...] = (
    (
        JOINT,
        "警民保联合巡逻",
        True,
        [
            {"forces": ["officer"], "leader": True},
            {"forces": ["grid_member", "auxiliary"]},
            {"forces": ["guard", "group_leader", "volunteer"], "required": False},
        ],
    ),
    (
        ROUND,
        "网格巡查",
        False,
        [
            {"forces": ["grid_member", "auxiliary"], "leader": True},
            {"forces": ["group_leader", "grid_member", "guard", "auxiliary", "volunteer"]},
        ],
    ),
    (
        ESTATE,
        "物业巡防",
        False,
        [{"forces": ["guard"], "leader": True}, {"forces": ["guard"]}],
    ),
)
"""警+民+保 led by an officer; an observe-and-report round; a property firm's own round."""

IMPORTANCE = {JOINT: 8, ROUND: 6, ESTATE: 5}
RESERVE = 0.8
"""The part of the legal capacity that the minimum cover uses; the rest is for leave and illness."""
FULL = 0.95
"""The part that the ideal cover reaches up to."""
NIGHT_DAYS = (5, 6, 7, 3, 1, 4, 2)
"""Which nights come first where not every night can be walked: the end of the week."""


class NobodyToPatrol(DomainError):
    """The community has no zones, or no members."""

    zh = "本社区还没有{what}，无法设定勤务。请先{cure}。"
    en = "This community has no {what_en} yet, so no patrols can be set up. {cure_en} first."


@dataclass(frozen=True)
class _Ground:
    """What the sizes are reckoned from."""

    zones: Sequence[tuple[PatrolZone, int | None]]
    """Zones in order of their code, each with the employer of its estate."""
    members: Sequence[Member]

    def patrols(self, *forces: Force) -> int:
        """Return the patrols a week that members of these forces may walk."""
        return sum(m.max_patrols_week for m in self.members if m.force in forces)

    def nights(self, employer: int) -> int:
        """Return the nights a week a firm's guards may walk."""
        return sum(
            min(m.max_nights_week, m.max_patrols_week)
            for m in self.members
            if m.force == Force.GUARD and m.employer_id == employer
        )

    def guard_patrols(self, employer: int) -> int:
        """Return the patrols a week a firm's guards may walk."""
        return sum(
            m.max_patrols_week
            for m in self.members
            if m.force == Force.GUARD and m.employer_id == employer
        )


def found_demand(session: Session, community_id: int) -> bool:
    """Give a community its first shifts, patrol types, duties and cover; return whether they are new.

    A community that has shift templates is left as it is. Raises NobodyToPatrol. The caller
    commits.
    """
    have = session.scalar(
        select(ShiftTemplate.id).where(ShiftTemplate.community_id == community_id).limit(1)
    )
    if have is not None:
        return False
    ground = _ground(session, community_id)
    shifts = {
        code: ShiftTemplate(
            community_id=community_id,
            code=code,
            name=name,
            start_min=start,
            end_min=end,
            weekdays=EVERY_DAY,
        )
        for code, name, start, end in SHIFTS
    }
    types = {
        code: PatrolType(
            community_id=community_id,
            code=code,
            name=name,
            enforcement=enforcement,
            composition=seats,
        )
        for code, name, enforcement, seats in TYPES
    }
    session.add_all([*shifts.values(), *types.values()])
    session.flush()
    seed_duties(session, community_id)
    cover: dict[tuple[int, str, str, int], set[int]] = {}
    for zone, day, shift, kind, minimum in _cover(ground):
        cover.setdefault((zone, shift, kind, minimum), set()).add(day)
    session.add_all(
        CoverDemand(
            community_id=community_id,
            zone_id=zone,
            shift_template_id=shifts[shift].id,
            patrol_type_id=types[kind].id,
            weekdays=sorted(days),
            minimum=minimum,
            ideal=1,
            importance=IMPORTANCE[kind],
        )
        for (zone, shift, kind, minimum), days in sorted(cover.items())
    )
    session.flush()
    return True


def _ground(session: Session, community_id: int) -> _Ground:
    zones = session.execute(
        select(PatrolZone, Estate.employer_id)
        .outerjoin(Estate, Estate.id == PatrolZone.estate_id)
        .where(PatrolZone.community_id == community_id, PatrolZone.valid_to.is_(None))
        .order_by(PatrolZone.code)
    ).all()
    members = session.scalars(
        select(Member).where(Member.community_id == community_id).order_by(Member.staff_number)
    ).all()
    if not zones:
        raise NobodyToPatrol(
            what="巡区",
            cure="划分网格和巡区",
            what_en="patrol zones",
            cure_en="Draw cells and zones",
        )
    if not members:
        raise NobodyToPatrol(
            what="队员", cure="导入队员名单", what_en="members", cure_en="Import the members"
        )
    return _Ground([(zone, employer) for zone, employer in zones], members)


Wanted = tuple[int, int, str, str, int]
"""Zone id, ISO weekday, shift, patrol type, minimum (1, or 0 for an ideal one)."""


Want = Callable[[int, int, str, str, int], None]
"""Takes note of one patrol that is wanted."""


def _cover(ground: _Ground) -> list[Wanted]:
    """Return the patrols wanted in a week, none twice."""
    found: dict[tuple[int, int, str, str], int] = {}

    def want(zone: int, day: int, shift: str, kind: str, minimum: int) -> None:
        key = (zone, day, shift, kind)
        found[key] = max(found.get(key, 0), minimum)

    _joint(ground, want)
    _rounds(ground, want)
    _estate_rounds(ground, want)
    return [(*key, minimum) for key, minimum in found.items()]


def _joint(ground: _Ground, want: Want) -> None:
    """Evenings led by an officer go round the zones; as many as officers can lead are ideal."""
    most = min(
        ground.patrols(Force.OFFICER), ground.patrols(Force.GRID_MEMBER, Force.AUXILIARY) // 2
    )
    zones = ground.zones
    for n in range(most):
        zone = (n + 3 * (n // 7)) % len(zones)  # another zone of the same day in the next round
        want(
            zones[zone][0].id,
            n % 7 + 1,
            EVENING_SHIFTS[(n + n // 7) % 2],
            JOINT,
            int(n < int(most * RESERVE)),
        )


def _rounds(ground: _Ground, want: Want) -> None:
    """Observe-and-report rounds by day, one per zone and day where hands allow, staggered."""
    officers = ground.patrols(Force.OFFICER)
    leaders = ground.patrols(Force.GRID_MEMBER, Force.AUXILIARY) - officers
    helpers = leaders + ground.patrols(Force.GROUP_LEADER, Force.VOLUNTEER)
    teams = max(0.0, min(leaders, helpers / 2))
    zones = ground.zones
    for n in range(min(7 * len(zones), int(teams * FULL))):
        day, zone = n % 7 + 1, n // 7
        want(
            zones[zone][0].id,
            day,
            DAY_SHIFTS[(day + zone) % 3],
            ROUND,
            int(n < int(teams * RESERVE)),
        )


def _estate_rounds(ground: _Ground, want: Want) -> None:
    """A firm's guards walk its own estates by night, and some evenings, two at a time."""
    for employer in dict.fromkeys(firm for _, firm in ground.zones if firm is not None):
        own = [zone for zone, firm in ground.zones if firm == employer]
        pairs = ground.nights(employer) / 2
        least = min(7, int(pairs * RESERVE) // len(own))
        ideal = min(7, int(pairs * FULL) // len(own))
        left = ground.guard_patrols(employer) / 2 - ideal * len(own)
        evenings = min(7, int(left * 0.5) // len(own))
        for n, zone in enumerate(own):
            nights = _turned(NIGHT_DAYS, n)
            for k, day in enumerate(nights[:ideal]):
                want(zone.id, day, NIGHT_SHIFT, ESTATE, int(k < least))
            for day in list(reversed(nights))[:evenings]:
                want(zone.id, day, EVENING_SHIFTS[(n + day) % 2], ESTATE, 0)


def _turned(days: Sequence[int], n: int) -> list[int]:
    """Return the days with the first two kept and the others turned by ``n``."""
    first, rest = list(days[:2]), list(days[2:])
    turn = n % len(rest)
    return first + rest[turn:] + rest[:turn]
