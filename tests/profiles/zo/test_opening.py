"""Opening: what it does, and every refusal in the order of precedence."""

import pytest

from tests.profiles.zo.venue import TREASURY, Venue
from zlp.engine import Code
from zlp.engine.events.liquidity import FeeCharged
from zlp.engine.events.trading import PositionChanged


def test_opening_borrows_coins_and_splits_the_fee() -> None:
    """O1, O2, O4: the reserve leaves the liquidity, 20 bps of the size are charged, 75 % of them stay."""
    venue = Venue()
    before, treasury = venue.vault("BTC"), venue.held(TREASURY, "BTC")
    receipt = venue.ok("ann", venue.long())
    after, position = venue.vault("BTC"), venue.position()
    fee = 200_000  # 20 bps of 1 BTC
    assert position.collateral == 10**7 - fee
    assert position.size_usd == 60_000 * 10**30
    assert (after.reserved, after.collateral) == (5 * 10**7, 10**7 - fee)
    assert after.liquidity == before.liquidity - 5 * 10**7 + fee * 3 // 4
    assert venue.held(TREASURY, "BTC") - treasury == fee // 4
    charged = [event for event in receipt.events if isinstance(event, FeeCharged)]
    assert [(event.kind, event.amount, event.to_pool) for event in charged] == [("trading", fee, fee * 3 // 4)]
    changed = [event for event in receipt.events if isinstance(event, PositionChanged)]
    assert (changed[0].action, changed[0].size_after, changed[0].average_price) == (
        "open",
        60_000 * 10**30,
        60_000 * 10**30,
    )
    assert venue.root.audit() == []


def test_other_markets_pay_40_bps() -> None:
    """O2: SOL's fee is 40 bps of the size."""
    venue = Venue()
    venue.give("ann", "SOL", 10 * 10**9)
    command = venue.long(market="SOL", token="SOL", collateral=10 * 10**9, amount=50 * 10**9, reserve=10 * 10**9)
    venue.ok("ann", command)
    assert venue.position().collateral == 10 * 10**9 - 50 * 10**9 * 4 // 1000


BREAKS = [
    # Each row breaks one step; with every later row applied too, the earliest decides.
    (Code.UNKNOWN_POOL, {"pool": "other"}, ()),
    (Code.UNKNOWN_MARKET, {"market": "DOGE"}, ()),
    (Code.COIN_NOT_LISTED, {"token": "DOGE"}, ()),
    (Code.PRICE_ABOVE_ACCEPTABLE, {"acceptable_price": 59_999 * 10**30}, ()),
    (Code.VAULT_DISABLED, {}, (("CoinVaultSettings", ["main", "BTC"], "enabled", False),)),
    (Code.OPENING_DISABLED, {}, (("BorrowMarketSettings", ["main", "BTC"], "long_enabled", False),)),
    (Code.UNSUPPORTED_COLLATERAL, {}, (("BorrowMarketSettings", ["main", "BTC"], "long_collaterals", []),)),
    (Code.RESERVE_EXCEEDS_LIQUIDITY, {"reserve": 10**12}, ()),
    (Code.MAX_POSITION_SIZE_EXCEEDED, {}, (("BorrowMarketSettings", ["main", "BTC"], "max_position_usd", 10**30),)),
    (Code.MAX_LONGS_EXCEEDED, {}, (("BorrowMarketSettings", ["main", "BTC"], "max_long_usd", 10**30),)),
    (Code.INVALID_PLEDGE_AMOUNT, {"collateral": 0}, ()),
    (Code.COLLATERAL_PRICE_BELOW_FLOOR, {"collateral_price_floor": 60_001 * 10**30}, ()),
    (Code.INVALID_OPEN_AMOUNT, {"amount": 0}, ()),
    (Code.MAX_RESERVE_EXCEEDED, {"reserve": 10**8 + 1}, ()),
    (Code.OPEN_FEE_EXCEEDS_COLLATERAL, {"collateral": 10**5, "reserve": 0}, ()),
    (Code.COLLATERAL_BELOW_MINIMUM, {"collateral": 2 * 10**5, "reserve": 0}, ()),
    (Code.MAX_LEVERAGE_EXCEEDED, {"collateral": 2_199_999, "reserve": 0}, ()),
    (
        Code.RESERVE_BELOW_MINIMUM,
        {"reserve": 10**7 - 1},
        (("BorrowMarketSettings", ["main", "BTC"], "rules.min_reserve", 10**17),),
    ),
    (Code.INSUFFICIENT_BALANCE, {"collateral": 10**7 + 1}, ()),
]


@pytest.mark.parametrize(("code", "fields", "settings"), BREAKS, ids=[row[0].value for row in BREAKS])
def test_each_step_refuses_with_its_own_code(code: Code, fields: dict, settings: tuple) -> None:
    """A4, O8: one broken step, one code."""
    venue = Venue()
    for change in settings:
        venue.set(*change)
    assert venue.refused("ann", venue.long(**fields)) == code


@pytest.mark.parametrize("place", range(len(BREAKS) - 1), ids=[row[0].value for row in BREAKS[:-1]])
def test_the_earlier_step_decides(place: int) -> None:
    """O8: a command that breaks a step and the next ones is refused for the first."""
    venue = Venue()
    fields: dict = {}
    for _, changed, settings in reversed(BREAKS[place : place + 3]):
        fields |= changed
        for change in settings:
            venue.set(*change)
    assert venue.refused("ann", venue.long(**fields)) == BREAKS[place][0]


def test_largest_leverage_is_allowed_exactly() -> None:
    """O8: at the limit a position opens; one unit less of collateral does not."""
    venue = Venue()
    # 1 BTC of size at 50x needs 0.02 BTC after a fee of 0.002 BTC.
    assert venue.send("ann", venue.long(collateral=2_200_000, reserve=0)).accepted


def test_a_short_is_refused_below_its_price_and_limit() -> None:
    """O8: the mirrored thresholds of a short."""
    venue = Venue()
    assert venue.refused("bob", venue.short(acceptable_price=60_001 * 10**30)) == Code.PRICE_BELOW_ACCEPTABLE
    venue.set("BorrowMarketSettings", ["main", "BTC"], "max_short_usd", 10**30)
    assert venue.refused("bob", venue.short()) == Code.MAX_SHORTS_EXCEEDED


def test_stale_prices_stop_opening() -> None:
    """A7: an index or collateral price older than its limit is no basis for new risk."""
    venue = Venue()
    command = venue.long()
    venue.now += 121
    assert venue.refused("ann", command) == Code.STALE_PRICE
