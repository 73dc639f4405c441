"""Several sources run side by side: one stream of all their observations, and the newest of each."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence

from zlp.oracle.observation import Health, Observation, PriceSource

QUEUE_LENGTH = 10_000


class SourceGroup:
    """Runs its sources while `observations` is read; remembers the newest observation by source and asset.

    An observation older than the newest of its source and asset is passed on but not remembered.
    """

    def __init__(self, sources: Sequence[PriceSource]) -> None:
        names = [source.name for source in sources]
        if len(set(names)) != len(names):
            raise ValueError(f"sources need different names: {', '.join(names)}")
        self._sources = {source.name: source for source in sources}
        self._latest: dict[tuple[str, str], Observation] = {}

    @property
    def sources(self) -> tuple[str, ...]:
        """The names of the sources."""
        return tuple(self._sources)

    @property
    def assets(self) -> tuple[str, ...]:
        """Every asset that some source knows, sorted."""
        return tuple(sorted({asset for health in self.health().values() for asset in health}))

    def latest(self, source: str, asset: str) -> Observation | None:
        """The newest observation, however old it is by now."""
        return self._latest.get((source, asset))

    def health(self) -> dict[str, Mapping[str, Health]]:
        """The health of every asset by source."""
        return {name: source.health() for name, source in self._sources.items()}

    async def observations(self) -> AsyncGenerator[Observation, None]:
        """All observations as they come; ends when every source has ended, which only files do."""
        queue: asyncio.Queue[Observation | None] = asyncio.Queue(QUEUE_LENGTH)
        tasks = [asyncio.create_task(_pump(source, queue)) for source in self._sources.values()]
        running = len(tasks)
        try:
            while running:
                observation = await queue.get()
                if observation is None:
                    running -= 1
                    continue
                self._remember(observation)
                yield observation
            for task in tasks:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _remember(self, observation: Observation) -> None:
        key = (observation.source, observation.asset)
        before = self._latest.get(key)
        if before is None or observation.observed_at >= before.observed_at:
            self._latest[key] = observation


async def _pump(source: PriceSource, queue: asyncio.Queue[Observation | None]) -> None:
    try:
        async for observation in source.observations():
            await queue.put(observation)
    except Exception:
        await queue.put(None)
        raise
    await queue.put(None)
