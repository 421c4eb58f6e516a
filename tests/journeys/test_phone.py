"""A night without signal: what was done on the phone arrives once, also after a kill and a crash."""

import os
import signal
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright
from sqlalchemy import func, select

from api.accounts import Role
from grid.incident_photos import IncidentPhoto
from grid.incidents import Incident
from scheduling.phone_items import PhoneItem
from scheduling.rosters import Assignment, CheckIn, Patrol, PatrolRoute
from scheduling.walks import plan_walks
from tests.api.conftest import PASSWORD
from tests.conftest import SAMPLE_UNTIL
from tests.journeys.conftest import PHONE, REPO, LiveSite, _wait_for, chromium, free_port
from tests.scheduling.test_walks import put_roster, silent


def picture(path: Path) -> Path:
    """A photo of 60 × 40 points."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))  # fmt: skip

    rows = b"".join(b"\0" + bytes((n * 5 % 256, 90, 120)) * 60 for n in range(40))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 60, 40, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))  # fmt: skip
    return path


class Served:
    """The site as one process that can die and come back at the same address."""

    def __init__(self, database, folder: Path) -> None:
        self.port, self.database, self.log = free_port(), database, folder / "serve.log"
        self.address = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "api.cli", "serve", "--port", str(self.port)],
                cwd=REPO,
                env={**os.environ, "XUNGE_DATABASE_URL": self.database.url, "XUNGE_TODAY": SAMPLE_UNTIL.isoformat()},
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        _wait_for(self.address, self.process, self.log)

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def served(sample_database, tmp_path):
    made = Served(sample_database, tmp_path)
    yield made
    made.kill()


@pytest.fixture
def walker(sample_database):
    site = LiveSite("", sample_database, None)
    with site.session() as session, session.begin():
        version = put_roster(session)
        plan_walks(session, version.community_id, version.id, silent)
        patrol = session.scalars(select(Patrol).order_by(Patrol.day)).first()
        route = session.scalars(select(PatrolRoute).where(PatrolRoute.patrol_id == patrol.id)).one()
        member = session.scalars(select(Assignment.member_id)).first()
        # Twenty stops, whatever the planner found worth its time.
        route.stops = (list(route.stops) * 20)[:20] if len(route.stops) < 20 else route.stops[:20]
        route.stops = [{**s, "kind": "risk", "id": n + 1} for n, s in enumerate(route.stops)]
        place = route.stops[0]["lon"], route.stops[0]["lat"]
    return site, site.account(Role.PATROLLER, member_id=member), place


class Phone:
    """A phone's browser with its own disk."""

    def __init__(self, playwright, folder: Path, place) -> None:
        arguments = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-gpu"]  # fmt: skip
        if os.geteuid() == 0:
            arguments.append("--no-sandbox")
        self.folder = folder
        self.context = playwright.chromium.launch_persistent_context(
            folder, executable_path=chromium(), args=arguments, viewport=PHONE, has_touch=True,
            is_mobile=True, locale="zh-CN", timezone_id="Asia/Shanghai", permissions=["geolocation"],
            geolocation={"longitude": place[0], "latitude": place[1], "accuracy": 8},
        )  # fmt: skip
        self.page = self.context.pages[0] if self.context.pages else self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.page.on("dialog", lambda dialog: dialog.accept())

    def kill(self) -> None:
        """End the browser as a phone does that runs out of memory: without a word."""
        for process in Path("/proc").iterdir():
            if process.name.isdigit():
                try:
                    said = (process / "cmdline").read_bytes()
                except OSError:
                    continue
                if f"--user-data-dir={self.folder}".encode() in said and b"--type=" not in said:
                    os.kill(int(process.name), signal.SIGKILL)

    def unsent(self) -> int:
        return int(self.page.locator("#outbox-state").get_attribute("data-unsent"))


