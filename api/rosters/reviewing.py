"""Who may review a roster, what waits for it, and the names under it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.accounts import Account, Role
from api.permissions import Caller
from grid.errors import DomainError
from scheduling.publish import authors_of
from scheduling.rosters import RosterState, RosterVersion

OURS = {"demo": "演示", "cli": "命令行"}
"""Those who make rosters and have no account."""
REVIEWERS = (Role.TEAM_LEAD, Role.STREET_OFFICE)


class NoSuchReviewer(DomainError):
    """A name that may not review."""

    zh = "“{name}”不能审核：须是本社区在用的队长或街道办账号。请用 --reviewer 写明这样一个账号，且不能是制表人。"
    en = "“{name}” may not review: name an active team lead's or street office's account of the community with --reviewer, and not the author's."


def reviewers(session: Session, community_id: int, version: RosterVersion) -> Sequence[Account]:
    """Return the active accounts that may review a version: neither its author nor an editor."""
    return session.scalars(
        select(Account)
        .where(
            Account.community_id == community_id,
            Account.role.in_(REVIEWERS),
            Account.active,
            Account.username.not_in(authors_of(session, version)),
        )
        .order_by(Account.role.desc(), Account.username)
    ).all()


def waiting_for(session: Session, caller: Caller, day: date) -> Sequence[RosterVersion]:
    """Return the drafts that were sent and that the caller may review, of this week and later."""
    rows = session.scalars(
        select(RosterVersion)
        .where(
            RosterVersion.community_id == caller.community_id,
            RosterVersion.state == RosterState.DRAFT,
            RosterVersion.submitted_at.is_not(None),
            RosterVersion.week_start > day - timedelta(days=7),
        )
        .order_by(RosterVersion.week_start, RosterVersion.number)
    ).all()
    return [v for v in rows if caller.username not in authors_of(session, v)]


@dataclass(frozen=True)
class Signatures:
    """The names under a roster: 制表, 审核, 签发; empty where nobody signed yet."""

    maker: str
    reviewer: str
    publisher: str


def signatures(session: Session, version: RosterVersion) -> Signatures:
    """Return who signed, as people are called rather than as they sign in."""
    wanted = [version.created_by, version.reviewed_by, version.published_by]
    known = {
        username: shown
        for username, shown in session.execute(
            select(Account.username, Account.display_name).where(
                Account.username.in_([w for w in wanted if w])
            )
        )
    }
    names = [known.get(w) or OURS.get(w, w) if w else "" for w in wanted]
    return Signatures(*names)
