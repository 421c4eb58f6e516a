"""The desk as the board uses it: what is picked up, dropped, locked, taken back, and stored."""

import random
import time
from collections import Counter
from datetime import date

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from api.accounts import Role
from grid.communities import Community
from scheduling.core.check import check
from scheduling.found import found_demand
from scheduling.rosters import RosterVersion
from scheduling.versions import store_draft
from scheduling.week import load_problem, plan_of, problem_of
from tests.scheduling.desk_problems import quickly

WEEK = date(2026, 11, 30)


@pytest.fixture
def draft(sample_site):
    """The sample community with a quick draft of a week; the version's id hangs on the site."""
    with sample_site.session() as session, session.begin():
        community = session.scalar(select(Community.id))
        found_demand(session, community)
        problem = load_problem(session, community, WEEK)
        plan = quickly(problem)
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
    asked, _ = swap(draft, draft.lead.get(draft.desk).json())
    for state, said in (("reviewed", "已审核"), ("published", "已发布"), ("locked", "已锁定")):
        with draft.session() as session, session.begin():
            session.execute(text("UPDATE roster_version SET state = :s"), {"s": state})
        board = draft.lead.get(draft.desk)
        assert board.json()["version"]["state"] == state, "it can be read all the same"
        for answer in (
            draft.lead.get(draft.desk + "/targets", params={"patrol": asked["patrol"], "seat": 0}),
            draft.lead.post(draft.desk + "/edits", json=asked),
            draft.lead.post(draft.desk + "/undo"),
            draft.lead.post(draft.desk + "/locks", json={"patrol": "x", "seat": 0, "locked": True}),
            draft.lead.post(draft.desk + "/resolve", json={}),
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


# --- who steps in, fixes, what-ifs ---------------------------------------------------------------


def busy(board) -> tuple[dict, int, str]:
    """A patrol walked mid-week whose first seat is a grid member's or an auxiliary's."""
    force = {m["key"]: m["force"] for m in board["members"]}
    return next(
        (p, n, s["member"])
        for p in board["patrols"]
        for n, s in enumerate(p["seats"])
        if p["walked"] and p["day"] == 2 and force.get(s["member"]) in {"grid_member", "guard"}
    )


def test_a_sick_call_names_who_steps_in_and_seats_the_best(draft):
    board = draft.lead.get(draft.desk).json()
    patrol, _, member = busy(board)
    one = draft.lead.get(
        draft.desk + "/replacements", params={"member": member, "patrol": patrol["key"]}
    )
    assert one.status_code == 200, one.text
    (seat,) = one.json()
    assert (seat["patrol"], member) == (patrol["key"], member)
    assert member not in {c["member"] for c in seat["choices"]}
    assert all(c["zh"] and c["en"] and c["name"] for c in seat["choices"])
    with draft.session() as session, session.begin():
        session.execute(text("UPDATE member SET phone = '13800001234'"))
    params = {"member": member, "patrol": patrol["key"]}
    for shown, phones in ((False, "138****1234"), (True, "13800001234")):
        asked = draft.lead.get(
            draft.desk + "/replacements", params=params | ({"phones": "1"} if shown else {})
        )
        assert {c["phone"] for s in asked.json() for c in s["choices"]} == {phones}
    with draft.session() as session:
        assert "member.phones" in session.scalars(text("SELECT action FROM audit_entry")).all()
    days = draft.lead.get(draft.desk + "/replacements", params={"member": member, "day": 2}).json()
    assert {s["patrol"].split(".")[0] for s in days} <= {"2", "3", "4", "5", "6"}
    after = draft.lead.post(
        draft.desk + "/sick", json={"member": member, "from_day": 2, "to_day": 3}
    )
    assert after.status_code == 200, after.text
    shown = after.json()
    assert next(m for m in shown["members"] if m["key"] == member)["leave"] == [2, 3]
    assert not any(
        s["member"] == member for p in shown["patrols"] if p["day"] in {2, 3} for s in p["seats"]
    )
    assert {v["rule"] for v in shown["violations"]} <= {"whole_team"}
    assert check(problem_of(stored(draft)), plan_of(stored(draft))).mismatches == ()
    back = draft.lead.post(draft.desk + "/undo").json()
    assert seats(back) == seats(board)
    assert next(m for m in back["members"] if m["key"] == member)["leave"] == []
    assert draft.lead.post(
        draft.desk + "/sick", json={"member": member, "from_day": 3, "to_day": 2}
    ).status_code == 422  # fmt: skip
    assert draft.lead.get(draft.desk + "/replacements?member=X&day=0").status_code == 404


def test_an_empty_seat_is_filled_by_a_fix_that_was_tried_out(draft):
    board = draft.lead.get(draft.desk).json()
    patrol, seat, _ = busy(board)
    place = {"patrol": patrol["key"], "seat": seat}
    assert draft.lead.get(draft.desk + "/fixes", params=place).status_code == 409, "taken"
    emptied = draft.lead.post(draft.desk + "/edits", json={"kind": "remove", **place}).json()
    found = draft.lead.get(draft.desk + "/fixes", params=place)
    assert found.status_code == 200, found.text
    fixes = found.json()
    assert 1 <= len(fixes) <= 3
    assert all(f["verified"] and f["zh"] and f["en"] for f in fixes)
    made = draft.lead.post(draft.desk + "/fixes", json=fixes[0]["edit"])
    assert made.status_code == 200, made.text
    empty = {(e["patrol"], e["seat"]) for e in made.json()["empty_seats"]}
    assert (patrol["key"], seat) not in empty
    assert len(made.json()["violations"]) < len(emptied["violations"]) or not emptied["violations"]
    assert draft.lead.post(draft.desk + "/fixes", json=fixes[0]["edit"]).status_code == 409


def test_the_rest_is_solved_anew_around_a_lock_in_a_new_draft(draft, run_jobs):
    board = draft.lead.get(draft.desk).json()
    patrol, seat, member = busy(board)
    draft.lead.post(
        draft.desk + "/locks", json={"patrol": patrol["key"], "seat": seat, "locked": True}
    )
    asked = draft.lead.post(draft.desk + "/resolve", json={})
    assert asked.status_code == 202
    draft.lead.post(asked.json()["url"] + "/stop")
    run_jobs(draft)
    done = draft.lead.get(asked.json()["url"])
    assert done.status_code == 303, done.text
    new = int(done.headers["location"].split("/")[2])
    assert new != draft.version
    fresh = draft.lead.get(f"/api/v1/rosters/{new}/desk").json()
    assert fresh["version"]["made_from"] == draft.version
    assert seats(fresh)[patrol["key"], seat] == member
    assert fresh["violations"] == []


def test_a_what_if_is_laid_beside_the_roster_and_can_never_be_published(draft, run_jobs):
    asked = draft.lead.post(draft.desk + "/what-if", json={"kind": "one_fewer", "force": "guard"})
    assert asked.status_code == 202, asked.text
    draft.lead.post(asked.json()["url"] + "/stop")
    run_jobs(draft)
    answer = draft.lead.get(asked.json()["url"])
    assert answer.status_code == 303, answer.text
    other = int(answer.headers["location"].partition("with=")[2])
    with draft.session() as session:
        version = session.get_one(RosterVersion, other)
        assert (version.what_if, version.state) == (True, "draft")
        assert "少一人" in version.title
        assert not session.execute(
            text("SELECT 1 FROM patrol WHERE roster_version_id = :v"), {"v": other}
        ).first(), "nobody walks by it"
    for step in ("review", "publish"):
        assert draft.lead.post(f"/api/v1/rosters/{other}/{step}").status_code == 409
    with draft.session() as session, pytest.raises(IntegrityError):
        session.execute(
            text("UPDATE roster_version SET state = 'published' WHERE id = :v"), {"v": other}
        )
    side = draft.lead.get(draft.desk + "/compare", params={"with": other}).json()
    assert side["second"]["what_if"]
    assert {line["key"] for line in side["comparison"]["levels"]} >= {"cover_minimum", "fairness"}
    shown = draft.lead.get("/rosters?week=2026-11-30")
    assert "少一人" not in shown.text or shown.status_code == 200
    copied = draft.lead.post(f"/api/v1/rosters/{other}/desk/draft")
    with draft.session() as session:
        assert session.get_one(RosterVersion, copied.json()["id"]).what_if, "nor by copying"
    wrong = draft.lead.post(
        draft.desk + "/what-if", json={"kind": "one_fewer", "force": "volunteer"}
    )
    assert wrong.status_code == 422


def test_what_is_published_goes_on_in_a_copy(draft):
    with draft.session() as session, session.begin():
        session.execute(text("UPDATE roster_version SET state = 'published'"))
    refused = draft.lead.post(draft.desk + "/undo")
    assert refused.status_code == 409
    assert "另存为草稿" in refused.json()["detail"]
    made = draft.lead.post(draft.desk + "/draft")
    assert made.status_code == 201
    copied = draft.lead.get(f"/api/v1/rosters/{made.json()['id']}/desk").json()
    assert copied["version"]["state"] == "draft"
    assert copied["version"]["made_from"] == draft.version


def test_the_desk_is_the_leads_of_its_own_community(draft):
    assert draft.signed_in(Role.STREET_OFFICE).get(draft.desk).status_code == 403
    assert draft.lead.get("/api/v1/rosters/999999/desk").status_code == 404


def test_thirty_random_acts_leave_plan_rows_and_checker_agreeing_and_all_can_be_undone(draft):
    rng = random.Random(2)
    first = draft.lead.get(draft.desk).json()
    done: Counter[str] = Counter()
    acts = ["edit", "edit", "lock", "sick", "fix", "fix", "undo"]
    for _ in range(30):
        board = draft.lead.get(draft.desk).json()
        taken = [k for k, m in seats(board).items() if m]
        act = "redo" if board["redo"] and rng.random() < 0.5 else rng.choice(acts)
        if act == "edit":
            patrol, seat = rng.choice(taken)
            found = draft.lead.get(draft.desk + "/targets", params={"patrol": patrol, "seat": seat})
            able = [t for t in found.json()["targets"] if t["allowed"]]
            if not able:
                continue
            to = rng.choice(able)
            body = {"kind": to["kind"], "patrol": patrol, "seat": seat, "to_patrol": to["patrol"], "to_seat": to["seat"]}  # fmt: skip
            answer = draft.lead.post(draft.desk + "/edits", json=body)
        elif act == "lock":
            patrol, seat = rng.choice(taken)
            answer = draft.lead.post(
                draft.desk + "/locks", json={"patrol": patrol, "seat": seat, "locked": True}
            )
        elif act == "sick":
            who, day = rng.choice(board["members"])["key"], rng.randrange(7)
            answer = draft.lead.post(
                draft.desk + "/sick", json={"member": who, "from_day": day, "to_day": day}
            )
        elif act == "fix":
            if not board["empty_seats"]:
                continue
            empty = rng.choice(board["empty_seats"])
            place = {"patrol": empty["patrol"], "seat": empty["seat"]}
            fixes = draft.lead.get(draft.desk + "/fixes", params=place).json()
            if not fixes:
                continue
            answer = draft.lead.post(draft.desk + "/fixes", json=rng.choice(fixes)["edit"])
        else:
            if not board[act]:
                continue
            answer = draft.lead.post(f"{draft.desk}/{act}")
        assert answer.status_code == 200, (act, answer.text)
        done[act] += 1
        version = stored(draft)
        report = check(problem_of(version), plan_of(version))
        assert report.mismatches == (), act
        assert {v.rule for v in report.violations} <= {"whole_team", "never_alone", "officer_leads"}
        assert rows(draft) == {
            (p.key, n, s.member)
            for p in plan_of(version).patrols if p.walked
            for n, s in enumerate(p.seats) if s.member
        }, act  # fmt: skip
    assert set(done) == {"edit", "lock", "sick", "fix", "undo", "redo"}, done
    while draft.lead.get(draft.desk).json()["undo"]:
        assert draft.lead.post(draft.desk + "/undo").status_code == 200
    last = draft.lead.get(draft.desk).json()
    assert seats(last) == seats(first)
    assert last["levels"] == first["levels"]
    assert last["members"] == first["members"]


def test_leave_approved_after_the_draft_was_made_keeps_people_from_new_seats(draft):
    board = draft.lead.get(draft.desk).json()
    _, _, member = busy(board)
    free = [
        t
        for t in draft.lead.get(draft.desk + "/targets", params={"member": member}).json()[
            "targets"
        ]
        if t["patrol"].split(".")[0] in {"4", "5", "6"}
    ]
    with draft.session() as session, session.begin():
        session.execute(
            text(
                "INSERT INTO leave (member_id, first_day, last_day, state, asked_by, reason) SELECT id, "
                "'2026-12-04', '2026-12-06', 'approved', 'x', '' FROM member WHERE staff_number = :m"
            ),
            {"m": member},
        )
    after = {
        (t["patrol"], t["seat"]): t
        for t in draft.lead.get(draft.desk + "/targets", params={"member": member}).json()[
            "targets"
        ]
    }
    for target in free:
        now = after[target["patrol"], target["seat"]]
        if "seat" not in {s["rule"] for s in now["stops"]}:
            assert "leave" in {s["rule"] for s in now["stops"]}
    asked = draft.lead.post(draft.desk + "/resolve", json={}).json()
    draft.lead.post(asked["url"] + "/stop")
    from api.jobs import perform

    perform(draft.database.engine, asked["run_id"])
    new = int(draft.lead.get(asked["url"]).headers["location"].split("/")[2])
    fresh = draft.lead.get(f"/api/v1/rosters/{new}/desk").json()
    assert next(m for m in fresh["members"] if m["key"] == member)["leave"] == [4, 5, 6]
    assert not any(
        s["member"] == member for p in fresh["patrols"] if p["day"] >= 4 for s in p["seats"]
    )


def test_officers_on_leave_all_week_are_explained_and_fixed_from_the_desk(sample_site):
    with sample_site.session() as session, session.begin():
        community = session.scalar(select(Community.id))
        found_demand(session, community)
        session.execute(
            text(
                "INSERT INTO leave (member_id, first_day, last_day, state, asked_by, reason) "
                "SELECT id, '2026-11-30', '2026-12-06', 'approved', 'x', '' FROM member "
                "WHERE force = 'officer' AND staff_number <> "
                "(SELECT min(staff_number) FROM member WHERE force = 'officer')"
            )
        )
        problem = load_problem(session, community, WEEK)
        version = store_draft(session, community, problem, quickly(problem), by="lead").id
    lead = sample_site.signed_in(Role.TEAM_LEAD)
    desk = f"/api/v1/rosters/{version}/desk"
    board = lead.get(desk).json()
    force = {m["key"]: m["force"] for m in board["members"]}
    away = {m["key"] for m in board["members"] if m["leave"] == list(range(7))}
    assert away
    short = [
        e for e in board["empty_seats"]
        if {force[c["member"]] for c in e["candidates"]} == {"officer"}
    ]  # fmt: skip
    assert short
    for empty in short:
        assert {c["rule"] for c in empty["candidates"] if c["member"] in away} == {"leave"}
        assert "请假" in empty["zh"]
    healed = 0
    for empty in short:
        fixes = lead.get(desk + "/fixes", params={"patrol": empty["patrol"], "seat": empty["seat"]})
        assert fixes.status_code == 200, fixes.text
        assert all(f["edit"]["member"] not in away for f in fixes.json())
        if fixes.json() and not healed:
            after = lead.post(desk + "/fixes", json=fixes.json()[0]["edit"]).json()
            assert after["violations"] == []
            gone = {(e["patrol"], e["seat"]) for e in after["empty_seats"]}
            assert (empty["patrol"], empty["seat"]) not in gone
            healed += 1
            break
    assert healed
