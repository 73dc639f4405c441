"""Prices as they were posted, candles made of them, traded volume and open interest."""

from __future__ import annotations

from zlp.engine.events.prices import FastPricePosted, RoundPosted
from zlp.projections import tables
from zlp.projections.batch import Batch, Place, Row
from zlp.projections.names import Names

INTERVALS = {"1m": 60, "5m": 300, "15m": 900, "1h": 3_600, "4h": 14_400, "1d": 86_400}
"""Names of candle lengths and their seconds. Candles begin at multiples of their length since 1970 (UTC)."""


def round_posted(batch: Batch, names: Names, place: Place, event: RoundPosted) -> None:
    """A primary round: the middle of its bounds is the price."""
    batch.append(tables.prices, place, asset=event.asset, source="primary", low=event.low, high=event.high)
    _price(batch, names, place, event.asset, (event.low + event.high) // 2)


def fast_price_posted(batch: Batch, names: Names, place: Place, event: FastPricePosted) -> None:
    """A fast price; 0 takes the last one back and is no price."""
    batch.append(tables.prices, place, asset=event.asset, source="fast", low=event.price, high=event.price)
    if event.price:
        _price(batch, names, place, event.asset, event.price)


def _price(batch: Batch, names: Names, place: Place, asset: str, price: int) -> None:
    batch.put(tables.last_prices, asset=asset, price=price, time=place.time)
    for symbol in names.symbols(asset):
        for interval in INTERVALS:
            row = _candle(batch, symbol, interval, place.time, price)
            high, low = max(row["high"], price), min(row["low"], price)
            batch.put(tables.candles, **{**row, "high": high, "low": low, "close": price})


def traded(batch: Batch, place: Place, market: str, price: int, volume_usd: int) -> None:
    """Volume of one fill, and the open interest after it. A fill moves no price: those are posted."""
    interest = _interest(batch, market)
    for interval in INTERVALS:
        row = dict(_candle(batch, market, interval, place.time, price))
        row["volume_usd"] += volume_usd
        row["trades"] += 1
        batch.put(tables.candles, **{**row, "long_usd": interest["long_usd"], "short_usd": interest["short_usd"]})


def interest_changed(batch: Batch, market: str, is_long: bool, change_usd: int) -> None:
    """Open interest of one side, in USD as the positions count their size."""
    row = dict(_interest(batch, market))
    row["long_usd" if is_long else "short_usd"] += change_usd
    batch.put(tables.open_interest, **row)


def _interest(batch: Batch, market: str) -> Row:
    return batch.card(tables.open_interest, market) or {"market": market, "long_usd": 0, "short_usd": 0}


def _candle(batch: Batch, symbol: str, interval: str, time: int, price: int) -> Row:
    """The candle that holds ``time``; a new one opens at ``price``, or at the last posted price before a fill."""
    start = time - time % INTERVALS[interval]
    found = batch.card(tables.candles, symbol, interval, start)
    if found is not None:
        return found
    interest = _interest(batch, symbol)
    return {
        "symbol": symbol,
        "interval": interval,
        "start": start,
        **dict.fromkeys(("open", "high", "low", "close"), price),
        "volume_usd": 0,
        "trades": 0,
        "long_usd": interest["long_usd"],
        "short_usd": interest["short_usd"],
    }


def last_price(batch: Batch, asset: str) -> int:
    """The newest posted price (1e30), 0 without one."""
    found = batch.card(tables.last_prices, asset)
    return 0 if found is None else int(found["price"])
