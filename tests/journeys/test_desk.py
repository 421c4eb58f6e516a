"""The team lead's errand at the desk: from a generated week to a signed one, by mouse and by key."""

import re
from dataclasses import replace

import pytest
from openpyxl import load_workbook
from sqlalchemy import select, text

from api.accounts import Role
from grid.communities import Community
from scheduling.core.check import check
from scheduling.core.problem import Demand
from scheduling.core.solve import Effort, solve
from scheduling.found import found_demand
from scheduling.rosters import RosterVersion
from scheduling.versions import store_draft
from scheduling.week import load_problem, plan_of, problem_of
from tests.api.test_desk import WEEK
from tests.journeys.conftest import LiveSite
from tests.scheduling.desk_problems import quickly

TABLET = {"width": 1024, "height": 768}
EFFORT = Effort(deterministic=1, seconds=20)


def stored(live: LiveSite, number: int) -> RosterVersion:
    with live.session() as session:
        return session.get_one(RosterVersion, number)


def seats(live: LiveSite, number: int) -> dict[tuple[str, int], str | None]:
    plan = plan_of(stored(live, number))
    return {(p.key, n): s.member for p in plan.patrols for n, s in enumerate(p.seats)}


def clean(live: LiveSite, number: int) -> bool:
    version = stored(live, number)
    return check(problem_of(version), plan_of(version)).clean


def place(button) -> tuple[str, int]:
    return button.get_attribute("data-patrol"), int(button.get_attribute("data-seat"))


def put_draft(live: LiveSite, shape=lambda problem: problem, make=quickly) -> int:
    with live.session() as session, session.begin():
        community = session.scalar(select(Community.id))
        found_demand(session, community)
        problem = shape(load_problem(session, community, WEEK))
        return store_draft(session, community, problem, make(problem), by="someone").id


@pytest.fixture
def draft(live):
    live.version = put_draft(live)
    live.account(Role.TEAM_LEAD)
    return live


def at_desk(live: LiveSite, number: int, viewport=None):
    page = live.page(viewport) if viewport else live.page()
    live.sign_in(page, "team_lead")
    page.goto(f"{live.address}/rosters/{number}/desk")
    page.locator("#board .seat").first.wait_for()
    return page


def drag(page, source, target) -> None:
    """By the real mouse: down, across the board in steps, a look at what it would do, up."""
    source.scroll_into_view_if_needed()
    box = source.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 30, box["y"] + 20, steps=4)
    page.locator(".ghost").wait_for()
    page.locator("#board.choosing").wait_for()
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=6)
    page.locator("#consequences:not([hidden])").wait_for()


def allowed_pair(page):
    """A seat that is taken and one it may be dropped on, both on the screen."""
    for n in range(12):
        source = page.locator("#board .seat[data-member]").nth(n)
        source.click()
        page.locator("#board.choosing").wait_for()
        found = [place(b) for b in page.locator("#board .seat.ok[data-member]").all()[:1]]
        page.keyboard.press("Escape")
        if found:
            ((patrol, seat),) = found
            return source, page.locator(f'#board .seat[data-patrol="{patrol}"][data-seat="{seat}"]')
    raise AssertionError("nobody may move anywhere")


