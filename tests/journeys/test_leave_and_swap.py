"""A member's errand: leave asked for on the phone, and a patrol swapped over two phones."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.accounts import Role
from grid.people import Member
from scheduling.conflicts import conflicts
from scheduling.rosters import Assignment, Patrol, RosterState, RosterVersion
from scheduling.swaps import Swap
from tests.journeys.conftest import PHONE, LiveSite
from tests.published_week import WEEK, publish_week
from tests.scheduling.test_swaps import offers


def who_can_swap(session: Session) -> tuple[Member, Patrol, Member]:
    """Somebody with a patrol, and whom the rules let take it over."""
    asker, patrol, other, _ = next(offers(session, trade=False))
    return asker, patrol, other


def test_leave_breaks_a_published_patrol_and_a_swap_on_two_phones_mends_it(live: LiveSite):
    with live.session() as session, session.begin():
        version = publish_week(session)
        asker, patrol, other = who_can_swap(session)
        community, first = version.community_id, version.id
    mine, theirs = live.page(PHONE), live.page(PHONE)
    live.sign_in(mine, live.account(Role.PATROLLER, asker.id))
    live.sign_in(theirs, live.account(Role.PATROLLER, other.id))
    lead = live.page()
    live.sign_in(lead, live.account(Role.TEAM_LEAD))

    mine.get_by_role("link", name="请假").click()
    mine.get_by_label("第一天").fill(patrol.day.isoformat())
    mine.get_by_label("最后一天").fill(patrol.day.isoformat())
    mine.get_by_label("事由").fill("家人住院")
    mine.get_by_role("button", name="提交请假").click()
    mine.locator(".tag", has_text="待审批").wait_for()
    live.shot(mine, "leave-phone")

    lead.get_by_role("link", name="队员", exact=True).click()
    live.shot(lead, "members-desktop")
    lead.get_by_role("navigation", name="队员管理").get_by_role("link", name="请假").click()
    assert "需要替班" in lead.inner_text("main")
    lead.get_by_role("button", name="批准", exact=True).click()
    lead.get_by_text("不再成立").wait_for()
    live.shot(lead, "leave-conflict-desktop")
    desk = lead.get_by_role("link", name="去调整排班").first.get_attribute("href")
    assert desk is not None
    assert desk.startswith(f"/rosters/{first}/desk?member={asker.staff_number}&day=")

    mine.get_by_role("link", name="换班", exact=True).first.click()
    mine.locator(f'a[href="/my/swaps/new?patrol={patrol.id}"]').click()
    gift = mine.locator("form", has_text="转给别人")
    gift.get_by_label("转给谁").select_option(str(other.id))
    gift.get_by_label("留言").fill("家人住院，请帮忙")
    gift.get_by_role("button", name="提出转让").click()
    mine.locator(".tag", has_text="待对方答复").wait_for()

    theirs.goto(f"{live.address}/my")
    theirs.get_by_role("link", name="1 条换班等您答复").click()
    assert "家人住院，请帮忙" in theirs.inner_text("main")
    live.shot(theirs, "swap-asked-phone")
    theirs.get_by_role("button", name="同意", exact=True).click()
    theirs.locator(".tag", has_text="待队长审批").wait_for()

    lead.goto(f"{live.address}/swaps")
    assert "符合全部规定" in lead.inner_text("main")
    live.shot(lead, "swap-desktop")
    lead.get_by_role("button", name="批准并发布").click()
    lead.get_by_text("新的一版").wait_for()
    lead.get_by_role("link", name="排班冲突").click()
    assert "没有冲突" in lead.inner_text("main")

    theirs.goto(f"{live.address}/my?week={WEEK}")
    assert theirs.locator(f'a[href="/patrols/{patrol.id}"]').count() == 1
    mine.goto(f"{live.address}/my/swaps")
    mine.locator(".tag", has_text="已换班").wait_for()
    with live.session() as session:
        now = session.scalars(
            select(RosterVersion).where(RosterVersion.state == RosterState.PUBLISHED)
        ).one()
        assert (now.number, now.violations) == (2, 0)
        seated = session.scalars(
            select(Assignment.member_id).where(Assignment.patrol_id == patrol.id)
        ).all()
        assert other.id in seated
        assert asker.id not in seated
        assert conflicts(session, community, WEEK, member_id=asker.id) == []
        assert session.scalars(select(Swap.state)).all() == ["approved"]
    assert live.console_errors == []
