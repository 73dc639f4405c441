"""Each failure of a source leads to the documented state of the venue: docs/oracle.md has the same table.

Everything is real and on loopback: exchanges over WebSocket, aggregators on an EVM, feeds, blending, the price
keeper, and a venue with the shipped profile whose guard decides.
"""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.oracle.local_chain import PHASE, LocalChain
from tests.oracle.venue_scene import Scene, running
from tests.oracle.waiting import eventually
from zlp.engine import Code
from zlp.engine.commands.prices import DisputePrices, FastPrice, PostPrices, PostRounds, Round
from zlp.engine.leaves.prices import FastFeed
from zlp.keepers import DisputeKeeper, DisputeRule, FastQuote
from zlp.oracle.decimal_text import price_from_text
from zlp.oracle.observation import Status

OPEN_AND_CLOSE = (None, None)
CLOSE_ONLY = (Code.STALE_PRICE, None)
NOTHING = (Code.STALE_PRICE, Code.STALE_PRICE)


@pytest.fixture(scope="module")
def chain() -> LocalChain:
    """One EVM for the module; its time only goes forward."""
    return LocalChain()


@pytest.fixture
async def scene(chain: LocalChain) -> AsyncIterator[Scene]:
    """The line with fresh prices: ETH is 2000 everywhere."""
    async with running(chain) as made:
        yield made


async def nothing(scene: Scene) -> None:
    """All is well."""
    await scene.quote("ETH", "2001")


async def one_silent(scene: Scene) -> None:
    """MEXC says nothing any more; Bybit moves on."""
    scene.chain.pass_time(60)
    await scene.quote("ETH", "2010", exchanges=("bybit",))


async def both_silent(scene: Scene) -> None:
    """Nothing from either exchange."""


async def lagging(scene: Scene) -> None:
    """Bybit's messages come 11 s late."""
    scene.chain.pass_time(30)
    await scene.quote("ETH", "2010", exchanges=("mexc",))
    await scene.quote("ETH", "2010", exchanges=("bybit",), age=11)


async def clock_ahead(scene: Scene) -> None:
    """Bybit's clock is 4 s ahead of ours."""
    scene.chain.pass_time(30)
    await scene.quote("ETH", "2010", exchanges=("bybit",), age=-4)
    await scene.quote("ETH", "2010", exchanges=("mexc",))


async def spike_on_one(scene: Scene) -> None:
    """One exchange prints 5 % more."""
    await scene.quote("ETH", "2100", exchanges=("mexc",))
    await scene.quote("ETH", "2000.5", exchanges=("bybit",))


async def disagreement(scene: Scene) -> None:
    """The exchanges are 2.5 % apart."""
    await scene.quote("ETH", "1980", exchanges=("mexc",))
    await scene.quote("ETH", "2030", exchanges=("bybit",))


async def spike_on_both(scene: Scene) -> None:
    """Both exchanges print 3 % more, the primary does not follow."""
    await scene.quote("ETH", "2060")


async def drop_on_both(scene: Scene) -> None:
    """Both exchanges print 3 % less, the primary does not follow."""
    await scene.quote("ETH", "1940")


async def garbage(scene: Scene) -> None:
    """Bybit's books are crossed; MEXC sends bytes that are no message."""
    bad = scene.exchanges["bybit"].message("ETHUSDT", "3000", "1000", number=99, at_ms=(scene.now + 1) * 1000)
    await scene.exchanges["bybit"].push(bad)
    await scene.exchanges["mexc"].push(b"\xff\xff\xff")


async def primary_garbage(scene: Scene) -> None:
    """The aggregator answers zero, then far out of every bound in a round that never ends."""
    scene.chain.post_raw(scene.aggregators["ETH"], PHASE + 90, 0, scene.now, scene.now)
    scene.chain.post_raw(scene.aggregators["ETH"], PHASE + 91, 10**20, scene.now, 0)
    await scene.quote("ETH", "2001")


async def primary_spike(scene: Scene) -> None:
    """The primary answers 10 % more, the exchanges do not."""
    scene.round("ETH", "2200")
    await scene.settled()
    await scene.quote("ETH", "2000")


async def sequencer_down(scene: Scene) -> None:
    """The layer 2 stops: the aggregator's 2400 is not believed; the exchanges go on."""
    scene.chain.post(scene.sequencer, 2, 1)
    scene.round("ETH", "2400")
    await scene.quote("ETH", "2010")


Trouble = Callable[[Scene], Awaitable[None]]


