"""Events: the facts a venue publishes. Each module is listed here once."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any, Union

from zlp.engine.events import (
    borrowed,
    credit,
    credit_positions,
    cross_margin,
    fund,
    governance,
    ledger,
    liquidity,
    orders,
    prices,
    revenue,
    staking,
    trading,
)
from zlp.engine.events.base import Event


def _kinds(*modules: ModuleType) -> tuple[type[Event], ...]:
    """The event types a module defines, in the order they are written."""
    return tuple(
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Event) and value.__module__ == module.__name__
    )


KINDS: tuple[type[Event], ...] = _kinds(
    governance,
    ledger,
    prices,
    liquidity,
    trading,
    orders,
    borrowed,
    revenue,
    credit,
    credit_positions,
    fund,
    cross_margin,
    staking,
)
"""Every type of event."""

if TYPE_CHECKING:
    AnyEvent = Any
else:
    AnyEvent = Union[KINDS]
