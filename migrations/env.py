"""Run migrations on the database the settings name, one process at a time."""

from alembic import context
from geoalchemy2 import alembic_helpers
from sqlalchemy import create_engine, text

from api.tables import metadata

# Any constant: eight processes upgrading an empty database at once fail without the lock.
MIGRATION_LOCK = 0x58554E4745


def _include_object(
    thing: object, name: str | None, kind: str, reflected: bool, to: object
) -> bool:
    if kind == "table" and name is not None and name.startswith("procrastinate_"):
        return False
    return alembic_helpers.include_object(thing, name, kind, reflected, to)


def run() -> None:
    """Migrate online, in one transaction."""
    url = context.config.attributes["url"]
    engine = create_engine(url)
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=metadata,
            include_object=_include_object,
            process_revision_directives=alembic_helpers.writer,
            render_item=alembic_helpers.render_item,
            compare_server_default=True,
        )
        with context.begin_transaction():
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            connection.execute(text("CREATE EXTENSION IF NOT EXISTS postgis"))
            connection.execute(text("CREATE EXTENSION IF NOT EXISTS btree_gist"))
            context.run_migrations()
    engine.dispose()


run()
