"""Checking in at a stop (打卡): once per client id, with the phone's and the server's time."""

from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.audit import record
from api.permissions import Caller
from api.routes.walk import Walk, stop_key
from grid.errors import DomainError, NotFound
from scheduling.rosters import CheckIn


class ClockUnfit(DomainError):
    """A device time that is no time."""

    zh = "手机时间“{sent}”无法识别。请检查手机的日期和时间设置后重试。"
    en = "The phone's time “{sent}” cannot be read. Check its date and time settings and try again."


def check_in(
    session: Session, caller: Caller, walk: Walk, *, stop: str, client_id: str, device_at: str
) -> CheckIn:
    """Store a check-in of the caller at a stop of the walk; the same client id stores nothing new.

    ``device_at`` is ISO 8601; without a zone it is taken as UTC. Empty, the server's time stands.
    """
    assert caller.member_id is not None
    known = session.scalar(select(CheckIn).where(CheckIn.client_id == client_id))
    if known is not None:
        return known
    stops = {stop_key(found): found for found in (walk.route.stops if walk.route else [])}
    if stop not in stops:
        raise NotFound(thing="停留点", name=stop)
    now = datetime.now(UTC)
    row = CheckIn(
        client_id=client_id,
        patrol_id=walk.patrol.id,
        checkpoint_id=stops[stop]["id"] if stops[stop]["kind"] == "checkpoint" else None,
        stop=stop,
        member_id=caller.member_id,
        device_at=_device_time(device_at) or now,
        server_at=now,
    )
    session.add(row)
    record(
        session,
        actor=caller.username,
        action="check_in",
        target=f"patrol:{walk.patrol.id}",
        community_id=caller.community_id,
        details={"stop": stop},
    )
    session.flush()
    return row


def _device_time(sent: str) -> datetime | None:
    if not sent:
        return None
    try:
        found = datetime.fromisoformat(sent)
    except ValueError as error:
        raise ClockUnfit(sent=sent) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
