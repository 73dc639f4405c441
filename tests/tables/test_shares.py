"""Who owns what nobody's shares stand for (E2)."""

from __future__ import annotations

import json

from tests.properties.venue import Venue
from zlp.engine.commands.custody import Deposit
from zlp.engine.commands.governance import SetParameter
from zlp.engine.commands.liquidity import Burn, Donate, Mint
from zlp.engine.rejections import Code

ETHER = 10**18


def gifted(*, orphans_block: bool = False) -> Venue:
    """A pool that was given ten ether before anybody deposited."""
    venue = Venue("zeus")
    venue.post()
    value = json.dumps(orphans_block)
    venue.ask("governor", SetParameter(leaf="PoolSettings", key='["main"]', field="orphans_block", value=value))
    for account in ("ann", "ben"):
        venue.ask("bridge", Deposit(account=account, token="ETH", amount=1_000 * ETHER))
    assert venue.ask("ben", Donate(pool="main", token="ETH", amount=10 * ETHER)).accepted
    return venue


def test_a_gift_goes_to_who_mints_first() -> None:
    """E2: the first deposit after a gift gets shares worth both; the reference would give none, for ever."""
    venue = gifted()
    assert venue.ask("ann", Mint(pool="main", token="ETH", amount=100 * ETHER)).accepted
    shares = venue.held("ann", "ZLP")
    assert shares > 0
    assert venue.ask("ben", Mint(pool="main", token="ETH", amount=100 * ETHER)).accepted
    assert 0 < venue.held("ben", "ZLP") < shares
    venue.now += 900
    before = venue.held("ann", "ETH")
    assert venue.ask("ann", Burn(pool="main", token="ETH", shares=shares)).accepted
    assert venue.held("ann", "ETH") - before > 100 * ETHER
    assert venue.faults() == []


def test_the_pool_lives_on_after_the_last_share() -> None:
    """E2: when all shares are burned dust stays behind; the next deposit is as good as the first."""
    venue = gifted()
    for _ in range(3):
        assert venue.ask("ann", Mint(pool="main", token="ETH", amount=100 * ETHER)).accepted
        venue.now += 900
        assert venue.ask("ann", Burn(pool="main", token="ETH", shares=venue.held("ann", "ZLP"))).accepted
        assert venue.supply("ZLP") == 0
    assert venue.faults() == []


def test_the_reference_takes_the_deposit_for_nothing() -> None:
    """The recorded behaviour, kept as an option only."""
    venue = gifted(orphans_block=True)
    assert venue.ask("ann", Mint(pool="main", token="ETH", amount=100 * ETHER)).accepted
    assert venue.held("ann", "ZLP") == 0


def test_a_deposit_too_small_for_a_share_is_refused() -> None:
    """A3: nobody gives tokens for no shares; a first depositor can't make later ones pay for rounding."""
    venue = gifted()
    assert venue.ask("ben", Mint(pool="main", token="ETH", amount=10**10)).accepted
    venue.ask("ben", Donate(pool="main", token="ETH", amount=900 * ETHER))
    receipt = venue.ask("ann", Mint(pool="main", token="ETH", amount=1_000))
    assert receipt.rejection is not None
    assert receipt.rejection.code is Code.SHARES_BELOW_MINIMUM
