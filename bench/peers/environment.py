"""The environment the peers live in: made on first use in the user's cache, apart from our own."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
ROOT = Path(__file__).resolve().parents[2]
LEAST_JAVA = 17


class PeerMissing(Exception):
    """A peer cannot run here; the sentence says what to do."""


def peers_python() -> Path:
    """Return the Python of the peers' environment, made first where it is missing.

    A change of the requirements makes it anew. Raises PeerMissing when pip cannot fetch them.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "xunge" / "peers"
    cache.mkdir(parents=True, exist_ok=True)
    python, stamp = cache / "bin" / "python", cache / "requirements.sha256"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (python.exists() and stamp.exists() and stamp.read_text() == wanted):
            _run([sys.executable, "-m", "venv", str(cache)])
            _run([str(python), "-m", "pip", "install", "--quiet", "-r", str(REQUIREMENTS)])
            stamp.write_text(wanted)
    return python


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["?"]
        raise PeerMissing(
            f"'{' '.join(command)}' failed: {last[0]}. Peers are fetched from a package index once; "
            "connect to one, or leave the peers out."
        )


def require_java() -> None:
    """Raise PeerMissing unless a Java of 17 or later can be started."""
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    said = ""
    if java:
        done = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
        said = done.stderr
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version[1]) < LEAST_JAVA:
        raise PeerMissing(
            f"Timefold needs Java {LEAST_JAVA} or later; install one (Debian: openjdk-17-jre-headless)."
        )


def run_with_peers(module: str, arguments: list[str]) -> int:
    """Run a peer's module in the peers' environment and return how it ended."""
    command = [str(peers_python()), "-m", module, *arguments]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def has(package: str) -> bool:
    """Whether this very Python can import the package."""
    return find_spec(package) is not None
