"""Swaps as programs see them."""

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field

from api.swaps.showing import Shown
from scheduling.swaps import SwapState


class BreachOut(BaseModel):
    """A rule that stops a member today."""

    model_config = ConfigDict(from_attributes=True)

    member: str
    rule: str
    zh: str
    en: str


class SwapOut(BaseModel):
    """One proposal."""

    id: int
    week_start: date
    state: SwapState
    asker: str
    asker_patrol: str
    other: str
    other_patrol: str | None
    """Null where the asker's patrol is given away."""
    begins_at: datetime
    decision: str
    decided_by: str | None
    roster_version_id: int | None
    """The version that an approved swap made."""
    breaches: list[BreachOut] = []
    """What the rules say today, of one that is still open."""


class SwapDecisionIn(BaseModel):
    """What the lead decides; a refusal says why."""

    model_config = ConfigDict(extra="forbid")

    approve: bool
    decision: str = Field(default="", max_length=200)


def swap_out(row: Shown) -> SwapOut:
    """Return a swap as a program sees it."""
    swap = row.swap
    return SwapOut(
        id=swap.id,
        week_start=swap.week_start,
        state=SwapState(swap.state),
        asker=row.asker.staff_number,
        asker_patrol=swap.asker_patrol,
        other=row.other.staff_number,
        other_patrol=swap.other_patrol,
        begins_at=swap.begins_at,
        decision=swap.decision,
        decided_by=swap.decided_by,
        roster_version_id=swap.roster_version_id,
        breaches=[
            BreachOut.model_validate(b) for b in (row.verdict.breaches if row.verdict else ())
        ],
    )
