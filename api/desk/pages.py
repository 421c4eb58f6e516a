"""The desk's page: the week as a board that is edited, with what every drop would do."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.accounts import Role
from api.desk.words import words
from api.i18n import translate
from api.permissions import Caller, allow
from api.rosters.board import STATES
from api.rosters.pages import VersionId
from api.web import Db, page
from scheduling.rosters import RosterState
from scheduling.versions import find_version, versions_of

router = APIRouter()


@router.get("/rosters/{version_id}/desk")
def desk_page(
    request: Request,
    db: Db,
    caller: Annotated[Caller, allow(Role.TEAM_LEAD)],
    version_id: VersionId,
) -> Response:
    """Show one version on the desk; anything but a draft is read only."""
    version = find_version(db, caller.community_id, version_id)
    _ = partial(translate, caller.locale)
    return page(
        request,
        caller,
        "desk/desk.html",
        version=version,
        versions=versions_of(db, caller.community_id, version.week_start),
        iso=version.week_start.isocalendar(),
        editable=version.state == RosterState.DRAFT,
        state=_(STATES[version.state]),
        words=words(_),
    )
