"""A real PostGIS for every test: one migrated template, cloned or rolled back.

``db`` is a session that is rolled back; ``database`` is a clone of its own, where commits matter.
``sample`` and ``sample_database`` are the same two with the sample community loaded.
"""

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from api.migrate import upgrade
from grid.database import SESSION_OPTIONS

REPO_ROOT = Path(__file__).resolve().parent.parent
SAMPLE_UNTIL = date(2026, 11, 23)
"""The day the sample's two years of incidents end before, in every test."""

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Server:
    """A PostGIS server on which tests may create databases."""

    url: str

    def address(self, name: str) -> str:
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def run(self, statement: str) -> None:
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            connection.execute(text(statement))

    def clone(self, template: str, name: str) -> "Database":
        self.run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return Database(self, name)


@dataclass
class Database:
    """One database of the tests' server."""

    server: Server
    name: str

    @property
    def url(self) -> str:
        return self.server.address(self.name)

    @cached_property
    def engine(self) -> Engine:
        options = {"options": SESSION_OPTIONS}
        return create_engine(self.url, poolclass=NullPool, connect_args=options)

    def drop(self) -> None:
        self.engine.dispose()
        self.server.run(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The server XUNGE_TEST_DATABASE_URL names, or a private cluster that goes with the tests."""
    named = os.environ.get("XUNGE_TEST_DATABASE_URL")
    if named:
        yield Server(named)
        return
    from grid.cluster import Cluster

    folder = Path(tempfile.mkdtemp(prefix="xunge-test-"))
    folder.chmod(0o755)
    cluster = Cluster(folder / "data", options={"fsync": "off", "max_connections": "60"})
    cluster.start()
    try:
        yield Server(cluster.url("postgres"))
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def template(server: Server) -> Iterator[str]:
    """The name of an empty, migrated database."""
    name = f"template_{os.getpid()}"
    server.run(f'CREATE DATABASE "{name}"')
    upgrade(server.address(name))
    yield name
    Database(server, name).drop()


@pytest.fixture(scope="session")
def sample_template(server: Server, template: str) -> Iterator[str]:
    """The name of a migrated database with the sample community in it."""
    from grid.sample import load_sample

    database = server.clone(template, f"sample_{os.getpid()}")
    with Session(database.engine) as session, session.begin():
        load_sample(session, SAMPLE_UNTIL)
    database.engine.dispose()
    yield database.name
    database.drop()


def _clone(server: Server, template: str) -> Iterator[Database]:
    database = server.clone(template, f"test_{os.getpid()}_{next(_numbers)}")
    yield database
    database.drop()


def _rolled_back(database: Database) -> Iterator[Session]:
    with database.engine.connect() as connection:
        outer = connection.begin()
        with Session(
            connection, join_transaction_mode="create_savepoint", expire_on_commit=False
        ) as session:
            yield session
        outer.rollback()


@pytest.fixture
def database(server: Server, template: str) -> Iterator[Database]:
    """A database of the test's own."""
    yield from _clone(server, template)


@pytest.fixture
def sample_database(server: Server, sample_template: str) -> Iterator[Database]:
    """A database of the test's own, with the sample community."""
    yield from _clone(server, sample_template)


@pytest.fixture(scope="session")
def _shared(server: Server, template: str) -> Iterator[Database]:
    yield from _clone(server, template)


@pytest.fixture(scope="session")
def _shared_sample(server: Server, sample_template: str) -> Iterator[Database]:
    yield from _clone(server, sample_template)


@pytest.fixture
def db(_shared: Database) -> Iterator[Session]:
    """A session on an empty, migrated database; rolled back after the test."""
    yield from _rolled_back(_shared)


@pytest.fixture
def sample(_shared_sample: Database) -> Iterator[Session]:
    """A session on the sample community; rolled back after the test."""
    yield from _rolled_back(_shared_sample)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real map data; a test that needs it is skipped where it is absent."""
    folder = Path(os.environ.get("XUNGE_REAL_DATA", REPO_ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real map data at {folder}: set XUNGE_REAL_DATA")
    return folder
