"""The desk as the board uses it: what is picked up, dropped, locked, taken back, and stored."""

import time
from datetime import date

import pytest
from sqlalchemy import select, text

from api.accounts import Role
from grid.communities import Community
from scheduling.core.check import check
from scheduling.core.solve import Effort, solve
from scheduling.found import found_demand
from scheduling.rosters import RosterVersion
from scheduling.versions import store_draft
from scheduling.week import load_problem, plan_of, problem_of

WEEK = date(2026, 11, 30)


@pytest.fixture
def draft(sample_site):
    """The sample community with a quick draft of a week; the version's id hangs on the site."""
    with sample_site.session() as session, session.begin():
        community = session.scalar(select(Community.id))
        found_demand(session, community)
        problem = load_problem(session, community, WEEK)
        plan = solve(problem, Effort(deterministic=0.01, seconds=0.1, workers=1))
        sample_site.version = store_draft(session, community, problem, plan, by="lead").id
    sample_site.lead = sample_site.signed_in(Role.TEAM_LEAD)
    sample_site.desk = f"/api/v1/rosters/{sample_site.version}/desk"
    return sample_site


def stored(site) -> RosterVersion:
    with site.session() as session:
        return session.get_one(RosterVersion, site.version)


def seats(board) -> dict[tuple[str, int], str | None]:
    return {(p["key"], n): s["member"] for p in board["patrols"] for n, s in enumerate(p["seats"])}


def rows(site) -> set[tuple[str, int, str]]:
    """Who sits where by the rows that phones and exports read."""
    with site.session() as session:
        return set(
            session.execute(
                text(
                    "SELECT p.key, a.seat, m.staff_number FROM patrol p "
                    "JOIN assignment a ON a.patrol_id = p.id JOIN member m ON m.id = a.member_id "
                    "WHERE p.roster_version_id = :v"
                ),
                {"v": site.version},
            ).tuples()
        )


def allowed(site, board, kind: str) -> tuple[dict, dict]:
    """Some seat with somebody in it and a target of a kind that the rules allow."""
    for (patrol, seat), member in seats(board).items():
        if member is None:
            continue
        found = site.lead.get(site.desk + "/targets", params={"patrol": patrol, "seat": seat})
        for target in found.json()["targets"]:
            if target["kind"] == kind and target["allowed"]:
                return {"patrol": patrol, "seat": seat, "member": member}, target
    raise AssertionError(f"no {kind} is allowed anywhere")


def swap(site, board) -> tuple[dict, dict]:
    """A swap that the rules allow, and the board after it."""
    home, target = allowed(site, board, "swap")
    asked = {"kind": "swap", **home, "to_patrol": target["patrol"], "to_seat": target["seat"]}
    answer = site.lead.post(site.desk + "/edits", json=asked)
    assert answer.status_code == 200, answer.text
    return asked, answer.json()


def test_the_board_holds_what_the_page_draws(draft):
    answer = draft.lead.get(draft.desk)
    assert answer.status_code == 200
    board = answer.json()
    assert board["version"]["state"] == "draft"
    assert len(board["days"]) == 7
    assert board["days"][0]["date"] == "2026-11-30"
    assert len(board["members"]) == 55
    assert board["violations"] == []
    assert not board["undo"]
    assert not board["redo"]
    assert {f["force"] for f in board["fairness"]} >= {"officer", "auxiliary", "grid_member"}
    gap = board["coverage_gaps"][0]
    assert all(start < end for start, end in gap["teams"])


def test_an_edit_is_stored_whole_with_figures_and_rows_and_the_checker_agrees(draft):
    before = draft.lead.get(draft.desk).json()
    asked, after = swap(draft, before)
    there, was = seats(after), seats(before)
    one, other = (asked["patrol"], asked["seat"]), (asked["to_patrol"], asked["to_seat"])
    assert (there[one], there[other]) == (was[other], was[one])
    assert after["undo"]
    version = stored(draft)
    assert check(problem_of(version), plan_of(version)).clean
    assert version.violations == 0
    walked = {(p.key, n, s.member) for p in plan_of(version).patrols if p.walked
              for n, s in enumerate(p.seats) if s.member}  # fmt: skip
    assert rows(draft) == walked
    with draft.session() as session:
        actions = session.scalars(text("SELECT action FROM audit_entry")).all()
    assert "desk.swap" in actions


def test_undo_and_redo_survive_a_reload_and_end_where_they_began(draft):
    first = draft.lead.get(draft.desk).json()
    _, second = swap(draft, first)
    _, third = swap(draft, second)
    drawn = stored(draft).plan
    assert draft.lead.post(draft.desk + "/undo").json()["redo"]
    back = draft.lead.post(draft.desk + "/undo").json()
    assert seats(back) == seats(first)
    assert back["levels"] == first["levels"], "what was proven holds again"
    assert not back["undo"]
    refused = draft.lead.post(draft.desk + "/undo")
    assert refused.status_code == 409
    assert "没有可以撤销的调整" in refused.json()["detail"]
    draft.lead.post(draft.desk + "/redo")
    again = draft.lead.post(draft.desk + "/redo").json()
    assert seats(again) == seats(third)
    assert stored(draft).plan == drawn
    assert draft.lead.post(draft.desk + "/redo").status_code == 409
    draft.lead.post(draft.desk + "/undo")
    _, other = swap(draft, draft.lead.get(draft.desk).json())
    assert not other["redo"], "a new edit ends what was undone"


