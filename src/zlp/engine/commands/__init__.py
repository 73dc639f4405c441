"""Commands: what can be asked of a venue. Each module is listed here once; the wire finds it by name."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any, Union

from zlp.engine.commands import (
    borrowed,
    credit,
    credit_positions,
    cross_margin,
    custody,
    fund,
    governance,
    isolated,
    liquidity,
    orders,
    prices,
    revenue,
    stability,
    staking,
)
from zlp.engine.commands.base import Command


def _kinds(*modules: ModuleType) -> tuple[type[Command], ...]:
    """The command types a module defines, in the order they are written."""
    return tuple(
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Command) and value.__module__ == module.__name__
    )


KINDS: tuple[type[Command], ...] = _kinds(
    governance,
    custody,
    prices,
    liquidity,
    isolated,
    orders,
    borrowed,
    revenue,
    credit,
    credit_positions,
    stability,
    fund,
    cross_margin,
    staking,
)
"""Every type of command."""

COMMANDS: dict[str, type[Command]] = {kind.__name__: kind for kind in KINDS}
"""The same by name."""

if TYPE_CHECKING:
    AnyCommand = Any
else:
    AnyCommand = Union[KINDS]
