"""Chainlink push feeds: rounds of AggregatorV3 contracts read over JSON-RPC, with every documented check.

A round is used only if its answer is positive and strictly inside the aggregator's bounds, it is complete,
not from the future, not older than the feed's heartbeat, and, on a layer 2, the sequencer has been up for
longer than the grace period.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import msgspec
from eth_utils.address import to_checksum_address
from web3.exceptions import ContractLogicError, Web3Exception

from zlp.oracle.decimal_text import PRICE_DECIMALS, amount_from_text
from zlp.oracle.ethereum_rpc import CONTRACT_ERRORS, ChainlinkError, Client, ContractError, EndpointPool
from zlp.oracle.observation import Health, Observation, Status

CLOCK_SKEW_SECONDS = 30
# A proxy numbers rounds as phase * 2**64 + the round of the phase's aggregator.
PHASE_SHIFT = 64


def _view(name: str, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> dict[str, Any]:
    def parameters(kinds: tuple[str, ...]) -> list[dict[str, str]]:
        return [{"name": "", "type": kind} for kind in kinds]

    return {
        "type": "function", "name": name, "stateMutability": "view",
        "inputs": parameters(inputs), "outputs": parameters(outputs),
    }  # fmt: skip


_ROUND = ("uint80", "int256", "uint256", "uint256", "uint80")
AGGREGATOR_ABI = [
    _view("decimals", (), ("uint8",)),
    _view("latestRoundData", (), _ROUND),
    _view("getRoundData", ("uint80",), _ROUND),
    _view("aggregator", (), ("address",)),
    _view("minAnswer", (), ("int192",)),
    _view("maxAnswer", (), ("int192",)),
]


class ChainlinkFeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One aggregator proxy. `heartbeat_seconds` is the feed's published heartbeat plus a margin.

    `answer_min` and `answer_max` (decimal text, USD) replace the bounds of the contract, which are often too
    wide to protect anybody.
    """

    asset: str
    address: str
    heartbeat_seconds: int
    answer_min: str | None = None
    answer_max: str | None = None


class ChainlinkSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="chainlink"):
    """A set of feeds on one chain. `rounds` is how many recent rounds are read at the start.

    `sequencer_feed` is the L2 sequencer uptime feed; leave it out on layer 1.
    """

    name: str = "chainlink"
    chain_id: int
    endpoints: tuple[str, ...]
    feeds: tuple[ChainlinkFeed, ...]
    rounds: int = 3
    poll_seconds: float = 5.0
    timeout_seconds: float = 10.0
    block_age_max_seconds: int = 120
    sequencer_feed: str | None = None
    grace_seconds: int = 3600


class Round(msgspec.Struct, frozen=True):
    """What an aggregator says of one round; `answer` is at the feed's own decimals."""

    round_id: int
    answer: int
    started_at: int
    updated_at: int
    answered_in_round: int


class FeedFacts(msgspec.Struct, frozen=True):
    """What does not change between rounds: decimals, and bounds at those decimals (both exclusive)."""

    decimals: int
    answer_min: int
    answer_max: int


def answer_fault(one: Round, facts: FeedFacts) -> str:
    """Why an answer is no price, or an empty string."""
    if one.updated_at == 0 or one.round_id == 0:
        return "the round is not complete"
    if one.answer <= 0:
        return f"the answer {one.answer} is not positive"
    if not facts.answer_min < one.answer < facts.answer_max:
        return f"the answer {one.answer} is at or beyond its bounds {facts.answer_min} to {facts.answer_max}"
    return ""


def round_health(one: Round, feed: ChainlinkFeed, facts: FeedFacts, now: int) -> Health:
    """What the newest round says about its feed: live, silent (past the heartbeat), or failed and why."""
    reason, status = answer_fault(one, facts), Status.FAILED
    if not reason and one.updated_at > now + CLOCK_SKEW_SECONDS:
        reason = f"the round is from {one.updated_at - now} s in the future"
    elif not reason and now - one.updated_at > feed.heartbeat_seconds:
        reason, status = f"{now - one.updated_at} s old, the heartbeat is {feed.heartbeat_seconds} s", Status.SILENT
    return Health(status=status if reason else Status.LIVE, last_heard_at=one.updated_at, reason=reason)


def sequencer_fault(one: Round, grace_seconds: int, now: int) -> str:
    """Why prices of a layer 2 may not be used, or an empty string; answer 0 means the sequencer is up."""
    if one.started_at == 0:
        return "the sequencer's status is not known yet"
    if one.answer != 0:
        return f"the L2 sequencer is down since {now - one.started_at} s"
    left = one.started_at + grace_seconds - now
    return f"the L2 sequencer is back, its grace period ends in {left} s" if left >= 0 else ""


