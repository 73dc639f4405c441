"""Which of several reasons a refusal gives: the order of the design's written steps (A4)."""

from __future__ import annotations

from collections.abc import Callable

from tests.profiles.zeno.venue import POOL, USD, Venue
from zlp.engine.commands.cross_margin import CrossReduce, SetMarketOpen
from zlp.engine.commands.liquidity import Burn, Mint
from zlp.engine.commands.staking import UnstakeShares
from zlp.engine.rejections import Code

ETH = [POOL, "ETH"]


def walk(attempt: Callable[[], Code | None], steps: list[tuple[Code, Callable[[], None]]]) -> None:
    """Each reason is given while it stands; what follows mends it, and the next one shows."""
    for code, mend in steps:
        assert attempt() is code
        mend()
    assert attempt() is None


def test_opening() -> None:
    """A4, N6, N9: everything is wrong at first."""
    venue = Venue()
    venue.fund(1_000_000)
    venue.margin("alice", "m.USDC", 10)
    venue.set("FundMarketSettings", ETH, "listed", False)
    venue.set("FundMarketSettings", ETH, "opening", False)
    venue.set("FundMarketSettings", ETH, "max_long_usd", 1)
    venue.set("FundMarketSettings", ETH, "max_trade_usd", 1)
    venue.set("FundMarketSettings", ETH, "max_position_usd", 1)
    venue.set("CrossMarginSettings", [POOL], "min_position_usd", 20_000 * USD)
    venue.set("FundSettings", [POOL], "max_utilisation_bps", 1)
    venue.do("keeper", SetMarketOpen(pool=POOL, market="ETH", is_open=False))
    venue.now += 3 * 3_600

    def market(field: str, value: object) -> Callable[[], None]:
        return lambda: venue.set("FundMarketSettings", ETH, field, value)

    walk(
        lambda: venue.trade("alice", "ETH", 10_000, acceptable_price=1_000 * USD),
        [
            (Code.TRADE_TOO_LARGE, market("max_trade_usd", 0)),
            (Code.POSITION_TOO_LARGE, market("max_position_usd", 0)),
            (Code.MARKET_DELISTED, market("listed", True)),
            (
                Code.MARKET_CLOSED,
                lambda: venue.do("keeper", SetMarketOpen(pool=POOL, market="ETH", is_open=True)),
            ),
            (Code.PRICE_ABOVE_ACCEPTABLE, lambda: venue.post(ETH=999)),
            (Code.INCREASE_NOT_ALLOWED, market("opening", True)),
            (Code.OPEN_INTEREST_EXCEEDED, market("max_long_usd", 10**7 * USD)),
            (Code.POSITION_TOO_SMALL, lambda: venue.set("CrossMarginSettings", [POOL], "min_position_usd", USD)),
            (Code.UTILISATION_EXCEEDED, lambda: venue.set("FundSettings", [POOL], "max_utilisation_bps", 8_000)),
            (Code.EQUITY_BELOW_INITIAL, lambda: venue.margin("alice", "m.USDC", 1_000)),
        ],
    )


def test_reducing() -> None:
    """A4: from no position to a close."""
    venue = Venue()
    venue.fund()
    venue.margin("alice", "m.USDC", 2_000)

    def opened() -> None:
        assert venue.trade("alice", "ETH", 100_000) is None
        venue.set("FundMarketSettings", ETH, "listed", False)
        venue.do("keeper", SetMarketOpen(pool=POOL, market="ETH", is_open=False))
        venue.now += 25 * 3_600
        for token in ("m.USDC", "m.USDT"):
            venue.post(**{token: 1})

    walk(
        lambda: venue.apply(
            "alice",
            CrossReduce(pool=POOL, number=0, market="ETH", size=100_000 * USD - 1, acceptable_price=1_850 * USD),
        ),
        [
            (Code.NO_POSITION, opened),
            (Code.MARKET_DELISTED, lambda: venue.set("FundMarketSettings", ETH, "listed", True)),
            (
                Code.MARKET_CLOSED,
                lambda: venue.do("keeper", SetMarketOpen(pool=POOL, market="ETH", is_open=True)),
            ),
            (Code.PRICE_BELOW_ACCEPTABLE, lambda: venue.post(ETH=1_900)),
            (Code.POSITION_TOO_SMALL, lambda: venue.set("CrossMarginSettings", [POOL], "min_position_usd", 0)),
        ],
    )


def test_minting_and_burning() -> None:
    """A4, N1, N2: from a disabled fund to shares, and out again."""
    venue = Venue()
    venue.fund(1_000_000)
    venue.set("FundSettings", [POOL], "enabled", False)
    venue.set("FundAssetSettings", [POOL, "m.USDC"], "accepted", False)
    venue.set("FundAssetSettings", [POOL, "m.USDC"], "max_weight_difference", 0)
    venue.now += 26 * 3_600
    amount = 1_000 * 10**6

    def bring() -> None:
        venue.give("bob", "m.USDC", 1_000)

    walk(
        lambda: venue.apply("bob", Mint(pool=POOL, token="m.USDC", amount=amount, min_shares=1)),
        [
            (Code.MINT_DISABLED, lambda: venue.set("FundSettings", [POOL], "enabled", True)),
            (
                Code.TOKEN_NOT_LISTED,
                lambda: venue.set("FundAssetSettings", [POOL, "m.USDC"], "accepted", True),
            ),
            (Code.STALE_PRICE, lambda: venue.post(**venue.prices)),
            (
                Code.POOL_IMBALANCE,
                lambda: venue.set("FundAssetSettings", [POOL, "m.USDC"], "max_weight_difference", 10**18),
            ),
            (Code.INSUFFICIENT_BALANCE, bring),
        ],
    )

    held = venue.held(f"staked:{POOL}", "ZLP")
    venue.do("lp", UnstakeShares(pool=POOL, amount=900_000 * 10**18))
    venue.margin("alice", "m.USDC", 200_000)
    assert venue.trade("alice", "BTC", 5_000_000) is None
    assert held > 900_000 * 10**18
    burn = Burn(pool=POOL, token="WETH", shares=450_000 * 10**18, min_amount=10**24)
    assert venue.apply("lp", burn) is Code.AMOUNT_BELOW_MINIMUM
    plain = Burn(pool=POOL, token="WETH", shares=450_000 * 10**18)
    assert venue.apply("lp", plain) is Code.UTILISATION_EXCEEDED
    whole = Burn(pool=POOL, token="WETH", shares=900_000 * 10**18)
    assert venue.apply("lp", whole) is Code.POOL_INSUFFICIENT
