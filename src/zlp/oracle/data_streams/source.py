"""Data Streams as a `PriceSource`: streamed over WebSocket, asked by REST while silent, always verified."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import msgspec

from zlp.oracle.data_streams.archive import ReportArchive
from zlp.oracle.data_streams.authentication import Credentials
from zlp.oracle.data_streams.report import ReportError, schema_of
from zlp.oracle.data_streams.rest import RawReport, RestClient, StreamsError
from zlp.oracle.data_streams.stream import stream_reports
from zlp.oracle.data_streams.verification import SignerSet, VerifiedReport, Verifier
from zlp.oracle.decimal_text import PRICE_DECIMALS
from zlp.oracle.health_board import HealthBoard
from zlp.oracle.observation import Health, Observation
from zlp.oracle.reconnection import Backoff, keep_connected

QUEUE_LENGTH = 1_000


class StreamFeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One stream: its id in hex, and the decimals of its prices (18 for most crypto streams, 8 for some)."""

    asset: str
    feed_id: str
    decimals: int = 18

    def __post_init__(self) -> None:
        if len(self.id) != 32:
            raise ValueError(f"feed_id of {self.asset} is not 32 bytes in hex")
        if schema_of(self.id) != 3:
            raise ValueError(f"feed_id of {self.asset} has schema {schema_of(self.id)}; only crypto (3) is read")
        if not 0 <= self.decimals <= PRICE_DECIMALS:
            raise ValueError(f"decimals of {self.asset} are between 0 and {PRICE_DECIMALS}")

    @property
    def id(self) -> bytes:
        return bytes.fromhex(self.feed_id.removeprefix("0x"))


class DataStreamsSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="data_streams"):
    """Streams of one network with one set of credentials.

    Several `websocket_urls` are held open at once and their reports deduplicated. A stream that says nothing
    for `silence_seconds` is asked for by REST every `poll_seconds`. `archive` is a file that keeps every
    verified report for auditors.
    """

    name: str = "data_streams"
    rest_url: str = "https://api.dataengine.chain.link"
    websocket_urls: tuple[str, ...] = ("wss://ws.dataengine.chain.link",)
    credentials: Credentials
    signer_sets: tuple[SignerSet, ...]
    feeds: tuple[StreamFeed, ...]
    age_max_seconds: int = 60
    silence_seconds: float = 5.0
    poll_seconds: float = 2.0
    backoff: Backoff = Backoff(longest_seconds=10.0)
    archive: str | None = None


class DataStreamsSource:
    """Verified reports as observations; each second of each stream once, in order."""

    def __init__(self, settings: DataStreamsSettings, *, clock: Callable[[], float] = time.time) -> None:
        self.name = settings.name
        self._settings = settings
        self._clock = clock
        self._verifier = Verifier(settings.signer_sets)
        self._feeds = {feed.id: feed for feed in settings.feeds}
        self._seen: dict[bytes, int] = {}
        self._board = HealthBoard([feed.asset for feed in settings.feeds], settings.silence_seconds, clock)

    def health(self) -> Mapping[str, Health]:
        return self._board.health()

    async def observations(self) -> AsyncIterator[Observation]:
        reports: asyncio.Queue[RawReport] = asyncio.Queue(QUEUE_LENGTH)
        archive = ReportArchive(Path(self._settings.archive)) if self._settings.archive else None
        connections = [self._listen(url, reports) for url in self._settings.websocket_urls]
        tasks = [asyncio.create_task(work) for work in (*connections, self._ask_while_silent(reports))]
        try:
            while True:
                verified = self.accept(await reports.get())
                if verified is None:
                    continue
                now = int(self._clock())
                if archive is not None:
                    archive.add(verified, now)
                yield self._observation(verified, now)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if archive is not None:
                archive.close()

    def accept(self, raw: RawReport) -> VerifiedReport | None:
        """Verify one report; None if it is refused (its stream's health says why) or not newer than the last."""
        try:
            feed_id = bytes.fromhex(raw.feed_id.removeprefix("0x"))
        except ValueError:
            feed_id = b""
        feed = self._feeds.get(feed_id)
        if feed is None:
            return None
        try:
            verified = self._verifier.verify(
                raw.envelope,
                feed_id=feed_id,
                now=int(self._clock()),
                age_max_seconds=self._settings.age_max_seconds,
            )
        except (ReportError, StreamsError) as error:
            self._board.failed(feed.asset, str(error))
            return None
        if verified.report.observed_at <= self._seen.get(feed_id, -1):
            return None
        self._seen[feed_id] = verified.report.observed_at
        self._board.heard(feed.asset)
        return verified

    async def _listen(self, url: str, reports: asyncio.Queue[RawReport]) -> None:
        async def connection() -> None:
            async for raw in stream_reports(url, self._settings.credentials, list(self._feeds), self._clock):
                await reports.put(raw)

        await keep_connected(connection, self._settings.backoff, self._board.disconnected)

    async def _ask_while_silent(self, reports: asyncio.Queue[RawReport]) -> None:
        client = RestClient(self._settings.rest_url, self._settings.credentials, clock=self._clock)
        try:
            while True:
                for feed_id, feed in self._feeds.items():
                    if not self._board.is_silent(feed.asset):
                        continue
                    try:
                        await reports.put(await client.latest(feed_id))
                    except StreamsError as error:
                        self._board.disconnected(str(error))
                await asyncio.sleep(self._settings.poll_seconds)
        finally:
            await client.close()

    def _observation(self, verified: VerifiedReport, now: int) -> Observation:
        report, feed = verified.report, self._feeds[verified.report.feed_id]
        unit = 10 ** (PRICE_DECIMALS - feed.decimals)
        low, high = report.sides or (None, None)
        return Observation(
            source=self.name,
            asset=feed.asset,
            price_e30=report.price * unit,
            observed_at=report.observed_at,
            received_at=now,
            bid_e30=None if low is None else low * unit,
            ask_e30=None if high is None else high * unit,
            evidence=verified.digest,
        )
