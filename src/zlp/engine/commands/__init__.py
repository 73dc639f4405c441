"""Commands: what can be asked of a venue. Each module is listed here once; the wire finds it by name."""

from __future__ import annotations

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
from zlp.engine.registry import defined_in

KINDS: tuple[type[Command], ...] = defined_in(
    Command,
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
