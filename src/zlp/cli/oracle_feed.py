"""Joins live feeds to the keepers: what the oracle blends is what the price keeper posts.

Keepers and oracle do not know each other; whoever starts both stands here.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from zlp.keepers.prices import FastQuote
from zlp.oracle.observation import Observation
from zlp.oracle.pricing import Pricing
from zlp.oracle.settings import OracleSettings, build_source
from zlp.oracle.source_group import SourceGroup


class OracleFeed:
    """A pricing as the keepers' price source. Give it every observation that the group yields."""

    def __init__(self, pricing: Pricing, primary: str) -> None:
        self._pricing = pricing
        self._primary = primary
        self._waiting: list[Observation] = []
        self._evidence = ""

    def take(self, observation: Observation) -> None:
        """Remember one observation; a primary round waits until it is handed out."""
        self._pricing.take(observation)
        if observation.source == self._primary and observation.quote == "USD":
            self._waiting.append(observation)

    def rounds(self, now: int) -> dict[str, list[int]]:  # noqa: ARG002 - a round has the time it was answered
        """Primary rounds not yet handed out."""
        waiting, self._waiting = self._waiting, []
        self._evidence = _digests(waiting)
        found: dict[str, list[int]] = {}
        for observation in waiting:
            found.setdefault(observation.asset, []).append(observation.price_e30)
        return found

    def evidence(self) -> str:
        """Digests of the signed reports behind the rounds handed out last."""
        return self._evidence

    def fast(self, now: int) -> FastQuote | None:
        """Blends of every asset that has one at second ``now``; their parts are as fresh as the settings demand."""
        made = [self._pricing.fast(asset, now) for asset in self._pricing.group.assets]
        prices = {one.asset: one.price_e30 for one in made if one.price_e30 is not None}
        used = [self._pricing.group.latest(source, one.asset) for one in made for source in one.used]
        return FastQuote(now, prices, _digests([one for one in used if one is not None])) if prices else None


class LiveFeed:
    """An oracle feed whose sources run in a thread of their own, for keepers that work in plain calls.

    Use it as a context manager; leaving it closes every connection. A failure of the thread is raised by the
    next call, so that a keeper never goes on with feeds that are no longer running.
    """

    def __init__(self, settings: OracleSettings, *, clock: Callable[[], float] = time.time) -> None:
        self._group = SourceGroup([build_source(one, clock=clock) for one in settings.sources])
        self._feed = OracleFeed(Pricing(self._group, settings), settings.primary)
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="oracle", daemon=True)
        self._task: asyncio.Task[None] | None = None
        self._failure: BaseException | None = None

    @property
    def assets(self) -> frozenset[str]:
        """Every asset that a source prices."""
        return frozenset(self._group.assets)

    def evidence(self) -> str:
        """As ``OracleFeed.evidence``."""
        with self._lock:
            return self._feed.evidence()

    def rounds(self, now: int) -> dict[str, list[int]]:
        """As ``OracleFeed.rounds``."""
        self._check()
        with self._lock:
            return self._feed.rounds(now)

    def fast(self, now: int) -> FastQuote | None:
        """As ``OracleFeed.fast``."""
        self._check()
        with self._lock:
            return self._feed.fast(now)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop)
        self._thread.join()
        self._loop.close()

    def _check(self) -> None:
        if self._failure is not None:
            raise RuntimeError("the price feeds have stopped") from self._failure

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._task = self._loop.create_task(self._follow())
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            pass
        except Exception as error:  # noqa: BLE001 - raised again where the feed is used
            self._failure = error
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())

    async def _follow(self) -> None:
        async for observation in self._group.observations():
            with self._lock:
                self._feed.take(observation)


def _digests(observations: list[Observation]) -> str:
    return " ".join(one.evidence for one in observations if one.evidence is not None)
