"""What a key that signs for somebody may not do: give away what is its owner's (A8)."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.properties.venue import Venue
from zlp.engine import Code, Command, Envelope
from zlp.engine.commands.cross_margin import CrossTrade
from zlp.engine.commands.governance import ApproveAgent
from zlp.engine.commands.liquidity import Donate
from zlp.engine.commands.orders import ExecuteOrder

WAYS = (
    Donate(pool="main", token="ETH", amount=1),
    ExecuteOrder(number=1, reward_to="key"),
    CrossTrade(pool="fund", number=0, market="ETH", size_delta=1, relayer="key", relay_fee_usd=10**30),
)


def refusal(venue: Venue, command: Command) -> Code | None:
    """Why it is refused when `key` signs it for ann."""
    receipt = venue.root.apply(Envelope(time=venue.now, account="ann", signer="key", command=command))
    return None if receipt.rejection is None else receipt.rejection.code


@pytest.mark.parametrize("command", WAYS, ids=lambda command: type(command).__name__)
def test_nothing_is_paid_to_anybody_else(command: Command) -> None:
    """A8: not as a gift to a pool, not as a reward, not as a relayer's fee; with the transfer scope it may."""
    venue = Venue("zeus")
    scopes = ("trade", "liquidity", "keep")
    venue.ask("ann", ApproveAgent(agent="key", scopes=scopes, expires=venue.now + 60))
    assert refusal(venue, command) is Code.AGENT_OUT_OF_SCOPE
    venue.ask("ann", ApproveAgent(agent="key", scopes=(*scopes, "transfer"), expires=venue.now + 60))
    assert refusal(venue, command) is not Code.AGENT_OUT_OF_SCOPE


def test_ones_own_rewards_need_no_more() -> None:
    """A8: a keeper's key that names its own account, or nobody, needs the scope of its work alone."""
    venue = Venue("zeus")
    venue.ask("ann", ApproveAgent(agent="key", scopes=("keep",), expires=venue.now + 60))
    for command in (replace(WAYS[1], reward_to="ann"), replace(WAYS[1], reward_to="")):
        assert refusal(venue, command) is Code.UNKNOWN_ORDER
