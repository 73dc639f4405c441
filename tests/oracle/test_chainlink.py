"""Chainlink rounds, read from aggregator contracts on a real EVM through real HTTP endpoints."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.oracle.local_chain import PHASE, LocalChain, RpcEndpoint, serve
from zlp.oracle.chainlink import ChainlinkFeed, ChainlinkSettings, ChainlinkSource
from zlp.oracle.decimal_text import price_from_text
from zlp.oracle.observation import Observation, Status

CHAIN_ID = 131277322940537
HEARTBEAT = 3_660


@pytest.fixture(scope="module")
def chain() -> LocalChain:
    """One EVM for the module; every test deploys its own contracts."""
    return LocalChain()


@pytest.fixture
async def endpoints(chain: LocalChain) -> AsyncIterator[list[RpcEndpoint]]:
    """Two endpoints of the chain."""
    async with serve(chain, 2) as running:
        yield running


class Reader:
    """A source on the endpoints, with the chain's clock."""

    def __init__(
        self, chain: LocalChain, endpoints: list[RpcEndpoint], feeds: list[ChainlinkFeed], **more: Any
    ) -> None:
        self.clock_shift = 0
        settings = ChainlinkSettings(
            chain_id=CHAIN_ID,
            endpoints=tuple(endpoint.url for endpoint in endpoints),
            feeds=tuple(feeds),
            timeout_seconds=2,
            **more,
        )
        self.source = ChainlinkSource(settings, clock=lambda: float(chain.now() + self.clock_shift))

    async def poll(self) -> list[Observation]:
        return await self.source.poll()

    def health(self, asset: str = "ETH") -> tuple[Status, str]:
        found = self.source.health()[asset]
        return found.status, found.reason


def feed(address: str, asset: str = "ETH", **more: Any) -> ChainlinkFeed:
    return ChainlinkFeed(asset=asset, address=address, heartbeat_seconds=HEARTBEAT, **more)


async def test_recent_rounds_first_and_each_new_one_once(chain: LocalChain, endpoints: list[RpcEndpoint]) -> None:
    """E5: the newest rounds come oldest first, exact at the feed's decimals; then only what is new."""
    address = chain.aggregator(decimals=8)
    for number, answer in enumerate([180000000000, 180012345678, 180100000000, 179900000001], start=1):
        chain.post(address, number, answer, age=100 - number)
    reader = Reader(chain, endpoints, [feed(address)], rounds=3)
    first = await reader.poll()
    assert [one.price_e30 for one in first] == [
        price_from_text(text) for text in ("1800.12345678", "1801", "1799.00000001")
    ]
    assert [one.round_id for one in first] == [PHASE + 2, PHASE + 3, PHASE + 4]
    assert first[-1].observed_at < first[-1].received_at
    assert reader.health() == (Status.LIVE, "")
    assert await reader.poll() == []
    for number, answer in ((5, 180200000000), (6, 180300000000)):
        chain.post(address, number, answer)
    assert [one.round_id for one in await reader.poll()] == [PHASE + 5, PHASE + 6]
    await reader.source.close()


async def test_eighteen_decimals_and_a_new_phase(chain: LocalChain, endpoints: list[RpcEndpoint]) -> None:
    """E5: decimals come from the contract; a new phase of the proxy starts with its own first round."""
    address = chain.aggregator(decimals=18)
    chain.post(address, 9, 10**18 + 1)
    reader = Reader(chain, endpoints, [feed(address)])
    [one] = await reader.poll()
    assert one.price_e30 == 10**30 + 10**12
    chain.post(address, 1, 2 * 10**18, phase=2)
    assert [one.round_id for one in await reader.poll()] == [2 * PHASE + 1]
    await reader.source.close()


@pytest.mark.parametrize(
    ("answer", "age", "status", "reason"),
    [
        (0, 0, Status.FAILED, "not positive"),
        (-5, 0, Status.FAILED, "not positive"),
        (10**8, 0, Status.FAILED, "bounds"),
        (10**13, 0, Status.FAILED, "bounds"),
        (2 * 10**11, HEARTBEAT, Status.LIVE, ""),
        (2 * 10**11, HEARTBEAT + 1, Status.SILENT, "heartbeat"),
        (2 * 10**11, -30, Status.LIVE, ""),
        (2 * 10**11, -31, Status.FAILED, "future"),
    ],
)
async def test_each_check_of_a_round(
    chain: LocalChain, endpoints: list[RpcEndpoint], answer: int, age: int, status: Status, reason: str
) -> None:
    """E5, A7: sign, bounds (both ends refused), heartbeat (inclusive) and clock skew; then no observation."""
    address = chain.aggregator(lowest=10**8, highest=10**13)
    reader = Reader(chain, endpoints, [feed(address)])
    chain.post_raw(address, PHASE + 1, answer, 1, (at := chain.now()) - age)
    reader.clock_shift = at - chain.now()
    seen = await reader.poll()
    assert reader.health()[0] is status
    assert reason in reader.health()[1]
    assert bool(seen) == (status is Status.LIVE)
    await reader.source.close()


async def test_bounds_of_the_settings_win(chain: LocalChain, endpoints: list[RpcEndpoint]) -> None:
    """A7: a feed stuck at a configured bound is refused even where the contract's bounds are wide."""
    address = chain.aggregator()
    chain.post(address, 1, 10 * 10**8)
    reader = Reader(chain, endpoints, [feed(address, answer_min="10", answer_max="100000")])
    assert await reader.poll() == []
    assert reader.health()[0] is Status.FAILED
    chain.post(address, 2, 10 * 10**8 + 1)
    assert len(await reader.poll()) == 1
    await reader.source.close()


