"""Minting, burning and swapping: values, band fees, their division, and refusals."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.profiles.zo.venue import SEED, TREASURY, USD, Venue
from zlp.engine import Code
from zlp.engine.codec import canonical
from zlp.engine.commands.custody import Transfer
from zlp.engine.commands.governance import Configure
from zlp.engine.commands.liquidity import Burn, Donate, Mint, Swap
from zlp.engine.events.ledger import Transferred
from zlp.engine.events.liquidity import FeeCharged, SharesBurned, SharesMinted, Swapped
from zlp.engine.leaves.borrowed import BorrowMarketSettings
from zlp.engine.leaves.coin_vaults import BorrowPoolSettings, CoinVaultSettings
from zlp.engine.leaves.ledger import Token
from zlp.engine.mechanisms.swap_fees import RebaseCurve


def mint(token: str, amount: int, **fields: int | str) -> Mint:
    return Mint(**({"pool": "main", "token": token, "amount": amount} | fields))


def event_of(receipt, kind):
    return next(event for event in receipt.events if isinstance(event, kind))


def test_the_first_shares_cost_a_dollar() -> None:
    """O9: 1234.567891 USDC are 1234.567891 shares, without a fee: the only asset has nothing to balance."""
    venue = Venue(seeded=False)
    venue.give("lp", "USDC", 1_234_567_891)
    venue.ok("lp", mint("USDC", 1_234_567_891))
    assert venue.held("lp", "ZLP") == 1_234_567_891
    assert venue.share() == USD


def test_shares_are_priced_again_at_every_deposit() -> None:
    """O9: after BTC rises, the same deposit makes fewer shares."""
    venue = Venue()
    venue.give("ann", "SOL", 2 * 10**9)
    first = event_of(venue.ok("ann", mint("SOL", 10**9)), SharesMinted)
    venue.later(1, BTC=90_000)
    second = event_of(venue.ok("ann", mint("SOL", 10**9)), SharesMinted)
    assert second.pool_value_usd > first.pool_value_usd
    assert second.shares < first.shares
    assert second.shares == pytest.approx(150 * USD * second.supply / second.pool_value_usd, rel=1e-2)


def usdc_at(weight: float) -> Venue:
    """A pool whose USDC (target 26 %) has about this weight, the rest at their targets."""
    venue = Venue(seeded=False)
    venue.set("BorrowPoolSettings", ["main"], "swap_fees", {"type": "rebase_curve", "base": 10**14})
    rest = 10_000_000 * (1 - weight) / 74
    for token, share in SEED.items():
        worth = 10_000_000 * weight if token == "USDC" else rest * share
        amount = int(worth * venue.unit(token) / venue.prices[token])
        venue.give("lp", token, amount)
        venue.ok("lp", mint(token, amount))
    venue.set("BorrowPoolSettings", ["main"], "swap_fees", {"type": "weight_band"})
    return venue


@pytest.mark.parametrize(
    ("weight", "deposit_bps", "withdraw_bps"),
    [(0.26, 0, 0), (0.28, 38, 0), (0.33, 100, 0), (0.24, 0, 38), (0.20, 0, 100)],
)
def test_fees_follow_the_band(weight: float, deposit_bps: int, withdraw_bps: int) -> None:
    """O3: 26 % +-20 %: above it deposits pay up to 100 bps and withdrawals nothing; below it the reverse."""
    venue = usdc_at(weight)
    venue.give("ann", "USDC", 1_000_000)
    deposit = event_of(venue.ok("ann", mint("USDC", 1_000_000)), SharesMinted)
    withdrawal = event_of(venue.ok("lp", Burn(pool="main", token="USDC", shares=1_000_000)), SharesBurned)
    for event, expected in ((deposit, deposit_bps), (withdrawal, withdraw_bps)):
        assert event.fee_rate * 10_000 / event.fee_scale == pytest.approx(expected, abs=0.6)


def test_three_quarters_of_mint_burn_and_swap_fees_stay() -> None:
    """O4: of each fee 25 % go to the treasury in the token it was paid in, the rest is the pool's."""
    venue = usdc_at(0.33)
    venue.give("ann", "USDC", 10**12)
    before = venue.held(TREASURY, "USDC")
    charged = event_of(venue.ok("ann", mint("USDC", 10**11)), FeeCharged)
    assert (charged.kind, charged.amount, charged.to_pool) == ("mint", 10**9, 75 * 10**7)
    assert venue.held(TREASURY, "USDC") - before == 25 * 10**7
    fees = venue.ok("ann", Swap(pool="main", path=("USDC", "BTC"), amount=10**11)).events
    swapped = [event for event in fees if isinstance(event, FeeCharged)]
    assert [event.token for event in swapped] == ["USDC", "BTC"]
    for event in swapped:
        assert event.to_pool == pytest.approx(event.amount * 0.75, abs=2)
    burned = event_of(venue.ok("lp", Burn(pool="main", token="BTC", shares=10**11)), FeeCharged)
    assert burned.kind == "burn"
    assert burned.to_pool == pytest.approx(burned.amount * 0.75, abs=2)
    assert venue.root.audit() == []


