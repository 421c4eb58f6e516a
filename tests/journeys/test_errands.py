"""Three errands, one per user, and the loop that joins them: in a browser, on the real thing."""

import re

from sqlalchemy import select, text

from api.accounts import Role
from grid.incidents import Incident
from scheduling.demand import PatrolRequirement
from scheduling.found import found_demand
from scheduling.requirements import planned_visits
from scheduling.rosters import Assignment, CheckIn, Patrol, PatrolRoute, RosterVersion
from scheduling.walks import plan_walks
from tests.journeys.conftest import PHONE, LiveSite
from tests.scheduling.test_walks import MONDAY, put_roster, silent

NEXT_WEEK = f"/rosters?week={MONDAY}"


def no_faults(live: LiveSite) -> None:
    assert live.outside_requests == []
    assert live.console_errors == []


def raise_at_the_square(live: LiveSite) -> None:
    """The street office finds the square dance on the map page and asks for patrols there."""
    page = live.page()
    live.sign_in(page, live.account(Role.STREET_OFFICE))
    page.wait_for_url("**/hotspots")
    assert "433 → 338" in re.sub(r"\s+", " ", page.inner_text("main"))
    frame = page.frame_locator("iframe.map")
    frame.locator("canvas").first.wait_for()
    live.shot(page, "hotspots-desktop")
    row = page.locator("tr", has_text="铸钢广场").filter(has_text="噪音扰民").first
    row.get_by_role("link", name="提出巡逻要求").click()
    page.wait_for_url("**/requirements/new?*")
    assert "铸钢广场" in page.input_value("textarea[name=reason]")
    live.shot(page, "requirement-new-desktop")
    page.get_by_role("button", name="提出", exact=True).click()
    page.wait_for_url(re.compile(r".*/requirements([?#].*)?$"))
    assert "铸钢广场" in page.inner_text("main")
    live.shot(page, "requirements-desktop")


def review_at_the_office(live: LiveSite) -> None:
    """The street office finds the roster that waits for it and reviews it."""
    page = live.page()
    live.sign_in(page, "street_office")
    page.goto(live.address + NEXT_WEEK)
    page.get_by_role("button", name="审核通过").click()
    page.locator(".tag", has_text="已审核").first.wait_for()
    page.context.close()


def test_the_street_office_asks_for_patrols_and_the_team_lead_publishes_a_week_that_honours_it(
    live,
):
    raise_at_the_square(live)
    with live.session() as session, session.begin():
        community = session.scalar(text("SELECT min(id) FROM community"))
        found_demand(session, community)
        requirement = session.scalars(select(PatrolRequirement)).one()
        assert requirement.category == "噪音扰民"

    page = live.page()
    live.sign_in(page, live.account(Role.TEAM_LEAD))
    page.goto(live.address + NEXT_WEEK)
    page.get_by_role("button", name="生成排班").click()
    page.wait_for_url("**/jobs/*")
    # Live: an empty-seat count is there while the search goes on; then stop and keep the best.
    page.locator("dl.figures", has_text="空缺席位").wait_for(timeout=60_000)
    live.shot(page, "solving-desktop")
    if page.get_by_role("button", name="停止并保留目前最好的结果").is_visible():
        page.get_by_role("button", name="停止并保留目前最好的结果").click()
    page.wait_for_url(re.compile(r".*/rosters\?.*"), timeout=120_000)
    assert "0 处硬性违规" in page.inner_text("main")
    # Whoever made the roster sends it; the street office, who asked, reviews it.
    page.get_by_role("button", name="送审").click()
    page.locator(".tag", has_text="待审核").first.wait_for()
    review_at_the_office(live)
    page.reload()
    page.get_by_role("button", name="发布", exact=True).click()
    page.locator(".tag", has_text="已发布").first.wait_for()
    live.shot(page, "roster-desktop")
    with page.expect_download() as download:
        page.get_by_role("link", name="下载 Excel").click()
    assert download.value.suggested_filename.endswith(".xlsx")

    with live.session() as session:
        version = session.scalars(select(RosterVersion)).one()
        assert (version.state, version.violations) == ("published", 0)
        visits = planned_visits(session, version.community_id, MONDAY)[requirement.id]
        assert len(visits) >= requirement.visits_per_week
        patrols = session.scalars(select(Patrol).where(Patrol.roster_version_id == version.id))
        wanted = len([p for p in patrols if p.assignments])
    # Publishing had the walks planned by the worker.
    for _ in range(300):
        with live.session() as session:
            walks = session.scalars(select(PatrolRoute)).all()
        if len(walks) == wanted:
            break
        page.wait_for_timeout(200)
    assert len(walks) == wanted
    phone = live.page(PHONE)
    live.sign_in(phone, "team_lead")
    phone.goto(live.address + NEXT_WEEK)
    live.shot(phone, "roster-phone")
    no_faults(live)


