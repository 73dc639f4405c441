"""Several sources as one stream."""

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing

import pytest

from zlp.oracle.observation import Health, Observation, Status
from zlp.oracle.replay import ReplaySource
from zlp.oracle.source_group import SourceGroup
from zlp.oracle.synthetic import AssetModel, generate


def made(name: str, assets: str, seed: int) -> ReplaySource:
    models = [AssetModel(asset=asset, start_price="10") for asset in assets]
    return ReplaySource(generate(seed, models, 5, 60), name=name)


class Backwards:
    """A source whose second observation is older than its first, and which then breaks."""

    name = "backwards"

    async def observations(self) -> AsyncIterator[Observation]:
        for at in (20, 10):
            yield Observation(source=self.name, asset="A", price_e30=at, observed_at=at, received_at=at)
        raise RuntimeError("a bug in a source")

    def health(self) -> Mapping[str, Health]:
        return {"A": Health(status=Status.LIVE)}


async def test_all_sources_side_by_side() -> None:
    """E5: every observation of every source passes; the newest of each is remembered; files end the stream."""
    group = SourceGroup([made("one", "AB", 1), made("two", "A", 2)])
    assert (group.sources, group.assets) == (("one", "two"), ("A", "B"))
    seen = [observation async for observation in group.observations()]
    assert len(seen) == 15
    newest = [one for one in seen if (one.source, one.asset) == ("one", "B")][-1]
    assert group.latest("one", "B") == newest
    assert group.latest("two", "B") is None
    assert group.health()["two"]["A"].status is Status.SILENT


async def test_an_older_observation_is_not_the_latest_and_a_bug_is_not_hidden() -> None:
    """A7: time never runs backwards in what is remembered; a source that raises stops the group loudly."""
    group = SourceGroup([Backwards()])
    stream = group.observations()
    assert (await anext(stream)).observed_at == 20
    assert (await anext(stream)).observed_at == 10
    latest = group.latest("backwards", "A")
    assert latest is not None
    assert latest.observed_at == 20
    with pytest.raises(RuntimeError, match="a bug"):
        await anext(stream)


async def test_closing_early_stops_every_source() -> None:
    """Leaving the stream ends the tasks behind it."""
    endless = ReplaySource(generate(1, [AssetModel(asset="A", start_price="1")], 5, 60), name="slow", speed=0.001)
    async with aclosing(SourceGroup([endless]).observations()) as stream:
        await anext(stream)


def test_names_must_differ() -> None:
    """A4: two sources of one name can't be told apart."""
    with pytest.raises(ValueError, match="different names"):
        SourceGroup([made("x", "A", 1), made("x", "A", 1)])
