"""The day's digest (每日简报): a few sentences made at 18:00, kept with the job that made them."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from api.job_runs import JobRun, JobState
from grid.incident_counts import local_midnight
from grid.incident_words import CLASSES
from grid.incidents import IncidentClass

KIND = "report.digest"
SHOWN = 7


@dataclass(frozen=True, slots=True)
class Digest:
    """One day's."""

    day: str
    sentences: tuple[str, ...]


_DAY = text("""
    SELECT incident_class, count(*) AS n,
           count(*) FILTER (WHERE urgency IN ('emergency', 'major')) AS important,
           count(*) FILTER (WHERE state NOT IN ('handled', 'verified', 'closed')) AS open
    FROM incident
    WHERE community_id = :community_id AND occurred_at >= :since AND occurred_at < :until
    GROUP BY incident_class ORDER BY incident_class
""")
_TONIGHT = text("""
    SELECT count(*) AS patrols, coalesce(sum(p.empty_seats), 0) AS empty
    FROM patrol p JOIN roster_version v ON v.id = p.roster_version_id
    WHERE v.community_id = :community_id AND v.state IN ('published', 'locked')
      AND p.day = :day AND p.end_min > 1080
      AND EXISTS (SELECT FROM assignment a WHERE a.patrol_id = p.id)
""")


def make_digest(session: Session, community_id: int, day: date) -> Digest:
    """Return the digest of a day: what was reported, what is open, what walks tonight."""
    asked = {
        "community_id": community_id, "day": day,
        "since": local_midnight(day), "until": local_midnight(date.fromordinal(day.toordinal() + 1)),
    }  # fmt: skip
    rows = session.execute(_DAY, asked).all()
    total = sum(row.n for row in rows)
    told = []
    if total:
        parts = "、".join(f"{CLASSES[IncidentClass(row.incident_class)]}{row.n}件" for row in rows)
        important, unfinished = sum(r.important for r in rows), sum(r.open for r in rows)
        told.append(
            f"今日接报{total}件：{parts}。急事和大事{important}件，尚未办结{unfinished}件。"
        )
    else:
        told.append("今日到 18 时没有接报。")
    tonight = session.execute(_TONIGHT, asked).one()
    if tonight.patrols:
        short = f"，空缺{tonight.empty}席" if tonight.empty else "，没有空缺"
        told.append(f"今晚有巡逻{tonight.patrols}次{short}。")
    else:
        told.append("今晚没有已发布的巡逻。")
    return Digest(day.isoformat(), tuple(told))


def digests(session: Session, community_id: int) -> list[Digest]:
    """Return the last digests, the newest first."""
    rows = session.scalars(
        select(JobRun)
        .where(
            JobRun.community_id == community_id, JobRun.kind == KIND, JobRun.state == JobState.DONE
        )
        .order_by(JobRun.asked_at.desc())
        .limit(SHOWN)
    )
    found = []
    for row in rows:
        sentences = row.result.get("sentences")
        if isinstance(sentences, list):
            found.append(Digest(str(row.result.get("day", "")), tuple(map(str, sentences))))
    return found
