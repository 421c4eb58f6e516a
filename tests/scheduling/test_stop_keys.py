"""A walk that comes back to a place has a key for each visit."""

from scheduling.stop_keys import place_key, place_of, stop_keys


def test_each_visit_of_a_place_is_checked_in_by_itself():
    walk = [
        {"kind": "risk", "id": 41},
        {"kind": "checkpoint", "id": 41},
        {"kind": "risk", "id": 41},
    ]
    keys = stop_keys(walk)
    assert keys == ["risk:41", "checkpoint:41", "risk:41#2"]
    assert [place_of(key) for key in keys] == [("risk", 41), ("checkpoint", 41), ("risk", 41)]
    assert place_key(walk[2]) == "risk:41"
