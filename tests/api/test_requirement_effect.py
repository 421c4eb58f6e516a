"""A requirement's page tells what was planned and done, and whether the place got better."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text

from api.accounts import Role
from api.requirements.outcome import outcome
from grid.incidents import Incident
from maps.effect import Verdict
from scheduling.demand import PatrolRequirement, PatrolType, ShiftTemplate
from scheduling.rosters import CheckIn, Patrol, RosterVersion
from tests.conftest import SAMPLE_UNTIL

START = SAMPLE_UNTIL - timedelta(150)


@pytest.fixture
def asked(sample_site):
    """A requirement on the loud square's building that began five months ago."""
    with sample_site.session() as session, session.begin():
        place = session.execute(
            text("""SELECT b.id, b.community_id, zc.zone_id
                    FROM building b JOIN estate e ON e.id = b.estate_id
                    JOIN grid_cell c ON ST_Covers(c.boundary, ST_PointOnSurface(b.footprint))
                    JOIN patrol_zone_cell zc ON zc.cell_id = c.id
                    WHERE e.name = '铸钢花园' AND b.number = '5' LIMIT 1""")
        ).one()
        row = PatrolRequirement(
            community_id=place.community_id, zone_id=place.zone_id, building_id=place.id,
            category="噪音扰民", band_start_min=1080, band_end_min=1380,
            weekdays=[1, 2, 3, 4, 5, 6, 7], visits_per_week=3, dwell_min=15, valid_from=START,
            valid_to=START + timedelta(300), reason="广场舞", evidence={}, raised_by="test",
            raised_at=datetime.now(UTC),
        )  # fmt: skip
        session.add(row)
        session.flush()
        number = row.id
    return sample_site, number


def of(site, number, day=SAMPLE_UNTIL):
    with site.session() as session:
        return outcome(session, session.get_one(PatrolRequirement, number), day)


def without_noise_there(site, number, keep=0):
    """Take the place's later noise out of the ledger, but for a few."""
    with site.session() as session, session.begin():
        row = session.get_one(PatrolRequirement, number)
        session.execute(
            text("""DELETE FROM incident WHERE id IN (
                        SELECT id FROM incident WHERE building_id = :b AND category = '噪音扰民'
                        AND occurred_at >= :start ORDER BY id OFFSET :keep)"""),
            {"b": row.building_id, "start": row.valid_from, "keep": keep},
        )


def test_the_counts_are_the_ledgers(asked):
    site, number = asked
    found = of(site, number).effect
    with site.session() as session:
        row = session.get_one(PatrolRequirement, number)
        there = session.execute(
            text("""SELECT count(*) FILTER (WHERE day < :start) AS before,
                           count(*) FILTER (WHERE day >= :start) AS after
                    FROM (SELECT (occurred_at AT TIME ZONE 'Asia/Shanghai')::date AS day,
                                 extract(hour FROM occurred_at AT TIME ZONE 'Asia/Shanghai') AS h
                          FROM incident WHERE building_id = :b AND category = '噪音扰民'
                            AND source <> 'patrol') i
                    WHERE h >= 18 AND h < 23 AND day >= :first AND day < :today"""),
            {
                "b": row.building_id, "start": START, "today": SAMPLE_UNTIL,
                "first": START - timedelta(365),
            },
        ).one()  # fmt: skip
    assert (found.place.counts.before, found.place.counts.after) == (there.before, there.after)
    assert there.after > 0
    assert (found.before_days, found.after_days) == (365, 150)


def test_a_place_that_fell_quiet_is_told_from_one_that_did_not(asked):
    site, number = asked
    assert of(site, number).effect.verdict is not Verdict.FELL
    without_noise_there(site, number)
    found = of(site, number).effect
    assert (found.verdict, found.place.counts.after) == (Verdict.FELL, 0)


def test_what_patrols_find_themselves_does_not_count(asked):
    site, number = asked
    before = of(site, number).effect
    with site.session() as session, session.begin():
        one = session.scalars(
            select(Incident).where(Incident.category == "噪音扰民", Incident.source != "patrol")
        ).first()
        for n in range(30):
            session.add(
                Incident(
                    community_id=one.community_id, source="patrol", ticket_number=f"P-{n}",
                    incident_class=one.incident_class, category="噪音扰民", location=one.location,
                    provenance=one.provenance, building_id=one.building_id, cell_id=one.cell_id,
                    occurred_at=datetime(2026, 10, 20, 12, n, tzinfo=UTC),
                    reported_at=datetime(2026, 10, 20, 12, n, tzinfo=UTC),
                )
            )  # fmt: skip
    assert of(site, number).effect == before


def test_before_its_first_day_nothing_is_claimed(asked):
    site, number = asked
    found = of(site, number, START)
    assert found.effect is None
    assert of(site, number, START + timedelta(7)).effect.verdict is Verdict.TOO_EARLY


def test_the_page_and_the_json_say_the_same(asked):
    site, number = asked
    without_noise_there(site, number)
    client = site.signed_in(Role.STREET_OFFICE)
    told = client.get(f"/api/v1/requirements/{number}/effect").json()
    html = client.get(f"/requirements/{number}").text
    assert told["verdict"] == "fell"
    assert "有效下降" in html
    for sentence in told["sentences"]:
        assert sentence in html
    assert told["place"]["after"] == 0
    assert told["weeks"][-1]["wanted"] == 3


def test_a_visit_is_done_once_it_was_checked_in_however_often(asked):
    site, number = asked
    monday = SAMPLE_UNTIL - timedelta(SAMPLE_UNTIL.weekday())
    with site.session() as session, session.begin():
        row = session.get_one(PatrolRequirement, number)
        member = session.scalar(text("SELECT min(id) FROM member"))
        shift = ShiftTemplate(
            community_id=row.community_id, code="T", name="试", start_min=1080, end_min=1380,
            weekdays=[1, 2, 3, 4, 5, 6, 7],
        )  # fmt: skip
        kind = PatrolType(community_id=row.community_id, code="T", name="试", composition=[])
        session.add_all([shift, kind])
        session.flush()
        version = RosterVersion(
            community_id=row.community_id, week_start=monday, number=1, state="published",
            problem={}, plan={}, violations=0, created_by="test", created_at=datetime.now(UTC),
        )  # fmt: skip
        session.add(version)
        session.flush()
        patrols = [
            Patrol(
                roster_version_id=version.id, key=f"p{n}", day=monday + timedelta(n), zone_id=row.zone_id,
                shift_template_id=shift.id, patrol_type_id=kind.id, start_min=1080, end_min=1380,
            )
            for n in range(3)
        ]  # fmt: skip
        session.add_all(patrols)
        session.flush()
        for n, patrol in enumerate([patrols[0], patrols[0], patrols[2]]):
            session.add(
                CheckIn(
                    client_id=f"c{n}", patrol_id=patrol.id, stop=f"requirement:{number}",
                    member_id=member, device_at=datetime.now(UTC), server_at=datetime.now(UTC),
                )
            )  # fmt: skip
    this_week = next(w for w in of(site, number).weeks if w.start == monday)
    assert (this_week.wanted, this_week.planned, this_week.done) == (3, 3, 2)


def test_anothers_and_absent_ones_are_not_found(asked):
    site, _ = asked
    client = site.signed_in(Role.STREET_OFFICE)
    assert client.get("/requirements/999999").status_code == 404
    assert client.get("/api/v1/requirements/999999/effect").status_code == 404
