"""Finding the record types that modules define: how commands, events and leaves are registered once."""

from __future__ import annotations

from types import ModuleType
from typing import TypeVar

T = TypeVar("T")


def defined_in(base: type[T], *modules: ModuleType) -> tuple[type[T], ...]:
    """The subclasses of ``base`` that these modules define themselves, in the order they are written."""
    return tuple(
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, base) and value.__module__ == module.__name__
    )
