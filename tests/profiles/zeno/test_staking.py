"""Staked shares: revenue in m.USDC, emission in esZENO, vesting into ZENO (N4, N5)."""

from __future__ import annotations

import pytest

from tests.profiles.zeno.venue import POOL, Venue
from zlp.engine.commands.custody import Transfer
from zlp.engine.commands.fund import DistributeRevenue, WithdrawRevenue
from zlp.engine.commands.staking import (
    ClaimStreams,
    ClaimVested,
    LeaveVesting,
    SetAutomaticStaking,
    StakeShares,
    StartEmission,
    StartVesting,
    UnstakeShares,
)
from zlp.engine.events.staking import RevenueDistributed, StreamFed, Vested, VestingStarted
from zlp.engine.leaves.staking import Stake
from zlp.engine.rejections import Code

DAY, YEAR = 86_400, 365 * 86_400
ES = 10**18


@pytest.fixture
def venue() -> Venue:
    """Two stakers, the first with three times the second's stake."""
    venue = Venue()
    venue.mint("lp", "m.USDC", 750_000)
    venue.set("FundSettings", [POOL], "fees.dynamic", False)
    venue.mint("ann", "m.USDC", 250_000)
    venue.set("FundSettings", [POOL], "fees.dynamic", True)
    return venue


def staked(venue: Venue, account: str) -> int:
    """Base units staked."""
    found = venue.root.state.get(Stake, (POOL, account))
    return 0 if found is None else found.amount


