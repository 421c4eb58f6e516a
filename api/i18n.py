"""Words for people: Chinese as written in the code, English from a gettext catalogue."""

from functools import lru_cache
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALES = ("zh", "en")
CATALOGUE = Path(__file__).parent / "locales" / "en" / "LC_MESSAGES" / "xunge.po"


@lru_cache
def _english() -> GNUTranslations:
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file, locale="en")
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)


def translate(locale: str, message: str, **values: object) -> str:
    """Return a Chinese message in ``zh`` or ``en``, with its ``%(name)s`` places filled."""
    text = _english().gettext(message) if locale == "en" else message
    return text % values if values else text


def word(message: str) -> str:
    """Mark a message for the catalogue where it is written but not yet shown to anyone."""
    return message
