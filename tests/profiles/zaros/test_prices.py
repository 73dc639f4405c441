"""Prices of staking tokens, composed from two feeds, with a ratio that may only creep."""

from tests.profiles.zaros.venue import START, UNIT, CreditVenue, market, vault
from zlp.engine import pricing
from zlp.engine.commands import credit, liquidity
from zlp.engine.fixed import RATE, USD
from zlp.engine.leaves.credit import CreditCollateral
from zlp.engine.leaves.ledger import Token
from zlp.engine.leaves.prices import YEAR, ComposedPrice, PriceSettings
from zlp.engine.rejections import Code

COMPOSED = ComposedPrice("wst", "wst/ETH", "ETH", anchor_ratio=12 * USD // 10, anchored_at=START, max_growth=RATE // 10)


def scene_with(composed: ComposedPrice = COMPOSED) -> CreditVenue:
    """A staking token worth 1.2 ETH, in a vault of its own."""
    scene = CreditVenue([market(), Token("wst", 18), PriceSettings("wst/ETH", answer_decimals=30), composed])
    scene.configure(CreditCollateral("wst", "wst"), vault("v", "wst"))
    scene.price(raw=True, **{"wst/ETH": 12 * USD // 10})
    return scene


def priced(scene: CreditVenue) -> int:
    """The price now, the same in both directions."""
    low, high = pricing.bounds(scene.draft(), "wst")
    assert low == high
    return low


def test_the_price_is_ratio_times_base() -> None:
    """Z2: 1.2 ETH at 2000 USD is 2400 USD, and the vault lends by it."""
    scene = scene_with()
    assert priced(scene) == 2_400 * USD
    scene.deposit("lp", "v", 10 * UNIT)
    assert scene.market("BTC").delegated == 24_000 * USD


def test_a_jump_of_the_ratio_is_not_believed() -> None:
    """Z2, A7: the ratio counts up to 10 % a year from its anchor, below that as posted, and uncapped without anchor."""
    scene = scene_with()
    scene.price(raw=True, **{"wst/ETH": 2 * USD})
    assert priced(scene) == 2_400 * USD
    scene.now += YEAR // 2
    assert priced(scene) == 2_520 * USD
    scene.price(raw=True, **{"wst/ETH": USD})
    assert priced(scene) == 2_000 * USD
    scene.price(raw=True, **{"wst/ETH": 2 * USD})
    scene.configure(ComposedPrice("wst", "wst/ETH", "ETH"))
    assert priced(scene) == 4_000 * USD


def test_both_feeds_must_be_fresh() -> None:
    """A7: one stale feed stops deposits, and one hopelessly stale feed redemptions."""
    scene = scene_with()
    shares = scene.deposit("lp", "v", UNIT)
    request = scene.must("lp", credit.RequestRedemption(vault="v", shares=shares)).events[-1]
    scene.give("lp", "wst", UNIT)
    scene.configure(PriceSettings("wst/ETH", answer_decimals=30, max_age=60, max_age_reducing=600))
    scene.now += 61
    mint = liquidity.Mint(pool="v", token="wst", amount=UNIT)
    assert scene.refused("lp", mint) is Code.STALE_PRICE
    scene.now += 600
    redeem = credit.RedeemShares(redemption=request.redemption)
    assert scene.refused("lp", redeem) is Code.STALE_PRICE
    scene.price(raw=True, **{"wst/ETH": USD})
    scene.must("lp", redeem)


def test_an_asset_is_not_composed_of_itself() -> None:
    """A8: such settings are refused."""
    assert ComposedPrice("a", "a", "b").invalid()
    assert COMPOSED.invalid() is None


def test_prices_composed_of_each_other_are_no_prices() -> None:
    """A7, A8: each of the two feeds has settings of its own; compositions in a circle are refused."""
    scene = scene_with()
    scene.deposit("lp", "v", UNIT)
    scene.give("lp", "wst", UNIT)
    scene.configure(ComposedPrice("a", "b", "ETH"), ComposedPrice("b", "a", "ETH"), CreditCollateral("wst", "a"))
    assert scene.refused("lp", liquidity.MeasurePool(pool="v")) is Code.UNKNOWN_FEED
    assert scene.refused("lp", liquidity.Mint(pool="v", token="wst", amount=UNIT)) is Code.UNKNOWN_FEED
