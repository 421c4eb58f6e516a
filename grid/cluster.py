"""The private PostGIS cluster: made, started and stopped in one data folder, by unix socket only.

Standard library only, so that set-up and ``doctor`` can use it before anything is installed.

PostgreSQL refuses to run as root: root starts it as the system user ``postgres``, and its folder
then belongs to that user. An ordinary user runs it directly. Whoever owns the cluster (and root)
reaches it as the role ``xunge`` by peer authentication; there is no password and no TCP port.
"""

import contextlib
import fcntl
import hashlib
import os
import pwd
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import ClassVar, TextIO
from urllib.parse import quote

from grid.errors import DomainError

ROLE = "xunge"
DATABASE = "xunge"
EXTENSIONS = ("postgis",)
LIBRARY = Path("/usr/lib/postgresql")
EXTENSION_FILES = Path("/usr/share/postgresql")
MIN_FREE_MB = 300
"""A fresh cluster takes 65 MB; the rest is room for WAL and a first year of incidents."""
START_WITHIN_S = 30.0
SOCKETS = Path("/tmp")  # noqa: S108 - the folders made there are 0700 and checked
"""A unix socket's path has about 107 characters at most: a deep data folder would not fit."""


class PostgresMissing(DomainError):
    """No PostgreSQL server programs are installed."""

    zh = "没有找到 PostgreSQL。请运行：sudo apt-get install postgresql postgresql-postgis"
    en = "PostgreSQL was not found. Run: sudo apt-get install postgresql postgresql-postgis"
    status = 503


class PostgisMissing(DomainError):
    """PostgreSQL is there without PostGIS."""

    zh = "PostgreSQL {major} 已安装，但缺少 PostGIS 扩展。请运行：sudo apt-get install postgresql-{major}-postgis-3"
    en = "PostgreSQL {major} is installed without PostGIS. Run: sudo apt-get install postgresql-{major}-postgis-3"
    status = 503


class OtherVersion(DomainError):
    """The data folder was made by another major version."""

    zh = "数据目录 {folder} 由 PostgreSQL {made_by} 建立，本机没有该版本（现有 {installed}）。请安装 postgresql-{made_by} 与 postgresql-{made_by}-postgis-3，或先在原机器导出数据。"
    en = "The data folder {folder} was made by PostgreSQL {made_by}, which is not installed here (found: {installed}). Install postgresql-{made_by} and postgresql-{made_by}-postgis-3, or export the data on the old machine first."
    status = 503


class DiskFull(DomainError):
    """Too little room where the cluster lives."""

    zh = "磁盘空间不足：{folder} 所在分区只剩 {free_mb} MB，至少需要 {needed_mb} MB。请清理磁盘，或用 XUNGE_DATA 指定另一处目录。已有数据未受影响。"
    en = "The disk is full: {free_mb} MB are left at {folder}, {needed_mb} MB are needed. Make room, or name another folder in XUNGE_DATA. Stored data are unharmed."
    status = 507


class FolderNotOurs(DomainError):
    """The data folder holds something else, or belongs to somebody else."""

    zh = "数据目录 {folder} 不能使用：{why}。请用 XUNGE_DATA 指定一个空目录。"
    en = "The data folder {folder} cannot be used: {why}. Name an empty folder in XUNGE_DATA."
    status = 503


class StartFailed(DomainError):
    """The server did not come up."""

    zh = "数据库没有启动成功（日志：{log}）：{last}。请运行 ./xunge doctor 查看原因。"
    en = "The database did not start (log: {log}): {last}. Run ./xunge doctor for the cause."
    status = 503


def default_data_dir(repo_root: Path) -> Path:
    """Return where a clone keeps its data: ``XUNGE_DATA``, or a folder named after the clone.

    Root's home is closed to the ``postgres`` user, so root's data lie under ``/var/lib``.
    """
    named = os.environ.get("XUNGE_DATA")
    if named:
        return Path(named).expanduser().resolve()
    root = repo_root.resolve()
    name = f"{root.name}-{hashlib.sha256(str(root).encode()).hexdigest()[:8]}"
    if os.geteuid() == 0:
        return Path("/var/lib/xunge") / name
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home) / "xunge" / name


@lru_cache
def postgres_versions() -> dict[int, Path]:
    """Return the installed server versions and their programs' folders, newest first."""
    found = {
        int(path.parent.name): path
        for path in LIBRARY.glob("*/bin")
        if path.parent.name.isdigit() and (path / "initdb").exists()
    }
    return dict(sorted(found.items(), reverse=True))


def has_postgis(major: int) -> bool:
    """Say whether PostGIS is installed for a server version."""
    return (EXTENSION_FILES / str(major) / "extension" / "postgis.control").exists()


