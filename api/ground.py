"""Open the ground a command stands on: the cluster started, the database migrated, an engine."""

from sqlalchemy import Engine

import api.tables  # noqa: F401 - a row is written only when every table it refers to is known
from api.migrate import is_current, upgrade
from api.settings import Settings
from grid.database import connect


def prepare(settings: Settings) -> None:
    """Start the private cluster where there is one, make the database, and migrate it."""
    cluster = settings.private_cluster()
    if cluster is not None:
        cluster.start()
        cluster.ensure_database()
    url = settings.sqlalchemy_url()
    if not is_current(url):
        upgrade(url)


def open_ground(settings: Settings) -> Engine:
    """Return an engine on a database that is up and migrated."""
    prepare(settings)
    return connect(settings.sqlalchemy_url())
