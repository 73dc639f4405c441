"""Price files load exactly, say what is wrong with them, and replay through the port."""

import asyncio
import gzip
import os
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from zlp.oracle.decimal_text import price_from_text
from zlp.oracle.observation import Observation, Status
from zlp.oracle.price_path import Candle
from zlp.oracle.replay import PriceFileError, ReplaySource, load_prices, save_prices
from zlp.oracle.synthetic import AssetModel, generate

GOOD = """time,asset,open,high,low,close
2024-01-21T07:00:00Z,BTC,41597.66,41669.94,41587.27,41648.51
2024-01-21T08:00:00Z,BTC,41648.51,41700,41600.000000000000000001,41650
2024-01-21T07:00:00Z,ETH,2469.81,2476.07,2469.0,2476.06
"""


def write(folder: Path, text: str, name: str = "prices.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_csv_text_is_kept_to_the_last_digit(tmp_path: Path) -> None:
    """A3: 18 decimals survive, rows come in any order, and assets may be absent from a step."""
    prices = load_prices(write(tmp_path, GOOD)).prices
    assert (prices.assets, prices.step_seconds, len(prices.steps)) == (("BTC", "ETH"), 3600, 2)
    assert prices.steps[1].candles.keys() == {"BTC"}
    assert prices.steps[1].candles["BTC"].low == price_from_text("41600.000000000000000001")


@pytest.mark.parametrize(
    ("old", "new", "row", "column"),
    [
        ("41669.94", "nan", 1, "high"),
        ("41650\n", "\n", 2, "close"),
        ("41650\n", "-5\n", 2, "close"),
        ("2469.81", "12k", 3, "open"),
        ("41669.94", "41600", 1, "high"),
        ("2469.0,", "2480,", 3, "high"),
        ("2469.0,", "2470,", 3, "low"),
        ("2024-01-21T08:00:00Z", "yesterday", 2, "time"),
        ("2024-01-21T08:00:00Z", "2024-01-21T08:00:00.5Z", 2, "time"),
        ("2024-01-21T08:00:00Z", "2024-01-21T07:00:00Z", 2, "time"),
        (",ETH,", ",,", 3, "asset"),
    ],
)
def test_bad_data_names_row_and_column(tmp_path: Path, old: str, new: str, row: int, column: str) -> None:
    """A4: an error in a file says where it is."""
    path = write(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(PriceFileError) as caught:
        load_prices(path)
    assert (caught.value.row, caught.value.column) == (row, column)
    assert f"row {row}, column '{column}'" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time,asset,close\n", "no rows"),
        ("time,price\n1,2\n", "no column asset, close"),
        ("time,asset,high,close\n0,BTC,1,1\n", "open, high, low and close"),
        ("time,asset,close\n0,BTC,1\n", "at least two times"),
    ],
)
def test_a_file_of_another_shape_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """A4: missing columns, rows and steps are named."""
    with pytest.raises(PriceFileError, match=message):
        load_prices(write(tmp_path, text))


def test_other_kinds_of_files_are_refused(tmp_path: Path) -> None:
    """A4: unknown endings, absent files and bytes that are not Parquet raise the same error."""
    for path in (write(tmp_path, "", "a.txt"), tmp_path / "absent.csv", write(tmp_path, "x", "b.parquet")):
        with pytest.raises(PriceFileError):
            load_prices(path)


def test_times_may_be_dates_seconds_or_milliseconds(tmp_path: Path) -> None:
    """The same moments in four spellings give the same steps."""
    spellings = [
        ("1705820400", "1705824000"),
        ("1705820400000", "1705824000000"),
        ("2024-01-21 07:00:00", "2024-01-21 08:00:00"),
        ("2024-01-21T09:00:00+02:00", "2024-01-21T10:00:00+02:00"),
    ]
    for first, second in spellings:
        path = write(tmp_path, f"time,asset,close\n{first},BTC,1\n{second},BTC,2\n")
        assert [step.time for step in load_prices(path).prices.steps] == [1705820400, 1705824000]


def test_float_and_text_columns_agree(tmp_path: Path) -> None:
    """A3: Parquet floats are read by their shortest text, like the same CSV; gz is read too."""
    path = tmp_path / "floats.parquet"
    start = datetime(2024, 1, 1, tzinfo=UTC)
    frame = pl.DataFrame({"time": [start, start.replace(hour=1)], "asset": "BTC", "close": [41597.66, 0.1]})
    frame.write_parquet(path)
    zipped = tmp_path / "text.csv.gz"
    text = "time,asset,close\n2024-01-01T00:00:00Z,BTC,41597.66\n2024-01-01T01:00:00Z,BTC,0.1\n"
    zipped.write_bytes(gzip.compress(text.encode()))
    assert load_prices(path).prices == load_prices(zipped).prices


