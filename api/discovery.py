"""Find the rooms of the API: every ``api/<thing>/`` folder with its same few module names."""

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from types import ModuleType

import api


def modules(name: str) -> Iterator[tuple[str, ModuleType]]:
    """Yield ``(thing, module)`` for every ``api.<thing>.<name>`` that exists, in order."""
    for thing in sorted(found.name for found in iter_modules(api.__path__) if found.ispkg):
        dotted = f"api.{thing}.{name}"
        if find_spec(dotted) is not None:
            yield thing, import_module(dotted)
