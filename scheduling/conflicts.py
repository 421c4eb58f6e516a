"""What of the published rosters no longer holds: leave, leavers, changed firms and closed hours.

A published roster was legal when it was made. What is learned afterwards does not change it by
itself: it is listed here, patrol by patrol, until somebody settles it at the desk or by a swap.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from grid.errors import Conflict


@dataclass(frozen=True, slots=True)
class Broken:
    """A member on a published patrol that they cannot walk, and why."""

    version_id: int
    week_start: date
    number: int
    locked: bool
    patrol_id: int
    patrol_key: str
    day: date
    start_min: int
    end_min: int
    zone: str
    shift: str
    leader: bool
    member_id: int
    staff_number: str
    member: str
    why: str
    """leave, left, day_off, employer or closed_hours."""
    leave_id: int | None

    @property
    def desk(self) -> str:
        """Return where it is settled: the desk, with the member on the day picked up."""
        n = (self.day - self.week_start).days
        return f"/rosters/{self.version_id}/desk?member={self.staff_number}&day={n}"


_ASSIGNED = """
    SELECT v.id AS version_id, v.week_start, v.number, v.state = 'locked' AS locked,
           p.id AS patrol_id, p.key AS patrol_key, p.day, p.start_min, p.end_min,
           z.name AS zone, s.name AS shift, a.leader, m.id AS member_id, m.staff_number,
           m.name AS member, why.why, why.leave_id
    FROM roster_version v
    JOIN patrol p ON p.roster_version_id = v.id
    JOIN assignment a ON a.patrol_id = p.id
    JOIN member m ON m.id = a.member_id
    JOIN patrol_zone z ON z.id = p.zone_id
    JOIN shift_template s ON s.id = p.shift_template_id
    -- The last day the patrol touches: past midnight it is the next one.
    CROSS JOIN LATERAL (SELECT p.day + (p.end_min - 1) / 1440 AS last_day) touched
    CROSS JOIN LATERAL ({why}) AS why
    WHERE v.community_id = :community_id AND {which}
      AND p.day >= :since
      AND (CAST(:member_id AS bigint) IS NULL OR m.id = :member_id)
    ORDER BY p.day, p.start_min, p.id, m.staff_number, why.why
"""

_NOW = """
    SELECT 'leave' AS why, l.id AS leave_id FROM leave l
    WHERE l.member_id = m.id AND l.state = 'approved'
      AND l.first_day <= touched.last_day AND l.last_day >= p.day
    UNION ALL
    SELECT 'left', NULL WHERE m.active_to <= touched.last_day OR m.active_from > p.day
    UNION ALL
    SELECT 'day_off', NULL WHERE extract(isodow FROM p.day)::int = ANY (m.days_off)
    UNION ALL
    -- A guard patrols the employer's estates: one who changed firms does not go where he was put.
    SELECT 'employer', NULL
    WHERE m.force = 'guard' AND NOT EXISTS (
        SELECT FROM estate e WHERE e.id = z.estate_id AND e.employer_id = m.employer_id
    )
    UNION ALL
    SELECT 'closed_hours', NULL
    WHERE EXISTS (
        SELECT FROM jsonb_array_elements(m.unavailable) AS hours
        CROSS JOIN (VALUES (-1), (0), (1)) AS later (days)
        WHERE hours -> 'weekdays' @> to_jsonb(extract(isodow FROM p.day + later.days)::int)
          AND (hours ->> 'start_min')::int + 1440 * later.days < p.end_min
          AND (hours ->> 'end_min')::int + 1440 * later.days > p.start_min
    )
"""

_SUPPOSED = """
    SELECT 'leave' AS why, CAST(NULL AS bigint) AS leave_id
    WHERE CAST(:first_day AS date) <= touched.last_day AND CAST(:last_day AS date) >= p.day
"""

_GONE_BY = "v.state IN ('published', 'locked')"
_CONFLICTS = text(_ASSIGNED.format(why=_NOW, which=_GONE_BY))
_WOULD_BREAK = text(_ASSIGNED.format(why=_SUPPOSED, which=_GONE_BY))
_OF_VERSION = text(_ASSIGNED.format(why=_NOW, which="v.id = :version_id"))


def conflicts(
    session: Session, community_id: int, since: date, *, member_id: int | None = None
) -> Sequence[Broken]:
    """Return what of the published rosters does not hold from a day on."""
    rows = session.execute(
        _CONFLICTS, {"community_id": community_id, "since": since, "member_id": member_id}
    )
    return [Broken(**row._mapping) for row in rows]


def would_break(
    session: Session, community_id: int, member_id: int, first_day: date, last_day: date
) -> Sequence[Broken]:
    """Return the published patrols that leave on these days would break."""
    rows = session.execute(
        _WOULD_BREAK,
        {
            "community_id": community_id,
            # A patrol of the eve may run into the first day.
            "since": first_day - timedelta(days=1),
            "member_id": member_id,
            "first_day": first_day,
            "last_day": last_day,
        },
    )
    return [Broken(**row._mapping) for row in rows]


NEVER_TRADED = {"leave": ("请假", "on leave"), "left": ("不在队", "not in the team"), "employer": ("不属于该小区的物业", "another firm's estate")}  # fmt: skip
"""What no lead can ease at the desk; a day off or closed hours may have been, on purpose."""


class ToldSince(Conflict):
    """A version is to be published although something told since it was made forbids it."""

    zh = "这一版排好之后又有变动，{n} 处派班不能成立：{first}。请在“调整排班”里换人（已送审的先退回草稿），再审核发布。"
    en = "Since this version was made, {n} of its assignments became impossible: {first_en}. Replace them at the desk (send it back to draft first where it was sent), then review and publish it."


def refuse_told_since(session: Session, community_id: int, version_id: int, today: date) -> None:
    """Refuse a version with leave, leavers or changed firms that came after it was made.

    The version's own problem knows nothing of them; days that are past are left as they were.
    """
    rows = session.execute(
        _OF_VERSION,
        {
            "community_id": community_id,
            "version_id": version_id,
            "since": today,
            "member_id": None,
        },
    ).all()
    broken = [row for row in rows if row.why in NEVER_TRADED]
    if broken:
        row = broken[0]
        zh, en = NEVER_TRADED[row.why]
        raise ToldSince(
            n=len(broken),
            first=f"{row.member} {row.day:%m月%d日}{row.shift}（{zh}）",
            first_en=f"{row.member}, {row.shift} on {row.day.isoformat()} ({en})",
        )
