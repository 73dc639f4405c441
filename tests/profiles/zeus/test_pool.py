"""The pool: shares, fees by balance, swaps, cool-down, guards (E1 to E4)."""

from __future__ import annotations

import pytest

from tests.profiles.zeus.desk import founded, held, refused, set_parameter
from zlp import Rejected, Venue
from zlp.engine import Code
from zlp.engine.commands.custody import RequestWithdrawal, Transfer
from zlp.engine.commands.liquidity import Burn, Donate, Mint, Swap
from zlp.engine.fixed import mul_div_down
from zlp.engine.leaves.prices import FastFeedSettings


@pytest.fixture
def venue() -> Venue:
    """A pool at its target weights."""
    return founded()


def fee(venue: Venue, token: str, amount: str) -> int:
    """Fee in bps of minting."""
    rate: int = venue.mint("alice", token, amount).event("SharesMinted").fee_rate
    return rate


def test_minting_away_from_the_target_is_taxed(venue: Venue) -> None:
    """E3: 25 bps, and more the farther the token ends from its target."""
    small, large = fee(venue, "ETH", "10"), fee(venue, "ETH", "500")

    assert 25 <= small < large <= 85


def test_a_stable_is_taxed_less(venue: Venue) -> None:
    """E3: at most 5 bps on top of 25."""
    assert 25 < fee(venue, "USDC", "1900000") <= 30


def test_balancing_pays_the_base_fee_without_rebate(venue: Venue) -> None:
    """E3: a burn that moves an overweight token back costs 25 bps, no less."""
    venue.mint("alice", "ETH", "500")
    venue.advance(900)
    burned = venue.burn("alice", "ETH", "100000")

    assert burned.event("SharesBurned").fee_rate == 25


def test_a_rebate_is_an_option(venue: Venue) -> None:
    """E3: with it, the same burn is cheaper than the base fee."""
    set_parameter(venue, "PoolSettings", '["main"]', "swap_fees.rebate", "true")
    venue.mint("alice", "ETH", "500")
    venue.advance(900)

    assert venue.burn("alice", "ETH", "100000").event("SharesBurned").fee_rate < 25


def test_swap_fees(venue: Venue) -> None:
    """E3: 25 bps between tokens, 1 bp between stables, plus the tax on the side that worsens."""
    stable = venue.swap("alice", "USDC", "USDT", amount="100").event("Swapped")
    token = venue.swap("alice", "ETH", "BTC", amount="0.01").event("Swapped")

    assert 1 <= stable.fee_rate <= 6
    assert 25 <= token.fee_rate <= 85


def test_shares_are_priced_on_the_pool(venue: Venue) -> None:
    """E2: shares = value after fee x supply / pool value, rounded down."""
    event = venue.mint("alice", "USDC", "1000").event("SharesMinted")

    assert event.shares == mul_div_down(event.value_usd, event.supply, event.pool_value_usd)


def test_mint_then_burn_loses_the_fees(venue: Venue) -> None:
    """E2: no profit in a round trip."""
    before = held(venue, "alice", "USDC")
    shares = venue.mint("alice", "USDC", "10000").event("SharesMinted").shares
    venue.advance(900)
    venue.apply("alice", Burn(pool="main", token="USDC", shares=shares))

    lost = before - held(venue, "alice", "USDC")
    assert 50_000_000 <= lost + 1 <= 70_000_000


def test_the_cooldown(venue: Venue) -> None:
    """E2: fifteen minutes after minting, not a second less."""
    shares = venue.mint("alice", "USDC", "1000").event("SharesMinted").shares
    burn = Burn(pool="main", token="USDC", shares=shares)
    venue.advance(899)
    assert refused(venue, "alice", burn) is Code.COOLDOWN_NOT_PASSED

    venue.advance(1)
    venue.apply("alice", burn)


def test_shares_dont_leave_their_minter_before_the_cooldown(venue: Venue) -> None:
    """E2: nobody gets round it by burning from another account, inside the venue or through the bridge."""
    shares = venue.mint("alice", "USDC", "1000").event("SharesMinted").shares
    send = Transfer(token="ZLP", to="bob", amount=shares)
    leave = RequestWithdrawal(token="ZLP", amount=shares, destination="0xbob")
    venue.advance(899)
    assert refused(venue, "alice", send) is Code.COOLDOWN_NOT_PASSED
    assert refused(venue, "alice", leave) is Code.COOLDOWN_NOT_PASSED
    venue.apply("alice", Transfer(token="USDC", to="bob", amount=1))

    venue.advance(1)
    venue.apply("alice", send)
    venue.apply("bob", Burn(pool="main", token="USDC", shares=shares))


def test_a_share_of_mint_fees_can_stay_in_the_pool(venue: Venue) -> None:
    """E14: 0 by default, a parameter."""
    assert venue.mint("alice", "USDC", "1000").event("FeeCharged").to_pool == 0
    set_parameter(venue, "PoolSettings", '["main"]', "fee_to_pool_bps", 4_000)

    event = venue.mint("alice", "USDC", "1000").event("FeeCharged")

    assert event.to_pool == event.amount * 4 // 10


