"""Patrol requirements for programs."""

from datetime import date, datetime
from functools import partial
from math import isfinite, isnan
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from api.accounts import Role
from api.i18n import translate
from api.permissions import Caller, allow
from api.requirements.outcome import outcome
from api.requirements.pages import RequirementId, state_of
from api.requirements.words import effect_sentences
from api.today import today
from api.web import Db
from maps.effect import Against
from scheduling.requirements import find, listed

router = APIRouter()


class RequirementOut(BaseModel):
    """A patrol requirement and what it was raised on."""

    id: int
    place: str
    building_id: int | None
    key_place_id: int | None
    cell_id: int | None
    zone_id: int
    zone: str
    category: str | None
    band_start_min: int = Field(description="minutes from midnight")
    band_end_min: int = Field(description="past 1440 is the next day")
    weekdays: list[int] = Field(description="ISO weekdays, 1 = Monday")
    visits_per_week: int
    dwell_min: int
    valid_from: date
    valid_to: date = Field(description="the first day on which it no longer holds")
    reason: str
    evidence: dict[str, object]
    raised_by: str
    raised_at: datetime
    state: str = Field(description="upcoming, active, ended, withdrawn")


class RequirementsOut(BaseModel):
    """One page of requirements."""

    items: list[RequirementOut]
    total: int
    page: int
    pages: int


class AgainstOut(BaseModel):
    """One area before and after, against the comparison."""

    before: int
    after: int
    expected: float | None = Field(description="had it gone as elsewhere")
    ratio: float | None = Field(description="after ÷ expected")
    low: float = Field(description="exact 95 % interval of the ratio")
    high: float | None = Field(description="null: no upper limit")
    p: float


class WeekOut(BaseModel):
    """One week's visits."""

    start: date
    wanted: int
    planned: int
    done: int


class EffectOut(BaseModel):
    """Whether a requirement's place got better, counted without what patrols found themselves."""

    verdict: str = Field(description="too_early, fell, fell_as_expected, rose, unclear, none")
    sentences: list[str]
    before_days: int
    after_days: int
    place: AgainstOut | None
    ring: AgainstOut | None
    other_hours: AgainstOut | None
    comparison_before: int
    comparison_after: int
    anyway: float | None = Field(description="expected without doing anything, shrunken")
    displacement_quotient: float | None
    wait_days: int | None
    weeks: list[WeekOut]


def _against_out(found: Against | None) -> AgainstOut | None:
    if found is None:
        return None
    return AgainstOut(
        before=found.counts.before,
        after=found.counts.after,
        expected=None if isnan(found.expected) else found.expected,
        ratio=None if isnan(found.ratio) else found.ratio,
        low=found.low,
        high=found.high if isfinite(found.high) else None,
        p=found.p,
    )


@router.get("/requirements/{requirement_id}/effect")
def read_effect(
    request: Request,
    db: Db,
    requirement_id: RequirementId,
    caller: Annotated[
        Caller, allow(Role.STREET_OFFICE, Role.TEAM_LEAD, Role.AUDITOR, Role.SERVICE)
    ],
) -> EffectOut:
    """Return what was planned and done for a requirement, and whether it worked."""
    row = find(db, caller.community_id, requirement_id)
    came = outcome(db, row, today(request.app.state.settings))
    found = came.effect
    return EffectOut(
        verdict=found.verdict if found else "none",
        sentences=effect_sentences(came, partial(translate, caller.locale)),
        before_days=found.before_days if found else 0,
        after_days=found.after_days if found else 0,
        place=_against_out(found.place if found else None),
        ring=_against_out(found.ring if found else None),
        other_hours=_against_out(came.other_hours),
        comparison_before=found.comparison.before if found else 0,
        comparison_after=found.comparison.after if found else 0,
        anyway=found.anyway if found else None,
        displacement_quotient=found.quotient if found else None,
        wait_days=found.wait_days if found else None,
        weeks=[
            WeekOut(start=w.start, wanted=w.wanted, planned=w.planned, done=w.done)
            for w in came.weeks
        ],
    )


@router.get("/requirements")
def read_requirements(
    request: Request,
    db: Db,
    caller: Annotated[
        Caller, allow(Role.STREET_OFFICE, Role.TEAM_LEAD, Role.AUDITOR, Role.SERVICE)
    ],
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
    per_page: Annotated[int, Query(ge=1, le=500)] = 100,
) -> RequirementsOut:
    """Return requirements, those that hold first."""
    day = today(request.app.state.settings)
    rows = listed(db, caller.community_id, day)
    shown = rows[(page - 1) * per_page : page * per_page]
    return RequirementsOut(
        items=[
            RequirementOut(
                **{
                    name: row._mapping[name]
                    for name in RequirementOut.model_fields
                    if name != "state"
                },
                state=state_of(row.withdrawn, row.valid_from, row.valid_to, day),
            )
            for row in shown
        ],
        total=len(rows),
        page=page,
        pages=max(1, -(-len(rows) // per_page)),
    )