def postgres_binaries(major: int | None = None) -> Path:
    """Return the programs' folder of ``major``, or of the newest version that has PostGIS."""
    versions = postgres_versions()
    if not versions:
        raise PostgresMissing()
    wanted = [major] if major is not None else list(versions)
    for version in wanted:
        if version in versions and has_postgis(version):
            return versions[version]
    raise PostgisMissing(major=wanted[0])


class Cluster:
    """One PostgreSQL server on one folder.

    The folder holds ``pg/`` (the server's own data), ``server.log`` and ``lock``; the socket is in
    a short temporary folder named after it, because a deep path would not fit.
    """

    DEFAULTS: ClassVar[Mapping[str, str]] = {
        "shared_buffers": "128MB",
        "max_connections": "60",
        "timezone": "UTC",
        "log_min_duration_statement": "2000",
    }

    def __init__(self, data_dir: Path, *, options: Mapping[str, str] | None = None) -> None:
        self.data_dir = Path(data_dir).resolve()
        self.pg = self.data_dir / "pg"
        self.log = self.data_dir / "server.log"
        self.options = {**self.DEFAULTS, **(options or {})}

    @property
    def _half_made(self) -> Path:
        return self.data_dir / "initdb-unfinished"

    # -- who and where ---------------------------------------------------------------------

    @property
    def socket_dir(self) -> Path:
        """The folder of the socket: short, ours alone, the same for every command."""
        # Always /tmp: TMPDIR and XDG_RUNTIME_DIR differ between a desktop, cron and sudo, and
        # two commands that look in two places would each think that no server is up.
        digest = hashlib.sha256(str(self.data_dir).encode()).hexdigest()[:10]
        return SOCKETS / f"xunge-{self._server_user.pw_uid}-{digest}"

    @property
    def _server_user(self) -> pwd.struct_passwd:
        if os.geteuid() != 0:
            return pwd.getpwuid(os.geteuid())
        try:
            return pwd.getpwnam("postgres")
        except KeyError as error:
            raise PostgresMissing() from error

    def url(self, database: str = DATABASE) -> str:
        """Return the SQLAlchemy address of a database of this cluster."""
        return f"postgresql+psycopg://{ROLE}@/{database}?host={quote(str(self.socket_dir))}"

    def major(self) -> int | None:
        """Return the version that made the folder, or None where it is new."""
        try:
            return int((self.pg / "PG_VERSION").read_text().strip())
        except FileNotFoundError:
            return None
        except PermissionError as error:
            raise FolderNotOurs(
                folder=self.data_dir, why="属于别的用户 / it belongs to another user"
            ) from error
        except ValueError as error:
            raise FolderNotOurs(folder=self.pg, why="PG_VERSION 已损坏 / is damaged") from error

    # -- starting ---------------------------------------------------------------------------

    def start(self) -> None:
        """Make the cluster if it is new, mend what a killed server left, and start it.

        Idempotent; any number of commands may start at once. Raises :class:`PostgresMissing`,
        :class:`PostgisMissing`, :class:`OtherVersion`, :class:`DiskFull`, :class:`FolderNotOurs`
        or :class:`StartFailed`.
        """
        if self.is_running():
            return
        binaries = self._binaries()
        self._make_folders()
        with self._lock():
            if self.is_running():
                return
            self._check_room()
            self._clear_up_after_a_kill()
            if self.major() is None or self._half_made.exists():
                self._initdb(binaries)
            self._write_access_rules()
            self._launch(binaries)

    def _binaries(self) -> Path:
        made_by = self.major()
        if made_by is not None and made_by not in postgres_versions():
            installed = ", ".join(str(v) for v in postgres_versions()) or "—"
            raise OtherVersion(folder=self.data_dir, made_by=made_by, installed=installed)
        return postgres_binaries(made_by)

    def _make_folders(self) -> None:
        user = self._server_user
        try:
            self._refuse_foreign_files()
            self._make_parents()
            self.data_dir.mkdir(exist_ok=True)
            if os.geteuid() == 0:
                for parent in self.data_dir.parents:
                    if not parent.stat().st_mode & 0o001:
                        raise FolderNotOurs(
                            folder=self.data_dir,
                            why=f"postgres 用户进不了 {parent} / user postgres cannot pass {parent}",
                        )
                os.chown(self.data_dir, user.pw_uid, user.pw_gid)
            self.data_dir.chmod(0o700)
            self._make_socket_dir(user)
        except PermissionError as error:
            raise FolderNotOurs(folder=self.data_dir, why=str(error)) from error

    def _refuse_foreign_files(self) -> None:
        known = self.major() is not None or self._half_made.exists()
        if self.pg.exists() and not known and any(self.pg.iterdir()):
            raise FolderNotOurs(folder=self.pg, why="里面已有其他文件 / it is not empty")

    def _make_parents(self) -> None:
        """Make the folders above ours passable for the server's user, whatever the umask."""
        for parent in reversed(self.data_dir.parents):
            if not parent.exists():
                parent.mkdir()
                parent.chmod(0o755)

    def _make_socket_dir(self, user: pwd.struct_passwd) -> None:
        folder = self.socket_dir
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        found = folder.lstat()
        # Anybody may make folders in /tmp: one that is a link or another's is not trusted.
        if folder.is_symlink() or found.st_uid not in {0, user.pw_uid}:
            raise FolderNotOurs(folder=folder, why="属于别的用户 / it belongs to another user")
        if os.geteuid() == 0:
            os.chown(folder, user.pw_uid, user.pw_gid)
        folder.chmod(0o700)

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        with self._open("lock", os.O_RDWR) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _check_room(self) -> None:
        free_mb = shutil.disk_usage(self.data_dir).free // 1024**2
        if free_mb < MIN_FREE_MB:
            raise DiskFull(folder=self.data_dir, free_mb=free_mb, needed_mb=MIN_FREE_MB)

    def _initdb(self, binaries: Path) -> None:
        # The mark tells a folder that an interrupted initdb left, which may already name its
        # version, from a finished one and from one that is not ours.
        if self._half_made.exists():
            shutil.rmtree(self.pg, ignore_errors=True)
        self._half_made.touch()
        result = self._as_server(
            [
                str(binaries / "initdb"),
                f"--pgdata={self.pg}",
                f"--username={ROLE}",
                "--auth=peer",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-instructions",
            ]
        )
        if result.returncode != 0:
            raise StartFailed(log="initdb", last=_last_line(result.stderr))
        self._half_made.unlink()

    def _write_access_rules(self) -> None:
        """Only root and the cluster's owner come in, as the role ``xunge``, by the socket."""
        owner = self._server_user
        lines = {"root", owner.pw_name, pwd.getpwuid(os.geteuid()).pw_name}
        ident = "".join(f"xunge {name} {ROLE}\n" for name in sorted(lines))
        self._write("pg_ident.conf", ident)
        self._write("pg_hba.conf", f"local all {ROLE} peer map=xunge\n")

    def _write(self, name: str, text: str) -> None:
        with self._open(f"pg/{name}", os.O_WRONLY | os.O_TRUNC) as file:
            file.write(text)

    def _open(self, name: str, flags: int) -> TextIO:
        """Open a file of ours for the server's user to own.

        The folder is the server user's: root follows no link that was put there.
        """
        handle = os.open(self.data_dir / name, flags | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        if os.geteuid() == 0:
            os.fchown(handle, self._server_user.pw_uid, self._server_user.pw_gid)
        return os.fdopen(handle, "a" if flags & os.O_APPEND else "w")

    def _launch(self, binaries: Path) -> None:
        settings = {
            **self.options,
            "listen_addresses": "",
            "unix_socket_directories": str(self.socket_dir),
            "unix_socket_permissions": "0700",
        }
        command = [str(binaries / "postgres"), "-D", str(self.pg)]
        command += [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with self._open(self.log.name, os.O_WRONLY | os.O_APPEND) as log:
            # A session of its own: Ctrl-C in the terminal that started it is not meant for it.
            server = subprocess.Popen(
                self._drop_root(command),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=_plain_environment(),
            )
        end = time.monotonic() + START_WITHIN_S
        while time.monotonic() < end:
            if self.is_running():
                return
            if server.poll() is not None:
                break
            time.sleep(0.02)
        if server.poll() is None:
            server.terminate()
        raise StartFailed(log=self.log, last=_last_line(self._log_tail()))

    def _log_tail(self) -> str:
        return self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""

    # -- stopping and mending ---------------------------------------------------------------

    def stop(self) -> None:
        """Stop the server, letting it write what it holds; nothing to do where it is not up."""
        if not self.data_dir.exists():
            return
        with self._lock():
            pid = self._postmaster()
            if pid is None:
                return
            os.kill(pid, signal.SIGINT)
            if not _wait_until(lambda: not _alive(pid), 20):
                os.kill(pid, signal.SIGQUIT)
                _wait_until(lambda: not _alive(pid), 10)
            shutil.rmtree(self.socket_dir, ignore_errors=True)

    def is_running(self) -> bool:
        """Say whether the server takes connections.

        ``pg_ctl status`` is not asked: it takes a zombie for a server.
        """
        if not (self.socket_dir / ".s.PGSQL.5432").exists():
            return False
        versions = postgres_versions()
        major = self.major()
        if major not in versions:
            return False
        ready = subprocess.run(
            [
                str(versions[major] / "pg_isready"),
                *("-q", "-h", str(self.socket_dir), "-U", ROLE, "-d", "postgres"),
            ],
            check=False,
            env=_plain_environment(),
        )
        return ready.returncode == 0

    def stale_lock(self) -> int | None:
        """Return the dead process a left-over lock file names, or None where there is none."""
        file = self.pg / "postmaster.pid"
        if not _exists(file):
            return None
        pid = _first_int(file)
        return pid if pid is not None and not self._is_our_server(pid) else None

    def _postmaster(self) -> int | None:
        pid = _first_int(self.pg / "postmaster.pid")
        return pid if pid is not None and self._is_our_server(pid) else None

    def _is_our_server(self, pid: int) -> bool:
        """Say whether a process is alive and works in our folder: a reused pid is not ours."""
        return _alive(pid) and _working_directory(pid) == self.pg and _program(pid) == "postgres"

    def _clear_up_after_a_kill(self) -> None:
        """End the orphans of a killed server and remove its lock files, never a live server's."""
        if self._postmaster() is not None:
            # Alive but not answering yet: another command is starting it, or it recovers.
            if _wait_until(self.is_running, START_WITHIN_S):
                return
            raise StartFailed(log=self.log, last=_last_line(self._log_tail()))
        orphans = [pid for pid in _processes() if self._is_our_server(pid)]
        for pid in orphans:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGQUIT)
        if not _wait_until(lambda: not any(map(_alive, orphans)), 5):
            for pid in orphans:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            _wait_until(lambda: not any(map(_alive, orphans)), 5)
        (self.pg / "postmaster.pid").unlink(missing_ok=True)
        for left in self.socket_dir.glob(".s.PGSQL.*"):
            left.unlink(missing_ok=True)

    # -- databases --------------------------------------------------------------------------

    def ensure_database(self, name: str = DATABASE) -> None:
        """Make a database with the extensions, if it is not there yet."""
        if not re.fullmatch(r"[a-z_][a-z0-9_]*", name):
            raise ValueError(f"not a database name: {name}")
        there = self.sql(f"SELECT 1 FROM pg_database WHERE datname = '{name}'", "postgres")  # noqa: S608
        if there != "1":
            # Two first commands at once may both find it missing; the second's refusal is fine.
            with contextlib.suppress(StartFailed):
                self.sql(f"CREATE DATABASE {name}", "postgres")
        for extension in EXTENSIONS:
            self.sql(f"CREATE EXTENSION IF NOT EXISTS {extension}", name)

    def sql(self, statement: str, database: str = DATABASE) -> str:
        """Run one statement with psql and return its unadorned output."""
        result = subprocess.run(
            [
                str(self._binaries() / "psql"),
                *("-h", str(self.socket_dir), "-U", ROLE, "-d", database),
                *("-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statement),
            ],
            check=False,
            capture_output=True,
            text=True,
            env={**_plain_environment(), "PGOPTIONS": "-c client_min_messages=warning"},
        )
        if result.returncode != 0:
            raise StartFailed(log=self.log, last=_last_line(result.stderr))
        return result.stdout.strip()

    # -- processes --------------------------------------------------------------------------

    def _drop_root(self, command: Sequence[str]) -> list[str]:
        if os.geteuid() != 0:
            return list(command)
        user = self._server_user
        return [
            "setpriv",
            f"--reuid={user.pw_uid}",
            f"--regid={user.pw_gid}",
            "--clear-groups",
            "--no-new-privs",
            "--",
            *command,
        ]

    def _as_server(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._drop_root(command),
            check=False,
            cwd="/",
            capture_output=True,
            text=True,
            env=_plain_environment(),
        )


def _plain_environment() -> dict[str, str]:
    """Return the environment without PG* names, which would point the programs elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**kept, "LC_ALL": "C.UTF-8"}


def _last_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1] if lines else "—"


def _exists(file: Path) -> bool:
    try:
        return file.exists()
    except PermissionError:
        return False


def _first_int(file: Path) -> int | None:
    try:
        first = file.read_text().split("\n", 1)[0].strip()
    except OSError:
        return None
    return int(first) if first.isdigit() else None


def _processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _working_directory(pid: int) -> Path | None:
    try:
        return Path(f"/proc/{pid}/cwd").readlink()
    except OSError:
        return None


def _program(pid: int) -> str:
    """Return the name of a process's program; a shell that stands in our folder is no server."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _alive(pid: int) -> bool:
    """Say whether a process runs; a zombie, which nobody has reaped yet, does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] not in {"Z", "X"}


def _wait_until(condition: object, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.02)
    return bool(condition())  # type: ignore[operator]