def test_a_hard_band_refuses_what_leaves_it() -> None:
    """O3: outside the band, on its own side, an action is refused; the way back stays open."""
    venue = usdc_at(0.33)
    venue.set("BorrowPoolSettings", ["main"], "swap_fees.hard", True)
    venue.give("ann", "USDC", 10**9)
    assert venue.refused("ann", mint("USDC", 10**9)) == Code.WEIGHT_OUT_OF_BAND
    venue.ok("lp", Burn(pool="main", token="USDC", shares=10**9))


def test_the_rebase_curve_is_another_mechanism() -> None:
    """O3: base 1 bp, plus 0.01 of the distance beyond the target; its only asset pays nothing."""
    venue = usdc_at(0.33)
    venue.set("BorrowPoolSettings", ["main"], "swap_fees", {"type": "rebase_curve"})
    venue.give("ann", "USDC", 10**6)
    minted = event_of(venue.ok("ann", mint("USDC", 10**6)), SharesMinted)
    assert minted.fee_rate / minted.fee_scale == pytest.approx(0.0001 + 0.01 * 0.07, rel=1e-2)
    assert RebaseCurve().invalid() is None


def test_a_swap_pays_for_both_vaults() -> None:
    """O3: BTC for ETH at the oracle price, less the two fees."""
    venue = Venue()
    venue.give("ann", "BTC", 10**7)
    receipt = venue.ok("ann", Swap(pool="main", path=("BTC", "ETH"), amount=10**7, to="bob"))
    swapped = event_of(receipt, Swapped)
    assert swapped.gross_out == 2 * 10**8
    assert venue.held("bob", "ETH") == swapped.amount_out < swapped.gross_out


def test_lent_coins_can_not_be_withdrawn() -> None:
    """O1: what positions have borrowed stays, however many shares are burned."""
    venue = Venue()
    venue.give("ann", "BTC", 9 * 10**8)
    venue.ok("ann", venue.long(collateral=9 * 10**8, amount=10**9, reserve=40 * 10**8))
    shares = 2_000_000 * 10**6
    assert venue.refused("lp", Burn(pool="main", token="BTC", shares=shares)) == Code.POOL_INSUFFICIENT
    venue.ok("lp", Burn(pool="main", token="USDC", shares=shares))


def test_shares_change_hands() -> None:
    """O7: ZLP moves between accounts, with an event."""
    venue = Venue()
    moved = event_of(venue.ok("lp", Transfer(token="ZLP", to="ann", amount=5)), Transferred)
    assert (moved.token, moved.source, moved.target, moved.amount) == ("ZLP", "lp", "ann", 5)
    assert venue.held("ann", "ZLP") == 5


def test_a_deposit_goes_to_its_pool() -> None:
    """O9: a second pool of the venue has vaults, shares and a value of its own."""
    venue = Venue()
    for record in (
        Token("ALT", 6, issued=True),
        BorrowPoolSettings("alt", "ALT", RebaseCurve()),
        CoinVaultSettings("alt", "USDC", weight=1),
    ):
        venue.ok("governor", Configure(settings=canonical(record).decode()))
    before = venue.vault("USDC")
    venue.give("ann", "USDC", 10**9)
    venue.ok("ann", mint("USDC", 10**9, pool="alt"))
    assert venue.held("ann", "ALT") == 10**9
    assert venue.vault("USDC", "alt").liquidity == 10**9
    assert venue.vault("USDC") == before
    assert venue.root.audit() == []


def test_a_share_is_of_one_pool_and_stays_it() -> None:
    """O9, A3, A8: no second pool issues it, and a pool whose shares are out can't issue others instead."""
    venue = Venue()

    def configured(record: BorrowPoolSettings | BorrowMarketSettings) -> Configure:
        return Configure(settings=canonical(record).decode())

    assert venue.refused("governor", configured(BorrowPoolSettings("alt", "ZLP", RebaseCurve()))) == (
        Code.INVALID_SETTING
    )
    venue.ok("governor", Configure(settings=canonical(Token("ALT", 6, issued=True)).decode()))
    assert venue.refused("governor", configured(replace(venue.pool, share="ALT"))) == Code.SETTING_IN_USE
    empty = Venue(seeded=False)
    empty.ok("governor", Configure(settings=canonical(Token("ALT", 6, issued=True)).decode()))
    empty.ok("governor", configured(replace(empty.pool, share="ALT")))


def test_index_amounts_keep_their_decimals() -> None:
    """A3, A8: another number of decimals would make a hundredth of every open position, or a hundred."""
    venue = Venue()
    market = venue.root.state.get(BorrowMarketSettings, ("main", "BTC"))
    assert market is not None
    changed = Configure(settings=canonical(replace(market, decimals=6)).decode())
    assert venue.refused("governor", changed) == Code.SETTING_IN_USE