def test_a_patroller_walks_checks_in_and_reports_with_one_hand(live):
    with live.session() as session, session.begin():
        version = put_roster(session)
        plan_walks(session, version.community_id, version.id, silent)
        member = session.scalars(select(Assignment.member_id)).first()
    page = live.page(PHONE, has_touch=True)
    live.sign_in(page, live.account(Role.PATROLLER, member_id=member))
    page.wait_for_url("**/my")
    live.shot(page, "my-week-phone")
    # One tap from the week to the walk, because the coming week is shown when this one is over.
    page.locator("a.patrol").first.tap()
    page.wait_for_url("**/patrols/*")
    page.frame_locator("iframe.map").locator("canvas").first.wait_for()
    live.shot(page, "patrol-phone")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    # From here on everything works without signal: see test_phone.py.
    page.get_by_role("link", name=re.compile("打卡")).first.tap()
    page.wait_for_selector("body[data-ready=yes]")
    for button in page.get_by_role("button", name=re.compile("打卡")).all():
        assert button.bounding_box()["height"] >= 48
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.locator(".stops button").first.tap()
    page.locator(".stops .done").first.wait_for()
    live.shot(page, "phone-patrol")
    page.locator(".tabs [data-tab=report]").tap()
    page.locator(".classes label", has_text="占用消防通道").tap()
    page.select_option("#building", index=3)
    live.shot(page, "phone-report")
    page.get_by_role("button", name="提交").tap()
    page.get_by_role("button", name="立即发送").tap()
    page.locator("#outbox-state[data-unsent='0']").wait_for()
    with live.session() as session:
        assert len(session.scalars(select(CheckIn)).all()) == 1
        newest = session.scalars(select(Incident).order_by(Incident.id.desc())).first()
        assert (newest.category, newest.source) == ("占用消防通道", "patrol")
        assert newest.cell_id is not None
    no_faults(live)


def test_every_role_finds_its_pages_whole_on_desk_and_phone_in_both_languages(live):
    with live.session() as session, session.begin():
        version = put_roster(session)
        plan_walks(session, version.community_id, version.id, silent)
    pages = {
        Role.TEAM_LEAD: (
            "/my",
            "/incidents",
            "/incidents/import",
            "/places",
            "/cells",
            "/imports",
            "/feeds",
            "/docs",
        ),
        Role.STREET_OFFICE: ("/hotspots", "/requirements", "/requirements/new"),
        Role.ADMIN: ("/users",),
        Role.AUDITOR: ("/audit",),
    }
    broad = []
    for role, paths in pages.items():
        username = live.account(role)
        for viewport, name in ((PHONE, "phone"), ({"width": 1280, "height": 900}, "desktop")):
            page = live.page(viewport)
            live.sign_in(page, username)
            for path in paths:
                answer = page.goto(live.address + path)
                assert answer.status == 200, path
                if path != "/docs":
                    width = page.evaluate("document.documentElement.scrollWidth")
                    if width > viewport["width"]:
                        broad.append((path, name, width))
                    live.shot(page, f"{path.strip('/').replace('/', '-')}-{name}")
            page.goto(live.address + paths[0])
            page.get_by_role("button", name="English").click()
            page.get_by_role("button", name="中文").wait_for()
            page.get_by_role("button", name="中文").click()
            page.context.close()
    assert broad == []
    no_faults(live)
