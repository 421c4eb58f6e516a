"""The calendar a member subscribes to, the page where they do, and the lead's list of them."""

import hashlib
from typing import Annotated

import segno
from fastapi import APIRouter, Path, Request
from fastapi.responses import PlainTextResponse, Response
from sqlalchemy import func, select

from api.accounts import Account, Role
from api.audit import record
from api.feeds.ical import write_calendar
from api.permissions import Caller, allow, anyone, hash_token, new_token
from api.sign_in.pages import client_address
from api.today import now, today
from api.web import Db, page, see_other
from grid.errors import DomainError, NotFound
from grid.people import Member
from scheduling.feeds import (
    FeedBusy,
    FeedEnded,
    feed_of,
    feeds_of_team,
    open_feed,
    read_feed,
    revoke_feed,
    shifts_of,
)

router = APIRouter()

Patroller = Annotated[Caller, allow(Role.PATROLLER)]
Lead = Annotated[Caller, allow(Role.TEAM_LEAD)]
Key = Annotated[int, Path(ge=1, le=2**63 - 1)]


@router.api_route("/feeds/{token}.ics", methods=["GET", "HEAD"])
def calendar(
    request: Request,
    db: Db,
    caller: Annotated[Caller, anyone()],
    token: Annotated[str, Path(max_length=100)],
) -> Response:
    """Return the calendar that a secret opens; refusals are sentences a calendar can show."""
    settings = request.app.state.settings
    try:
        moment, day = now(settings), today(settings)
        member = read_feed(db, hash_token(token), today=day, now=moment)
        _refuse_disabled(db, member)
        shifts = shifts_of(db, member, today=day, now=moment)
    except DomainError as refusal:
        busy = {"retry-after": "900"} if isinstance(refusal, FeedBusy) else None
        return PlainTextResponse(
            refusal.sentence(caller.locale), status_code=refusal.status, headers=busy
        )
    content = write_calendar(member.name, shifts, _site(request))
    # A calendar that has it already is told so in a few bytes.
    headers = {
        "etag": f'"{hashlib.sha256(content).hexdigest()[:32]}"',
        "cache-control": "private, no-cache",
        "content-disposition": 'inline; filename="xunge.ics"',
        "referrer-policy": "no-referrer",
    }
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type="text/calendar; charset=utf-8", headers=headers)


def _refuse_disabled(db: Db, member: Member) -> None:
    """Refuse where the member had a sign-in and every one of them was taken away."""
    active = db.scalars(select(Account.active).where(Account.member_id == member.id)).all()
    if active and not any(active):
        raise FeedEnded()


def _site(request: Request) -> str:
    return str(request.base_url).rstrip("/")


def own_member(db: Db, caller: Caller) -> Member:
    """Return the member a patroller's account is. Raises NotFound."""
    member = db.get(Member, caller.member_id) if caller.member_id else None
    if member is None:
        raise NotFound(thing="队员", name=caller.username)
    return member


def _my_page(
    request: Request, db: Db, caller: Caller, *, secret: str = "", said: str = ""
) -> Response:
    member = own_member(db, caller)
    address = f"{_site(request)}/feeds/{secret}.ics" if secret else ""
    return page(
        request,
        caller,
        "feeds/mine.html",
        feed=feed_of(db, member.id),
        address=address,
        phone_address="webcal" + address[address.index(":") :] if address else "",
        picture=segno.make(address, error="m").svg_data_uri(scale=5, border=2) if address else "",
        said=said,
    )


@router.get("/my/calendar")
def my_calendar(request: Request, db: Db, caller: Patroller, said: str = "") -> Response:
    """Show whether one's calendar is subscribed, and how to do it."""
    return _my_page(request, db, caller, said=said)


@router.post("/my/calendar")
def open_my_calendar(request: Request, db: Db, caller: Patroller) -> Response:
    """Make a new secret address and show it this once; the one before ends."""
    member = own_member(db, caller)
    secret = new_token()
    replaced = feed_of(db, member.id) is not None
    open_feed(
        db,
        member,
        hash_token(secret),
        by=caller.username,
        now=now(request.app.state.settings),
    )
    record(
        db,
        actor=caller.username,
        action="feed.rotate" if replaced else "feed.open",
        target=member.staff_number,
        address=client_address(request),
        community_id=member.community_id,
    )
    return _my_page(request, db, caller, secret=secret)


@router.post("/my/calendar/revoke")
def revoke_my_calendar(request: Request, db: Db, caller: Patroller) -> Response:
    """End one's own address."""
    _revoke(request, db, caller, own_member(db, caller))
    return see_other("/my/calendar?said=revoked")


@router.get("/feeds")
def team_feeds(request: Request, db: Db, caller: Lead, said: str = "") -> Response:
    """Show whose calendars are open, since when, and when they were last read."""
    serving = db.scalar(
        select(func.count())
        .select_from(Member)
        .where(
            Member.community_id == caller.community_id,
            (Member.active_to.is_(None)) | (Member.active_to > today(request.app.state.settings)),
        )
    )
    return page(
        request,
        caller,
        "feeds/team.html",
        rows=feeds_of_team(db, caller.community_id),
        serving=serving or 0,
        said=said,
        today=today(request.app.state.settings),
    )


@router.post("/feeds/{member_id}/revoke")
def revoke_feed_of(request: Request, db: Db, caller: Lead, member_id: Key) -> Response:
    """End a member's address, as the lead."""
    member = db.get(Member, member_id)
    if member is None or member.community_id != caller.community_id:
        raise NotFound(thing="队员", name=member_id)
    _revoke(request, db, caller, member)
    return see_other("/feeds?said=revoked")


def _revoke(request: Request, db: Db, caller: Caller, member: Member) -> None:
    moment = now(request.app.state.settings)
    if revoke_feed(db, member.id, by=caller.username, now=moment):
        record(
            db,
            actor=caller.username,
            action="feed.revoke",
            target=member.staff_number,
            address=client_address(request),
            community_id=member.community_id,
        )
