"""Background jobs for programs."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel

from api.accounts import Role
from api.permissions import Caller, allow
from api.runs.pages import find_run
from api.web import Db

router = APIRouter()


class JobOut(BaseModel):
    """A job as a program sees it."""

    id: str
    kind: str
    state: str
    progress: dict[str, object]
    result: dict[str, object]
    error: str | None
    asked_at: datetime
    finished_at: datetime | None


@router.get("/jobs/{run_id}")
def read_job(
    db: Db,
    run_id: str,
    caller: Annotated[Caller, allow(Role.TEAM_LEAD, Role.STREET_OFFICE, Role.SERVICE)],
) -> JobOut:
    """Return one job's state, progress and result."""
    row = find_run(db, caller, run_id)
    return JobOut.model_validate(row, from_attributes=True)