def test_a_bad_float_names_its_row(tmp_path: Path) -> None:
    """A4: NaN, infinity, null and zero inside a Parquet file are found."""
    start = datetime(2024, 1, 1, tzinfo=UTC)
    for bad in (float("nan"), float("inf"), None, 0.0, -1.0):
        path = tmp_path / "bad.parquet"
        times = [start, start.replace(hour=1)]
        pl.DataFrame({"time": times, "asset": "BTC", "close": [1.0, bad]}).write_parquet(path)
        with pytest.raises(PriceFileError, match="row 2, column 'close'"):
            load_prices(path)


def test_a_wide_file_names_its_columns(tmp_path: Path) -> None:
    """A wide file gives one asset per named column, and repeats are found."""
    path = write(tmp_path, "time,btc_usd,usdc\n0,20000,0.88\n60,20001,0.9\n")
    prices = load_prices(path, {"BTC": "btc_usd", "USDC": "usdc"}).prices
    assert prices.steps[0].candles["USDC"].close == price_from_text("0.88")
    with pytest.raises(PriceFileError, match="no column eth"):
        load_prices(path, {"ETH": "eth"})
    repeated = write(tmp_path, "time,btc\n0,1\n60,1\n0,2\n")
    with pytest.raises(PriceFileError, match="row 3, column 'time'"):
        load_prices(repeated, {"BTC": "btc"})


@pytest.mark.parametrize("name", ["path.parquet", "path.csv"])
def test_saving_and_loading_is_the_identity(tmp_path: Path, name: str) -> None:
    """A2: a saved path loads back to the same integers."""
    models = [AssetModel(asset="A", start_price="1234.5"), AssetModel(asset="B", start_price="1")]
    made = generate(3, models, 50, 60)
    save_prices(made, tmp_path / name)
    assert load_prices(tmp_path / name).prices == made


def test_a_close_is_known_only_when_its_candle_ends() -> None:
    """A7: replay never shows a price before a venue could have known it."""
    prices = generate(1, [AssetModel(asset="A", start_price="10")], 3, 60, start_time=600)
    assert [tick.time for tick in prices.ticks()] == [660, 720, 780]
    inside = list(prices.ticks(4))
    assert [tick.time for tick in inside[:4]] == [615, 630, 645, 660]
    assert [tick.prices for tick in inside[3::4]] == [tick.prices for tick in prices.ticks()]


def test_a_candle_visits_its_extremes_in_order() -> None:
    """A rising candle visits its low first, a falling one its high."""
    assert Candle(10, 12, 9, 11).ticks() == (10, 9, 12, 11)
    assert Candle(11, 12, 9, 10).ticks() == (11, 12, 9, 10)


def test_windows_and_choices_of_assets(tmp_path: Path) -> None:
    """A part of a path keeps its step; an unknown asset is an error."""
    prices = load_prices(write(tmp_path, GOOD)).prices
    assert len(prices.window(1705820400, 1705824000).steps) == 1
    assert len(prices.only(["ETH"]).steps) == 1
    with pytest.raises(KeyError, match="no prices of SOL"):
        prices.only(["SOL"])


def test_replay_speaks_the_port(tmp_path: Path) -> None:
    """The source yields the file in order, shifted to the present when it has a clock, then falls silent."""
    prices = load_prices(write(tmp_path, GOOD)).prices

    async def collect(source: ReplaySource) -> list[Observation]:
        return [observation async for observation in source.observations()]

    source = ReplaySource(prices, name="file")
    assert {health.status for health in source.health().values()} == {Status.CONNECTING}
    seen = asyncio.run(collect(source))
    assert [(one.asset, one.observed_at) for one in seen] == [
        ("BTC", 1705824000), ("ETH", 1705824000), ("BTC", 1705827600),
    ]  # fmt: skip
    assert source.health()["BTC"].status is Status.SILENT
    shifted = asyncio.run(collect(ReplaySource(prices, clock=lambda: 5000.0)))
    assert [one.observed_at for one in shifted] == [5000, 5000, 8600]


def test_recorded_market_data_loads() -> None:
    """A3: hourly candles of two years and the minutes of March 2023 load whole and exact."""
    folder = os.environ.get("ZLP_TEST_DATA")
    if not folder:
        pytest.skip("ZLP_TEST_DATA names no folder with market data")
    hourly = load_prices(Path(folder) / "candles-1h-2024-2026.parquet").prices
    assert hourly.steps[0].candles["BTC"].open == price_from_text("41597.66")
    assert sum(len(step.candles) for step in hourly.steps) == 87_605
    minutes = load_prices(Path(folder) / "depeg-1m-2023-03.parquet", {"USDC": "usdc_usd_implied"}).prices
    lowest = min(step.candles["USDC"].close for step in minutes.steps)
    assert price_from_text("0.87") < lowest < price_from_text("0.88")