def sign_in(phone: Phone, served: Served, username: str) -> None:
    phone.page.goto(f"{served.address}/sign-in")
    phone.page.fill("input[name=username]", username)
    phone.page.fill("input[name=password]", PASSWORD)
    phone.page.click("button.primary")
    phone.page.wait_for_url("**/my")
    phone.page.locator("nav a[href='/phone']").tap()  # one tap
    phone.page.wait_for_selector("body[data-ready=yes]")
    phone.page.evaluate("navigator.serviceWorker.ready.then(() => true)")


def work(phone: Phone, photo: Path, reports: int = 5, check_ins: int = 20) -> None:
    page = phone.page
    for n in range(check_ins):
        page.locator(".stops li").nth(n).get_by_role("button").tap()
        page.locator(".stops li").nth(n).locator(".done").wait_for()
    for n in range(reports):
        page.locator(".tabs [data-tab=report]").tap()
        page.locator(".classes label").nth(n).tap()
        page.set_input_files("#photo", photo)
        page.locator("#preview").wait_for()
        page.get_by_role("button", name="提交").tap()
        page.locator("#tab-outbox").wait_for()


def arrived(site: LiveSite) -> tuple[int, int, int, int]:
    with site.session() as session:
        return tuple(
            session.scalar(asked)
            for asked in (
                select(func.count()).select_from(CheckIn),
                select(func.count(CheckIn.stop.distinct())),
                select(func.count()).where(Incident.ticket_number.startswith("phone-")),
                select(func.count(IncidentPhoto.report_client_id.distinct())),
            )
        )


def send_all(phone: Phone) -> None:
    phone.page.locator(".tabs [data-tab=outbox]").tap()
    phone.page.get_by_role("button", name="立即发送").tap()
    phone.page.locator("#outbox-state[data-unsent='0']").wait_for(timeout=60_000)


def test_a_night_without_signal_and_a_killed_browser_arrive_once(served, walker, tmp_path):
    site, username, place = walker
    photo = picture(tmp_path / "photo.png")
    with sync_playwright() as playwright:
        phone = Phone(playwright, tmp_path / "phone", place)
        sign_in(phone, served, username)
        phone.context.set_offline(True)
        phone.page.reload()  # from the phone alone: page, route, map, contacts
        phone.page.wait_for_selector("body[data-ready=yes]")
        phone.page.locator(".tabs [data-tab=map]").tap()
        assert phone.page.locator("#map .route").count() == 1
        assert phone.page.locator("#map .pin").count() == 20
        phone.page.locator(".tabs [data-tab=patrol]").tap()
        work(phone, photo)
        assert phone.unsent() == 30
        assert arrived(site) == (0, 0, 0, 0)
        phone.kill()
        phone = Phone(playwright, tmp_path / "phone", place)
        # The session went with the browser, as cookies of a session do; the outbox did not.
        sign_in(phone, served, username)
        assert phone.unsent() == 30 or arrived(site) != (0, 0, 0, 0)
        send_all(phone)
        assert arrived(site) == (20, 20, 5, 5)
        phone.context.close()


def test_a_server_that_dies_in_the_middle_of_the_sync_ends_with_everything_once(
    served, walker, tmp_path
):
    site, username, place = walker
    photo = picture(tmp_path / "photo.png")
    with sync_playwright() as playwright:
        phone = Phone(playwright, tmp_path / "phone", place)
        sign_in(phone, served, username)
        phone.context.set_offline(True)
        work(phone, photo)
        heard = []

        def die_before_the_answer(route) -> None:
            # The server has stored the batch, but its answer never reaches the phone.
            heard.append(route.fetch().status)
            served.kill()
            route.abort()

        phone.context.route("**/api/v1/phone/sync", die_before_the_answer, times=1)
        phone.context.set_offline(False)
        phone.page.locator(".tabs [data-tab=outbox]").tap()
        phone.page.get_by_role("button", name="立即发送").tap()
        for _ in range(100):
            if heard:
                break
            phone.page.wait_for_timeout(100)
        assert heard == [200]
        assert phone.unsent() == 30
        served.start()
        send_all(phone)
        assert arrived(site) == (20, 20, 5, 5)
        with site.session() as session:
            assert session.scalar(select(func.count()).select_from(PhoneItem)) == 30
        phone.context.close()