def test_a_locked_assignment_moves_only_when_it_is_unlocked(draft):
    board = draft.lead.get(draft.desk).json()
    home, target = allowed(draft, board, "swap")
    place = {"patrol": home["patrol"], "seat": home["seat"]}
    locked = draft.lead.post(draft.desk + "/locks", json={**place, "locked": True}).json()
    mine = next(p for p in locked["patrols"] if p["key"] == place["patrol"])
    assert mine["seats"][place["seat"]]["locked"]
    asked = {"kind": "swap", **home, "to_patrol": target["patrol"], "to_seat": target["seat"]}
    refused = draft.lead.post(draft.desk + "/edits", json=asked)
    assert refused.status_code == 409
    assert "已锁定，请先解锁" in refused.json()["detail"]
    found = draft.lead.get(draft.desk + "/targets", params=place).json()["targets"]
    assert not any(t["allowed"] for t in found)
    assert draft.lead.post(draft.desk + "/undo").json()["undo"] is False
    assert draft.lead.post(draft.desk + "/edits", json=asked).status_code == 200


def test_a_drop_that_breaks_a_rule_is_refused_with_its_sentence(draft):
    board = draft.lead.get(draft.desk).json()
    names = {m["key"]: m["name"] for m in board["members"]}
    for (patrol, seat), member in seats(board).items():
        if member is None:
            continue
        found = draft.lead.get(draft.desk + "/targets", params={"patrol": patrol, "seat": seat})
        target = next(
            (t for t in found.json()["targets"] if t["kind"] == "swap" and not t["allowed"]), None
        )
        if target:
            break
    asked = {"kind": "swap", "patrol": patrol, "seat": seat, "to_patrol": target["patrol"], "to_seat": target["seat"]}  # fmt: skip
    refused = draft.lead.post(draft.desk + "/edits", json=asked)
    assert refused.status_code == 409
    stop = target["stops"][0]
    assert stop["zh"] in refused.json()["detail"]
    assert stop["member"] is None or names[stop["member"]] in refused.json()["detail"]
    assert draft.lead.get(draft.desk).json() == board, "nothing was stored"


def test_a_member_taken_off_leaves_half_a_team_that_is_said_and_never_reviewed(draft):
    board = draft.lead.get(draft.desk).json()
    patrol = next(p for p in board["patrols"] if p["walked"] and len(p["seats"]) > 1)
    seat = next(n for n, s in enumerate(patrol["seats"]) if s["required"] and s["member"])
    gone = patrol["seats"][seat]["member"]
    after = draft.lead.post(
        draft.desk + "/edits", json={"kind": "remove", "patrol": patrol["key"], "seat": seat}
    ).json()
    assert [v["rule"] for v in after["violations"]] == ["whole_team"]
    assert (patrol["key"], seat) in {(e["patrol"], e["seat"]) for e in after["empty_seats"]}
    assert patrol["key"] not in {key for key, _, _ in rows(draft)}
    refused = draft.lead.post(f"/api/v1/rosters/{draft.version}/review")
    assert refused.status_code == 409
    found = draft.lead.get(draft.desk + "/targets", params={"member": gone}).json()["targets"]
    back = next(t for t in found if (t["patrol"], t["seat"]) == (patrol["key"], seat))
    assert back["allowed"]
    assert back["closes"] == [{"patrol": patrol["key"], "seat": seat}]
    healed = draft.lead.post(
        draft.desk + "/edits",
        json={"kind": "place", "patrol": patrol["key"], "seat": seat, "member": gone},
    ).json()
    assert healed["violations"] == []
    assert healed["levels"] == board["levels"]


def test_only_a_draft_is_edited(draft):
    lead = draft.lead
    asked, _ = swap(draft, lead.get(draft.desk).json())
    lead.post(f"/api/v1/rosters/{draft.version}/review")
    for step, said in ((None, "已审核"), ("publish", "已发布"), ("lock", "已锁定")):
        if step:
            assert lead.post(f"/api/v1/rosters/{draft.version}/{step}").status_code == 200
        for answer in (
            lead.post(draft.desk + "/edits", json=asked),
            lead.post(draft.desk + "/undo"),
            lead.post(draft.desk + "/locks", json={"patrol": "x", "seat": 0, "locked": True}),
        ):
            assert answer.status_code == 409
            assert said in answer.json()["detail"]


def test_two_editors_do_not_overwrite_each_other_unseen(draft):
    board = draft.lead.get(draft.desk).json()
    asked, _ = swap(draft, board)
    late = draft.lead.post(draft.desk + "/edits", json=asked)
    assert late.status_code == 409
    assert "刚刚被改过" in late.json()["detail"]


def test_the_desk_answers_at_once(draft):
    board = draft.lead.get(draft.desk).json()
    (patrol, seat), _ = next((k, m) for k, m in seats(board).items() if m)
    params = {"patrol": patrol, "seat": seat}
    draft.lead.get(draft.desk + "/targets", params=params)
    began = time.perf_counter()
    draft.lead.get(draft.desk + "/targets", params=params)
    assert time.perf_counter() - began < 1.0, "0.3 s on an idle machine"
