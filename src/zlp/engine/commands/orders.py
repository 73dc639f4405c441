"""Commands of the order registry."""

from __future__ import annotations

from typing import ClassVar

from zlp.engine.commands.base import Command


class PlaceOrder(Command, frozen=True, kw_only=True):
    """Set an action aside until a price or a keeper executes it.

    ``action``: JSON text of an orderable command, ``{"type": "IncreasePosition", ...}``. Without ``resting`` it is
    a market order: executed at the next prices, cancelled if that fails. With a ``trigger_asset`` it waits until
    that price (USD 1e30; or its ratio to ``trigger_quote``'s) is above, or below, ``trigger_price``.
    """

    action: str
    fee: int
    resting: bool = False
    trigger_asset: str = ""
    trigger_quote: str = ""
    trigger_price: int = 0
    trigger_above: bool = False
    expires: int = 0
    client: str = ""


class UpdateOrder(Command, frozen=True, kw_only=True):
    """Owner: change a resting order's trigger; and its action, if the new one spends the same (empty: keep)."""

    number: int
    trigger_price: int
    trigger_above: bool
    action: str = ""


class CancelOrder(Command, frozen=True, kw_only=True):
    """Owner: take an order back with its fee and tokens. Keeper: clear an expired one, for its fee."""

    reduces_risk: ClassVar[bool] = True
    number: int


class ScheduleCancel(Command, frozen=True, kw_only=True):
    """Dead-man switch: unless it is moved on before second ``at``, the account's orders placed before then are void.

    0 takes the switch back. Void orders are never executed; keepers clear them as they clear expired ones.
    """

    reduces_risk: ClassVar[bool] = True
    at: int


class ExecuteOrder(Command, frozen=True, kw_only=True):
    """Keeper: run an order's action; the fee goes to ``reward_to`` (empty: sender)."""

    scope: ClassVar[str] = "keep"
    reduces_risk: ClassVar[bool] = True
    number: int
    reward_to: str = ""


class ExecuteOrders(Command, frozen=True, kw_only=True):
    """Keeper: attempt several orders in turn; one that can't be executed is skipped and says why."""

    scope: ClassVar[str] = "keep"
    reduces_risk: ClassVar[bool] = True
    numbers: tuple[int, ...]
    reward_to: str = ""
