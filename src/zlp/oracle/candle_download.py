"""Candles of any exchange that ccxt knows, downloaded into the backtester's format; interrupted runs resume.

Finished pages go to a text file beside the output as they come. The output is written whole at the end, so a
half-done download never looks like data.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial as partial_call
from pathlib import Path
from typing import Any

import ccxt.pro  # type: ignore[import-untyped]
import msgspec

from zlp.oracle.decimal_text import PriceTextError, price_from_text, price_to_text
from zlp.oracle.exchanges import ExchangeMarket, market_structure
from zlp.oracle.observation import FeedError
from zlp.oracle.price_path import Candle, assemble
from zlp.oracle.reconnection import Backoff
from zlp.oracle.replay import PriceFile, load_prices, save_prices

ATTEMPTS_MAX = 6
PAGE_CANDLES = 500
DERIVABLE_IDS = ("bybit", "mexc")


class DownloadError(FeedError):
    """The download can't go on; what was fetched is kept, and the same command continues from there."""


class Download(msgspec.Struct, frozen=True, kw_only=True):
    """What to fetch: markets by asset (`{"BTC": "BTC/USDT"}`), a timeframe such as `1h`, from `start` up to
    `end` (unix seconds, end exclusive, and never beyond the last candle that is complete).
    """

    exchange: str
    markets: dict[str, str]
    timeframe: str
    start: int
    end: int
    output: Path


Progress = Callable[[str, int, int], None]


async def download(
    wanted: Download,
    *,
    progress: Progress | None = None,
    adjust: Callable[[Any], None] | None = None,
    clock: Callable[[], float] = time.time,
    backoff: Backoff = Backoff(),  # noqa: B008 - frozen
) -> PriceFile:
    """Fetch all that is missing and write the output file. Calls `progress(asset, candles, expected)`.

    An existing output is extended. `adjust` may change the ccxt exchange before its first request (proxies,
    rate limits, test servers). Raises `DownloadError`; run again to continue.
    """
    exchange = _exchange(wanted)
    if adjust is not None:
        adjust(exchange)
    try:
        step = exchange.parse_timeframe(wanted.timeframe)
        partial = _Partial(wanted, step)
        end = min(wanted.end, int(clock()) // step * step)
        if wanted.exchange not in DERIVABLE_IDS:
            await _attempt(exchange.load_markets, backoff)
        for asset, symbol in wanted.markets.items():
            async for done, total in _fetch(exchange, wanted, partial, (asset, symbol), end, backoff):
                if progress is not None:
                    progress(asset, done, total)
    finally:
        await exchange.close()
    return partial.finish()


async def _fetch(
    exchange: Any, wanted: Download, partial: "_Partial", market: tuple[str, str], end: int, backoff: Backoff
) -> AsyncIterator[tuple[int, int]]:
    """Fetch one market page by page; yields how many candles are done of how many."""
    (asset, symbol), step = market, partial.step
    first = -(-wanted.start // step) * step
    expected = max((end - first) // step, 0)
    cursor = partial.next_time(asset, first)
    while cursor < end:
        stop = min(cursor + PAGE_CANDLES * step, end)
        until = {"until": (stop - 1) * 1000}
        page = partial_call(exchange.fetch_ohlcv, symbol, wanted.timeframe, cursor * 1000, PAGE_CANDLES, until)
        rows = await _attempt(page, backoff)
        partial.add(asset, _candles(rows, cursor, stop, f"{wanted.exchange} {symbol}"), stop)
        cursor = stop
        yield (cursor - first) // step, expected
    yield expected, expected


async def _attempt(request: Callable[[], Any], backoff: Backoff) -> Any:
    failures = 0
    while True:
        try:
            return await request()
        except ccxt.NetworkError as error:
            failures += 1
            if failures == ATTEMPTS_MAX:
                raise DownloadError(f"gave up after {failures} attempts: {_short(error)}") from error
            await asyncio.sleep(backoff.wait_seconds(failures))
        except ccxt.BaseError as error:
            raise DownloadError(f"the exchange refuses: {_short(error)}") from error


def _candles(rows: Any, start: int, stop: int, where: str) -> dict[int, Candle]:
    found = {}
    for row in rows:
        at = int(row[0]) // 1000
        if not start <= at < stop:
            continue
        try:
            found[at] = Candle(*(price_from_text(str(value)) for value in row[1:5]))
        except PriceTextError as error:
            raise DownloadError(f"{where}: the candle at {at} has a bad price: {error}") from error
    return found


def _exchange(wanted: Download) -> Any:
    made = getattr(ccxt.pro, wanted.exchange, None)
    if made is None or wanted.exchange not in ccxt.exchanges:
        raise DownloadError(f"ccxt knows no exchange {wanted.exchange!r}")
    exchange = made({"enableRateLimit": True})
    exchange.number = str  # candles stay the text that the exchange sent
    if wanted.exchange in DERIVABLE_IDS:
        markets = [ExchangeMarket(asset=asset, symbol=symbol) for asset, symbol in wanted.markets.items()]
        exchange.set_markets([market_structure(exchange, market) for market in markets])
    return exchange


class _Partial:
    """Pages fetched so far: lines `time,asset,open,high,low,close`, and `reached,asset,time` after each page."""

    def __init__(self, wanted: Download, step: int) -> None:
        self._output = wanted.output
        self.step = step
        self._path = wanted.output.with_name(wanted.output.name + ".partial")
        self._candles: dict[tuple[int, str], Candle] = {}
        self._reached: dict[str, int] = {}
        if self._output.exists():
            self._read_output()
        if self._path.exists():
            self._read_partial()
        self._output.parent.mkdir(parents=True, exist_ok=True)

    def next_time(self, asset: str, start: int) -> int:
        """Where the download of an asset goes on."""
        return max(self._reached.get(asset, start), start)

    def add(self, asset: str, candles: Mapping[int, Candle], reached: int) -> None:
        """Keep one page."""
        with self._path.open("a") as file:
            for at, candle in sorted(candles.items()):
                self._candles[at, asset] = candle
                texts = [price_to_text(price) for price in msgspec.structs.astuple(candle)]
                file.write(",".join([str(at), asset, *texts]) + "\n")
            file.write(f"reached,{asset},{reached}\n")
        self._reached[asset] = reached

    def finish(self) -> PriceFile:
        """Write the output whole and remove the partial file."""
        if not self._candles:
            raise DownloadError("the exchange has no candles for this time")
        beside = self._output.with_name(f".{self._output.name}.new{self._output.suffix}")
        save_prices(assemble(self._candles, self.step), beside)
        beside.replace(self._output)
        self._path.unlink(missing_ok=True)
        return load_prices(self._output)

    def _read_output(self) -> None:
        prices = load_prices(self._output).prices
        if prices.step_seconds != self.step:
            raise DownloadError(f"{self._output} holds candles of {prices.step_seconds} s, not of {self.step} s")
        for step in prices.steps:
            for asset, candle in step.candles.items():
                self._candles[step.time, asset] = candle
                self._reached[asset] = step.time + self.step

    def _read_partial(self) -> None:
        waiting: dict[tuple[int, str], Candle] = {}
        for line in self._path.read_text().splitlines(keepends=True):
            parts = line.rstrip("\n").split(",")
            if not line.endswith("\n"):
                break
            if parts[0] == "reached":
                self._candles.update(waiting)
                self._reached[parts[1]] = int(parts[2])
                waiting = {}
            else:
                waiting[int(parts[0]), parts[1]] = Candle(*map(price_from_text, parts[2:]))


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:200]}"
