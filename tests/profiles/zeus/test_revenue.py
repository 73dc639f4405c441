"""Where fees go: buckets, the treasury, the soulbound token, epochs (E4, E12, E13, E14)."""

from __future__ import annotations

import pytest

from tests.profiles.zeus.desk import DOLLAR, ETHER, founded, held, immediate, refused, set_parameter
from zlp import Venue
from zlp.engine import Code
from zlp.engine.codec import canonical
from zlp.engine.commands.base import Command
from zlp.engine.commands.custody import Transfer
from zlp.engine.commands.governance import Approve, Propose
from zlp.engine.commands.isolated import DecreasePosition, IncreasePosition
from zlp.engine.commands.liquidity import Burn
from zlp.engine.commands.revenue import (
    AllocateFees,
    BurnBought,
    Buyback,
    ClaimEpoch,
    CloseEpoch,
    CollectFees,
    FundEpoch,
    JoinEpoch,
    MintSoulbound,
)
from zlp.engine.leaves.revenue import EpochScore

DAY = 86_400


@pytest.fixture
def venue() -> Venue:
    """A venue with a balanced pool, direct execution, and fees collected from the first mints."""
    return immediate(founded())


def treasurer(venue: Venue, command: Command) -> None:
    """Two of three treasurers approve a command."""
    proposal = Propose(multisig="treasury", command=canonical(command).decode(), expires=venue.now + DAY)
    number = venue.apply("treasurer-1", proposal).event("Proposed").number
    venue.apply("treasurer-2", Approve(proposal=number))


def trade(venue: Venue, account: str, dollars: int = 10_000) -> None:
    """A long of some size."""
    venue.apply(
        account,
        IncreasePosition(
            pool="main",
            market="ETH",
            collateral="ETH",
            is_long=True,
            amount=5 * ETHER,
            size_delta=dollars * DOLLAR,
        ),
    )


def test_a_quarter_of_what_is_collected_is_set_aside(venue: Venue) -> None:
    """E12, E14: 25 % for soulbound holders, the rest to the treasury; nothing streams to LPs."""
    outcome = venue.apply("anyone", CollectFees(pool="main", token="ETH"))
    event = outcome.event("FeesCollected")
    total = event.treasury + event.soulbound

    assert event.soulbound == total // 4
    assert (event.buyback, event.providers) == (0, 0)
    assert held(venue, "fees:treasury", "ETH") == event.treasury
    assert refused(venue, "anyone", CollectFees(pool="main", token="ETH")) is Code.ZERO_AMOUNT


def test_the_router_to_providers_exists_and_is_off(venue: Venue) -> None:
    """E4: governance can stream a share back into the pool."""
    set_parameter(venue, "RevenueSettings", '["main"]', "providers_bps", 5_000)

    event = venue.apply("anyone", CollectFees(pool="main", token="ETH")).event("FeesCollected")

    assert event.providers > 0
    assert venue.audit() == []


def test_only_the_multisig_spends_the_treasury(venue: Venue) -> None:
    """E4, A8: a treasurer alone can't; two of three can."""
    venue.apply("anyone", CollectFees(pool="main", token="ETH"))
    spend = AllocateFees(bucket="treasury", token="ETH", amount=10**15, to="programme")
    assert refused(venue, "treasurer-1", spend) is Code.ROLE_REQUIRED

    treasurer(venue, spend)

    assert held(venue, "programme", "ETH") == 10**15


def test_what_is_set_aside_for_holders_leaves_only_through_epochs(venue: Venue) -> None:
    """E12: not even the multisig pays the holders' quarter to somebody else."""
    venue.apply("anyone", CollectFees(pool="main", token="ETH"))
    amount = held(venue, "fees:soulbound", "ETH")
    take = AllocateFees(bucket="soulbound", token="ETH", amount=amount, to="programme")
    with pytest.raises(ValueError, match="action_not_allowed"):
        treasurer(venue, take)

    assert held(venue, "fees:soulbound", "ETH") == amount > 0


