"""The nightly work on tracks: effort per cell is kept, precise places older than 30 days go."""

from datetime import date, time, timedelta
from typing import Any

from api.daily import every_day
from api.jobs import Run, handler
from grid.database import transaction
from scheduling.tracks import store_effort, thin_tracks

LOOK_BACK_DAYS = 28
"""A phone may bring its track days later; what was thinned cannot be worked out anew."""


@handler("tracks.thin")
def thin(run: Run) -> dict[str, Any]:
    """Work out the effort per cell and hour, then thin tracks older than 30 days."""
    today = date.fromisoformat(run.arguments["today"])
    since = today - timedelta(LOOK_BACK_DAYS)
    run.progress(0.1, "统计勤务投入", "Working out the effort")
    with transaction(run.engine) as session:
        patrols = store_effort(session, run.community_id, since)
        gone, kept = thin_tracks(session, run.community_id, today)
        return {"patrols": patrols, "gone": gone, "kept": kept}


every_day("tracks.thin", at=time(3, 40))
