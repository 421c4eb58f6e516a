"""A version's life: who reviews it, what is taken back, and what never changes."""

from datetime import UTC, datetime, timedelta

import pytest

from scheduling.publish import (
    AlreadyWalked,
    BreaksTheLaw,
    ChangedSinceRead,
    OnlyAQuestion,
    OwnRoster,
    RosterIsLocked,
    WasPublished,
    WrongState,
    authors_of,
    lock,
    mark_of,
    publish,
    review,
    send_back,
    submit,
    withdraw,
)
from scheduling.rosters import RosterEdit, RosterState
from scheduling.versions import shown_first, store_draft, versions_of
from scheduling.week import plan_of, problem_of
from tests.published_week import WEEK, publish_week

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
IN_THE_WEEK = datetime(2026, 12, 1, 12, tzinfo=UTC)


@pytest.fixture
def published(sample):
    return publish_week(sample)


@pytest.fixture
def draft(sample, published):
    """A second version of the week: the same plan, made by ``author``."""
    return store_draft(
        sample, published.community_id, problem_of(published), plan_of(published), by="author"
    )


def edited(sample, version, by: str) -> None:
    sample.add(
        RosterEdit(
            roster_version_id=version.id, number=1, kind="lock", seats=[], before={}, after={},
            levels_before=[], levels_after=[], undone=False, made_by=by, made_at=NOW,
        )
    )  # fmt: skip
    sample.flush()


def test_nobody_reviews_a_roster_they_made(sample, draft):
    with pytest.raises(OwnRoster) as refusal:
        review(sample, draft.community_id, draft.id, by="author")
    assert refusal.value.status == 409
    assert "须由另一人审核" in refusal.value.sentence()
    assert "管理员" in refusal.value.sentence(), "it says what to do where there is no other"
    assert review(sample, draft.community_id, draft.id, by="other").reviewed_by == "other"


def test_nobody_reviews_a_roster_they_edited(sample, draft):
    edited(sample, draft, "editor")
    assert authors_of(sample, draft) == {"author", "editor"}
    with pytest.raises(OwnRoster):
        review(sample, draft.community_id, draft.id, by="editor")


def test_a_reviewer_signs_only_what_they_read(sample, draft):
    seen = mark_of(draft)
    draft.plan = {**draft.plan, "seed": 99}
    sample.flush()
    with pytest.raises(ChangedSinceRead):
        review(sample, draft.community_id, draft.id, by="other", seen=seen)
    again = mark_of(draft)
    assert review(sample, draft.community_id, draft.id, by="other", seen=again).state == "reviewed"


def test_a_sent_or_reviewed_version_goes_back_to_its_author_unsigned(sample, draft):
    community = draft.community_id
    with pytest.raises(WrongState):
        send_back(sample, community, draft.id)
    submit(sample, community, draft.id, by="author", now=NOW)
    assert (draft.submitted_by, draft.submitted_at) == ("author", NOW)
    send_back(sample, community, draft.id)
    assert draft.submitted_at is None
    review(sample, community, draft.id, by="other")
    send_back(sample, community, draft.id)
    assert (draft.state, draft.reviewed_by) == ("draft", None)


def test_a_published_version_is_withdrawn_until_its_first_patrol_begins(sample, published):
    community = published.community_id
    with pytest.raises(AlreadyWalked) as refusal:
        withdraw(sample, community, published.id, now=IN_THE_WEEK)
    assert "已经开始" in refusal.value.sentence()
    first = min(p.start_min for p in published.patrols if p.day == WEEK)
    begins = datetime(2026, 11, 29, 16, tzinfo=UTC) + timedelta(minutes=first)
    with pytest.raises(AlreadyWalked):
        withdraw(sample, community, published.id, now=begins)
    withdraw(sample, community, published.id, now=begins - timedelta(minutes=1))
    assert (published.state, published.published_by) == ("reviewed", None)
    send_back(sample, community, published.id)
    assert published.state == "draft"


def test_what_people_once_went_by_stays_a_record(sample, published, draft):
    community = draft.community_id
    review(sample, community, draft.id, by="other")
    publish(sample, community, draft.id, by="author")
    assert published.state == "reviewed"
    with pytest.raises(WasPublished):
        send_back(sample, community, published.id)


def test_a_locked_version_takes_no_step_any_more(sample, published):
    community = published.community_id
    lock(sample, community, published.id)
    for step in (
        lambda: submit(sample, community, published.id, by="x", now=NOW),
        lambda: review(sample, community, published.id, by="x"),
        lambda: send_back(sample, community, published.id),
        lambda: publish(sample, community, published.id, by="x"),
        lambda: withdraw(sample, community, published.id, now=NOW),
        lambda: lock(sample, community, published.id),
    ):
        with pytest.raises(RosterIsLocked) as refusal:
            step()
        assert refusal.value.status == 409
    assert published.state == RosterState.LOCKED


def test_a_what_if_is_neither_sent_nor_reviewed_nor_shown_first(sample, published, draft):
    community = draft.community_id
    draft.what_if = True
    sample.flush()
    with pytest.raises(OnlyAQuestion):
        submit(sample, community, draft.id, by="author", now=NOW)
    with pytest.raises(OnlyAQuestion):
        review(sample, community, draft.id, by="other")
    published.state = RosterState.REVIEWED
    assert shown_first(versions_of(sample, community, WEEK)) is published


def test_a_draft_that_breaks_the_law_is_not_even_sent(sample, draft):
    plan = dict(draft.plan)
    plan["patrols"] = [
        {**p, "seats": [{**s, "member": "B20"} if s["member"] else s for s in p["seats"]]}
        for p in plan["patrols"]
    ]
    draft.plan = plan
    sample.flush()
    with pytest.raises(BreaksTheLaw):
        submit(sample, draft.community_id, draft.id, by="author", now=NOW)


def test_drafts_still_worked_on_are_left_out_on_demand(sample, published, draft):
    community = draft.community_id
    assert [v.id for v in versions_of(sample, community, WEEK, sent_only=True)] == [published.id]
    submit(sample, community, draft.id, by="author", now=NOW)
    assert len(versions_of(sample, community, WEEK, sent_only=True)) == 2
