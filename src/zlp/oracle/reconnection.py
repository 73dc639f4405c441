"""Keep a connection going: run it again after it ends, waiting longer each time it fails at once."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import msgspec


class Backoff(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Seconds to wait before the next attempt: the first, doubling to the longest.

    A connection that lasted at least `steady_seconds` starts again at the first wait.
    """

    first_seconds: float = 1.0
    longest_seconds: float = 60.0
    steady_seconds: float = 30.0

    def wait_seconds(self, failures: int) -> float:
        """The wait after so many failures in a row."""
        return float(min(self.first_seconds * 2 ** min(failures - 1, 30), self.longest_seconds))


async def keep_connected(
    connection: Callable[[], Awaitable[None]], backoff: Backoff, trouble: Callable[[str], None]
) -> None:
    """Run `connection` for ever. Whatever ends it is passed to `trouble` in words, never raised."""
    failures = 0
    while True:
        began = time.monotonic()
        try:
            await connection()
            reason = "the other side closed the connection"
        except Exception as error:  # noqa: BLE001 - a feed's connection must survive whatever its server does
            reason = str(error) or type(error).__name__
        steady = time.monotonic() - began >= backoff.steady_seconds
        failures = 1 if steady else failures + 1
        trouble(reason)
        await asyncio.sleep(backoff.wait_seconds(failures))