def test_buying_back_and_burning(venue: Venue) -> None:
    """E14: the buyback bucket is swapped at the pool's price, and burned if the token allows it."""
    set_parameter(venue, "RevenueSettings", '["main"]', "buyback_bps", 1_000)
    venue.apply("anyone", CollectFees(pool="main", token="ETH"))
    amount = held(venue, "fees:buyback", "ETH")
    treasurer(venue, Buyback(pool="main", path=("ETH", "USDC"), amount=amount, min_amount=1))
    bought = held(venue, "fees:buyback", "USDC")
    assert bought > 0

    with pytest.raises(ValueError, match="not_burnable"):
        treasurer(venue, BurnBought(token="USDC", amount=bought))

    set_parameter(venue, "Token", '["USDC"]', "burnable", "true")
    treasurer(venue, BurnBought(token="USDC", amount=bought))
    assert held(venue, "fees:buyback", "USDC") == 0
    assert venue.audit() == []


def test_the_soulbound_token_costs_ten_dollars_once(venue: Venue) -> None:
    """E12: $10 in any listed token, once per account; it is no token one could send."""
    before = held(venue, "alice", "USDC")
    venue.apply("alice", MintSoulbound(pool="main", token="USDC", max_amount=10_000_000))

    assert before - held(venue, "alice", "USDC") == 10_000_000
    assert held(venue, "fees:treasury", "USDC") == 10_000_000
    again = MintSoulbound(pool="main", token="USDC", max_amount=10_000_000)
    assert refused(venue, "alice", again) is Code.ALREADY_SOULBOUND
    assert refused(venue, "bob", MintSoulbound(pool="main", token="ETH", max_amount=1)) is Code.AMOUNT_BELOW_MINIMUM


def epoch(venue: Venue, score: str, amount: int = 10**17) -> int:
    """An epoch over the next day, funded from what was set aside for holders."""
    venue.apply("anyone", CollectFees(pool="main", token="ETH"))
    treasurer(
        venue,
        FundEpoch(
            pool="main",
            bucket="soulbound",
            token="ETH",
            amount=amount,
            starts=venue.now,
            ends=venue.now + DAY,
            score=score,
        ),
    )
    for account in ("alice", "bob"):
        venue.apply(account, MintSoulbound(pool="main", token="USDC", max_amount=10**8))
        venue.apply(account, JoinEpoch(epoch=1))
    return 1


def claimed(venue: Venue, account: str) -> int:
    """What an account takes out of the epoch."""
    amount: int = venue.apply(account, ClaimEpoch(epoch=1)).event("EpochClaimed").amount
    return amount


def test_an_epoch_pays_by_volume(venue: Venue) -> None:
    """E13: three times the volume, three times the reward; only after the end, only once."""
    epoch(venue, "volume")
    trade(venue, "alice", 30_000)
    trade(venue, "bob", 10_000)
    trade(venue, "carol", 10_000)
    assert refused(venue, "alice", ClaimEpoch(epoch=1)) is Code.EPOCH_NOT_OVER

    venue.advance(DAY)

    assert claimed(venue, "alice") == 75 * 10**15
    assert claimed(venue, "bob") == 25 * 10**15
    assert refused(venue, "alice", ClaimEpoch(epoch=1)) is Code.NOTHING_TO_CLAIM
    assert refused(venue, "carol", ClaimEpoch(epoch=1)) is Code.NOTHING_TO_CLAIM
    assert venue.audit() == []


def test_what_changes_hands_is_the_volume(venue: Venue) -> None:
    """E13: what is added to a position and taken off it, and a swap; not the position's size, nor collateral."""
    epoch(venue, "volume")
    trade(venue, "alice", 20_000)
    trade(venue, "alice", 25_000)
    trade(venue, "alice", 0)
    close = DecreasePosition(pool="main", market="ETH", collateral="ETH", is_long=True, size_delta=4_000 * DOLLAR)
    venue.apply("alice", close)
    venue.swap("alice", "ETH", "USDC", amount="1")

    score = venue.root.state.get(EpochScore, (1, "alice"))
    assert score is not None
    assert score.points == (20_000 + 25_000 + 4_000 + 2_000) * DOLLAR


def test_rewards_round_down(venue: Venue) -> None:
    """E13, A3: seven dollars of volume out of nine do not earn the eighth of ten units."""
    epoch(venue, "volume", amount=10)
    for account, amount in (("alice", "7"), ("bob", "2")):
        venue.swap(account, "USDC", "USDT", amount=amount)
    venue.advance(DAY)

    assert (claimed(venue, "alice"), claimed(venue, "bob")) == (7, 2)


