"""What holds between positions, vaults and markets, checked the slow way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from zlp.engine.leaves.borrowed import BorrowedPosition, BorrowMarketSide
from zlp.engine.leaves.coin_vaults import CoinVault
from zlp.engine.state import Reader

FUNDING_DUST = 10**18
"""USD at 1e30: a trillionth of a dollar, more roundings of one unit than a market's sides will see."""


def audit(reader: Reader) -> Iterator[str]:
    """Totals are the exact sums over the positions; funding agrees up to the units each accrual rounds off."""
    reserved: dict[tuple[str, str], int] = defaultdict(int)
    backing: dict[tuple[str, str], int] = defaultdict(int)
    owed: dict[tuple[str, str], int] = defaultdict(int)
    amounts: dict[tuple[str, str, bool], int] = defaultdict(int)
    sizes: dict[tuple[str, str, bool], int] = defaultdict(int)
    funding: dict[tuple[str, str, bool], int] = defaultdict(int)
    for position in reader.each(BorrowedPosition):
        coin = (position.pool, position.token)
        vault = reader.get(CoinVault, coin)
        if vault is None:
            yield f"position {position.number}: no vault {coin}"
            continue
        reserved[coin] += position.reserved
        backing[coin] += position.collateral
        owed[coin] += position.borrow_fee_e18(vault.rate_e18)
        side = (position.pool, position.market, position.is_long)
        amounts[side] += position.amount
        sizes[side] += position.size_usd
        total = reader.get(BorrowMarketSide, side)
        funding[side] += position.funding_fee_usd(total.funding_rate_e18 if total is not None else 0)
    for vault in reader.each(CoinVault):
        coin = (vault.pool, vault.token)
        for name, kept, summed in (
            ("reserved", vault.reserved, reserved[coin]),
            ("collateral", vault.collateral, backing[coin]),
            ("owed_e18", vault.owed_e18, owed[coin]),
        ):
            if kept != summed:
                yield f"vault {coin}: {name} is {kept}, positions sum to {summed}"
    for total in reader.each(BorrowMarketSide):
        key = (total.pool, total.market, total.is_long)
        if abs(total.funding_usd - funding[key]) > FUNDING_DUST:
            yield f"side {key}: funding is {total.funding_usd}, positions sum to {funding[key]}"
        if (total.amount, total.size_usd) != (amounts[key], sizes[key]):
            yield f"side {key}: {total.amount}, {total.size_usd}; positions sum to {amounts[key]}, {sizes[key]}"
