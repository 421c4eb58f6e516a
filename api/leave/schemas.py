"""Leave and conflicts as programs see them."""

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field

from scheduling.conflicts import Broken
from scheduling.leave import Leave, LeaveState


class ConflictOut(BaseModel):
    """A published patrol that a member on it cannot walk."""

    model_config = ConfigDict(from_attributes=True)

    version_id: int
    patrol_id: int
    patrol_key: str
    day: date
    start_min: int
    end_min: int
    zone: str
    shift: str
    staff_number: str
    why: str
    """leave, left, day_off, employer or closed_hours."""
    locked: bool
    desk: str
    """Where it is settled."""


class LeaveIn(BaseModel):
    """Leave to enter for a member."""

    model_config = ConfigDict(extra="forbid")

    staff_number: str = Field(max_length=32)
    first_day: date
    last_day: date
    reason: str = Field(default="", max_length=200)


class DecisionIn(BaseModel):
    """What the lead decides; a refusal says why."""

    model_config = ConfigDict(extra="forbid")

    approve: bool
    decision: str = Field(default="", max_length=200)


class LeaveOut(BaseModel):
    """One leave. The reason stays on the lead's page: it may be a matter of health."""

    id: int
    staff_number: str
    first_day: date
    last_day: date
    state: LeaveState
    asked_at: datetime | None
    decided_by: str | None
    decided_at: datetime | None
    conflicts: list[ConflictOut] = []
    """Published patrols that it breaks, after it was entered or approved."""


def leave_out(leave: Leave, staff_number: str, broken: "list[Broken] | None" = None) -> LeaveOut:
    """Return leave as a program sees it."""
    return LeaveOut(
        id=leave.id,
        staff_number=staff_number,
        first_day=leave.first_day,
        last_day=leave.last_day,
        state=LeaveState(leave.state),
        asked_at=leave.asked_at,
        decided_by=leave.decided_by,
        decided_at=leave.decided_at,
        conflicts=[ConflictOut.model_validate(c) for c in broken or []],
    )