async def test_an_incomplete_round_is_refused(chain: LocalChain, endpoints: list[RpcEndpoint]) -> None:
    """A7: a round without an update time has no answer yet; the one after it is taken."""
    address = chain.aggregator()
    chain.post_raw(address, PHASE + 1, 5 * 10**8, chain.now(), 0)
    reader = Reader(chain, endpoints, [feed(address)])
    assert await reader.poll() == []
    assert reader.health() == (Status.FAILED, "the round is not complete")
    chain.post(address, 2, 5 * 10**8)
    assert [one.round_id for one in await reader.poll()] == [PHASE + 2]
    await reader.source.close()


async def test_the_sequencer_and_its_grace_period(chain: LocalChain, endpoints: list[RpcEndpoint]) -> None:
    """A7: no price of a layer 2 while its sequencer is down or within the grace period after it (inclusive)."""
    sequencer, address = chain.aggregator(decimals=0), chain.aggregator()
    reader = Reader(
        chain, endpoints, [feed(address)], sequencer_feed=sequencer, grace_seconds=600, block_age_max_seconds=9_999
    )
    chain.post(address, 1, 10**11)
    chain.post_raw(sequencer, PHASE + 1, 0, 0, chain.now())
    assert await reader.poll() == []
    assert "not known" in reader.health()[1]
    chain.post(sequencer, 2, 1, age=50)
    assert await reader.poll() == []
    assert "is down since" in reader.health()[1]
    chain.post(sequencer, 3, 0)
    back_at = chain.now() - 1
    reader.clock_shift = back_at + 600 - chain.now()
    assert await reader.poll() == []
    assert reader.health()[1].endswith("its grace period ends in 0 s")
    reader.clock_shift += 1
    assert len(await reader.poll()) == 1
    assert reader.health() == (Status.LIVE, "")
    await reader.source.close()


@pytest.mark.parametrize("mode", ["error", "hang", "garbage", "other_chain"])
async def test_another_endpoint_takes_over(chain: LocalChain, endpoints: list[RpcEndpoint], mode: str) -> None:
    """A7: an endpoint that fails, hangs, talks nonsense or serves another chain is passed over, then rests."""
    address = chain.aggregator()
    chain.post(address, 1, 10**11)
    reader = Reader(chain, endpoints, [feed(address)])
    endpoints[0].mode = mode
    assert len(await reader.poll()) == 1
    assert reader.health() == (Status.LIVE, "")
    asked = len(endpoints[0].asked)
    await reader.poll()
    assert len(endpoints[0].asked) == asked
    endpoints[0].mode = "good"
    chain.pass_time(10)
    await reader.poll()
    assert len(endpoints[0].asked) > asked
    await reader.source.close()


async def test_no_endpoint_answers(chain: LocalChain, endpoints: list[RpcEndpoint]) -> None:
    """A7: with every endpoint down the feed fails, names them without their keys, and recovers by itself."""
    address = chain.aggregator()
    chain.post(address, 1, 10**11)
    reader = Reader(chain, endpoints, [feed(address)])
    for endpoint in endpoints:
        endpoint.mode = "error"
    assert await reader.poll() == []
    status, reason = reader.health()
    assert status is Status.FAILED
    assert "no endpoint answers" in reason
    assert "127.0.0.1" in reason
    assert "secret-key" not in reason
    endpoints[1].mode = "good"
    assert len(await reader.poll()) == 1
    await reader.source.close()


async def test_an_endpoint_that_fell_behind_is_left(chain: LocalChain, endpoints: list[RpcEndpoint]) -> None:
    """A7: a node with an old newest block, or with an older round than was seen, is not believed."""
    address = chain.aggregator()
    chain.post(address, 1, 10**11)
    behind = chain.web3.eth.block_number
    chain.post(address, 2, 2 * 10**11)
    reader = Reader(chain, endpoints, [feed(address)])
    assert len(await reader.poll()) == 2
    endpoints[0].mode, endpoints[0].pinned_block = "pinned", behind
    assert await reader.poll() == []
    assert "is behind" in reader.source._pool._endpoints[0].last_error
    chain.pass_time(1_000)
    chain.post(address, 3, 3 * 10**11)
    assert [one.price_e30 for one in await reader.poll()] == [3_000 * 10**30]
    assert "newest block is" in reader.source._pool._endpoints[0].last_error
    await reader.source.close()


async def test_a_wrong_address_fails_alone(chain: LocalChain, endpoints: list[RpcEndpoint]) -> None:
    """A4: an address without an aggregator fails its own feed, not its neighbours nor the endpoint."""
    address, empty = chain.aggregator(), chain.aggregator()
    chain.post(address, 1, 10**11)
    feeds = [feed(address), feed("0x" + "11" * 20, "NONE"), feed(empty, "EMPTY")]
    reader = Reader(chain, endpoints, feeds)
    assert [one.asset for one in await reader.poll()] == ["ETH"]
    assert "does not answer like an aggregator" in reader.health("NONE")[1]
    assert "No data present" in reader.health("EMPTY")[1]
    assert endpoints[1].asked == []
    await reader.source.close()


async def test_the_port_streams_rounds(chain: LocalChain, endpoints: list[RpcEndpoint]) -> None:
    """E5: the iterator polls by itself and releases its connections when closed."""
    address = chain.aggregator()
    chain.post(address, 1, 10**11)
    stream = Reader(chain, endpoints, [feed(address)], poll_seconds=0.01).source.observations()
    assert (await anext(stream)).price_e30 == 1_000 * 10**30
    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0.05)
    chain.post(address, 2, 2 * 10**11)
    assert (await waiting).price_e30 == 2_000 * 10**30
    await stream.aclose()
