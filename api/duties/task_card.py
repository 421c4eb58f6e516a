"""The task card (任务卡) of one patrol: who, when, where, what each force does at which place."""

from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from api.permissions import Caller
from api.routes.walk import Walk, find_walk, title_of
from api.web import minutes
from grid.communities import Community
from grid.member_words import FORCES, masked_phone
from grid.people import Force
from scheduling.core.composition import Part
from scheduling.duties import ALONG, KINDS, Matrix, duties_at, load_matrix
from scheduling.events import events_between
from scheduling.rosters import RosterVersion
from scheduling.week import problem_of

_PLACES = text("""
    SELECT k.name, k.kind
    FROM key_place k
    JOIN grid_cell g ON g.community_id = k.community_id AND ST_Covers(g.boundary, k.location)
     AND g.valid_from <= :day AND (g.valid_to IS NULL OR g.valid_to > :day)
    JOIN patrol_zone_cell zc ON zc.cell_id = g.id AND zc.zone_id = :zone_id
    WHERE k.community_id = :community_id
    ORDER BY k.kind, k.name, k.id
""")


@dataclass(frozen=True)
class Task:
    """One duty at a kind of place, and who of the patrol does it."""

    name: str
    must: tuple[str, ...]
    """Forces in words."""
    may: tuple[str, ...]
    absent: tuple[str, ...]
    """Forces the duty requires that are not on this patrol."""


@dataclass(frozen=True)
class CardPlace:
    """Key places of one kind in the zone, and what is done there."""

    kind: str
    names: tuple[str, ...]
    tasks: tuple[Task, ...]


@dataclass(frozen=True)
class TaskCard:
    """What a patrol takes along."""

    walk: Walk
    title: str
    community: str
    hours: str
    team: tuple[tuple[str, str, bool, str], ...]
    """Name, force in words, whether they lead, telephone masked."""
    places: tuple[CardPlace, ...]
    route_url: str
    notes: tuple[str, ...] = field(default=())
    file_name: str = ""


def task_card(session: Session, caller: Caller, patrol_id: int, site: str) -> TaskCard:
    """Return the card of a patrol the caller may see. Raises NotFound.

    Duties are those of the patrol's type as the matrix says now; of the forces only those on the
    patrol are named, and those a duty requires that are not.
    """
    walk = find_walk(session, caller, patrol_id)
    matrix = load_matrix(session, walk.zone.community_id)
    day = walk.patrol.day
    found: dict[str, list[str]] = {}
    for row in session.execute(
        _PLACES,
        {"community_id": walk.zone.community_id, "zone_id": walk.zone.id, "day": day},
    ):
        found.setdefault(row.kind, []).append(row.name)
    there = {member.force for member, _ in walk.team}
    places = [
        CardPlace(KINDS.get(kind, kind), tuple(found.get(kind, ())), tasks)
        for kind in KINDS
        if kind == ALONG or kind in found
        for tasks in [_tasks(matrix, walk.type.duties, kind, there)]
        if tasks or kind in found
    ]
    community = session.get_one(Community, walk.zone.community_id)
    return TaskCard(
        walk=walk,
        title=title_of(walk, "zh"),
        community=community.name,
        hours=f"{minutes(walk.patrol.start_min)}–{minutes(walk.patrol.end_min)}",
        team=tuple(
            (m.name, FORCES[Force(m.force)], leads, masked_phone(m.phone) or "—")
            for m, leads in walk.team
        ),
        places=tuple(places),
        route_url=f"{site.rstrip('/')}/patrols/{walk.patrol.id}",
        notes=_notes(session, walk),
        file_name=f"任务卡-{day.isoformat()}-{walk.zone.name}-{walk.shift.name}.pdf",
    )


def _tasks(matrix: Matrix, duties: list[str], kind: str, there: set[str]) -> tuple[Task, ...]:
    def named(whose: list[tuple[str, Part]], part: Part, *, present: bool) -> tuple[str, ...]:
        return tuple(
            FORCES[Force(f)] for f, said in whose if said == part and (f in there) == present
        )

    return tuple(
        Task(
            name=name,
            must=named(whose, "required", present=True),
            may=named(whose, "optional", present=True),
            absent=named(whose, "required", present=False),
        )
        for _, name, whose in duties_at(matrix, duties, kind)
    )


def _notes(session: Session, walk: Walk) -> tuple[str, ...]:
    """Return the empty seats, the events of the day in the zone, and the hotspots to visit."""
    notes = []
    if walk.patrol.empty_seats:
        notes.append(f"本组空缺 {walk.patrol.empty_seats} 个席位，请带班队员出发前向队长确认。")
    day = walk.patrol.day
    for event in events_between(session, walk.zone.community_id, day, day):
        if event.zone_id == walk.zone.id and (
            event.band_start_min < walk.patrol.end_min
            and event.band_end_min > walk.patrol.start_min
        ):
            hours = f"{minutes(event.band_start_min)}–{minutes(event.band_end_min)}"
            notes.append("：".join(x for x in (f"特殊事件“{event.name}”{hours}", event.note) if x))
    version = session.scalars(
        select(RosterVersion).where(RosterVersion.id == walk.patrol.roster_version_id)
    ).one()
    problem = problem_of(version)
    index = (day - version.week_start) // timedelta(days=1)
    for asked in problem.requirements:
        in_time = (
            asked.band_start_min < walk.patrol.end_min
            and asked.band_end_min > walk.patrol.start_min
        )
        if index in asked.days and in_time and asked.zone.split("@")[0] == walk.zone.code:
            notes.append(
                f"热点要求：{asked.reason}（{minutes(asked.band_start_min)}–"
                f"{minutes(asked.band_end_min)}，停留不少于 {asked.dwell_min} 分钟）"
            )
    return tuple(notes)
