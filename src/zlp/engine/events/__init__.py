"""Events: the facts a venue publishes. Each module is listed here once."""

from __future__ import annotations

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
from zlp.engine.registry import defined_in

KINDS: tuple[type[Event], ...] = defined_in(
    Event,
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
