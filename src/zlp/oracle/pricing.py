"""The state behind a fast price: what was seen, blended on demand, beside the primary rounds."""

from collections import deque

from zlp.oracle.blending import Blend, blend
from zlp.oracle.decimal_text import PRICE_SCALE
from zlp.oracle.decision import Decision, decide
from zlp.oracle.observation import Observation, Status
from zlp.oracle.settings import PAR, OracleSettings
from zlp.oracle.source_group import SourceGroup

ROUNDS_KEPT = 16


class Pricing:
    """Blends and decides for every asset of a group, by its settings.

    Give it every observation that the group yields, in order.
    """

    def __init__(self, group: SourceGroup, settings: OracleSettings) -> None:
        self.group = group
        self._settings = settings
        self._rounds: dict[str, deque[Observation]] = {}
        self._last_fast: dict[str, Blend] = {}

    def take(self, observation: Observation) -> None:
        """Remember a primary round."""
        if observation.source == self._settings.primary:
            self._rounds.setdefault(observation.asset, deque(maxlen=ROUNDS_KEPT)).append(observation)

    def rounds(self, asset: str) -> tuple[Observation, ...]:
        """The newest primary rounds, newest last."""
        return tuple(self._rounds.get(asset, ()))

    def usd_rates(self) -> dict[str, int]:
        """What each quote asset is worth in USD at 1e30; assets whose source is not live are absent."""
        rates = {}
        health = self.group.health()
        for asset, source in self._settings.quotes.items():
            if source == PAR:
                rates[asset] = PRICE_SCALE
                continue
            found = self.group.latest(source, asset)
            if found is not None and health[source][asset].status is Status.LIVE:
                rates[asset] = found.price_e30
        return rates

    def fast(self, asset: str, now: int) -> Blend:
        """The blend of the fast sources at second `now`."""
        found = [self.group.latest(source, asset) for source in self._settings.fast_sources]
        observations = [one for one in found if one is not None]
        made = blend(asset, observations, self._settings.blend, now, self.usd_rates())
        if made.price_e30 is not None:
            self._last_fast[asset] = made
        return made

    def decision(self, asset: str, now: int) -> Decision:
        """What a venue would use at second `now`; call `fast` first, it remembers the last usable blend."""
        rounds = [one.price_e30 for one in self.rounds(asset)]
        return decide(rounds, self._last_fast.get(asset), self._settings.guard, now)
