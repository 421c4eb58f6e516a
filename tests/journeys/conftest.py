"""A person's whole errand: a real browser, the real site and worker, a real database."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from sqlalchemy import text
from sqlalchemy.orm import Session

from api.accounts import Account, Role
from tests.api.conftest import PASSWORD, password_hash
from tests.conftest import SAMPLE_UNTIL, Database

REPO = Path(__file__).resolve().parents[2]
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
SCREENSHOTS = Path(os.environ.get("XUNGE_SCREENSHOTS", REPO / "out" / "screenshots"))


@dataclass
class LiveSite:
    """The site served by ``serve`` with its worker, on a database of its own."""

    address: str
    database: Database
    browser: Browser
    outside_requests: list[str] = field(default_factory=list)
    console_errors: list[str] = field(default_factory=list)

    def session(self) -> Session:
        return Session(self.database.engine, expire_on_commit=False)

    def account(self, role: Role, member_id: int | None = None) -> str:
        with self.session() as session, session.begin():
            community = session.scalar(text("SELECT min(id) FROM community"))
            username = f"{role.value}{member_id or ''}"
            session.add(
                Account(
                    username=username,
                    display_name=username,
                    password_hash=password_hash(),
                    role=role,
                    community_id=community,
                    member_id=member_id,
                )
            )
        return username

    def page(self, viewport: dict[str, int] = DESKTOP, **options: object) -> Page:
        """A fresh browser window that notes every request that would leave this host."""
        context: BrowserContext = self.browser.new_context(
            viewport=viewport, locale="zh-CN", timezone_id="Asia/Shanghai", **options
        )
        context.on("request", self._note_request)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("console", self._note_console)
        page.on("pageerror", lambda error: self.console_errors.append(str(error)))
        return page

    def _note_request(self, request) -> None:
        found = urlsplit(request.url)
        if found.scheme in {"http", "https", "ws", "wss"} and found.hostname != "127.0.0.1":
            self.outside_requests.append(request.url)

    def _note_console(self, message) -> None:
        if message.type == "error":
            self.console_errors.append(message.text)

    def sign_in(self, page: Page, username: str) -> None:
        page.goto(f"{self.address}/sign-in")
        page.fill("input[name=username]", username)
        page.fill("input[name=password]", PASSWORD)
        page.click("button.primary")
        page.wait_for_url(lambda url: "/sign-in" not in url)

    def shot(self, page: Page, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        raise AssertionError("Chromium is missing: run ./xunge test, which installs it")
    return found


@pytest.fixture(scope="module")
def chromium_browser() -> Iterator[Browser]:
    """A browser for one module: while it is open, nothing else can run an event loop here."""
    arguments = [
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--disable-gpu",
    ]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=arguments)
        yield browser
        browser.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def live(
    sample_database: Database, chromium_browser: Browser, tmp_path: Path
) -> Iterator[LiveSite]:
    """The sample community's site, up with one worker."""
    port = free_port()
    log = (tmp_path / "serve.log").open("wb")
    server = subprocess.Popen(
        [sys.executable, "-m", "api.cli", "serve", "--port", str(port)],
        cwd=REPO,
        env={
            **os.environ,
            "XUNGE_DATABASE_URL": sample_database.url,
            "XUNGE_TODAY": SAMPLE_UNTIL.isoformat(),
        },
        stdout=log,
        stderr=log,
    )
    site = LiveSite(f"http://127.0.0.1:{port}", sample_database, chromium_browser)
    try:
        _wait_for(site.address, server, tmp_path / "serve.log")
        yield site
    finally:
        server.terminate()
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        log.close()
        for context in chromium_browser.contexts:
            context.close()
    assert site.outside_requests == [], "a page reached outside the host"


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=1) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"the site did not start:\n{log.read_text()}")
