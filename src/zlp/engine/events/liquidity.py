"""Facts about pools: shares, swaps and fees, the same for every pool design."""

from __future__ import annotations

from zlp.engine.commands.base import Signed
from zlp.engine.events.base import Event


class SharesMinted(Event, frozen=True):
    """A deposit: ``shares`` for ``amount`` of ``token``; ``value_usd`` (1e30) is what the shares were priced on.

    ``pool_value_usd`` and ``supply`` are the figures before the deposit. ``fee_rate`` is at ``fee_scale``.
    """

    pool: str
    account: str
    token: str
    amount: int
    shares: int
    value_usd: int
    pool_value_usd: int
    supply: int
    fee_rate: int
    fee_scale: int


class SharesBurned(Event, frozen=True):
    """A withdrawal: ``amount`` of ``token`` for ``shares``; figures as in ``SharesMinted``."""

    pool: str
    account: str
    token: str
    amount: int
    shares: int
    value_usd: int
    pool_value_usd: int
    supply: int
    fee_rate: int
    fee_scale: int


class Swapped(Event, frozen=True):
    """One hop of a swap, before its fee (``gross_out``) and after it (``amount_out``)."""

    pool: str
    account: str
    token_in: str
    token_out: str
    amount_in: int
    gross_out: int
    amount_out: int
    value_usd: int
    fee_rate: int
    fee_scale: int


class FeeCharged(Event, frozen=True):
    """A fee someone paid: ``amount`` of ``token``, worth ``value_usd``; ``to_pool`` of it stays with the LPs.

    ``kind``: mint, burn, deposit, swap, trading, borrow, funding, liquidation, execution, price_impact, settlement.
    """

    kind: str
    pool: str
    account: str
    token: str
    amount: int
    to_pool: int
    value_usd: int


class Donated(Event, frozen=True):
    """Tokens given to a pool for nothing."""

    pool: str
    account: str
    token: str
    amount: int


class PoolMeasured(Event, frozen=True):
    """What a pool is worth: the value that burning is priced on (``low_usd``) and minting (``high_usd``).

    ``supply`` of ``share`` stands against it. A vault in debt is worth less than nothing.
    """

    pool: str
    share: str
    low_usd: Signed
    high_usd: Signed
    supply: int