def test_an_epoch_pays_by_fees(venue: Venue) -> None:
    """E13: what was paid in fees decides."""
    epoch(venue, "fees")
    trade(venue, "alice", 10_000)

    venue.advance(DAY)

    assert claimed(venue, "alice") == 10**17


def test_an_epoch_pays_by_shares_held_over_time(venue: Venue) -> None:
    """E13: half the day with the same shares earns half; shares sent away stop earning."""
    venue.mint("alice", "USDC", "1000")
    epoch(venue, "shares")
    venue.advance(DAY // 2)
    shares = held(venue, "alice", "ZLP")
    venue.apply("alice", Transfer(token="ZLP", to="bob", amount=shares))
    venue.advance(DAY // 2)

    assert claimed(venue, "alice") == claimed(venue, "bob") == 5 * 10**16


def test_shares_bought_later_earn_from_then_on(venue: Venue) -> None:
    """E13: a quarter of the day with one part and three with two is seven quarters; burned shares stop earning."""
    for account in ("alice", "bob"):
        venue.mint(account, "USDC", "1000")
    epoch(venue, "shares")
    shares = held(venue, "alice", "ZLP")
    venue.advance(DAY // 4)
    venue.set_prices(ETH="2000", BTC="40000", USDC="1", USDT="1")
    venue.apply("bob", Burn(pool="main", token="USDC", shares=held(venue, "bob", "ZLP")))
    more = venue.mint("alice", "USDC", "1000").event("SharesMinted").shares
    venue.advance(DAY * 3 // 4)

    earned = shares * DAY + more * (DAY * 3 // 4)
    others = (2 * shares) * (DAY // 4) - shares * (DAY // 4)
    assert abs(claimed(venue, "alice") - 10**17 * earned // (earned + others)) < 10**15


def test_unclaimed_rewards_return(venue: Venue) -> None:
    """E13: after the claim window the treasurer closes the epoch; what is left goes back to its bucket."""
    epoch(venue, "volume")
    trade(venue, "alice")
    trade(venue, "bob")
    venue.advance(DAY)
    taken = claimed(venue, "alice")
    bucket = held(venue, "fees:soulbound", "ETH")
    with pytest.raises(ValueError, match="epoch_not_over"):
        treasurer(venue, CloseEpoch(epoch=1))

    venue.advance(30 * DAY)
    venue.set_prices(ETH="2000", BTC="40000", USDC="1", USDT="1")
    treasurer(venue, CloseEpoch(epoch=1))

    assert held(venue, "fees:soulbound", "ETH") - bucket == 10**17 - taken
    assert refused(venue, "bob", ClaimEpoch(epoch=1)) is Code.UNKNOWN_EPOCH


def test_taking_part_needs_the_soulbound_token(venue: Venue) -> None:
    """E12, E13: and an epoch that is not over."""
    epoch(venue, "volume")
    assert refused(venue, "carol", JoinEpoch(epoch=1)) is Code.NOT_SOULBOUND
    venue.apply("carol", MintSoulbound(pool="main", token="USDC", max_amount=10**8))
    venue.advance(DAY)

    assert refused(venue, "carol", JoinEpoch(epoch=1)) is Code.EPOCH_OVER


def test_an_epoch_needs_sensible_terms(venue: Venue) -> None:
    """E13: a known score, a future, a funded bucket."""
    venue.apply("anyone", CollectFees(pool="main", token="ETH"))
    good = {"pool": "main", "bucket": "soulbound", "token": "ETH", "amount": 1, "score": "volume"}
    times = {"starts": venue.now, "ends": venue.now + DAY}
    for changes, code in (
        ({"score": "luck"}, "invalid_setting"),
        ({"starts": venue.now - 1}, "invalid_setting"),
        ({"bucket": "piggy"}, "unknown_bucket"),
        ({"amount": 10**30}, "insufficient_balance"),
    ):
        with pytest.raises(ValueError, match=code):
            treasurer(venue, FundEpoch(**{**good, **times, **changes}))  # type: ignore[arg-type]
