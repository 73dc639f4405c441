"""The WebSocket side of Data Streams: reports of the streams we name, as they are made."""

from collections.abc import AsyncIterator, Callable, Sequence
from urllib.parse import urlencode

import msgspec
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from zlp.oracle.data_streams.authentication import Credentials
from zlp.oracle.data_streams.rest import RawReport, StreamsError

MESSAGE_BYTES_MAX = 65_536


class _Message(msgspec.Struct, frozen=True):
    report: RawReport


async def stream_reports(
    url: str, credentials: Credentials, feed_ids: Sequence[bytes], clock: Callable[[], float]
) -> AsyncIterator[RawReport]:
    """Connect once and yield reports, not verified, until the connection ends.

    Raises `StreamsError` when the connection is refused, breaks, or carries something undocumented; whoever
    calls decides when to connect again.
    """
    joined = ",".join(f"0x{feed_id.hex()}" for feed_id in feed_ids)
    target = f"/api/v1/ws?{urlencode({'feedIDs': joined})}"
    headers = credentials.headers("GET", target, int(clock() * 1000))
    try:
        async with connect(
            url.rstrip("/") + target, additional_headers=headers, max_size=MESSAGE_BYTES_MAX, ping_interval=5
        ) as socket:
            async for message in socket:
                yield msgspec.json.decode(message, type=_Message).report
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise StreamsError(f"the message has another form than documented: {error}") from error
    except (WebSocketException, OSError) as error:
        raise StreamsError(f"the connection failed: {error}") from error
