"""Errors a user can cause: each a sentence that says what is wrong and what to do.

A subclass writes its sentence once in Chinese and once in English, as format strings over the
facts it is raised with. HTTP and the command line map these once; nothing else catches them.
"""

from typing import ClassVar


class DomainError(Exception):
    """A refusal with a sentence for the person who caused it.

    Parameters become both attributes of the message and members of the problem-details response.
    """

    zh: ClassVar[str]
    en: ClassVar[str]
    status: ClassVar[int] = 422
    """The HTTP status this refusal has (RFC 9457)."""

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__(self.sentence("zh"))

    def sentence(self, locale: str = "zh") -> str:
        """Return the sentence in ``zh`` or ``en``."""
        return (self.en if locale.startswith("en") else self.zh).format(**self.facts)

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.facts))


def _rebuild(kind: type[DomainError], facts: dict[str, object]) -> DomainError:
    return kind(**facts)


class NotFound(DomainError):
    """The thing named does not exist, or not for this community."""

    zh = "找不到{thing}“{name}”。请检查名称或编号，或返回列表重新选择。"
    en = "There is no {thing} “{name}”. Check the name or number, or pick it from the list."
    status = 404


class Conflict(DomainError):
    """The thing changed meanwhile, or its state forbids the change."""

    zh = "{what}，请{cure}。"
    en = "{what_en}: {cure_en}."
    status = 409
