"""Candle downloads through ccxt against real HTTP servers: exact, resumable, and never half done."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.oracle.candle_server import HOUR, CandleServer, serve_candles
from zlp.oracle.candle_download import Download, DownloadError, download
from zlp.oracle.decimal_text import price_from_text
from zlp.oracle.reconnection import Backoff
from zlp.oracle.replay import PriceFile, load_prices

START = 1_704_067_200
QUICK = Backoff(first_seconds=0.001, longest_seconds=0.002)


@pytest.fixture
async def server() -> AsyncIterator[CandleServer]:
    """Both exchanges' candle endpoints."""
    async with serve_candles() as running:
        yield running


async def fetch(server: CandleServer, output: Path, hours: int, exchange: str = "bybit", **more: Any) -> PriceFile:
    fields: dict[str, Any] = {
        "exchange": exchange,
        "markets": {"BTC": "BTC/USDT"},
        "timeframe": "1h",
        "start": START,
        "end": START + hours * HOUR,
        "output": output,
    }
    progress = more.pop("progress", None)
    clock = more.pop("clock", lambda: float(START + 10**8))
    wanted = Download(**(fields | more))
    return await download(wanted, progress=progress, adjust=server.adjust, clock=clock, backoff=QUICK)


@pytest.mark.parametrize("exchange", ["bybit", "mexc"])
async def test_pages_become_one_exact_file(server: CandleServer, tmp_path: Path, exchange: str) -> None:
    """A3: several pages and assets, the exchange's text to its last digit, progress up to the end."""
    told: list[tuple[str, int, int]] = []
    made = await fetch(
        server, tmp_path / "p.parquet", 1_200, exchange,
        markets={"BTC": "BTC/USDT", "ETH": "ETH/USDT"}, progress=lambda *step: told.append(step),
    )  # fmt: skip
    assert (made.prices.assets, len(made.prices.steps), made.prices.step_seconds) == (("BTC", "ETH"), 1_200, HOUR)
    last = made.prices.steps[-1]
    row = server.row(last.time)
    assert last.time == START + 1_199 * HOUR
    assert last.candles["ETH"].high == price_from_text(row[2])
    assert told[0] == ("BTC", 500, 1_200)
    assert told[-1] == ("ETH", 1_200, 1_200)
    assert load_prices(tmp_path / "p.parquet") == made
    assert not (tmp_path / "p.parquet.partial").exists()


async def test_an_interrupted_download_resumes(server: CandleServer, tmp_path: Path) -> None:
    """The pages before the failure are kept, no file is half written, and no page is asked for twice."""
    server.fail_after = 2
    with pytest.raises(DownloadError, match="gave up after 6 attempts"):
        await fetch(server, tmp_path / "p.parquet", 1_500)
    assert not (tmp_path / "p.parquet").exists()
    with (tmp_path / "p.parquet.partial").open("a") as torn:
        torn.write("1704067200,BTC,1,2")
    server.fail_after = None
    made = await fetch(server, tmp_path / "p.parquet", 1_500)
    assert len(made.prices.steps) == 1_500
    assert len(server.requests) == len(set(server.requests)) == 3


async def test_an_existing_file_is_extended(server: CandleServer, tmp_path: Path) -> None:
    """A later end fetches only what is new."""
    await fetch(server, tmp_path / "p.csv", 10)
    made = await fetch(server, tmp_path / "p.csv", 30)
    assert len(made.prices.steps) == 30
    assert server.requests[1][0] == (START + 10 * HOUR) * 1000
    with pytest.raises(DownloadError, match="holds candles of 3600 s, not of 60 s"):
        await fetch(server, tmp_path / "p.csv", 30, timeframe="1m")


async def test_the_unfinished_candle_is_left_out(server: CandleServer, tmp_path: Path) -> None:
    """A7: a candle that still changes is never stored."""
    made = await fetch(server, tmp_path / "p.csv", 100, clock=lambda: START + 5.5 * HOUR)
    assert len(made.prices.steps) == 5


async def test_gaps_and_passing_failures(server: CandleServer, tmp_path: Path) -> None:
    """Missing candles stay missing, and requests that fail for a moment are repeated."""
    server.gaps, server.failures = {START + 3 * HOUR, START + 4 * HOUR}, 3
    made = await fetch(server, tmp_path / "p.csv", 10)
    assert [step.time for step in made.prices.steps][2:4] == [START + 2 * HOUR, START + 5 * HOUR]


async def test_refusals_are_explained(server: CandleServer, tmp_path: Path) -> None:
    """A4: what the exchange says, an unknown exchange, and a time without candles are errors in words."""
    server.refusal = {"retCode": 10001, "retMsg": "Not supported symbols", "result": {}, "time": 1}
    with pytest.raises(DownloadError, match="Not supported symbols"):
        await fetch(server, tmp_path / "p.csv", 10)
    with pytest.raises(DownloadError, match="no exchange 'nobody'"):
        await fetch(server, tmp_path / "p.csv", 10, "nobody")
    server.refusal, server.gaps = None, {START + hour * HOUR for hour in range(10)}
    with pytest.raises(DownloadError, match="no candles"):
        await fetch(server, tmp_path / "p.csv", 10)
