"""Rosters as programs see them. Problem, plan and report follow docs/schemas/."""

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field

from scheduling.core.plan import RosterPlan
from scheduling.rosters import RosterState


class VersionOut(BaseModel):
    """A version of a week's roster, without its plan."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    week_start: date
    number: int
    state: RosterState
    violations: int
    """Hard violations by the independent checker."""
    created_by: str
    created_at: datetime
    submitted_at: datetime | None
    reviewed_by: str | None
    published_by: str | None


class VersionWithPlan(VersionOut):
    """A version with its plan."""

    plan: RosterPlan


class VersionList(BaseModel):
    """A page of versions, the newest week first."""

    items: list[VersionOut]
    total: int
    page: int
    pages: int
    per_page: int


class GenerateIn(BaseModel):
    """Which week to solve."""

    model_config = ConfigDict(extra="forbid")

    week_start: date
    seed: int = Field(default=1, ge=0, le=2**31 - 1)


class JobAsked(BaseModel):
    """The job that was asked for: watch ``/api/v1/jobs/{job}``."""

    job: str
