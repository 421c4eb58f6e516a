"""Calendar feeds for programs: whose are open, and revoking one."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel

from api.accounts import Role
from api.feeds.pages import Key, revoke_feed_of
from api.permissions import Caller, allow
from api.web import Db
from scheduling.feeds import feeds_of_team

router = APIRouter()
Lead = Annotated[Caller, allow(Role.TEAM_LEAD)]


class FeedOut(BaseModel):
    """An open calendar; its secret is known to the member alone."""

    member_id: int
    staff_number: str
    created_at: datetime
    last_read_at: datetime | None


@router.get("/feeds")
def list_feeds(db: Db, caller: Lead) -> list[FeedOut]:
    """Return the calendars that are open."""
    return [
        FeedOut(
            member_id=member.id,
            staff_number=member.staff_number,
            created_at=feed.created_at,
            last_read_at=feed.last_read_at,
        )
        for feed, member in feeds_of_team(db, caller.community_id)
    ]


@router.delete("/feeds/{member_id}", status_code=204)
def revoke(request: Request, db: Db, caller: Lead, member_id: Key) -> None:
    """End a member's calendar; where there is none, nothing happens."""
    revoke_feed_of(request, db, caller, member_id)