def test_a_gift_raises_the_share() -> None:
    """A3: donated coins are the pool's."""
    venue = Venue()
    before = venue.share()
    venue.give("ann", "USDC", 10**10)
    venue.ok("ann", Donate(pool="main", token="USDC", amount=10**10))
    assert venue.share() > before


REFUSED = [
    (Code.UNKNOWN_POOL, mint("USDC", 1, pool="other"), ()),
    (Code.MINT_DISABLED, mint("USDC", 1), (("BorrowPoolSettings", ["main"], "mint_enabled", False),)),
    (Code.COIN_NOT_LISTED, mint("DOGE", 1), ()),
    (Code.VAULT_DISABLED, mint("USDC", 1), (("CoinVaultSettings", ["main", "USDC"], "enabled", False),)),
    (Code.ZERO_AMOUNT, mint("USDC", 0), ()),
    (Code.SHARES_BELOW_MINIMUM, mint("USDC", 10**6, min_shares=10**7), ()),
    (Code.INSUFFICIENT_BALANCE, mint("USDC", 10**15), ()),
    (Code.ZERO_AMOUNT, Burn(pool="main", token="USDC", shares=0), ()),
    (Code.COIN_NOT_LISTED, Burn(pool="main", token="DOGE", shares=1), ()),
    (Code.INSUFFICIENT_BALANCE, Burn(pool="main", token="USDC", shares=10**14), ()),
    (Code.WITHDRAWAL_EXCEEDS_VAULT, Burn(pool="main", token="USDT", shares=5_000_000 * 10**6), ()),
    (Code.AMOUNT_BELOW_MINIMUM, Burn(pool="main", token="USDC", shares=10**6, min_amount=10**9), ()),
    (
        Code.SWAP_DISABLED,
        Swap(pool="main", path=(), amount=0),
        (("BorrowPoolSettings", ["main"], "swap_enabled", False),),
    ),
    (Code.INVALID_PATH, Swap(pool="main", path=("USDC",), amount=0), ()),
    (Code.ZERO_AMOUNT, Swap(pool="main", path=("USDC", "USDC"), amount=0), ()),
    (Code.SAME_TOKEN, Swap(pool="main", path=("USDC", "USDC"), amount=1), ()),
    (Code.SWAP_EXCEEDS_VAULT, Swap(pool="main", path=("USDC", "USDT"), amount=95 * 10**10), ()),
    (Code.AMOUNT_BELOW_MINIMUM, Swap(pool="main", path=("USDC", "USDT"), amount=10**6, min_amount=10**9), ()),
    (Code.ZERO_AMOUNT, Donate(pool="main", token="USDC", amount=0), ()),
]


@pytest.mark.parametrize(("code", "command", "changes"), REFUSED)
def test_refusals(code: Code, command: Mint, changes: tuple) -> None:
    """A4: each reason has its code and changes nothing."""
    venue = Venue()
    venue.give("lp", "USDC", 10**12)
    for change in changes:
        venue.set(*change)
    assert venue.refused("lp", command) == code


def test_a_pool_that_owes_more_than_it_has_sells_no_shares() -> None:
    """O9: without a positive value there is no price to mint or burn at."""
    venue = Venue(seeded=False)
    venue.give("lp", "USDC", 10**10)
    venue.ok("lp", mint("USDC", 10**10))
    venue.ok("bob", venue.short(reserve=10**9, collateral=6 * 10**9, amount=4 * 10**8))
    venue.later(60, BTC=30_000)
    assert venue.value() < 0
    assert venue.refused("lp", mint("USDC", 1_000)) == Code.POOL_VALUE_NOT_POSITIVE
    assert venue.refused("lp", Burn(pool="main", token="USDC", shares=1)) == Code.POOL_VALUE_NOT_POSITIVE


@given(
    st.sampled_from(sorted(SEED)),
    st.sampled_from(sorted(SEED)),
    st.integers(1, 10**7),
    st.integers(100, 9_000),
    st.booleans(),
)
@settings(max_examples=60)
def test_minting_then_burning_never_profits(token: str, out: str, thousandths: int, btc: int, trading: bool) -> None:
    """A3, O3: whatever the pool's weights and positions, in any two tokens, a round trip costs something or nothing."""
    venue = Venue()
    venue.post(BTC=10 * btc)
    if trading:
        venue.ok("bob", venue.short(collateral=5_900 * 10**6, amount=10**6))
        venue.later(3_600)
    amount = max(1, thousandths * venue.unit(token) // (1_000 * int(venue.prices[token])))
    venue.give("ann", token, amount)
    value = amount * int(venue.prices[token]) * USD // venue.unit(token)
    if not venue.send("ann", mint(token, amount)).accepted:
        return
    burned = venue.send("ann", Burn(pool="main", token=out, shares=venue.held("ann", "ZLP")))
    if burned.accepted:
        got = venue.held("ann", out) * int(venue.prices[out]) * USD // venue.unit(out)
        assert got <= value
