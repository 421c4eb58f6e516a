"""Standard addresses are read as people write them, and nobody's household is kept."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from grid.addresses import (
    AddressTooLong,
    BuildingAmbiguous,
    BuildingMissing,
    BuildingUnknown,
    EstateAmbiguous,
    EstateUnknown,
    StandardAddress,
    UnitUnknown,
    building_number,
    load_address_book,
    numeral,
    parse,
    without_household,
)
from grid.errors import DomainError

ESTATES = ("铸钢花园", "铸钢印象", "铸钢老厂区")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("铸钢花园3栋2单元", ("铸钢花园", "3", 2)),
        ("铸钢花园 3号楼2单元501", ("铸钢花园", "3", 2)),
        ("铸钢花园３栋２单元５０１室", ("铸钢花园", "3", 2)),
        ("铸钢花园三栋二单元", ("铸钢花园", "3", 2)),
        ("铸钢花园二十三幢", ("铸钢花园", "23", None)),
        ("四川省自贡市大安区铸钢花园3栋2单元", ("铸钢花园", "3", 2)),
        ("四川省自贡市大安区鸿化街12号铸钢花园小区 03 栋", ("铸钢花园", "3", None)),
        ("铸钢花园（二期）3#楼1单元", ("铸钢花园", "3", 1)),
        ("铸钢花园3-2-501", ("铸钢花园", "3", 2)),
        ("铸钢花园3—2—501", ("铸钢花园", "3", 2)),
        ("铸钢花园3号2单元5楼", ("铸钢花园", "3", 2)),
        ("铸钢印象a座", ("铸钢印象", "A", None)),
        ("铸钢老厂区十栋4单元", ("铸钢老厂区", "10", 4)),
        ("铸钢花园3栋，3栋楼下", ("铸钢花园", "3", None)),
    ],
)
def test_the_same_address_is_read_however_it_is_written(written, read):
    assert parse(written, ESTATES) == StandardAddress(*read)


def test_no_estate_is_no_answer():
    assert parse("人民路3栋2单元", ESTATES) is None


def test_a_longer_estate_name_is_not_also_the_shorter():
    assert parse("铸钢花园东区3栋", ("铸钢花园", "铸钢花园东区")) == StandardAddress(
        "铸钢花园东区", "3"
    )


@pytest.mark.parametrize(
    ("written", "refusal"),
    [
        ("铸钢花园", BuildingMissing),
        ("铸钢花园3楼", BuildingMissing),
        ("铸钢花园东门旁边", BuildingMissing),
        ("铸钢花园3栋和5栋之间", BuildingAmbiguous),
        ("铸钢花园3栋转铸钢印象5栋", EstateAmbiguous),
        ("铸" * 201, AddressTooLong),
    ],
)
def test_what_is_not_clear_is_said(written, refusal):
    with pytest.raises(refusal):
        parse(written, ESTATES)


@pytest.mark.parametrize(
    ("word", "number"),
    [
        ("一", 1),
        ("十", 10),
        ("十二", 12),
        ("二十", 20),
        ("九十九", 99),
        ("一百零三", 103),
        ("一〇三", 103),
    ],
)
def test_numerals(word, number):
    assert numeral(word) == number


@pytest.mark.parametrize("word", ["3", "03", "３", "三", "3栋", "3号楼", "3#"])
def test_one_building_has_one_number(word):
    assert building_number(word) == "3"


def chinese(n: int) -> str:
    digits = "零一二三四五六七八九"
    if n < 10:
        return digits[n]
    tens, ones = divmod(n, 10)
    return (digits[tens] if tens > 1 else "") + "十" + (digits[ones] if ones else "")


@given(
    building=st.integers(1, 99),
    unit=st.integers(1, 9),
    room=st.integers(101, 3304),
    words=st.sampled_from(
        ["{b}栋{u}单元{r}", "{b}号楼 {u}单元 {r}室", "{b}幢{u}单元{r}号", "{b}-{u}-{r}"]
    ),
    prefix=st.sampled_from(["", "自贡市大安区", "四川省自贡市大安区鸿化街 88 号 "]),
    width=st.booleans(),
    hanzi=st.booleans(),
)
@settings(max_examples=80, deadline=None)
def test_any_writing_names_the_building_and_drops_the_household(
    building, unit, room, words, prefix, width, hanzi
):
    said = hanzi and "-" not in words
    written = (
        prefix
        + "铸钢花园"
        + words.format(
            b=chinese(building) if said else building, u=chinese(unit) if said else unit, r=room
        )
    )
    if width:
        written = written.translate({ord(c): ord(c) + 0xFEE0 for c in "0123456789"})
    found = parse(written, ESTATES)
    assert found == StandardAddress("铸钢花园", str(building), unit)
    assert str(room) not in str(found)
    assert not re.search(rf"(?<![0-9]){room}(?![0-9])", without_household(written))


@given(st.text(max_size=60))
@example("铸钢花园" + "9" * 50 + "栋")
@example("铸钢花园零栋〇单元")
@example("铸钢花园百十百栋")
@settings(max_examples=150, deadline=None)
def test_any_text_gets_an_answer_or_a_sentence(words):
    for written in (words, "铸钢花园" + words, "铸钢花园3栋" + words):
        try:
            found = parse(written, ESTATES)
        except DomainError as refusal:
            assert refusal.sentence("zh")
            assert refusal.sentence("en")
        else:
            assert found is None or found.estate in ESTATES


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("铸钢花园3栋2单元501室", "铸钢花园3栋2单元"),
        ("铸钢花园3栋2单元5-1", "铸钢花园3栋2单元"),
        ("铸钢花园3栋501", "铸钢花园3栋"),
        ("铸钢花园3栋2单元五楼左边", "铸钢花园3栋2单元"),
        ("铸钢广场东北角", "铸钢广场东北角"),
        ("铸钢路12号门口", "铸钢路12号门口"),
    ],
)
def test_household_numbers_are_not_kept(written, kept):
    assert without_household(written) == kept


def community(sample: Session) -> int:
    return sample.scalar(text("SELECT id FROM community"))


def test_an_address_is_the_buildings_point(sample: Session):
    placed = load_address_book(sample, community(sample)).find("铸钢花园 3号楼2单元501")
    assert placed.address == "铸钢花园3栋2单元"
    inside = sample.scalar(
        text("""SELECT ST_Covers(footprint, ST_SetSRID(ST_MakePoint(:lon, :lat), 4326))
                FROM building WHERE id = :id AND number = '3'"""),
        {"lon": placed.lon, "lat": placed.lat, "id": placed.building_id},
    )
    assert inside is True


@pytest.mark.parametrize("written", ["铸钢广场", "大安区铸钢广场", "农贸市场"])
def test_a_key_place_and_a_named_building_are_places_too(sample: Session, written):
    placed = load_address_book(sample, community(sample)).find(written)
    assert placed.address in written
    assert (placed.building_id is None) == ("广场" in written)


@pytest.mark.parametrize(
    ("written", "refusal", "cure"),
    [
        ("铸钢花园88栋", BuildingUnknown, "1–49"),
        ("铸钢花园3栋9单元", UnitUnknown, "单元"),
        ("和平小区3栋", EstateUnknown, "铸钢花园、铸钢印象、铸钢老厂区"),
        ("", EstateUnknown, "铸钢花园3栋2单元"),
    ],
)
def test_an_unknown_address_is_refused_with_what_is_known(sample: Session, written, refusal, cure):
    with pytest.raises(refusal) as refused:
        load_address_book(sample, community(sample)).find(written)
    assert cure in refused.value.sentence("zh")


def test_two_buildings_of_one_number_are_ambiguous(sample: Session):
    sample.execute(
        text("""UPDATE building SET number = '03栋' WHERE number = '4'
                AND estate_id = (SELECT id FROM estate WHERE name = '铸钢花园')""")
    )
    with pytest.raises(BuildingAmbiguous):
        load_address_book(sample, community(sample)).find("铸钢花园3栋")


def test_a_refusal_does_not_repeat_the_household():
    with pytest.raises(BuildingAmbiguous) as refused:
        parse("铸钢花园3栋2单元501室和5栋", ESTATES)
    assert "501" not in refused.value.sentence("zh")
