"""Planned against done: late, missed, out of order and too fast are what the words say."""

from scheduling.core.attendance import PlannedStop, Scan, compare, longest_gap, presence

STOPS = [PlannedStop(f"checkpoint:{n}", f"点{n}", 100.0 * n, 0.0, 600 + 10 * n) for n in range(4)]


def scans(*pairs):
    return [Scan(f"checkpoint:{n}", 1, at) for n, at in pairs]


def test_a_walk_as_planned_has_nothing_against_it():
    walked = compare(STOPS, scans((0, 600), (1, 610), (2, 620), (3, 630)))
    assert (walked.missed, walked.late, walked.out_of_order, walked.too_fast) == ((), (), 0, ())


def test_missed_late_and_out_of_order_stops_are_named():
    walked = compare(STOPS, scans((1, 612), (0, 618), (2, 640)))
    assert walked.missed == ("checkpoint:3",)
    assert walked.late == (("checkpoint:0", 18), ("checkpoint:2", 20))
    assert walked.out_of_order == 1


def test_stops_scanned_faster_than_anybody_walks_are_seen_per_member():
    assert compare(STOPS, scans((0, 600), (3, 600.5))).too_fast == (
        ("checkpoint:0", "checkpoint:3"),
    )
    two = [Scan("checkpoint:0", 1, 600), Scan("checkpoint:3", 2, 600.1)]
    assert compare(STOPS, two).too_fast == ()


def test_a_gap_is_the_longest_time_without_a_check_in():
    assert presence([600, 620, 700]) == [(600, 620), (700, 700)]
    assert longest_gap(presence([600, 620, 700]), 590, 720) == 80
    assert longest_gap([], 590, 720) == 130
