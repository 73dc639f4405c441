"""What a desk answers, as JSON for people: USD and token amounts as exact decimal text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zlp.desks import MarketView, PoolView, PositionView, decimals_of
from zlp.engine.fixed import RATE, UNITS, USD
from zlp.engine.state import Reader
from zlp.server.views import decimal


def usd(value: int) -> str:
    """USD at 1e30 as decimal text."""
    return decimal(value, USD)


def amount(counted: Mapping[str, int], symbol: str, units: int) -> str:
    """Base units of a token as decimal text; ``counted`` as ``decimals_of`` gives it."""
    return decimal(units, UNITS[counted.get(symbol, 0)])


def pool_row(reader: Reader, view: PoolView) -> dict[str, Any]:
    """A pool or vault; ``*_units`` are base units, shares of the whole in bps."""
    counted = decimals_of(reader)
    return {
        "pool": view.pool,
        "share": view.share,
        "value_usd": usd(view.value_usd),
        "supply": amount(counted, view.share, view.supply),
        "supply_units": str(view.supply),
        "share_price": usd(view.share_price),
        "utilisation_bps": str(view.utilisation_bps),
        "assets": [
            {
                "token": asset.token,
                "amount": amount(counted, asset.token, asset.amount),
                "amount_units": str(asset.amount),
                "reserved": amount(counted, asset.token, asset.reserved),
                "value_usd": usd(asset.value_usd),
                "weight_bps": str(asset.weight_bps),
                "target_bps": str(asset.target_bps),
                "stable": asset.stable,
            }
            for asset in view.assets
        ],
    }


def market_row(view: MarketView) -> dict[str, Any]:
    """A market; what a side pays per hour is a fraction of its size (negative: it receives)."""
    return {
        "pool": view.pool,
        "market": view.market,
        "low": usd(view.low),
        "high": usd(view.high),
        "long_usd": usd(view.long_size),
        "short_usd": usd(view.short_size),
        "max_long_usd": usd(view.max_long),
        "max_short_usd": usd(view.max_short),
        "long_hourly": decimal(view.long_carry, RATE),
        "short_hourly": decimal(view.short_carry, RATE),
        "max_leverage_bps": str(view.max_leverage),
        "long_collaterals": list(view.long_collaterals),
        "short_collaterals": list(view.short_collaterals),
    }


def position_row(view: PositionView) -> dict[str, Any]:
    """A position with its health; a liquidation price of 0 is none."""
    return {
        "position": view.position,
        "pool": view.pool,
        "account": view.account,
        "market": view.market,
        "collateral": view.collateral,
        "is_long": view.is_long,
        "size_usd": usd(view.size_usd),
        "coins": decimal(view.coins, RATE),
        "collateral_usd": usd(view.collateral_usd),
        "entry_price": usd(view.entry_price),
        "mark_price": usd(view.mark_price),
        "pnl_usd": usd(view.pnl_usd),
        "owed_usd": usd(view.owed_usd),
        "liquidation_price": usd(view.liquidation_price),
        "health_bps": str(view.health_bps),
        "due": view.due,
    }
