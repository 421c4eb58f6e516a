"""A client for every role, on a real database."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.accounts import Account, Role
from api.app import create_app
from api.permissions import SESSION_COOKIE, find_session
from api.settings import Settings
from api.sign_in.pages import open_session
from grid.communities import Community, StreetOffice
from grid.people import Member
from tests.conftest import SAMPLE_UNTIL, Database

PASSWORD = "correct horse battery"
# argon2 on purpose costs 50 ms; the accounts of tests share one hash of PASSWORD.
_HASH: list[str] = []


def password_hash() -> str:
    from api.sign_in.passwords import hash_password

    if not _HASH:
        _HASH.append(hash_password(PASSWORD))
    return _HASH[0]


@dataclass
class Site:
    """The application on one database, and a signed-in browser for any role."""

    database: Database
    today: date = SAMPLE_UNTIL
    _clients: list[TestClient] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.settings = Settings(database_url=self.database.url, today=self.today)
        self.app = create_app(self.settings)

    def session(self) -> Session:
        return Session(self.database.engine, expire_on_commit=False)

    def browser(self) -> TestClient:
        """A browser nobody is signed in on; redirects are not followed."""
        client = TestClient(
            self.app,
            follow_redirects=False,
            headers={"accept": "text/html"},
            raise_server_exceptions=False,
        )
        self._clients.append(client)
        return client

    def account(
        self, role: Role, *, member_id: int | None = None, community_id: int | None = None
    ) -> str:
        """The name of an account of a role; a patroller is the first member unless one is named."""
        with self.session() as session, session.begin():
            community = community_id or session.scalar(select(Community.id).order_by(Community.id))
            if community is None:
                community = found_community(session)
            if role is Role.PATROLLER and member_id is None:
                member_id = session.scalar(
                    select(Member.id).where(Member.community_id == community).order_by(Member.id)
                )
            username = f"{role.value}-{community}-{member_id or 0}"
            if session.scalar(select(Account.id).where(Account.username == username)) is None:
                session.add(
                    Account(
                        username=username,
                        display_name=username,
                        password_hash=password_hash(),
                        role=role,
                        community_id=community,
                        member_id=member_id if role is Role.PATROLLER else None,
                    )
                )
        return username

    def signed_in(self, role: Role, **named: int) -> TestClient:
        """A browser signed in as a role, sending the CSRF header with every request."""
        username = self.account(role, **named)
        client = self.browser()
        with self.session() as session, session.begin():
            account = session.scalars(select(Account).where(Account.username == username)).one()
            token = open_session(session, account, hours=1)
        with self.session() as session:
            found = find_session(session, token)
            assert found is not None
        client.cookies.set(SESSION_COOKIE, token)
        client.headers["x-csrf-token"] = found.csrf_token
        return client

    def close(self) -> None:
        for client in self._clients:
            client.close()
        self.app.state.engine.dispose()


def found_community(session: Session) -> int:
    """A bare community with one officer, where a test needs no more."""
    office = StreetOffice(code="510304901", name="试验街道")
    session.add(office)
    session.flush()
    community = Community(street_office_id=office.id, code="510304901001", name="试验社区")
    session.add(community)
    session.flush()
    session.add(
        Member(community_id=community.id, staff_number="P01", name="甲民警", force="officer")
    )
    session.flush()
    return community.id


@pytest.fixture
def site(database: Database) -> Iterator[Site]:
    """The application on an empty database with one bare community."""
    with Session(database.engine) as session, session.begin():
        found_community(session)
    made = Site(database)
    yield made
    made.close()


@pytest.fixture
def sample_site(sample_database: Database) -> Iterator[Site]:
    """The application on the sample community."""
    made = Site(sample_database)
    yield made
    made.close()


@pytest.fixture
def run_jobs() -> Callable[[Site], None]:
    """Do every queued job here and now, as a worker would."""

    def run(site: Site) -> None:
        from api.job_runs import JobRun
        from api.jobs import perform

        with site.session() as session:
            queued = session.scalars(
                select(JobRun.id).where(JobRun.state == "queued").order_by(JobRun.asked_at)
            ).all()
        for run_id in queued:
            perform(site.database.engine, run_id)

    return run
