"""Health of a source's assets, kept by what was heard when: silence shows by itself as time passes."""

from collections.abc import Callable, Iterable, Mapping

from zlp.oracle.observation import Health, Status


class HealthBoard:
    """Remembers the last word and the last trouble of each asset.

    An asset is live if it was heard within `silence_seconds` and nothing is wrong since; silent after that;
    failed while its newest message was refused; connecting before the first word. Trouble of the connection
    itself is the reason shown for assets that are not live.
    """

    def __init__(self, assets: Iterable[str], silence_seconds: float, clock: Callable[[], float]) -> None:
        self._heard_at = dict.fromkeys(assets, 0.0)
        self._faults: dict[str, str] = {}
        self._connection = ""
        self._silence = silence_seconds
        self._clock = clock

    def heard(self, asset: str) -> None:
        """A good message came now."""
        self._heard_at[asset] = self._clock()
        self._faults.pop(asset, None)
        self._connection = ""

    def failed(self, asset: str, reason: str) -> None:
        """A message came now and had to be refused."""
        self._faults[asset] = reason

    def disconnected(self, reason: str) -> None:
        """The connection broke, or can't be made."""
        self._connection = reason

    def is_silent(self, asset: str) -> bool:
        """Whether nothing good was heard for too long (or ever)."""
        return self._clock() - self._heard_at[asset] > self._silence

    def health(self) -> Mapping[str, Health]:
        """The health of every asset at this moment."""
        return {asset: self._health_of(asset) for asset in self._heard_at}

    def _health_of(self, asset: str) -> Health:
        heard_at = self._heard_at[asset]
        if asset in self._faults:
            return Health(status=Status.FAILED, last_heard_at=int(heard_at), reason=self._faults[asset])
        if not heard_at:
            return Health(status=Status.CONNECTING, reason=self._connection)
        silence = self._clock() - heard_at
        if silence <= self._silence:
            return Health(status=Status.LIVE, last_heard_at=int(heard_at))
        reason = f"silent for {int(silence)} s" + (f": {self._connection}" if self._connection else "")
        return Health(status=Status.SILENT, last_heard_at=int(heard_at), reason=reason)
