"""Modules of the user's that a scenario names: they register metrics when they are imported."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path


class PluginError(ValueError):
    """A module that can't be imported: its name and the reason."""


def import_all(modules: Iterable[str]) -> None:
    """Import each once. Raises ``PluginError``."""
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError as fault:
            raise PluginError(f"plugin {module!r}: {fault}") from None


def look_in(folder: Path) -> None:
    """Find modules in this folder too, after everywhere else."""
    place = str(folder.resolve())
    if place not in sys.path:
        sys.path.append(place)


def sources(modules: Iterable[str]) -> dict[str, bytes]:
    """The text of those modules that are single files, for machines that may not have them."""
    found = {}
    for module in modules:
        spec = importlib.util.find_spec(module)
        if spec is not None and spec.origin is not None and not spec.submodule_search_locations and "." not in module:
            found[module] = Path(spec.origin).read_bytes()
    return found


@lru_cache(maxsize=8)
def digest(modules: tuple[str, ...]) -> str:
    """SHA-256 of the names, and of the text of those that are single files: an edited metric is another one."""
    text = sources(modules)
    return hashlib.sha256(repr([(module, text.get(module)) for module in modules]).encode()).hexdigest()
