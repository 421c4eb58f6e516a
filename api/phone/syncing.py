"""Take in what a phone sends: every item once, in any order, and each told what became of it.

An item is one savepoint: its row under the client id and its effect stand or fall together, and
the batch is committed before the answer leaves. A phone that hears nothing sends again.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import hypot
from typing import Any

from pydantic import ValidationError
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from api.audit import record
from api.incidents.recording import report_incident
from api.permissions import Caller
from api.phone.schemas import Batch, Item, Place, Told
from grid.communities import Community
from grid.coordinates import from_wgs84
from grid.errors import DomainError, NotFound
from grid.identity import refuse_identity
from grid.incident_photos import IncidentPhoto
from grid.incidents import IncidentClass, Source, Urgency
from grid.intake import PointOutside, Report
from grid.places import Checkpoint
from scheduling.checkpoint_codes import Proof, prove
from scheduling.phone_items import PhoneItem
from scheduling.rosters import (
    Assignment,
    CheckIn,
    Patrol,
    PatrolRoute,
    RosterState,
    RosterVersion,
)
from scheduling.stop_keys import place_key, place_of, stop_keys
from scheduling.tracks import TrackPoint

RADIUS_M = 50
"""A check-in this near its stop, give or take what the phone says of its accuracy, is in place."""
ACCURACY_TRUSTED_M = 100
SKEW_FLAGGED_S = 120
EARLY = timedelta(minutes=30)
LATE = timedelta(minutes=60)

_MIDNIGHT_OFFSET = timedelta(hours=8)
"""Asia/Shanghai is UTC+8 all year."""

_BUILDING = text("""
    SELECT ST_X(ST_PointOnSurface(footprint)) AS lon, ST_Y(ST_PointOnSurface(footprint)) AS lat
    FROM building WHERE id = :id AND community_id = :community_id
""")

_STOP_PLACE = {
    "checkpoint": text(
        "SELECT ST_X(location) AS lon, ST_Y(location) AS lat FROM checkpoint WHERE id = :id"
    ),
    "risk": text("""
        SELECT ST_X(ST_PointOnSurface(footprint)) AS lon, ST_Y(ST_PointOnSurface(footprint)) AS lat
        FROM building WHERE id = :id"""),
}

CONFLICTS = {
    "patrol_gone": (
        "这次巡逻已被撤回或不存在，内容已原样保存，请告诉队长。",
        "This patrol was withdrawn or does not exist; what you sent is kept. Tell the team lead.",
    ),
    "superseded": (
        "这次巡逻所在的排班已不再生效，内容已保存并注明，请刷新后核对新的安排。",
        "The roster of this patrol no longer holds; what you sent is stored with a note. Reload and check the new one.",
    ),
    "reassigned": (
        "这次巡逻已改派他人，内容已保存并注明，请联系队长。",
        "This patrol was given to somebody else; what you sent is stored with a note. Ask the team lead.",
    ),
}


class ItemUnreadable(DomainError):
    """An item that does not have the form of one."""

    zh = "这一条内容不完整或格式不对（{fields}），没有保存，仍留在手机里。请截图告诉队长。"
    en = "This item is incomplete or malformed ({fields}); it was not stored and stays on the phone. Show it to the team lead."


class PhotoUnreadable(DomainError):
    """A photo that is none."""

    zh = "照片无法读取，没有保存，仍留在手机里。请重新拍摄后再报。"
    en = "The photo cannot be read; it was not stored and stays on the phone. Take it again."


class PatrolOver(DomainError):
    """Places of a patrol that does not run."""

    zh = "{n} 个位置点不在巡逻进行期间，按规定不保存。"
    en = "{n} places were outside the running patrol and are not kept, by rule."


@dataclass(frozen=True)
class _Sender:
    """Who sends, and how far their clock is off."""

    session: Session
    caller: Caller
    community: Community
    skew: timedelta
    now: datetime
    address: str

    @property
    def member_id(self) -> int:
        assert self.caller.member_id is not None
        return self.caller.member_id

    def when(self, device_at: datetime) -> datetime:
        """Return a phone's time by our clock, never in the future."""
        return min(device_at - self.skew, self.now)

    def metres(self, one: Any, other: Any) -> float:  # noqa: ANN401 - anything with lon and lat
        """Return the distance of two places, in the community's metric projection."""
        xs, ys = from_wgs84([one.lon, other.lon], [one.lat, other.lat], self.community.metric_srid)
        return hypot(float(xs[0] - xs[1]), float(ys[0] - ys[1]))


