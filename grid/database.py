"""The database session, and the conventions every table of Xunge follows.

Geometry is stored geographically in WGS 84 (EPSG:4326), which agrees with CGCS2000 to
centimetres; areas and distances are measured in the community's CGCS2000 3-degree zone
(``Community.metric_srid``, EPSG:4544 at longitude 105°), never in EPSG:3857.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

from geoalchemy2 import Geometry
from sqlalchemy import BigInteger, DateTime, Engine, Identity, MetaData, create_engine
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column

GEOGRAPHIC_SRID = 4326

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

Key = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
"""A surrogate key."""

Instant = Annotated[datetime, mapped_column(DateTime(timezone=True))]
"""A moment, always aware of its zone."""


class Base(DeclarativeBase):
    """Every table of Xunge."""

    metadata = MetaData(naming_convention=NAMING)


def geometry(kind: str, *, dimension: int = 2) -> Geometry:
    """Return a geographic column type of one geometry kind, with a GiST index."""
    return Geometry(kind, srid=GEOGRAPHIC_SRID, dimension=dimension, spatial_index=True)


# PostGIS prices its functions so high that PostgreSQL compiles queries that run in milliseconds:
# the check of a partition took 700 ms with the compiler and 13 ms without.
SESSION_OPTIONS = "-c timezone=UTC -c jit=off"


def connect(url: str) -> Engine:
    """Open an engine on a ``postgresql+psycopg`` address; sessions speak UTC."""
    return create_engine(
        url,
        pool_pre_ping=True,
        pool_size=5,
        max_overflow=10,
        connect_args={"options": SESSION_OPTIONS},
    )


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """Yield a session whose work is committed as one, or undone as one."""
    with Session(engine, expire_on_commit=False) as session, session.begin():
        yield session
