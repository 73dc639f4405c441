"""The questions every desk answers, and the shapes of the answers. All integers at the engine's scales."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Protocol

import msgspec

from zlp.engine.commands.base import Command
from zlp.engine.draft import Draft
from zlp.engine.leaves.access import Installed
from zlp.engine.leaves.credit import CreditVaultSettings
from zlp.engine.leaves.ledger import Token
from zlp.engine.state import Reader


class AssetView(msgspec.Struct, frozen=True, kw_only=True):
    """One token of a pool. ``amount`` base units, of them ``reserved``; ``value_usd`` at 1e30; shares in bps."""

    token: str
    amount: int
    reserved: int
    value_usd: int
    weight_bps: int
    target_bps: int
    stable: bool


class PoolView(msgspec.Struct, frozen=True, kw_only=True):
    """A pool or vault. ``value_usd`` and ``share_price`` (per whole share, as ``decimals_of`` counts it) at 1e30;
    ``supply`` in base units.

    ``utilisation_bps``: how much of what it can lend is lent.
    """

    pool: str
    share: str
    value_usd: int
    supply: int
    share_price: int
    utilisation_bps: int
    assets: tuple[AssetView, ...]


class MarketView(msgspec.Struct, frozen=True, kw_only=True):
    """One market. Prices and USD at 1e30, limits 0 for none.

    ``long_carry`` and ``short_carry``: what a position of each side pays per hour, at 1e18 of its size (negative:
    receives). ``max_leverage`` in bps. ``collaterals``: tokens that may back a long, and a short.
    """

    pool: str
    market: str
    low: int
    high: int
    long_size: int
    short_size: int
    max_long: int
    max_short: int
    long_carry: int
    short_carry: int
    max_leverage: int
    long_collaterals: tuple[str, ...]
    short_collaterals: tuple[str, ...]


class PositionView(msgspec.Struct, frozen=True, kw_only=True):
    """One position. USD and prices at 1e30.

    ``position``: the stable text of its key. ``coins``: how many it is in, at 1e18, rounded down; ``size_usd`` is their
    worth at the price the design counts sizes at, which is the entry's or the mark. ``pnl_usd``: at the price it would
    close at, before fees, signed. ``owed_usd``: fees due if closed now. ``liquidation_price``: where it becomes due if
    nothing else moves, 0 if nowhere. ``due``: whether a liquidator may act now. ``health_bps``: what is left of its
    backing over what it must keep, 10000 is the edge.
    """

    position: str
    pool: str
    account: str
    market: str
    collateral: str
    is_long: bool
    size_usd: int
    coins: int
    collateral_usd: int
    entry_price: int
    mark_price: int
    pnl_usd: int
    owed_usd: int
    liquidation_price: int
    health_bps: int
    due: bool


class Desk(Protocol):
    """One trading design. Implementations are modules of this package, one per trading branch."""

    BRANCH: str
    """The trading branch it speaks for."""

    def pools(self, reader: Reader, now: int) -> list[PoolView]:
        """Every pool, valued now."""

    def markets(self, reader: Reader, now: int) -> list[MarketView]:
        """Every market."""

    def positions(self, reader: Reader, now: int, account: str = "") -> Iterator[PositionView]:
        """Positions, of one account or of all (O(positions))."""

    def due(self, reader: Reader, now: int) -> Iterator[Command]:
        """What a liquidator or deleverager could do now, most urgent first: exact, the slow way."""

    def open(
        self,
        reader: Reader,
        now: int,
        *,
        pool: str,
        market: str,
        is_long: bool,
        collateral: str,
        amount: int,
        size_usd: int,
        price: int = 0,
    ) -> list[Command]:
        """Commands that open or extend a position of ``size_usd`` backed by ``amount`` of ``collateral``, in order.

        ``price`` (1e30): what a design that counts sizes in coins divides by; 0 is the present price. Only the last
        is the trade; those before it bring the margin in where a design asks for that first.
        """

    def close(self, reader: Reader, now: int, *, position: str, fraction_bps: int = 10_000) -> list[Command]:
        """Commands that close a part of a position; for several, those after the first take the margin out."""

    def margin_token(
        self, reader: Reader, now: int, *, position: str, adds: bool, token: str = "", pool: str = ""
    ) -> str:
        """What ``margin`` counts its amount in: a token's base units; or ``""``, which is USD at 1e30.

        ``token``: the one that is wanted; empty is the one that backs the position, or the first that may.
        """

    def margin(
        self,
        reader: Reader,
        now: int,
        *,
        position: str,
        adds: bool,
        amount: int,
        token: str = "",
        pool: str = "",
    ) -> list[Command]:
        """Commands that add ``amount`` to what backs a position, or take it out; its size stays as it is.

        Where positions share the margin of an account, an empty ``position`` is the sender's first account (of
        ``pool``, or of the first there is). Raises ``Reject`` with ``unknown_position``, and ``ValueError`` for a text
        that names no position.
        """

    def idle(self, reader: Reader, position: str) -> list[Command]:
        """Commands that take out what backed a position that is gone; for designs whose ``close`` does not do it."""

    def expected(self, reader: Reader, now: int, account: str) -> list[tuple[str, Command]]:
        """What keepers would send next for what this account has waiting, at the standing prices: sender, command.

        Empty where the orders branch runs actions, since those are quoted by themselves.
        """


_MODULES = {
    "isolated": "zlp.desks.isolated",
    "cross_margin": "zlp.desks.cross_margin",
    "borrowed": "zlp.desks.borrowed",
    "credit_positions": "zlp.desks.credit_positions",
}


def desk_of(reader: Reader) -> Desk:
    """The desk of the trading branch that is installed. Raises ``LookupError`` if there is none."""
    for branch, module in _MODULES.items():
        if reader.get(Installed, (branch,)) is not None:
            return importlib.import_module(module).DESK  # type: ignore[no-any-return]
    raise LookupError("no trading branch is installed")


def decimals_of(reader: Reader) -> dict[str, int]:
    """Decimals by which people count each token: its own, but those of its collateral for a share of a vault.

    The first shares of a vault are made one to one with its collateral, base unit by base unit, whatever their own
    decimals. Counted by the collateral's, one whole share is what one whole token was deposited for. A share that no
    deposit has made yet is named too.
    """
    found = {token.symbol: token.decimals for token in reader.each(Token)}
    for vault in reader.each(CreditVaultSettings):
        if vault.token in found:
            found[vault.share] = found[vault.token]
    return found


def reading(reader: Reader, now: int, account: str = "") -> Draft:
    """A draft for the engine's own readings; it runs no command and is thrown away."""
    return Draft(reader, time=now, sender=account, sequence=0, route=_refuse)


def _refuse(_draft: Draft, command: Command) -> None:
    raise LookupError(f"a reading does not run {type(command).__name__}")