def sync(
    session: Session, caller: Caller, batch: Batch, *, now: datetime, address: str
) -> tuple[int, list[Told]]:
    """Store what is new of a batch; return the clock's skew in seconds, and what became of each."""
    assert caller.member_id is not None
    skew = batch.sent_at - datetime.now(UTC)
    if abs(skew) <= timedelta(seconds=5):
        skew = timedelta(0)  # the way here takes as long
    # One member's batches one after the other: the same item twice at once is once.
    session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"),
        {"key": f"xunge.phone.{caller.member_id}"},
    )
    sender = _Sender(
        session,
        caller,
        session.get_one(Community, caller.community_id),
        skew,
        now,
        address,
    )
    return round(skew.total_seconds()), [_one(sender, raw) for raw in batch.items]


def _one(sender: _Sender, raw: dict[str, Any]) -> Told:
    session = sender.session
    named = str(raw.get("client_id", ""))[:64]
    try:
        refuse_identity({k: v for k, v in raw.items() if k != "content"})
        item = Item.model_validate(raw)
        client_id = str(item.client_id)
        known = session.get(PhoneItem, client_id)
        if known is not None:
            if known.member_id != sender.member_id:
                raise ItemUnreadable(fields="client_id")
            return _told(client_id, known.state, list(known.flags), repeated=True)
        with session.begin_nested():
            return _store(sender, item)
    except ValidationError as error:
        fields = ", ".join(sorted({".".join(map(str, e["loc"])) for e in error.errors()}))
        refusal: DomainError = ItemUnreadable(fields=fields[:200])
    except DomainError as error:
        refusal = error
    return Told(
        client_id=named, state="refused", zh=refusal.sentence("zh"), en=refusal.sentence("en")
    )


def _told(client_id: str, state: Any, flags: list[str], *, repeated: bool = False) -> Told:  # noqa: ANN401 - a literal
    zh, en = next((CONFLICTS[flag] for flag in flags if flag in CONFLICTS), ("", ""))
    return Told(client_id=client_id, state=state, flags=flags, repeated=repeated, zh=zh, en=en)


def _store(sender: _Sender, item: Item) -> Told:
    patrol, flags = _patrol(sender, item)
    if abs(sender.skew) > timedelta(seconds=SKEW_FLAGGED_S):
        flags.append("clock")
    kept: dict[str, Any] = {}
    if item.kind == "check_in":
        if patrol is None:
            kept = item.model_dump(mode="json", exclude_defaults=True)
        else:
            flags += _check_in(sender, item, patrol, flags)
    elif item.kind in {"report", "alarm"}:
        flags += _report(sender, item, patrol)
    elif item.kind == "photo":
        _photo(sender, item)
    elif item.kind == "track":
        flags += _track(sender, item, patrol)
    conflict = item.patrol_id is not None and any(flag in CONFLICTS for flag in flags)
    state = "conflict" if conflict else "stored"
    client_id = str(item.client_id)
    sender.session.add(
        PhoneItem(
            client_id=client_id,
            community_id=sender.community.id,
            member_id=sender.member_id,
            patrol_id=item.patrol_id,
            kind=item.kind,
            state=state,
            flags=flags,
            device_at=item.device_at,
            server_at=sender.now,
            skew_s=round(sender.skew.total_seconds()),
            payload=kept,
        )
    )
    record(
        sender.session,
        actor=sender.caller.username,
        action=f"phone.{item.kind}",
        target=f"patrol:{item.patrol_id or ''}",
        address=sender.address,
        community_id=sender.community.id,
        details={"client_id": client_id, "state": state, "flags": flags},
    )
    sender.session.flush()
    return _told(client_id, state, flags)


