"""Price files: load candles from Parquet or CSV as exact integers, and replay them as a price source."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import msgspec
import polars as pl

from zlp.oracle.decimal_text import PriceTextError, price_from_float, price_from_text, price_to_text
from zlp.oracle.observation import FeedError, Health, Observation, Status
from zlp.oracle.price_path import Candle, PricePath, assemble

# Unix times at or above this are milliseconds (1e11 seconds is the year 5138).
MILLISECONDS_FROM = 10**11
CANDLE_COLUMNS = ("open", "high", "low", "close")
PARQUET_PLACES = 18

Candles = dict[tuple[int, str], Candle]


class PriceFileError(FeedError):
    """A price file can't be used. `row` counts data rows from 1; `column` is the file's column name."""

    def __init__(self, path: Path, problem: str, row: int | None = None, column: str | None = None) -> None:
        self.path, self.problem, self.row, self.column = path, problem, row, column
        place = f", row {row}" if row is not None else ""
        place += f", column {column!r}" if column is not None else ""
        super().__init__(f"{path}{place}: {problem}")


class PriceFile(msgspec.Struct, frozen=True, kw_only=True):
    """What a price file holds, and which file it was: reports name the data they rest on by `sha256`."""

    name: str
    sha256: str
    prices: PricePath


def load_prices(path: str | Path, columns: Mapping[str, str] | None = None) -> PriceFile:
    """Load a Parquet or CSV file (also `.csv.gz`) with exact integer prices.

    A long file has the columns `time`, `asset`, `close` and, all or none, `open`, `high`, `low`; without them
    the close is the whole candle. `time` is where the candle begins: a date with time (UTC where it has no
    zone), ISO 8601 text, or unix seconds or milliseconds. Rows may come in any order.

    A wide file has one column per asset: name them with `columns`, for example
    `{"BTC": "btc_usd", "USDC": "usdc_usd_implied"}`.

    Text is converted digit by digit and float columns through their shortest text. Raises `PriceFileError`
    with row and column for the first value that is not a positive finite number, is missing, contradicts its
    candle, or repeats a time and asset.
    """
    path = Path(path)
    frame = _read(path)
    if frame.height == 0:
        raise PriceFileError(path, "the file has no rows")
    candles = _wide_candles(path, frame, columns) if columns else _long_candles(path, frame)
    try:
        prices = assemble(candles)
    except ValueError as error:
        raise PriceFileError(path, str(error), column="time") from error
    return PriceFile(name=path.name, sha256=hashlib.sha256(path.read_bytes()).hexdigest(), prices=prices)


def save_prices(prices: PricePath, path: str | Path) -> None:
    """Write a path as Parquet or CSV in the long form that `load_prices` reads back without loss.

    Parquet columns are decimals with 18 places, which covers every exchange and Chainlink stream; a price
    with more raises `PriceFileError`. CSV columns are decimal text with all 30 places where needed.
    """
    path = Path(path)
    frame = _text_frame(prices)
    if path.suffix == ".csv":
        frame.write_csv(path, datetime_format="%Y-%m-%dT%H:%M:%SZ")
        return
    for column in CANDLE_COLUMNS:
        for row, text in enumerate(frame[column], start=1):
            if len(text.partition(".")[2]) > PARQUET_PLACES:
                problem = f"{text} has more than {PARQUET_PLACES} decimals; save as CSV"
                raise PriceFileError(path, problem, row, column)
    frame.with_columns(pl.col(CANDLE_COLUMNS).cast(pl.Decimal(38, PARQUET_PLACES))).write_parquet(path)


def _text_frame(prices: PricePath) -> pl.DataFrame:
    times: list[datetime] = []
    assets: list[str] = []
    texts: dict[str, list[str]] = {column: [] for column in CANDLE_COLUMNS}
    for step in prices.steps:
        for asset, candle in sorted(step.candles.items()):
            times.append(datetime.fromtimestamp(step.time, UTC))
            assets.append(asset)
            for column in CANDLE_COLUMNS:
                texts[column].append(price_to_text(getattr(candle, column)))
    return pl.DataFrame({"time": times, "asset": assets, **texts}).cast({"time": pl.Datetime("us", "UTC")})


class ReplaySource:
    """A path of prices (a file's or a generator's) as a `PriceSource`.

    `speed` is how many seconds of the path pass in one real second; 0 replays as fast as it is read. Times
    are the path's own, or with a `clock` shifted so that the path begins now, which a live venue needs.
    """

    def __init__(
        self,
        prices: PricePath,
        *,
        name: str = "replay",
        speed: float = 0,
        ticks_per_candle: int = 1,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.name = name
        self._prices = prices
        self._speed = speed
        self._ticks_per_candle = ticks_per_candle
        self._clock = clock
        self._health = {asset: Health(status=Status.CONNECTING) for asset in prices.assets}

    async def observations(self) -> AsyncIterator[Observation]:
        shift, last_time = 0, None
        for tick in self._prices.ticks(self._ticks_per_candle):
            if last_time is None and self._clock is not None:
                shift = int(self._clock()) - tick.time
            if self._speed and last_time is not None:
                await asyncio.sleep((tick.time - last_time) / self._speed)
            last_time = tick.time
            at = tick.time + shift
            for asset, price_e30 in tick.prices.items():
                self._health[asset] = Health(status=Status.LIVE, last_heard_at=at)
                yield Observation(source=self.name, asset=asset, price_e30=price_e30, observed_at=at, received_at=at)
        for asset, health in self._health.items():
            self._health[asset] = Health(
                status=Status.SILENT, last_heard_at=health.last_heard_at, reason="the file has ended"
            )

    def health(self) -> Mapping[str, Health]:
        return self._health


def _read(path: Path) -> pl.DataFrame:
    try:
        if path.name.endswith((".csv", ".csv.gz")):
            return pl.read_csv(path, infer_schema=False)
        if path.suffix == ".parquet":
            return pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise PriceFileError(path, f"can't be read: {error}") from error
    raise PriceFileError(path, "is neither .parquet, .csv nor .csv.gz")


def _need(path: Path, frame: pl.DataFrame, names: Iterable[str]) -> None:
    missing = [name for name in names if name not in frame.columns]
    if missing:
        found = ", ".join(frame.columns)
        raise PriceFileError(path, f"there is no column {', '.join(missing)}; the file has {found}")


def _long_candles(path: Path, frame: pl.DataFrame) -> Candles:
    _need(path, frame, ("time", "asset", "close"))
    present = [name for name in CANDLE_COLUMNS if name in frame.columns]
    if present not in (["close"], list(CANDLE_COLUMNS)):
        raise PriceFileError(path, f"a candle has open, high, low and close, or close alone; found {present}")
    times = _times(path, frame["time"])
    assets = _assets(path, frame["asset"])
    prices = [_prices(path, frame[name]) for name in present]
    candles: Candles = {}
    for row, (time, asset, *values) in enumerate(zip(times, assets, *prices, strict=True), start=1):
        candle = Candle(*values) if len(values) == 4 else Candle(*values * 4)
        _check_candle(path, row, candle)
        if (time, asset) in candles:
            raise PriceFileError(path, f"{asset} at {_show(time)} is there twice", row, "time")
        candles[time, asset] = candle
    return candles


def _wide_candles(path: Path, frame: pl.DataFrame, columns: Mapping[str, str]) -> Candles:
    _need(path, frame, ("time", *columns.values()))
    times = _times(path, frame["time"])
    seen: set[int] = set()
    for row, time in enumerate(times, start=1):
        if time in seen:
            raise PriceFileError(path, f"{_show(time)} is there twice", row, "time")
        seen.add(time)
    candles: Candles = {}
    for asset, column in columns.items():
        for time, price in zip(times, _prices(path, frame[column]), strict=True):
            candles[time, asset] = Candle(price, price, price, price)
    return candles


def _check_candle(path: Path, row: int, candle: Candle) -> None:
    if candle.high < max(candle.open, candle.close, candle.low):
        raise PriceFileError(path, "the high is below another price of its candle", row, "high")
    if candle.low > min(candle.open, candle.close):
        raise PriceFileError(path, "the low is above another price of its candle", row, "low")


def _assets(path: Path, column: pl.Series) -> list[str]:
    assets = column.to_list()
    for row, asset in enumerate(assets, start=1):
        if not isinstance(asset, str) or not asset.strip():
            raise PriceFileError(path, f"{asset!r} is not the name of an asset", row, column.name)
    return assets


def _prices(path: Path, column: pl.Series) -> list[int]:
    prices = []
    for row, value in enumerate(column.to_list(), start=1):
        try:
            prices.append(_price(value))
        except PriceTextError as error:
            raise PriceFileError(path, str(error), row, column.name) from error
    return prices


def _price(value: object) -> int:
    if isinstance(value, str):
        return price_from_text(value.strip())
    if isinstance(value, float):
        return price_from_float(value)
    if isinstance(value, Decimal | int):
        return price_from_text(f"{value:f}" if isinstance(value, Decimal) else str(value))
    raise PriceTextError("the value is missing" if value is None else f"{value!r} is not a number")


def _times(path: Path, column: pl.Series) -> list[int]:
    times = []
    for row, value in enumerate(column.to_list(), start=1):
        try:
            times.append(_unix_seconds(value))
        except (ValueError, OverflowError) as error:
            raise PriceFileError(path, f"{value!r} is not a time: {error}", row, column.name) from error
    return times


def _unix_seconds(value: object) -> int:
    """Read a time as unix seconds; a fraction of a second is an error, because rules count whole seconds."""
    if isinstance(value, str):
        text = value.strip()
        value = int(text) if text.isdigit() else datetime.fromisoformat(text)
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        if moment.microsecond:
            raise ValueError("it is not a whole second")
        return int(moment.timestamp())
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        if value < MILLISECONDS_FROM:
            return value
        seconds, rest = divmod(value, 1000)
        if rest:
            raise ValueError("it is not a whole second")
        return seconds
    raise ValueError("expected a date with time, ISO 8601 text, or unix seconds or milliseconds")


def _show(time: int) -> str:
    return datetime.fromtimestamp(time, UTC).isoformat()
