"""Limits met exactly, to the unit: what still passes, and what does not any more."""

from __future__ import annotations

import pytest

from tests.profiles.zo.venue import TREASURY, USD, Venue
from zlp.desks.base import reading
from zlp.engine import Code
from zlp.engine.branches.borrowed.positions import situation
from zlp.engine.branches.borrowed.settlement import carry_of
from zlp.engine.commands import borrowed
from zlp.engine.commands.liquidity import Burn, Mint, Swap
from zlp.engine.events.liquidity import FeeCharged
from zlp.engine.leaves.borrowed import BorrowedPosition
from zlp.engine.leaves.coin_vaults import CoinVault
from zlp.engine.mechanisms.borrowing import HourlyBorrow


def free(*, threshold: int | None = None) -> Venue:
    """A venue in which trading BTC and borrowing USDC cost nothing, and profits may be taken at once."""
    venue = Venue()
    for field in ("open_fee", "close_fee", "min_holding"):
        venue.set("BorrowMarketSettings", ["main", "BTC"], f"rules.{field}", 0)
    venue.set("CoinVaultSettings", ["main", "USDC"], "borrow.rate_8h", 0)
    if threshold is not None:
        venue.set("BorrowMarketSettings", ["main", "BTC"], "rules.liquidation_threshold", threshold)
    return venue


def test_a_profit_of_just_the_reserve_closes_the_whole() -> None:
    """O8: half of the position has won exactly the 3,000 USDC that it borrowed; nothing of it is left."""
    venue = free()
    venue.ok("bob", venue.short(reserve=3_000 * 10**6))
    venue.post(BTC=54_000)
    venue.ok("bob", venue.decrease(5 * 10**7))
    assert venue.root.state.get(BorrowedPosition, (1,)) is None
    assert venue.held("bob", "USDC") == 9_000 * 10**6


def test_liquidation_begins_at_the_threshold_itself() -> None:
    """O8: 5,700 USD are 95 % of 6,000; a loss of a dollar less stands."""
    venue = free()
    venue.ok("bob", venue.short())
    venue.post(BTC=65_699)
    assert venue.refused("kim", borrowed.LiquidateBorrowed(position=1)) == Code.POSITION_NOT_LIQUIDATABLE
    venue.post(BTC=65_700)
    venue.ok("kim", borrowed.LiquidateBorrowed(position=1))


def test_some_coin_stays_free() -> None:
    """O1, O8: all of the liquidity can't be borrowed, all but one base unit can."""
    venue = free()
    venue.give("bob", "USDC", 400_000 * 10**6)
    everything = venue.vault("USDC").liquidity
    terms = {"collateral": 300_000 * 10**6}
    assert venue.refused("bob", venue.short(reserve=everything, **terms)) == Code.RESERVE_EXCEEDS_LIQUIDITY
    venue.ok("bob", venue.short(reserve=everything - 1, **terms))


def test_limits_of_sizes_may_be_used_up() -> None:
    """E10, O8: a position and a side of just the limit; the next base unit is one too many."""
    venue = free()
    for field in ("max_position_usd", "max_short_usd"):
        venue.set("BorrowMarketSettings", ["main", "BTC"], field, 60_000 * USD)
    venue.ok("bob", venue.short())
    assert venue.refused("bob", venue.short(amount=10**6)) == Code.MAX_SHORTS_EXCEEDED
    assert venue.refused("bob", venue.short(amount=10**8 + 1)) == Code.MAX_POSITION_SIZE_EXCEEDED