def test_one_sided_open_interest_can_cost_more(venue: Venue) -> None:
    """E3: the optional surcharge, at most its setting, off by default."""
    venue.open_position("bob", "ETH", "long", amount="5", leverage=5)
    before = fee(venue, "ETH", "1")
    set_parameter(venue, "PoolSettings", '["main"]', "skew_surcharge_bps", 40)

    assert fee(venue, "ETH", "1") == before + 40


def test_a_donation_belongs_to_the_providers(venue: Venue) -> None:
    """E2: no shares, a higher share price."""
    before = venue.desk.pools(venue.root.state, venue.now)[0].share_price
    venue.apply("alice", Donate(pool="main", token="USDC", amount=10**12))

    assert venue.desk.pools(venue.root.state, venue.now)[0].share_price > before


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (Mint(pool="main", token="USDC", amount=0), Code.ZERO_AMOUNT),
        (Mint(pool="side", token="USDC", amount=1), Code.UNKNOWN_POOL),
        (Mint(pool="main", token="ZLP", amount=1), Code.INSUFFICIENT_BALANCE),
        (Mint(pool="main", token="USDC", amount=10**6, min_shares=10**18), Code.SHARES_BELOW_MINIMUM),
        (Burn(pool="main", token="USDC", shares=0), Code.ZERO_AMOUNT),
        (Burn(pool="main", token="USDC", shares=1), Code.INSUFFICIENT_BALANCE),
        (Swap(pool="main", path=("ETH",), amount=1), Code.INVALID_PATH),
        (Swap(pool="main", path=("ETH", "ETH"), amount=1), Code.SAME_TOKEN),
        (Swap(pool="main", path=("ETH", "ZLP"), amount=1), Code.OUTPUT_NOT_LISTED),
        (Swap(pool="main", path=("ETH", "BTC"), amount=10**18, min_amount=5 * 10**6), Code.AMOUNT_BELOW_MINIMUM),
        (Swap(pool="main", path=("ETH", "USDC"), amount=999 * 10**18), Code.POOL_INSUFFICIENT),
    ],
)
def test_what_the_pool_refuses(venue: Venue, command: Mint | Burn | Swap, code: Code) -> None:
    """E1, A4: each with its code, and nothing changes."""
    assert refused(venue, "alice", command) is code


def test_stale_prices_stop_new_risk(venue: Venue) -> None:
    """A7: an old price stops minting and swapping."""
    venue.advance(2 * 3_600 + 1)

    assert refused(venue, "alice", Mint(pool="main", token="USDC", amount=10**6)) is Code.STALE_PRICE
    assert refused(venue, "alice", Swap(pool="main", path=("ETH", "USDC"), amount=10**18)) is Code.STALE_PRICE


def test_a_dispute_widens_the_prices(venue: Venue) -> None:
    """E5: two of three signers force the primary price and its spread."""
    from zlp.engine.commands.prices import DisputePrices

    assert venue.price("ETH") == (2_000, 2_000)
    for signer in ("price-signer-1", "price-signer-2"):
        venue.apply(signer, DisputePrices(dispute=True))

    low, high = venue.price("ETH")
    assert (low, high) == (1_998, 2_002)
    venue.apply("price-signer-1", DisputePrices(dispute=False))
    assert venue.price("ETH") == (2_000, 2_000)


def test_a_silent_fast_feed_widens_the_prices(venue: Venue) -> None:
    """E5, A7: 20 bps after five minutes, 50 bps after an hour."""
    venue.advance(301)
    assert venue.price("ETH") == (1_996, 2_004)
    venue.advance(3_600)
    assert venue.price("ETH") == (1_990, 2_010)


@pytest.mark.parametrize(
    ("primary", "fast", "age", "pair"),
    [
        (10_000, 10_100, 300, (10_100, 10_100)),  # exactly the limits: live, and 100 bps away
        (1_000_000, 1_010_099, 0, (1_010_099, 1_010_099)),  # 100.99 bps are 100
        (10_000, 10_101, 0, (9_990, 10_111)),  # both count, and 10 bps more
        (10_000, 9_899, 0, (9_889, 10_010)),
        (10_000, 10_100, 301, (9_980, 10_020)),  # 20 bps
        (10_000, 10_100, 3_600, (9_980, 10_020)),
        (10_000, 10_100, 3_601, (9_950, 10_050)),  # 50 bps
        (10_000, 0, 0, (10_000, 10_000)),  # never posted
    ],
)
def test_which_price_counts(venue: Venue, primary: int, fast: int, age: int, pair: tuple[int, int]) -> None:
    """E5, A7: the fast price while it is live and near; beside the primary when far; the primary once old."""
    settings = venue.root.state.get(FastFeedSettings, ())
    assert settings is not None
    assert tuple(settings.guard.price(primary, fast, age, True, maximise) for maximise in (False, True)) == pair


def test_the_facade_explains_a_refusal(venue: Venue) -> None:
    """A4: code, limit and value."""
    with pytest.raises(Rejected) as caught:
        venue.mint("alice", "USDC", "99999999")

    assert caught.value.rejection.code is Code.INSUFFICIENT_BALANCE
    assert caught.value.rejection.actual == 99_999_999 * 10**6