@pytest.mark.parametrize(
    ("trouble", "then_seconds", "low", "high", "answers"),
    [
        # the fast price is used, alone
        (nothing, 0, "2001", "2001", OPEN_AND_CLOSE),
        # no new fast price: the last one stays until it is 5 minutes old
        (one_silent, 0, "2000", "2000", OPEN_AND_CLOSE),
        (lagging, 0, "2000", "2000", OPEN_AND_CLOSE),
        (clock_ahead, 0, "2000", "2000", OPEN_AND_CLOSE),
        (spike_on_one, 0, "2000", "2000", OPEN_AND_CLOSE),
        (disagreement, 0, "2000", "2000", OPEN_AND_CLOSE),
        (garbage, 0, "2000", "2000", OPEN_AND_CLOSE),
        # then the primary with 20 bps, after an hour with 50 bps
        (both_silent, 320, "1996", "2004", OPEN_AND_CLOSE),
        (one_silent, 320, "1996", "2004", OPEN_AND_CLOSE),
        (garbage, 320, "1996", "2004", OPEN_AND_CLOSE),
        (both_silent, 3_700, "1990", "2010", OPEN_AND_CLOSE),
        # without any post for 2 hours no new risk, without one for 24 hours no closing either
        (both_silent, 7_300, "1990", "2010", CLOSE_ONLY),
        (both_silent, 86_500, "1990", "2010", NOTHING),
        # fast and primary too far apart: the worse of both for the trader, and 10 bps
        (spike_on_both, 0, "1998", "2062.06", OPEN_AND_CLOSE),
        (drop_on_both, 0, "1938.06", "2002", OPEN_AND_CLOSE),
        (primary_spike, 0, "2000", "2202.2", OPEN_AND_CLOSE),
        # a primary that can't be believed is as if it said nothing
        (primary_garbage, 0, "2001", "2001", OPEN_AND_CLOSE),
        (sequencer_down, 0, "2010", "2010", OPEN_AND_CLOSE),
    ],
    ids=lambda value: value.__name__ if callable(value) else str(value),
)
async def test_the_table_of_failures(
    scene: Scene,
    trouble: Trouble,
    then_seconds: int,
    low: str,
    high: str,
    answers: tuple[Code | None, Code | None],
) -> None:
    """E5, A7: which price is used, with which spread, and which commands stop."""
    scene.chain.pass_time(20)
    await trouble(scene)
    scene.post()
    if then_seconds:
        scene.chain.pass_time(then_seconds)
    assert scene.pair() == (low, high)
    assert scene.refused() == answers


async def test_the_venue_recovers_by_itself(scene: Scene) -> None:
    """A7: after hours of silence good rounds and a good fast price end every restriction, with nobody's help."""
    scene.chain.pass_time(8_000)
    assert scene.refused() == CLOSE_ONLY
    scene.round("BTC", "40000")
    for answer in ("1950", "1950.5", "1951"):
        scene.round("ETH", answer)
        await scene.settled()
        scene.post()
    await scene.quote("ETH", "1951")
    scene.post()
    assert scene.pair() == ("1951", "1951")
    assert scene.refused() == OPEN_AND_CLOSE


async def test_one_silent_asset_does_not_look_fresh(scene: Scene) -> None:
    """A7: BTC's exchanges fall silent while ETH is posted on: BTC alone loses its fast price."""
    for _ in range(4):
        scene.chain.pass_time(100)
        await scene.quote("ETH", "2002")
        scene.post()
    assert scene.pair("ETH") == ("2002", "2002")
    assert scene.pair("BTC") == ("39920", "40080")


async def test_a_broken_peg_shows_both_sides(scene: Scene) -> None:
    """A7: within 0.2 % a stable counts as one dollar; beyond it the pool keeps the better side."""
    scene.round("USDC", "0.999")
    await scene.settled()
    scene.post()
    assert scene.pair("USDC") == ("1", "1")
    for _ in range(3):
        scene.round("USDC", "0.88")
        await scene.settled()
        scene.post()
    assert scene.pair("USDC") == ("0.88", "1")


async def test_only_what_moved_or_grew_old_is_posted(scene: Scene) -> None:
    """E5: the pace of the keeper: 10 bps of movement, or 15 seconds."""
    scene.chain.pass_time(1)
    await scene.quote("ETH", "2001.9")
    assert scene.post() == 0
    await scene.quote("ETH", "2002.1")
    assert scene.post() == 1
    assert scene.pair("ETH") == ("2002.1", "2002.1")
    scene.chain.pass_time(16)
    await scene.quote("BTC", "40001")
    await scene.quote("ETH", "2002.1")
    assert scene.post() == 1
    assert scene.pair("BTC") == ("40001", "40001")
    assert scene.post() == 0