def test_from_a_generated_week_to_a_signed_one(live, tmp_path):
    with live.session() as session, session.begin():
        found_demand(session, session.scalar(select(Community.id)))
    page = live.page()
    live.sign_in(page, live.account(Role.TEAM_LEAD))
    page.goto(f"{live.address}/rosters?week={WEEK}")
    page.get_by_role("button", name="生成排班").click()
    page.wait_for_url("**/jobs/*")
    page.locator("dl.figures", has_text="空缺席位").wait_for(timeout=60_000)
    if page.get_by_role("button", name="停止并保留目前最好的结果").is_visible():
        page.get_by_role("button", name="停止并保留目前最好的结果").click()
    page.wait_for_url(re.compile(r".*/rosters\?.*"), timeout=120_000)
    page.get_by_role("link", name="调整排班").click()
    page.wait_for_url("**/desk")
    first = int(re.search(r"/rosters/(\d+)/desk", page.url).group(1))
    page.locator("#board .seat").first.wait_for()
    live.shot(page, "desk-desktop")

    # Drag: what it would do stands there before the hand lets go, and is stored after.
    source, target = allowed_pair(page)
    was, one, other = seats(live, first), place(source), place(target)
    drag(page, source, target)
    live.shot(page, "desk-dragging")
    page.mouse.up()
    page.locator("#undo:not([disabled])").wait_for()
    now = seats(live, first)
    assert (now[one], now[other]) == (was[other], was[one])
    assert clean(live, first)

    # Lock by key.
    moved = page.locator(f'#board .seat[data-patrol="{other[0]}"][data-seat="{other[1]}"]')
    moved.focus()
    page.keyboard.press("l")
    page.locator(
        f'#board .seat.locked[data-patrol="{other[0]}"][data-seat="{other[1]}"]'
    ).wait_for()
    assert now[other] in {lock.member for lock in problem_of(stored(live, first)).locks}

    # A sick call: who could step in is named, and after it the ill one is nowhere on those days.
    ill = next(m for (patrol, _), m in now.items() if m and m != now[other])
    page.locator("#sick-open").click()
    page.locator("#sick select[name=member]").select_option(ill)
    page.locator("#sick select[name=to]").select_option("6")
    page.locator("#sick select[name=to]").dispatch_event("change")
    page.locator("#sick .step-in").first.wait_for()
    live.shot(page, "desk-sick")
    with page.expect_response("**/desk/sick"):
        page.locator("#sick button.primary").click()
    assert ill not in seats(live, first).values()
    page.locator(f'#board .seat[data-member="{ill}"]').first.wait_for(state="detached")
    assert seats(live, first)[other] == now[other]

    # The rest solved anew: a new draft, the lock kept, the ill one still away, nothing broken.
    page.locator("#resolve").click()
    page.locator("#solving:not([hidden])").wait_for()
    page.wait_for_url(lambda url: "/desk" in url and f"/{first}/" not in url, timeout=120_000)
    second = int(re.search(r"/rosters/(\d+)/desk", page.url).group(1))
    page.locator("#board .seat").first.wait_for()
    assert seats(live, second)[other] == now[other]
    assert ill not in seats(live, second).values()
    assert clean(live, second)

    # Sent, reviewed by somebody else, published, taken along.
    page.get_by_role("button", name="送审").click()
    page.locator(".tag", has_text="待审核").first.wait_for()
    office = live.page()
    live.sign_in(office, live.account(Role.STREET_OFFICE))
    office.goto(f"{live.address}/rosters?week={WEEK}&version={second}")
    office.get_by_role("button", name="审核通过").click()
    office.locator(".tag", has_text="已审核").first.wait_for()
    page.goto(f"{live.address}/rosters?week={WEEK}&version={second}")
    page.get_by_role("button", name="发布", exact=True).click()
    page.locator(".tag", has_text="已发布").first.wait_for()
    with page.expect_download() as download:
        page.get_by_role("link", name="下载 Excel").click()
    download.value.save_as(tmp_path / "roster.xlsx")
    book = load_workbook(tmp_path / "roster.xlsx")
    assert any(
        "排班表" in str(cell.value or "") for row in book.worksheets[0].iter_rows() for cell in row
    )
    paper = page.request.get(f"{live.address}/rosters/{second}/pdf")
    assert (paper.status, paper.body()[:5]) == (200, b"%PDF-")
    assert stored(live, second).state == "published"
    assert live.console_errors == []


def test_by_keys_alone_somebody_is_moved_and_moved_back_and_a_rule_is_kept(draft):
    page = at_desk(draft, draft.version)
    source, target = allowed_pair(page)
    was, one, other = seats(draft, draft.version), place(source), place(target)
    source.focus()
    page.keyboard.press("Enter")
    page.locator("#board.choosing").wait_for()
    assert source.get_attribute("aria-pressed") == "true"
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.classList.contains('seat')")
    target.focus()
    page.locator("#consequences:not([hidden])").wait_for()
    page.keyboard.press("Enter")
    page.locator("#undo:not([disabled])").wait_for()
    now = seats(draft, draft.version)
    assert (now[one], now[other]) == (was[other], was[one])
    page.keyboard.press("Control+z")
    page.locator("#redo:not([disabled])").wait_for()
    assert seats(draft, draft.version) == was

    # A drop that a rule forbids is refused with its sentence and changes nothing.
    page.set_viewport_size(TABLET)
    page.locator("#board .seat[data-member]").first.click()
    page.locator("#board.choosing").wait_for()
    page.locator("#board .seat.no").first.click()
    page.locator("#alert", has_text="不能放在这里").wait_for()
    assert seats(draft, draft.version) == was
    assert draft.console_errors == []