def _patrol(sender: _Sender, item: Item) -> tuple[Patrol | None, list[str]]:
    """Return the patrol an item belongs to, and what is odd about that."""
    if item.patrol_id is None:
        if item.kind in {"check_in", "track", "start", "end"}:
            raise ItemUnreadable(fields="patrol_id")
        return None, []
    found = sender.session.execute(
        select(Patrol, RosterVersion.state)
        .join(RosterVersion, RosterVersion.id == Patrol.roster_version_id)
        .where(Patrol.id == item.patrol_id, RosterVersion.community_id == sender.community.id)
    ).one_or_none()
    if found is None:
        return None, ["patrol_gone"]
    patrol, state = found
    if state not in {RosterState.PUBLISHED, RosterState.LOCKED}:
        return patrol, ["superseded"]
    mine = sender.session.scalar(
        select(Assignment.id).where(
            Assignment.patrol_id == patrol.id, Assignment.member_id == sender.member_id
        )
    )
    return patrol, [] if mine is not None else ["reassigned"]


def _span(patrol: Patrol) -> tuple[datetime, datetime]:
    midnight = datetime(patrol.day.year, patrol.day.month, patrol.day.day, tzinfo=UTC)
    midnight -= _MIDNIGHT_OFFSET
    return (
        midnight + timedelta(minutes=patrol.start_min),
        midnight + timedelta(minutes=patrol.end_min),
    )


def _check_in(sender: _Sender, item: Item, patrol: Patrol, before: list[str]) -> list[str]:
    """Store a check-in; return its flags. What is odd is flagged, never refused."""
    session, flags = sender.session, []
    # By the phone's corrected clock, but not held back to now: an impossible time is to be seen.
    at = item.device_at - sender.skew
    stop = item.stop
    if item.code:
        checkpoint_id, proof = prove(session, item.code, at)
        if proof is not Proof.GENUINE:
            flags.append(f"{proof.value}_code")
        if checkpoint_id is not None:
            scanned = f"checkpoint:{checkpoint_id}"
            if stop is not None and stop != scanned:
                flags.append("other_stop")
            stop = scanned
    if stop is None:
        raise ItemUnreadable(fields="stop")
    kind, number = place_of(stop)
    if kind == "checkpoint":
        checkpoint = session.get(Checkpoint, number)
        if checkpoint is None or checkpoint.community_id != sender.community.id:
            raise NotFound(thing="必到点", name=number)
    route = session.scalar(select(PatrolRoute).where(PatrolRoute.patrol_id == patrol.id))
    place = _stop_place(sender, stop, route)
    if route is not None and stop not in stop_keys(route.stops):
        flags.append("not_on_route")
    distance = None
    if item.place is None:
        flags.append("no_place")
    elif place is not None:
        distance = sender.metres(item.place, place)
        if distance > RADIUS_M + min(item.place.accuracy_m, ACCURACY_TRUSTED_M):
            flags.append("far")
    begin, end = _span(patrol)
    if not begin - EARLY <= at <= end + LATE:
        flags.append("outside_shift")
    session.add(
        CheckIn(
            client_id=str(item.client_id),
            patrol_id=patrol.id,
            checkpoint_id=number if kind == "checkpoint" else None,
            stop=stop,
            member_id=sender.member_id,
            device_at=item.device_at,
            server_at=sender.now,
            skew_s=round(sender.skew.total_seconds()),
            method="qr" if item.code else "gps" if item.place else "tap",
            lon=item.place.lon if item.place else None,
            lat=item.place.lat if item.place else None,
            distance_m=None if distance is None else min(round(distance), 2**31 - 1),
            flags=[*before, *flags],
        )
    )
    session.flush()
    return flags


