"""Every word on a page is there in both languages."""

from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from api.i18n import CATALOGUE

REPO = Path(__file__).resolve().parents[2]
SPEAKING = (REPO / "api", REPO / "maps")
"""The rooms whose words people read through the catalogue."""


def test_every_chinese_message_has_its_english():
    methods = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
    keywords = {"_": None, "word": None, "translate": (2,)}
    messages = {
        found[2]
        for room in SPEAKING
        for found in extract_from_dir(str(room), method_map=methods, keywords=keywords)
    }
    with CATALOGUE.open("rb") as file:
        english = {message.id: message.string for message in read_po(file, locale="en")}
    assert len(messages) > 50
    assert sorted(message for message in messages if not english.get(message)) == []


def test_a_translation_keeps_the_places_to_fill():
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file, locale="en")
    for message in catalogue:
        if message.id:
            assert message.string.count("%(") == message.id.count("%("), message.id
