"""The REST side of Data Streams: the latest report of a stream, and reports of several streams at a time."""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import urlencode

import httpx
import msgspec

from zlp.oracle.data_streams.authentication import Credentials
from zlp.oracle.observation import FeedError

Shape = TypeVar("Shape", bound=msgspec.Struct)


class StreamsError(FeedError):
    """The service can't be reached, refuses us, or answers something that is not its documented form."""


class RawReport(msgspec.Struct, frozen=True, rename={"feed_id": "feedID", "full_report": "fullReport"}):
    """A report as the service sends it, not verified; both fields are hex."""

    feed_id: str
    full_report: str

    @property
    def envelope(self) -> bytes:
        """The signed bytes. Raises `StreamsError` if they are not hex."""
        try:
            return bytes.fromhex(self.full_report.removeprefix("0x"))
        except ValueError as error:
            raise StreamsError("fullReport is not hex") from error


class _One(msgspec.Struct, frozen=True):
    report: RawReport


class _Several(msgspec.Struct, frozen=True):
    reports: tuple[RawReport, ...]


_REFUSALS = {
    400: "the request is malformed",
    401: "the credentials or the clock are wrong (the service allows 5 s of difference)",
    403: "these credentials may not read this stream",
    404: "there is no such report",
    429: "too many requests",
}


class RestClient:
    """Reads signed reports over HTTP. Nothing it returns is verified."""

    def __init__(
        self,
        url: str,
        credentials: Credentials,
        *,
        timeout_seconds: float = 10.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._credentials = credentials
        self._clock = clock
        self._http = httpx.AsyncClient(base_url=url.rstrip("/"), timeout=timeout_seconds)

    async def latest(self, feed_id: bytes) -> RawReport:
        """The newest report of one stream."""
        answer = await self._get("/api/v1/reports/latest", {"feedID": f"0x{feed_id.hex()}"})
        return _decode(answer, _One).report

    async def bulk(self, feed_ids: Sequence[bytes], timestamp: int) -> tuple[RawReport, ...]:
        """The reports of several streams at one second; the service leaves out streams that have none."""
        joined = ",".join(f"0x{feed_id.hex()}" for feed_id in feed_ids)
        answer = await self._get("/api/v1/reports/bulk", {"feedIDs": joined, "timestamp": str(timestamp)})
        return _decode(answer, _Several).reports

    async def close(self) -> None:
        """Release the connections."""
        await self._http.aclose()

    async def _get(self, path: str, query: dict[str, str]) -> bytes:
        target = f"{path}?{urlencode(query)}"
        headers = self._credentials.headers("GET", target, int(self._clock() * 1000))
        try:
            response = await self._http.get(target, headers=headers)
        except httpx.HTTPError as error:
            raise StreamsError(f"Data Streams can't be reached ({type(error).__name__})") from error
        if response.status_code not in (200, 206):
            reason = _REFUSALS.get(response.status_code, "the service fails")
            raise StreamsError(f"Data Streams answered {response.status_code}: {reason}")
        return response.content


def _decode(content: bytes, shape: type[Shape]) -> Shape:
    try:
        return msgspec.json.decode(content, type=shape)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise StreamsError(f"the answer has another form than documented: {error}") from error
