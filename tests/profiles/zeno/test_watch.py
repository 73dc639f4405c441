"""Keepers find their work by screening, and miss nothing that the slow, exact walk finds (N7, N8)."""

from __future__ import annotations

from random import Random

from tests.profiles.zeno.venue import POOL, USD, Venue, Watched
from zlp.desks.cross_margin import DESK
from zlp.engine.commands.cross_margin import CrossReduce, Deleverage, LiquidateAccount, TakeMaxProfit

KINDS = (LiquidateAccount, TakeMaxProfit, Deleverage)


def test_the_screen_finds_what_the_exact_walk_finds() -> None:
    """N7, N8: over a random market every liquidation, maximum profit and deleverage, in the same order."""
    random, venue = Random(7), Watched()
    venue.fund(2_000_000)
    venue.set("FundMarketSettings", [POOL, "BTC"], "max_profit_bps", 300_000)
    venue.set("FundSettings", [POOL], "buffer.threshold_bps", 9_900)
    owners = [f"trader-{number}" for number in range(30)]
    for owner in owners:
        token = random.choice(("m.USDC", "WETH"))
        venue.margin(owner, token, 4_000 if token == "m.USDC" else 3)
    found: dict[type, int] = dict.fromkeys(KINDS, 0)
    for step in range(150):
        owner, market = random.choice(owners), random.choice(("ETH", "BTC", "BTC", "SOL"))
        venue.trade(owner, market, random.choice((1, 1, -1)) * random.randrange(1_000, 80_000))
        if random.random() < 0.1:
            venue.apply(owner, CrossReduce(pool=POOL, number=0, market=market, size=500 * USD))
        venue.wait(random.choice((20, 600, 7_000)))
        venue.post(**{name: venue.prices[name] * random.uniform(0.985, 1.03) for name in ("ETH", "BTC", "SOL")})
        exact = list(DESK.due(venue.root.state, venue.now))

        assert list(venue.watch.due(venue.now)) == exact
        for command in (*exact[:1], *exact[-1:]) if step % 3 == 0 else ():
            found[type(command)] += venue.apply("keeper", command) is None

    assert all(found.values()), found
    venue.check()


def test_the_desk_speaks_of_the_venue_as_traders_do() -> None:
    """N1, N3: pools, markets, positions; its commands open and close, and take the margin out."""
    venue = Venue()
    venue.fund()
    amount = venue.give("alice", "m.USDC", 10_000)
    options = {"pool": POOL, "market": "ETH", "is_long": True, "collateral": "m.USDC"}
    for command in DESK.open(venue.root.state, venue.now, **options, amount=amount, size_usd=50_000 * USD):
        venue.do("alice", command)
    view = next(DESK.positions(venue.root.state, venue.now, "alice"))
    market = next(view for view in DESK.markets(venue.root.state, venue.now) if view.market == "ETH")
    pool = DESK.pools(venue.root.state, venue.now)[0]

    assert (view.size_usd, view.due, view.is_long) == (50_000 * USD, False, True)
    assert 1_440 * USD < view.liquidation_price < 1_470 * USD
    assert (market.long_size, market.max_leverage) == (50_000 * USD, 1_000_000)
    assert sum(asset.weight_bps for asset in pool.assets) in (9_998, 9_999, 10_000)
    for command in DESK.close(venue.root.state, venue.now, position=view.position):
        venue.do("alice", command)
    assert venue.collateral("alice", "m.USDC") == 0
    assert venue.held("alice", "m.USDC") > 9_900 * 10**6