def _stop_place(sender: _Sender, stop: str, route: PatrolRoute | None) -> Place | None:
    kind, number = place_of(stop)
    for found in route.stops if route else []:
        if place_key(found) == f"{kind}:{number}":
            return Place(lon=float(str(found["lon"])), lat=float(str(found["lat"])))
    if kind not in _STOP_PLACE:
        return None
    row = sender.session.execute(_STOP_PLACE[kind], {"id": number}).one_or_none()
    return None if row is None else Place(lon=row.lon, lat=row.lat)


def _report(sender: _Sender, item: Item, patrol: Patrol | None) -> list[str]:
    """Take an incident in under the phone's client id; outside the community it keeps no place."""
    place, flags = item.place, []
    if item.building_id is not None:
        row = sender.session.execute(
            _BUILDING, {"id": item.building_id, "community_id": sender.community.id}
        ).one_or_none()
        if row is None:
            raise NotFound(thing="楼栋", name=item.building_id)
        place = Place(lon=row.lon, lat=row.lat)
    alarm = item.kind == "alarm"

    def report(at: Place | None) -> Report:
        return Report(
            source=Source.PATROL,
            ticket_number=f"phone-{item.client_id}",
            incident_class=IncidentClass.POLICE_CALL if alarm else item.incident_class,
            category="紧急求助" if alarm else item.category,
            occurred_at=sender.when(item.device_at),
            description=item.description,
            x=at.lon if at else None,
            y=at.lat if at else None,
            urgency=Urgency.EMERGENCY if alarm else item.urgency,
        )

    shared: dict[str, Any] = {
        "now": sender.now,
        "address": sender.address,
        "patrol_id": patrol.id if patrol else None,
        "unplaced": True,
    }
    if place is None:
        flags.append("no_place")
    try:
        with sender.session.begin_nested():
            report_incident(sender.session, sender.caller, report(place), **shared)
    except PointOutside:
        # The phone's own idea of where it is must never cost a report.
        report_incident(sender.session, sender.caller, report(None), **shared)
        flags.append("place_outside")
    return flags


def _photo(sender: _Sender, item: Item) -> None:
    if item.report is None:
        raise ItemUnreadable(fields="report")
    try:
        content = base64.b64decode(item.content, validate=True)
    except binascii.Error as error:
        raise PhotoUnreadable() from error
    starts = {"image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG", "image/webp": b"RIFF"}
    if not content.startswith(starts[item.media_type]):
        raise PhotoUnreadable()
    sender.session.add(
        IncidentPhoto(
            community_id=sender.community.id,
            client_id=str(item.client_id),
            report_client_id=str(item.report),
            media_type=item.media_type,
            content=content,
            sha256=hashlib.sha256(content).hexdigest(),
            taken_at=sender.when(item.device_at),
            sent_by=sender.caller.username,
        )
    )


def _track(sender: _Sender, item: Item, patrol: Patrol | None) -> list[str]:
    """Store places of a running patrol; those before or after it are not kept."""
    if patrol is None:
        return ["points_dropped"] if item.points else []
    begin, end = _span(patrol)
    ended = sender.session.scalar(
        select(
            func.min(PhoneItem.device_at - func.make_interval(0, 0, 0, 0, 0, 0, PhoneItem.skew_s))
        ).where(
            PhoneItem.patrol_id == patrol.id,
            PhoneItem.member_id == sender.member_id,
            PhoneItem.kind == "end",
        )
    )
    end = min(end, ended or end)
    kept = [p for p in item.points if begin - EARLY <= p.at - sender.skew <= end]
    if item.points and not kept:
        raise PatrolOver(n=len(item.points))
    sender.session.add_all(
        TrackPoint(
            patrol_id=patrol.id,
            member_id=sender.member_id,
            client_id=str(item.client_id),
            at=p.at - sender.skew,
            lon=p.lon,
            lat=p.lat,
            accuracy_m=round(p.accuracy_m),
        )
        for p in kept
    )
    return ["points_dropped"] if len(kept) < len(item.points) else []
