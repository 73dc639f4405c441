"""What a branch is: the operations of one domain, named and versioned."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from zlp.engine.commands.base import Command
from zlp.engine.draft import Draft
from zlp.engine.events.base import Event
from zlp.engine.state import Reader

Handler: TypeAlias = Callable[[Draft, Any], None]
Observer: TypeAlias = Callable[[Draft, Any], None]


class Branch(NamedTuple):
    """One unit of code of the catalogue.

    ``handlers``: what it does, by command type; stateless functions of a draft and a command. ``observers``:
    what it does, by event type, when another branch recorded such an event in the same command. ``migrate``:
    brings the state of the version it replaces up to its own. ``audit``: everything that must hold over all
    its leaves, the slow way; yields a sentence per fault.
    """

    name: str
    version: int
    summary: str
    handlers: Mapping[type[Command], Handler]
    observers: Mapping[type[Event], Observer] = MappingProxyType({})
    migrate: Callable[[Draft, int], None] | None = None
    audit: Callable[[Reader], Iterator[str]] | None = None
