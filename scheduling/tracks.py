"""Where a running patrol was: precise for 30 days, then thinned; and the effort per cell and hour."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import ForeignKey, Index, delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from grid.communities import Community
from grid.coordinates import from_wgs84
from grid.database import Base, Instant, Key
from scheduling.core.effort import CELL_M, Fix, effort_of

PRECISE_DAYS = 30
THINNED_MIN = 10
"""After 30 days one point stays of every ten minutes …"""
THINNED_DIGITS = 3
"""… rounded to a thousandth of a degree: about 100 m."""


class TrackPoint(Base):
    """A place of a running patrol, WGS 84."""

    __tablename__ = "track_point"
    __table_args__ = (
        Index("ix_track_point_patrol_at", "patrol_id", "at"),
        Index("ix_track_point_at", "at"),
    )

    id: Mapped[Key]
    patrol_id: Mapped[int] = mapped_column(ForeignKey("patrol.id", ondelete="CASCADE"))
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"))
    client_id: Mapped[str]
    at: Mapped[Instant]
    lon: Mapped[float]
    lat: Mapped[float]
    accuracy_m: Mapped[int]
    precise: Mapped[bool] = mapped_column(default=True, server_default="true")


class PatrolEffort(Base):
    """Minutes (勤务投入) one patrol spent in one analysis cell in one hour.

    A cell is named by the indices of its corner in the community's metric system, ``floor(x /
    cell_m)`` and ``floor(y / cell_m)``; ``hour`` is the start of the hour. No member is named.
    """

    __tablename__ = "patrol_effort"
    __table_args__ = (Index("ix_patrol_effort_community_hour", "community_id", "hour"),)

    patrol_id: Mapped[int] = mapped_column(
        ForeignKey("patrol.id", ondelete="CASCADE"), primary_key=True
    )
    hour: Mapped[Instant] = mapped_column(primary_key=True)
    column: Mapped[int] = mapped_column(primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id", ondelete="CASCADE"))
    cell_m: Mapped[int]
    minutes: Mapped[float]


_FIXES = text("""
    SELECT f.patrol_id, f.at, f.lon, f.lat FROM (
        SELECT patrol_id, at, lon, lat FROM track_point WHERE precise
        UNION ALL
        SELECT patrol_id, device_at - skew_s * interval '1 second', lon, lat FROM check_in
        WHERE lon IS NOT NULL
    ) AS f
    JOIN patrol p ON p.id = f.patrol_id
    JOIN roster_version v ON v.id = p.roster_version_id
    WHERE v.community_id = :community_id AND p.day >= :since
    ORDER BY f.patrol_id, f.at
""")


def store_effort(session: Session, community_id: int, since: date) -> int:
    """Work out the effort of every patrol since a day with a place; return how many patrols.

    Idempotent: what was there of a patrol is replaced.
    """
    srid = session.get_one(Community, community_id).metric_srid
    rows = session.execute(_FIXES, {"community_id": community_id, "since": since}).all()
    if not rows:
        return 0
    xs, ys = from_wgs84([r.lon for r in rows], [r.lat for r in rows], srid)
    fixes: dict[int, list[Fix]] = defaultdict(list)
    for row, x, y in zip(rows, xs, ys, strict=True):
        fixes[row.patrol_id].append(Fix(int(row.at.timestamp()), float(x), float(y)))
    session.execute(delete(PatrolEffort).where(PatrolEffort.patrol_id.in_(fixes)))
    found: list[dict[str, Any]] = [
        {
            "patrol_id": patrol, "community_id": community_id, "cell_m": CELL_M,
            "hour": datetime.fromtimestamp(hour_s, UTC), "column": column, "row": row,
            "minutes": minutes,
        }
        for patrol, places in fixes.items()
        for (hour_s, column, row), minutes in effort_of(places).items()
    ]  # fmt: skip
    if found:
        session.execute(insert(PatrolEffort), found)
    return len(fixes)


_THIN = text(f"""
    WITH kept AS (
        SELECT DISTINCT ON (t.patrol_id, t.member_id, floor(extract(epoch FROM t.at) / :slot)) t.id
        FROM track_point t JOIN patrol p ON p.id = t.patrol_id
        JOIN roster_version v ON v.id = p.roster_version_id
        WHERE v.community_id = :community_id AND t.precise AND t.at < :before
        ORDER BY t.patrol_id, t.member_id, floor(extract(epoch FROM t.at) / :slot), t.at
    ), gone AS (
        DELETE FROM track_point t USING patrol p, roster_version v
        WHERE p.id = t.patrol_id AND v.id = p.roster_version_id
          AND v.community_id = :community_id AND t.precise AND t.at < :before
          AND t.id NOT IN (SELECT id FROM kept)
        RETURNING t.id
    ), rounded AS (
        UPDATE track_point SET precise = false,
               lon = round(lon::numeric, {THINNED_DIGITS}),
               lat = round(lat::numeric, {THINNED_DIGITS})
        WHERE id IN (SELECT id FROM kept)
        RETURNING id
    )
    SELECT (SELECT count(*) FROM gone) AS gone, (SELECT count(*) FROM rounded) AS kept
""")  # noqa: S608 - a constant of ours

_FORGET_CHECK_IN_PLACES = text("""
    UPDATE check_in c SET lon = NULL, lat = NULL
    FROM patrol p, roster_version v
    WHERE p.id = c.patrol_id AND v.id = p.roster_version_id AND v.community_id = :community_id
      AND c.lon IS NOT NULL AND c.device_at < :before
""")

_FORGET_CONFLICT_PLACES = text("""
    UPDATE phone_item SET payload = payload - 'place' - 'points'
    WHERE community_id = :community_id AND device_at < :before
      AND (payload ? 'place' OR payload ? 'points')
""")


def thin_tracks(session: Session, community_id: int, today: date) -> tuple[int, int]:
    """Thin what is older than 30 days; return how many points went and how many stay rounded.

    The effort is worked out first: what was done stays known, who walked where does not.
    """
    before = datetime(today.year, today.month, today.day, tzinfo=UTC) - timedelta(PRECISE_DAYS)
    where = {"community_id": community_id, "before": before}
    done = session.execute(_THIN, {**where, "slot": THINNED_MIN * 60}).one()
    session.execute(_FORGET_CHECK_IN_PLACES, where)
    session.execute(_FORGET_CONFLICT_PLACES, where)
    return done.gone, done.kept


def effort_cells(
    session: Session, community_id: int, first: datetime, until: datetime
) -> dict[tuple[int, int], np.ndarray[Any, np.dtype[np.float64]]]:
    """Return cell (column, row) → minutes patrolled by hour of the local day, shape (24,).

    What the hotspot maps weigh incidents with; cells are ``CELL_M`` wide.
    """
    found: dict[tuple[int, int], np.ndarray[Any, np.dtype[np.float64]]] = {}
    rows = session.execute(
        select(PatrolEffort.column, PatrolEffort.row, PatrolEffort.hour, PatrolEffort.minutes)
        .where(PatrolEffort.community_id == community_id)
        .where(PatrolEffort.hour >= first, PatrolEffort.hour < until)
    )
    for column, row, hour, minutes in rows:
        by_hour = found.setdefault((column, row), np.zeros(24))
        by_hour[(hour.astimezone(UTC).hour + 8) % 24] += minutes
    return found
