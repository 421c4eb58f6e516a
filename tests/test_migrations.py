"""The migrations make what the models say, and can be taken back."""

from alembic import command
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.pool import NullPool

from api.migrate import alembic_config, downgrade, is_current, upgrade
from tests.conftest import Server


def test_the_migrated_database_is_what_the_models_say(database):
    command.check(alembic_config(database.url))


def test_every_migration_can_be_taken_back_and_applied_again(server: Server):
    server.run("CREATE DATABASE up_and_down")
    try:
        url = server.address("up_and_down")
        upgrade(url)
        assert is_current(url)
        downgrade(url)
        assert not is_current(url)
        engine = create_engine(url, poolclass=NullPool)
        left = set(inspect(engine).get_table_names()) - {"alembic_version", "spatial_ref_sys"}
        assert left == set()
        upgrade(url)
        assert is_current(url)
    finally:
        server.run("DROP DATABASE up_and_down WITH (FORCE)")


def test_every_geometry_has_a_gist_index_and_an_srid(db):
    missing = db.execute(
        text(
            """
            SELECT g.f_table_name, g.f_geometry_column FROM geometry_columns g
            WHERE g.f_table_schema = 'public' AND (g.srid <> 4326 OR NOT EXISTS (
                SELECT FROM pg_indexes i WHERE i.tablename = g.f_table_name
                AND i.indexdef LIKE '%USING gist (' || g.f_geometry_column || ')'))
            """
        )
    ).all()
    assert missing == []
