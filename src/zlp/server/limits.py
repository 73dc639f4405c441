"""How much one address, one account and one request may ask for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from zlp.server.problems import Problem

Headers = tuple[tuple[bytes, bytes], ...]
SECURITY_HEADERS: Headers = ((b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"))
TABLE_LIMIT = 100_000


@dataclass(frozen=True)
class Limits:
    """``*_per_second`` refill, ``*_burst`` is the size of the bucket; 0 switches a limit off.

    Requests count per network address, commands per account (after its signature was checked, so that nobody
    can use up another's). Accounts with a role have no limit: keepers must get through when it matters.
    ``request_seconds``: for a whole request to arrive. ``deadline_seconds``: how far ahead a deadline may lie.
    """

    address_per_second: int = 100
    address_burst: int = 300
    account_per_second: int = 50
    account_burst: int = 200
    connections_per_address: int = 256
    connections: int = 4_096
    body_bytes: int = 65_536
    batch_body_bytes: int = 1_048_576
    batch_commands: int = 256
    head_bytes: int = 16_384
    request_seconds: int = 10
    deadline_seconds: int = 3_600
    stream_buffer_bytes: int = 1_048_576
    stream_subscriptions: int = 64
    stream_asks_per_second: int = 10
    stream_asks_burst: int = 128
    page: int = 1_000


class Buckets:
    """Token buckets by name. A full bucket is forgotten, so the table holds only who was here lately."""

    def __init__(self, per_second: int, burst: int, code: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_second, self.burst, self.code = per_second, burst, code
        self._clock = clock
        self._levels: dict[str, tuple[float, float]] = {}

    def take(self, name: str, count: int = 1) -> Headers:
        """Take ``count`` tokens; the headers that tell the caller what is left. ``Problem`` 429 if too few are."""
        if not self.per_second:
            return ()
        now = self._clock()
        level, seen = self._levels.get(name, (float(self.burst), now))
        level = min(self.burst, level + (now - seen) * self.per_second)
        if level < count:
            wait = -int(-(count - level) // self.per_second)
            self._levels[name] = (level, now)
            headers = (*self._headers(level), (b"retry-after", b"%d" % max(1, wait)))
            raise Problem(self.code, limit=self.burst, actual=count, headers=headers)
        level -= count
        self._levels[name] = (level, now)
        if len(self._levels) > TABLE_LIMIT:
            self._forget(now)
        return self._headers(level)

    def _headers(self, level: float) -> Headers:
        reset = (self.burst - level) / self.per_second
        return (
            (b"ratelimit-limit", b"%d" % self.burst),
            (b"ratelimit-remaining", b"%d" % level),
            (b"ratelimit-reset", b"%d" % (reset + 0.999)),
        )

    def _forget(self, now: float) -> None:
        """Drop the buckets that are full again; if an attacker keeps them all busy, the oldest half."""
        full = self.burst / self.per_second
        self._levels = {name: item for name, item in self._levels.items() if now - item[1] < full}
        if len(self._levels) > TABLE_LIMIT // 2:
            self._levels = dict(list(self._levels.items())[len(self._levels) // 2 :])


class Connections:
    """Open connections, counted by address."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.total = 0
        self._by_address: dict[str, int] = {}

    def open(self, address: str) -> bool:
        """Count one more; ``False`` if there is no room for it."""
        count = self._by_address.get(address, 0)
        if self.total >= self.limits.connections or count >= self.limits.connections_per_address:
            return False
        self.total += 1
        self._by_address[address] = count + 1
        return True

    def close(self, address: str) -> None:
        """Count one less."""
        self.total -= 1
        left = self._by_address[address] - 1
        if left:
            self._by_address[address] = left
        else:
            del self._by_address[address]