def test_a_swap_leaves_something_in_the_vault() -> None:
    """O3: its worth, and its free coins, must stay below what is there."""
    venue = free()
    venue.set("BorrowPoolSettings", ["main"], "swap_fees.max_fee", 0)
    venue.give("ann", "USDC", 10**13)
    there = venue.vault("USDT").liquidity
    whole = Swap(pool="main", path=("USDC", "USDT"), amount=there)
    assert venue.refused("ann", whole) == Code.SWAP_EXCEEDS_VAULT
    venue.give("bob", "USDT", 6_000 * 10**6)
    venue.ok("bob", venue.short(token="USDT"))
    liquid = venue.vault("USDT").liquidity
    assert venue.refused("ann", Swap(pool="main", path=("USDC", "USDT"), amount=liquid)) == Code.POOL_INSUFFICIENT
    venue.ok("ann", Swap(pool="main", path=("USDC", "USDT"), amount=liquid - 1))


def test_the_last_provider_takes_all() -> None:
    """O9: shares worth all of a vault are burned for all of it."""
    venue = Venue(seeded=False)
    venue.give("lp", "USDC", 10**9)
    venue.ok("lp", Mint(pool="main", token="USDC", amount=10**9))
    venue.ok("lp", Burn(pool="main", token="USDC", shares=10**9))
    assert venue.held("lp", "USDC") == 10**9


def test_a_collateral_at_its_floor_is_good_enough() -> None:
    """O8: the floor is the lowest price that is accepted."""
    venue = free()
    assert venue.refused("bob", venue.short(collateral_price_floor=USD + 1)) == Code.COLLATERAL_PRICE_BELOW_FLOOR
    venue.ok("bob", venue.short(collateral_price_floor=USD))


@pytest.mark.parametrize(("held", "charged"), [(90, True), (91, False)])
def test_the_last_second_of_a_tier_still_costs(held: int, charged: bool) -> None:
    """O8: a profit taken within 90 seconds pays the tier's fee, one second later none."""
    venue = free()
    tiers = {"type": "instant_exit_fee", "tiers": [{"seconds": 90, "fee": 10**15}]}
    venue.set("BorrowMarketSettings", ["main", "BTC"], "instant_exit", tiers)
    venue.ok("bob", venue.short())
    venue.later(held, BTC=59_000)
    fees = [each for each in venue.ok("bob", venue.close()).events if isinstance(each, FeeCharged)]
    assert [each.amount for each in fees] == ([60 * 10**6] if charged else [])


def test_a_vaults_clock_starts_with_its_first_touch() -> None:
    """O1: nothing accrues before it, whatever is borrowed already."""
    untouched = CoinVault("main", "USDC", liquidity=10**9, reserved=10**9)
    started = untouched.accrued(HourlyBorrow(), 1_000)
    assert (started.rate_e18, started.owed_e18, started.updated_at) == (0, 0, 1_000)
    assert started.accrued(HourlyBorrow(), 1_001).rate_e18 > 0


def test_what_a_bankrupt_does_not_pay_is_not_divided() -> None:
    """O4: borrow fees of four months are more than the collateral; the treasury's quarter is of what was there."""
    venue = Venue()
    venue.set("CoinVaultSettings", ["main", "BTC"], "borrow.rate_8h", 10**17)
    venue.ok("ann", venue.long())
    venue.later(120 * 86_400)
    rest = venue.position().collateral - venue.position().collateral // 100
    treasury, liquidity = venue.held(TREASURY, "BTC"), venue.vault("BTC").liquidity
    venue.ok("kim", borrowed.LiquidateBorrowed(position=1))
    assert venue.held(TREASURY, "BTC") - treasury == rest // 4
    assert venue.vault("BTC").liquidity - liquidity == 5 * 10**7 + rest - rest // 4
    assert venue.root.audit() == []


def test_a_part_of_a_coin_that_is_owed_counts_as_one() -> None:
    """O1, O8: borrow fees are exact, but a settlement counts whole base units, rounded up."""
    venue = Venue()
    venue.ok("ann", venue.long())
    venue.later(61)
    position = venue.position()
    carry = carry_of(position, situation(reading(venue.root.state, venue.now), position).marks)
    whole, part = divmod(carry.borrow_e18, 10**18)
    assert part > 0
    assert carry.borrow_usd == (whole + 1) * 60_000 * USD // 10**8
