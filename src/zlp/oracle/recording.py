"""Recordings of what the sources said: written line by line, replayed exactly, or turned into candles."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO

import msgspec

from zlp.oracle.decimal_text import PriceTextError, price_from_text, price_to_text
from zlp.oracle.observation import FeedError, Health, Observation, Status
from zlp.oracle.price_path import Candle, PricePath, assemble


class RecordingError(FeedError):
    """A recording can't be read; the message names the file and the line."""


class _Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One observation as text: prices are decimal text, so that any JSON reader keeps them exact."""

    source: str
    asset: str
    price: str
    observed_at: int
    received_at: int
    bid: str | None = None
    ask: str | None = None
    depth: str | None = None
    round_id: str | None = None
    evidence: str | None = None
    quote: str = "USD"


class Recorder:
    """Appends observations to a file of JSON lines (`.jsonl`, or `.jsonl.gz` compressed)."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = _open(path, "ab")
        self.count = 0

    def write(self, observation: Observation) -> None:
        """Append one observation."""
        self._file.write(msgspec.json.encode(_line(observation)) + b"\n")
        self.count += 1

    def close(self) -> None:
        """Flush and close the file."""
        self._file.close()


def read_recording(path: str | Path) -> Iterator[Observation]:
    """The observations of a recording in the order they came; a last line that was cut short is left out."""
    path = Path(path)
    try:
        with _open(path, "rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.endswith(b"\n"):
                    return
                try:
                    yield _observation(msgspec.json.decode(line, type=_Line))
                except (msgspec.ValidationError, msgspec.DecodeError, PriceTextError, ValueError) as error:
                    raise RecordingError(f"{path}, line {number}: {error}") from error
    except EOFError:
        return  # the recorder was stopped hard: what was compressed until then has been read
    except OSError as error:
        raise RecordingError(f"{path}: can't be read ({error.strerror or error})") from error


class RecordingSource:
    """One source of a recording, speaking again under its own name, at the recorded pace times `speed`.

    `speed` 0 is as fast as it is read. With a `clock` all times are shifted so that the recording begins now.
    """

    def __init__(
        self,
        path: str | Path,
        source: str,
        *,
        speed: float = 1.0,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.name = source
        self._observations = [one for one in read_recording(path) if one.source == source]
        if not self._observations:
            raise RecordingError(f"{path}: holds nothing of a source named {source!r}")
        self._speed = speed
        self._clock = clock
        self._health = {one.asset: Health(status=Status.CONNECTING) for one in self._observations}

    def health(self) -> Mapping[str, Health]:
        return self._health

    async def observations(self) -> AsyncIterator[Observation]:
        began = self._observations[0].received_at
        shift = 0 if self._clock is None else int(self._clock()) - began
        before = began
        for one in self._observations:
            if self._speed and one.received_at > before:
                await asyncio.sleep((one.received_at - before) / self._speed)
            before = max(before, one.received_at)
            moved = msgspec.structs.replace(
                one, observed_at=one.observed_at + shift, received_at=one.received_at + shift
            )
            self._health[one.asset] = Health(status=Status.LIVE, last_heard_at=moved.received_at)
            yield moved
        for asset, health in self._health.items():
            self._health[asset] = Health(
                status=Status.SILENT, last_heard_at=health.last_heard_at, reason="the recording has ended"
            )


def candles_of(observations: Iterable[Observation], step_seconds: int) -> PricePath:
    """Candles by the time of observation, for the backtester. Give it the observations of one source."""
    candles: dict[tuple[int, str], Candle] = {}
    for one in observations:
        key = (one.observed_at - one.observed_at % step_seconds, one.asset)
        price, found = one.price_e30, candles.get(key)
        if found is None:
            candles[key] = Candle(price, price, price, price)
        else:
            candles[key] = Candle(found.open, max(found.high, price), min(found.low, price), price)
    return assemble(candles, step_seconds)


def _open(path: Path, mode: str) -> IO[bytes]:
    return gzip.open(path, mode) if path.suffix == ".gz" else path.open(mode)  # type: ignore[return-value]


def _line(one: Observation) -> _Line:
    def text(price: int | None) -> str | None:
        return None if price is None else price_to_text(price)

    return _Line(
        one.source, one.asset, price_to_text(one.price_e30), one.observed_at, one.received_at,
        text(one.bid_e30), text(one.ask_e30), text(one.depth_e30),
        None if one.round_id is None else str(one.round_id), one.evidence, one.quote,
    )  # fmt: skip


def _observation(line: _Line) -> Observation:
    def price(text: str | None) -> int | None:
        return None if text is None else price_from_text(text)

    return Observation(
        source=line.source,
        asset=line.asset,
        price_e30=price_from_text(line.price),
        observed_at=line.observed_at,
        received_at=line.received_at,
        bid_e30=price(line.bid),
        ask_e30=price(line.ask),
        depth_e30=None if line.depth is None else (0 if line.depth == "0" else price_from_text(line.depth)),
        round_id=None if line.round_id is None else int(line.round_id),
        evidence=line.evidence,
        quote=line.quote,
    )
