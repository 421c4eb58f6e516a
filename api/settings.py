"""Settings of the service, from ``XUNGE_*`` environment variables."""

from datetime import date
from functools import lru_cache
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from grid.cluster import Cluster, default_data_dir

REPO_ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """What may differ from one installation to the next."""

    model_config = SettingsConfigDict(env_prefix="XUNGE_", extra="ignore")

    database_url: str | None = None
    """A managed PostGIS server, ``postgresql://…``; without it the private cluster is used."""
    data: Path = Field(default_factory=lambda: default_data_dir(REPO_ROOT))
    """Where the private cluster and pending uploads live."""
    host: str = "127.0.0.1"
    port: int = 8600
    secure_cookies: bool = False
    """Send the session cookie over HTTPS only: set it wherever TLS ends before us."""
    session_hours: int = 12
    sign_in_attempts: int = 5
    """Wrong passwords in a row before an account is locked."""
    lockout_minutes: int = 15
    upload_limit_mb: int = 50
    today: date | None = None
    """Pretend that today is this day (trials and tests); the clock is used without it."""
    offline_assets: Path = REPO_ROOT / "api" / "browser" / "node_modules"

    def private_cluster(self) -> Cluster | None:
        """Return the private cluster, or None where a managed server is named."""
        return None if self.database_url else Cluster(self.data)

    def sqlalchemy_url(self) -> str:
        """Return the database address for SQLAlchemy's psycopg 3 driver."""
        if self.database_url is None:
            return Cluster(self.data).url()
        scheme, _, rest = self.database_url.partition("://")
        if scheme not in {"postgresql", "postgres", "postgresql+psycopg"}:
            raise ValueError(
                "XUNGE_DATABASE_URL must start with postgresql:// (a PostGIS server); "
                f"it starts with {scheme}://"
            )
        return f"postgresql+psycopg://{rest}"

    def libpq_url(self) -> str:
        """Return the same address as libpq and Procrastinate read it."""
        return self.sqlalchemy_url().replace("postgresql+psycopg://", "postgresql://", 1)


@lru_cache
def settings() -> Settings:
    """Return the settings of this process."""
    return Settings()