def test_two_people_at_one_desk_are_told_of_each_other_and_a_published_week_is_copied(draft):
    mine, theirs = at_desk(draft, draft.version), at_desk(draft, draft.version)
    source, _ = allowed_pair(mine)
    member, spot = source.get_attribute("data-member"), place(source)
    seat = f'#board .seat[data-patrol="{spot[0]}"][data-seat="{spot[1]}"]'
    theirs.locator(seat).click()
    theirs.get_by_role("button", name="撤下").click()
    theirs.locator("#undo:not([disabled])").wait_for()
    mine.locator(seat).focus()
    mine.keyboard.press("Delete")
    mine.locator("#alert:not([hidden])").wait_for()
    mine.locator(f"{seat}.vacant").wait_for()
    assert seats(draft, draft.version)[spot] is None
    assert member is not None
    draft.console_errors.clear()  # the browser's own line about the refusal

    # Published since, it is read on a phone, and copied to a draft to go on with.
    with draft.session() as session, session.begin():
        session.execute(text("UPDATE roster_version SET state = 'published'"))
    page = at_desk(draft, draft.version, {"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    draft.shot(page, "desk-phone")
    page.get_by_role("button", name="复制为草稿再调整").click()
    page.wait_for_url(lambda url: f"/{draft.version}/" not in url)
    page.locator("#undo").wait_for()
    assert draft.console_errors == []


def officers_away(problem):
    away = tuple(
        replace(m, leave=tuple(range(7))) if m.force == "officer" else m for m in problem.members
    )
    return replace(problem, members=away)


def a_firm_without_people(problem):
    firm = next(m.employer for m in problem.members if m.force == "guard")
    return replace(problem, members=tuple(m for m in problem.members if m.employer != firm))


def rest_against_nights(problem):
    """Two guards of a firm, a night that ends at two, and a morning after it."""
    firm = next(m.employer for m in problem.members if m.force == "guard")
    guards = [m for m in problem.members if m.employer == firm][:2]
    team = tuple(
        replace(m, days_off=(), leave=()) if n == 0 else replace(m, days_off=(0, 1), leave=())
        for n, m in enumerate(guards)
    )
    alone = next(t for t in problem.types if all(set(seat.forces) == {"guard"} for seat in t.seats))
    watch = replace(alone, seats=alone.seats[:1])
    zone = next(z for z in problem.zones if firm in z.employers)
    late = max(problem.shifts, key=lambda s: s.end_min)
    early = min(problem.shifts, key=lambda s: s.start_min)
    demands = tuple(
        Demand(day=day, shift=shift, zone=zone.key, type=watch.key, importance=weight)
        for day, shift, weight in ((0, late.key, 9), (1, early.key, 4))
    )
    return replace(
        problem, members=team, demands=demands, requirements=(),
        types=tuple(watch if t.key == watch.key else t for t in problem.types),
    )  # fmt: skip


PLANTED = (
    (officers_away, "请假"),
    (a_firm_without_people, "小区"),
    (rest_against_nights, "休息不足"),
)


def test_what_cannot_be_is_explained_and_mended_from_the_page(draft):
    page = None
    for shape, why in PLANTED:
        number = put_draft(draft, shape, lambda problem: solve(problem, EFFORT))
        if page is None:
            page = at_desk(draft, number)
        else:
            page.goto(f"{draft.address}/rosters/{number}/desk")
            page.locator("#board .seat").first.wait_for()
        mend_one(draft, page, number, shape.__name__, why)
    assert draft.console_errors == []


def mend_one(draft, page, number, name, why):
    empty = plan_of(stored(draft, number)).empty_seats
    assert empty
    assert page.locator("#shortages > ol > li").count() == len(empty)
    assert why in page.locator("#shortages").text_content()
    for n in range(min(6, len(empty))):
        row = page.locator("#shortages > ol > li").nth(n)
        row.get_by_role("button", name="看办法").click()
        row.locator(".fix, .fixes p:not(.muted)").first.wait_for()
        if row.locator(".fix").count():
            break
    draft.shot(page, f"desk-{name}")
    row.get_by_role("button", name="采用").first.click()
    page.locator("#undo:not([disabled])").wait_for()
    assert len(plan_of(stored(draft, number)).empty_seats) < len(empty)
    assert clean(draft, number)
