"""An incident's walk: accepted, dispatched, handled, verified, closed; and the callback after it."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from grid.errors import DomainError, NotFound
from grid.incident_words import STATES
from grid.incidents import Incident, IncidentState

_S = IncidentState
STEPS: Mapping[IncidentState, tuple[IncidentState, ...]] = {
    _S.REPORTED: (_S.ACCEPTED,),
    _S.ACCEPTED: (_S.DISPATCHED, _S.HANDLED),
    _S.DISPATCHED: (_S.HANDLED,),
    _S.HANDLED: (_S.VERIFIED, _S.DISPATCHED),
    _S.VERIFIED: (_S.CLOSED, _S.DISPATCHED),
    _S.CLOSED: (_S.DISPATCHED,),
}
"""Where an incident may go from each state. Back to 已派遣 is 退回重办: the work was not good enough."""

VERBS: Mapping[tuple[IncidentState, IncidentState], str] = {
    (_S.REPORTED, _S.ACCEPTED): "受理",
    (_S.ACCEPTED, _S.DISPATCHED): "派遣",
    (_S.ACCEPTED, _S.HANDLED): "自行处置",
    (_S.DISPATCHED, _S.HANDLED): "处置完毕",
    (_S.HANDLED, _S.VERIFIED): "核查通过",
    (_S.HANDLED, _S.DISPATCHED): "退回重办",
    (_S.VERIFIED, _S.CLOSED): "结案",
    (_S.VERIFIED, _S.DISPATCHED): "退回重办",
    (_S.CLOSED, _S.DISPATCHED): "重新办理",
}
"""What the button for each step says."""


class StepRefused(DomainError):
    """A step that does not follow from where the incident stands."""

    zh = "事件现在是“{now}”，不能直接变为“{wanted}”；下一步可以是：{possible}。可能有人刚刚处理过，请刷新页面。"
    en = "The incident is now “{now_en}” and cannot become “{wanted_en}” at once; next may be: {possible_en}. Someone may just have handled it: reload the page."
    status = 409


class CallbackTooEarly(DomainError):
    """A callback about an incident that is not closed."""

    zh = "事件还没有结案（现在是“{now}”），结案后才能登记回访。"
    en = "The incident is not closed yet (it is {now_en}); a callback is recorded after that."
    status = 409


def _locked(session: Session, community_id: int, incident_id: int) -> Incident:
    found = session.scalar(
        select(Incident)
        .where(Incident.id == incident_id, Incident.community_id == community_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound(thing="事件", name=incident_id)
    return found


def advance(
    session: Session, community_id: int, incident_id: int, to: IncidentState, *, now: datetime
) -> Incident:
    """Take an incident one step on. Two at once: the second is told where it stands.

    Raises NotFound or StepRefused.
    """
    incident = _locked(session, community_id, incident_id)
    state = IncidentState(incident.state)
    if to not in STEPS[state]:
        raise StepRefused(
            now=STATES[state],
            wanted=STATES[to],
            possible="、".join(STATES[s] for s in STEPS[state]),
            now_en=state.value,
            wanted_en=to.value,
            possible_en=", ".join(s.value for s in STEPS[state]),
        )
    incident.state = to
    if to is _S.CLOSED:
        incident.closed_at = max(now, incident.reported_at)
    elif state is _S.CLOSED:
        # What was said of the first ending says nothing of the next.
        incident.closed_at = None
        incident.satisfied = None
    session.flush()
    return incident


def call_back(
    session: Session, community_id: int, incident_id: int, *, satisfied: bool
) -> Incident:
    """Record what the callback answered. Raises NotFound or CallbackTooEarly."""
    incident = _locked(session, community_id, incident_id)
    state = IncidentState(incident.state)
    if state is not _S.CLOSED:
        raise CallbackTooEarly(now=STATES[state], now_en=state.value)
    incident.satisfied = satisfied
    session.flush()
    return incident
