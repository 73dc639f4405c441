"""Facts as they become durable: to listeners in the process, and to whoever resumes from a sequence."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import islice

from zlp.journal import Journal
from zlp.node.facts import Fact, fact_of
from zlp.node.faults import PastGone

Listener = Callable[[Sequence[Fact]], None]
PAGE = 500


class Feed:
    """The newest facts in memory, the older ones from the journal. Sequences have no gaps."""

    def __init__(self, journal: Journal, kept: int) -> None:
        self._journal = journal
        self._recent: deque[Fact] = deque(maxlen=kept)
        self._listeners: list[Listener] = []
        self.last = journal.last

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with each group of facts, in order. Returns what ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def publish(self, facts: Sequence[Fact]) -> None:
        """Facts that are durable now."""
        self._recent.extend(facts)
        self.last = facts[-1].sequence
        for listener in tuple(self._listeners):
            listener(facts)

    def oldest(self) -> int:
        """The first sequence that can still be read."""
        header = self._journal.header
        return 1 if header is None else header.base + 1

    def read(self, after: int, limit: int = PAGE) -> list[Fact]:
        """Facts with ``sequence > after``, at most ``limit``; ``PastGone`` if they were compacted away."""
        if after >= self.last:
            return []
        if self._recent and self._recent[0].sequence <= after + 1:
            skipped = after + 1 - self._recent[0].sequence
            return self._slice(skipped, min(limit, len(self._recent) - skipped))
        if after + 1 < self.oldest():
            raise PastGone(self.oldest())
        until = min(after + limit, self.last)
        return [fact_of(record) for record in self._journal.records(after, until)]

    def _slice(self, skipped: int, count: int) -> list[Fact]:
        """Part of the recent facts, walked to from the nearer end: a deque has no quick middle."""
        behind = len(self._recent) - skipped - count
        if behind < skipped:
            return list(islice(reversed(self._recent), behind, behind + count))[::-1]
        return list(islice(self._recent, skipped, skipped + count))

    async def follow(self, after: int) -> AsyncIterator[Fact]:
        """Every fact after ``after``, forever: the past first, then each as it happens."""
        news = asyncio.Event()
        stop = self.listen(lambda _: news.set())
        try:
            while True:
                news.clear()
                for fact in self.read(after):
                    yield fact
                    after = fact.sequence
                if after >= self.last:
                    await news.wait()
        finally:
            stop()
