"""Jobs of every day: each asked for once a day and community, by whichever worker is there.

A job's id is made of its kind, community and day, so two workers, or one that is started again,
ask for it once. A worker that was off at the hour asks when it is back the same day.
"""

import uuid
from datetime import datetime, time
from typing import Any

from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from api.job_runs import JobRun
from api.jobs import ask, handlers
from api.settings import Settings
from api.today import LOCAL, now
from grid.communities import Community
from grid.database import transaction

ASKER = "daily"
_times: dict[str, time] = {}
_NAMES = uuid.UUID("6f0f6d0e-2f0b-4f0e-9b2a-6d1f6b3d9a51")
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('xunge.daily', 0))")


def every_day(kind: str, at: time) -> None:
    """Have a handler's job done every day at or after a community-local time."""
    _times[kind] = at


def daily_kinds() -> list[str]:
    """Return the kinds of job that are done every day."""
    handlers()
    return sorted(_times)


def ask_for_todays(engine: Engine, settings: Settings) -> list[str]:
    """Ask for what is due by now and not asked for yet; return the new runs' ids."""
    moment = now(settings).astimezone(LOCAL)
    with transaction(engine) as session:
        session.execute(_ONE_AT_A_TIME)
        return _ask(session, moment)


def _ask(session: Session, moment: datetime) -> list[str]:
    asked = []
    due = [kind for kind in daily_kinds() if _times[kind] <= moment.time()]
    for community in session.scalars(select(Community.id).order_by(Community.id)):
        for kind in due:
            run_id = str(uuid.uuid5(_NAMES, f"{kind} {community} {moment.date().isoformat()}"))
            if session.get(JobRun, run_id) is None:
                arguments: dict[str, Any] = {"today": moment.date().isoformat()}
                ask(
                    session, kind, arguments,
                    community_id=community, asked_by=ASKER, run_id=run_id,
                )  # fmt: skip
                asked.append(run_id)
    return asked
