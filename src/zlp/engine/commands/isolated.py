"""Commands of traders with isolated positions."""

from __future__ import annotations

from typing import ClassVar

from zlp.engine.commands.base import Command
from zlp.engine.rejections import Code, Reject

LONGEST_PATH = 2


class IncreasePosition(Command, frozen=True, kw_only=True):
    """Open or add to a position.

    ``amount`` of the first token of ``path`` (default: the collateral itself) is paid and swapped along the path
    into ``collateral`` (``min_amount`` of it at least). ``size_delta``: USD 1e30 of notional to add, 0 to add
    collateral only. ``acceptable_price``: the worst entry price (USD 1e30), 0 for any. ``keep_leverage``: rather
    refuse than charge the deposit fee, if a long's leverage would fall.
    """

    orderable: ClassVar[bool] = True
    brings_margin: ClassVar[bool] = True
    pool: str
    market: str
    collateral: str
    is_long: bool
    amount: int = 0
    size_delta: int = 0
    path: tuple[str, ...] = ()
    min_amount: int = 0
    acceptable_price: int = 0
    keep_leverage: bool = False

    def require_form(self) -> None:
        """What is paid is swapped once at most, and into the collateral."""
        _require_path(self.path, self.path[-1:], self.collateral)

    def spends(self) -> tuple[tuple[str, int], ...]:
        """What is paid in."""
        token = self.path[0] if self.path else self.collateral
        return ((token, self.amount),) if self.amount else ()

    def priced_by(self) -> tuple[str, ...]:
        """The index."""
        return (self.market,)

    def swaps(self) -> tuple[str, ...]:
        """What is paid, on its way to the collateral."""
        return self.path

    def buys(self) -> bool:
        """A long buys."""
        return self.is_long


class DecreasePosition(Command, frozen=True, kw_only=True):
    """Close ``size_delta`` (USD 1e30) of a position and take ``collateral_delta`` (USD 1e30) of its collateral.

    The proceeds are swapped along ``path`` (starting at the collateral) and paid to ``to`` (empty: sender), at
    least ``min_amount``. ``acceptable_price``: the worst exit price, 0 for any. ``whole``: close all of it,
    whatever its size is then (stop-loss and take-profit orders).
    """

    orderable: ClassVar[bool] = True
    reduces_risk: ClassVar[bool] = True
    pool: str
    market: str
    collateral: str
    is_long: bool
    size_delta: int = 0
    collateral_delta: int = 0
    path: tuple[str, ...] = ()
    min_amount: int = 0
    acceptable_price: int = 0
    whole: bool = False
    to: str = ""

    def require_form(self) -> None:
        """The collateral is swapped once at most."""
        _require_path(self.path, self.path[:1], self.collateral)

    def priced_by(self) -> tuple[str, ...]:
        """The index."""
        return (self.market,)

    def swaps(self) -> tuple[str, ...]:
        """The collateral, on its way to what is paid out."""
        return self.path

    def buys(self) -> bool:
        """Closing a short buys."""
        return not self.is_long


class LiquidatePosition(Command, frozen=True, kw_only=True):
    """Close a position whose collateral no longer carries it; the fee goes to ``reward_to`` (empty: sender)."""

    scope: ClassVar[str] = "keep"
    reduces_risk: ClassVar[bool] = True
    pool: str
    account: str
    market: str
    collateral: str
    is_long: bool
    reward_to: str = ""


def _require_path(path: tuple[str, ...], end: tuple[str, ...], collateral: str) -> None:
    if len(path) > LONGEST_PATH:
        raise Reject(Code.INVALID_PATH, limit=LONGEST_PATH, actual=len(path))
    if end not in ((), (collateral,)):
        raise Reject(Code.INVALID_PATH, detail=f"the path must lead from or to the collateral, {collateral}")