class ChainlinkSource:
    """Rounds of Chainlink aggregators as a `PriceSource`: the recent ones first, then each new one once."""

    def __init__(self, settings: ChainlinkSettings, *, clock: Callable[[], float] = time.time) -> None:
        self.name = settings.name
        self._settings = settings
        self._clock = clock
        self._facts: dict[str, FeedFacts] = {}
        self._last: dict[str, Round] = {}
        self._health = {feed.asset: Health(status=Status.CONNECTING) for feed in settings.feeds}
        self._pool = EndpointPool(
            settings.endpoints,
            chain_id=settings.chain_id,
            timeout_seconds=settings.timeout_seconds,
            block_age_max_seconds=settings.block_age_max_seconds,
            clock=clock,
        )

    def health(self) -> Mapping[str, Health]:
        return self._health

    async def observations(self) -> AsyncIterator[Observation]:
        try:
            while True:
                for observation in await self.poll():
                    yield observation
                await asyncio.sleep(self._settings.poll_seconds)
        finally:
            await self.close()

    async def close(self) -> None:
        """Release the connections; only needed by those who call `poll` themselves."""
        await self._pool.close()

    async def poll(self) -> list[Observation]:
        """Read every feed once, at one block, and return the rounds not seen before, oldest first."""
        try:
            sequencer, found = await self._pool.read(self._read)
        except (ChainlinkError, Web3Exception) as error:
            self._fail_all(str(error))
            return []
        now = int(self._clock())
        down = "" if sequencer is None else sequencer_fault(sequencer, self._settings.grace_seconds, now)
        if down:
            self._fail_all(down)
            return []
        observations = []
        for feed, answer in zip(self._settings.feeds, found, strict=True):
            if isinstance(answer, str):
                self._fail(feed, answer)
            else:
                observations += self._accept(feed, answer, now)
        return observations

    async def _read(self, web3: Client, block: int) -> tuple[Round | None, list[list[Round] | str]]:
        """The sequencer's round, and for each feed its new rounds or what is wrong with its contract."""
        sequencer = None
        if self._settings.sequencer_feed is not None:
            sequencer = await _latest(web3, self._settings.sequencer_feed, block)
        return sequencer, await asyncio.gather(*(self._read_feed(web3, feed, block) for feed in self._settings.feeds))

    async def _read_feed(self, web3: Client, feed: ChainlinkFeed, block: int) -> list[Round] | str:
        try:
            return await self._new_rounds(web3, feed, block)
        except CONTRACT_ERRORS as error:
            return f"{feed.address} does not answer like an aggregator: {error}"

    async def _new_rounds(self, web3: Client, feed: ChainlinkFeed, block: int) -> list[Round]:
        """The last accepted round and those after it, at most `rounds` in all, oldest first."""
        newest = await _latest(web3, feed.address, block)
        last = self._last.get(feed.asset)
        if last is not None and newest.round_id < last.round_id:
            raise ChainlinkError(f"is behind: round {newest.round_id} of {feed.asset} after {last.round_id}")
        if last is None or last.round_id >> PHASE_SHIFT != newest.round_id >> PHASE_SHIFT:
            self._facts[feed.asset] = await _facts(web3, feed, block)
        rounds = [newest]
        while len(rounds) < self._settings.rounds and (last is None or rounds[-1].round_id > last.round_id):
            before = rounds[-1].round_id - 1
            if before & (2**PHASE_SHIFT - 1) == 0:
                break
            try:
                rounds.append(await _round(web3, feed.address, before, block))
            except ContractLogicError:
                break
        return rounds[::-1]

    def _accept(self, feed: ChainlinkFeed, rounds: list[Round], now: int) -> list[Observation]:
        facts, last = self._facts[feed.asset], self._last.get(feed.asset)
        health = round_health(rounds[-1], feed, facts, now)
        self._health[feed.asset] = health
        if health.status is not Status.LIVE:
            return []
        self._last[feed.asset] = rounds[-1]
        new = [one for one in rounds if last is None or one.round_id > last.round_id]
        return [self._observation(feed, facts, one, now) for one in new if not answer_fault(one, facts)]

    def _observation(self, feed: ChainlinkFeed, facts: FeedFacts, one: Round, now: int) -> Observation:
        return Observation(
            source=self.name,
            asset=feed.asset,
            price_e30=one.answer * 10 ** (PRICE_DECIMALS - facts.decimals),
            observed_at=one.updated_at,
            received_at=now,
            round_id=one.round_id,
        )

    def _fail_all(self, reason: str) -> None:
        for feed in self._settings.feeds:
            self._fail(feed, reason)

    def _fail(self, feed: ChainlinkFeed, reason: str) -> None:
        heard_at = self._health[feed.asset].last_heard_at
        self._health[feed.asset] = Health(status=Status.FAILED, last_heard_at=heard_at, reason=reason)


def _contract(web3: Client, address: str) -> Any:
    return web3.eth.contract(address=to_checksum_address(address), abi=AGGREGATOR_ABI)


async def _latest(web3: Client, address: str, block: int) -> Round:
    return Round(*await _contract(web3, address).functions.latestRoundData().call(block_identifier=block))


async def _round(web3: Client, address: str, round_id: int, block: int) -> Round:
    return Round(*await _contract(web3, address).functions.getRoundData(round_id).call(block_identifier=block))


async def _facts(web3: Client, feed: ChainlinkFeed, block: int) -> FeedFacts:
    proxy = _contract(web3, feed.address)
    decimals = await proxy.functions.decimals().call(block_identifier=block)
    if not 0 <= decimals <= PRICE_DECIMALS:
        raise ContractError(f"it has {decimals} decimals")
    low, high = feed.answer_min, feed.answer_max
    return FeedFacts(
        decimals=decimals,
        answer_min=await _bound(web3, proxy, "minAnswer", block) if low is None else amount_from_text(low, decimals),
        answer_max=await _bound(web3, proxy, "maxAnswer", block) if high is None else amount_from_text(high, decimals),
    )


async def _bound(web3: Client, proxy: Any, name: str, block: int) -> int:
    """The bound of the aggregator behind a proxy (a proxy itself has none)."""
    aggregator = _contract(web3, await proxy.functions.aggregator().call(block_identifier=block))
    return int(await aggregator.functions[name]().call(block_identifier=block))