async def test_a_keeper_whose_clock_is_wrong_is_refused(scene: Scene) -> None:
    """A7: prices from the future or the distant past, and zero, change nothing; so do rounds of zero."""
    port = scene.port("keeper")
    price = (FastPrice("ETH", price_from_text("5000")),)
    for shift, code in ((3_600, Code.POST_TIME_TOO_NEW), (-3_600, Code.POST_TIME_TOO_OLD)):
        rejection = port.submit(PostPrices(prices=price, timestamp=scene.now + shift)).rejection
        assert rejection is not None
        assert rejection.code is code
    zero = port.submit(PostPrices(prices=(FastPrice("ETH", 0),), timestamp=scene.now)).rejection
    assert zero is not None
    assert zero.code is Code.INVALID_PRICE
    answer = port.submit(PostRounds(rounds=(Round("ETH", 0),))).rejection
    assert answer is not None
    assert answer.code is Code.INVALID_PRICE
    assert scene.pair() == ("2000", "2000")


async def test_a_fast_price_that_runs_away_is_not_trusted(scene: Scene) -> None:
    """E5: travelling 10 % further than the primary inside one minute, though never far from it, costs the trust."""
    scene.chain.pass_time(60 - scene.now % 60)
    port, at = scene.port("keeper"), scene.now
    for text in ("2010", "1990") * 6:
        assert port.submit(PostPrices(prices=(FastPrice("ETH", price_from_text(text)),), timestamp=at)).accepted
    assert scene.pair() == ("1988.01", "2002")
    scene.chain.pass_time(60)
    await scene.quote("ETH", "2001")
    scene.post()
    assert scene.pair() == ("2001", "2001")


class Own:
    """A price signer's own view."""

    def __init__(self, scene: Scene, price: str | None) -> None:
        self.scene, self.price = scene, price

    def rounds(self, now: int) -> dict[str, list[int]]:
        return {}

    def fast(self, now: int) -> FastQuote | None:
        return None if self.price is None else FastQuote(now, {"ETH": price_from_text(self.price)})


async def test_signers_dispute_a_manipulated_price(scene: Scene) -> None:
    """E5: two of three signers' bots flag what their own feeds contradict; both prices and 10 bps are used, and
    the flags are withdrawn after two calm minutes. A bot without prices of its own keeps still."""
    scene.chain.pass_time(1)
    await scene.quote("ETH", "1985")
    assert scene.post() == 1
    own = [Own(scene, "2020"), Own(scene, "2019"), Own(scene, None)]
    bots = [
        DisputeKeeper(scene.port(f"price-signer-{n}"), one, f"price-signer-{n}", DisputeRule())
        for n, one in enumerate(own, start=1)
    ]
    assert scene.pair() == ("1985", "1985")
    assert [bot.work() for bot in bots] == [1, 1, 0]
    assert scene.pair() == ("1983.015", "2002")
    assert [bot.work() for bot in bots] == [0, 0, 0]
    for one in own[:2]:
        one.price = "1986"
    assert [bot.work() for bot in bots] == [0, 0, 0]
    scene.chain.pass_time(119)
    assert [bot.work() for bot in bots] == [0, 0, 0]
    scene.chain.pass_time(1)
    assert [bot.work() for bot in bots] == [1, 1, 0]
    assert scene.pair() == ("1985", "1985")


async def test_a_strangers_flag_counts_for_nothing(scene: Scene) -> None:
    """A8: only price signers dispute."""
    rejection = scene.port("keeper").submit(DisputePrices(dispute=True)).rejection
    assert rejection is not None
    assert rejection.code is Code.ROLE_REQUIRED
    shared = scene.venue.root.state.get(FastFeed, ())
    assert shared is not None
    assert shared.votes == ()


async def test_health_names_the_trouble(scene: Scene) -> None:
    """A7: what the venue survives, the operator sees."""
    await garbage(scene)
    scene.chain.pass_time(20)
    await eventually(lambda: scene.group.health()["bybit"]["ETH"].reason == "the bid is above the ask")
    await eventually(lambda: "can't be read" in scene.group.health()["mexc"]["BTC"].reason)
    assert scene.group.health()["mexc"]["BTC"].status is Status.SILENT