def test_minted_shares_are_staked_unless_asked_otherwise(venue: Venue) -> None:
    """N5: automatic by default; an account can turn it off, and stake or unstake by hand."""
    assert staked(venue, "lp") == 750_000 * ES
    venue.do("bob", SetAutomaticStaking(pool=POOL, automatic=False))
    venue.mint("bob", "WETH", 1)
    assert staked(venue, "bob") == 0

    shares = venue.held("bob", "ZLP")
    venue.do("bob", StakeShares(pool=POOL, amount=shares))
    venue.do("bob", UnstakeShares(pool=POOL, amount=shares // 2))
    assert staked(venue, "bob") == shares - shares // 2
    assert venue.apply("bob", UnstakeShares(pool=POOL, amount=shares)) is Code.STAKE_INSUFFICIENT
    venue.check()


def test_half_of_the_revenue_streams_to_stakers_in_usdc(venue: Venue) -> None:
    """N4: all tokens of the bucket, exchanged with the fund at oracle prices, over seven days, by stake."""
    venue.margin("alice", "m.USDC", 50_000)
    venue.margin("bob", "WETH", 30)
    assert venue.trade("alice", "ETH", 1_000_000) is None
    assert venue.trade("bob", "ETH", -500_000) is None
    usdc, weth = venue.held("revenue:main", "m.USDC"), venue.held("revenue:main", "WETH")
    assert usdc > 0
    assert weth > 0

    venue.do("keeper", DistributeRevenue(pool=POOL))
    split = venue.seen(RevenueDistributed)
    assert [event.to_stakers for event in split] == [usdc // 2, weth // 2]
    assert split[1].paid == weth // 2 * 1_800 // 10**12
    fed = venue.seen(StreamFed)[0].amount
    assert fed == split[0].paid + split[1].paid
    assert venue.apply("keeper", DistributeRevenue(pool=POOL)) is Code.DISTRIBUTION_TOO_SOON

    venue.wait(DAY - 1)
    assert venue.apply("keeper", DistributeRevenue(pool=POOL)) is Code.DISTRIBUTION_TOO_SOON
    venue.wait(1)
    assert venue.apply("keeper", DistributeRevenue(pool=POOL)) is Code.BUCKET_INSUFFICIENT
    venue.now += 6 * DAY
    venue.do("lp", ClaimStreams(pool=POOL))
    venue.do("ann", ClaimStreams(pool=POOL))
    assert abs(venue.held("lp", "m.USDC") - fed * 3 // 4) <= 2
    assert abs(venue.held("ann", "m.USDC") - fed // 4) <= 2
    assert venue.held("lp", "m.USDC") + venue.held("ann", "m.USDC") <= fed
    venue.check()


def test_an_old_price_holds_up_its_own_token_only(venue: Venue) -> None:
    """N4, A7: the rest of the revenue reaches the stakers; what can't be exchanged now waits in the bucket."""
    venue.margin("alice", "m.USDC", 50_000)
    venue.margin("bob", "WETH", 30)
    assert venue.trade("alice", "ETH", 1_000_000) is None
    assert venue.trade("bob", "ETH", -500_000) is None
    usdc, weth = venue.held("revenue:main", "m.USDC"), venue.held("revenue:main", "WETH")
    venue.now += 3 * 3_600

    venue.do("keeper", DistributeRevenue(pool=POOL))
    assert [event.to_stakers for event in venue.seen(RevenueDistributed)] == [usdc // 2]
    assert venue.held("revenue:main", "WETH") == weth > 0


def test_only_the_treasurer_takes_the_rest(venue: Venue) -> None:
    """N4, A8: the treasury's half and the developers' bucket."""
    venue.margin("alice", "m.USDC", 50_000)
    assert venue.trade("alice", "ETH", 1_000_000) is None
    venue.do("keeper", DistributeRevenue(pool=POOL))
    held = venue.held("treasury:main", "m.USDC")
    take = WithdrawRevenue(pool=POOL, bucket="treasury", token="m.USDC", amount=held, to="safe")

    assert venue.apply("alice", take) is Code.ROLE_REQUIRED
    venue.do("treasurer", take)
    assert venue.held("safe", "m.USDC") == held > 0
    assert venue.apply("treasurer", take) is Code.BUCKET_INSUFFICIENT


def test_emission_follows_rate_and_stake(venue: Venue) -> None:
    """N5: an epoch set by governance; who unstakes keeps what was earned and earns no more."""
    venue.do("governor", StartEmission(pool=POOL, amount=1_000 * ES, seconds=10 * DAY))
    venue.now += 5 * DAY
    venue.do("ann", UnstakeShares(pool=POOL, amount=250_000 * ES))
    venue.now += 5 * DAY

    venue.do("lp", ClaimStreams(pool=POOL))
    venue.do("ann", ClaimStreams(pool=POOL))
    assert abs(venue.held("lp", "esZENO") - 875 * ES) < 10**7
    assert abs(venue.held("ann", "esZENO") - 125 * ES) < 10**7
    assert venue.apply("ann", ClaimStreams(pool=POOL)) is Code.NOTHING_TO_CLAIM


def test_a_new_epoch_takes_over_what_is_left(venue: Venue) -> None:
    """N5: half of the first is left when the second begins; all of it is paid."""
    venue.do("governor", StartEmission(pool=POOL, amount=1_000 * ES, seconds=10 * DAY))
    venue.now += 5 * DAY
    venue.do("governor", StartEmission(pool=POOL, amount=1_000 * ES, seconds=20 * DAY))
    venue.now += 20 * DAY
    for account in ("lp", "ann"):
        venue.do(account, ClaimStreams(pool=POOL))

    paid = venue.held("lp", "esZENO") + venue.held("ann", "esZENO")
    assert 2_000 * ES - 10**8 < paid <= 2_000 * ES
    short = StartEmission(pool=POOL, amount=ES, seconds=DAY)
    assert venue.apply("governor", short) is Code.STREAM_LENGTH


def test_a_stream_waits_while_nobody_stakes(venue: Venue) -> None:
    """N5: no reward is lost to an empty period, and none goes to who comes after it."""
    for account, amount in (("lp", 750_000), ("ann", 250_000)):
        venue.do(account, UnstakeShares(pool=POOL, amount=amount * ES))
    venue.do("governor", StartEmission(pool=POOL, amount=1_000 * ES, seconds=10 * DAY))
    venue.now += 30 * DAY
    venue.do("ann", StakeShares(pool=POOL, amount=ES))
    assert venue.apply("ann", ClaimStreams(pool=POOL)) is Code.NOTHING_TO_CLAIM

    venue.now += 10 * DAY
    venue.do("ann", ClaimStreams(pool=POOL))
    assert abs(venue.held("ann", "esZENO") - 1_000 * ES) < 10**7


def escrowed(venue: Venue) -> int:
    """Let lp earn esZENO and vest 730 of it; the number of the vesting."""
    venue.do("governor", StartEmission(pool=POOL, amount=1_000 * ES, seconds=5 * DAY))
    venue.now += 5 * DAY
    venue.do("lp", ClaimStreams(pool=POOL))
    venue.do("lp", StartVesting(pool=POOL, amount=730 * ES))
    return int(venue.seen(VestingStarted)[0].vesting)


def test_escrow_vests_linearly_over_a_year(venue: Venue) -> None:
    """N5: to the unit, any time; escrow disappears as the token appears, and cannot be sent."""
    number = escrowed(venue)
    assert venue.apply("lp", Transfer(token="esZENO", to="bob", amount=1)) is Code.TRANSFER_FORBIDDEN
    venue.now += YEAR // 4
    venue.do("lp", ClaimVested(pool=POOL, vesting=number))
    assert venue.held("lp", "ZENO") == 730 * ES // 4
    assert venue.apply("ann", ClaimVested(pool=POOL, vesting=number)) is Code.SENDER_NOT_ALLOWED

    venue.now += 2 * YEAR
    venue.do("lp", ClaimVested(pool=POOL, vesting=number))
    assert venue.held("lp", "ZENO") == 730 * ES
    assert venue.held("vesting:main", "esZENO") == 0
    assert venue.apply("lp", ClaimVested(pool=POOL, vesting=number)) is Code.UNKNOWN_VESTING
    venue.check()


def test_leaving_early_forfeits_what_has_not_vested(venue: Venue) -> None:
    """N5: a tenth of the time pays a tenth, the rest is gone."""
    number = escrowed(venue)
    venue.now += YEAR // 10
    venue.do("lp", LeaveVesting(pool=POOL, vesting=number))

    left = venue.seen(Vested)[0]
    assert (left.amount, left.forfeited) == (73 * ES, 657 * ES)
    assert venue.held("lp", "ZENO") == 73 * ES
    venue.check()
