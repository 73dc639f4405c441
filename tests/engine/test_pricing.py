"""Bounds are read off the leaves once a second; nobody sees one that the leaves no longer say."""

from __future__ import annotations

import pytest

from zlp import Venue
from zlp.engine import Command, Envelope, pricing
from zlp.engine.commands.governance import SetParameter
from zlp.engine.commands.prices import DisputePrices, FastPrice, ForceSpread, PostPrices, PostRounds, Round
from zlp.engine.fixed import USD
from zlp.engine.leaves.prices import PriceSettings
from zlp.engine.state import Reader, State

NOW = 1_700_000_000
ASSET = "ETH"


def _bounds(reader: Reader, now: int) -> dict[str, tuple[int, int]]:
    return {leaf.asset: pricing.bounds_at(reader, leaf.asset, now) for leaf in reader.each(PriceSettings)}


@pytest.fixture
def venue() -> Venue:
    """A venue with prices, whose bounds have been read already."""
    made = Venue("zeus", time=NOW)
    made.set_prices(ETH="2000", BTC="40000", USDC="1", USDT="1")
    _bounds(made.root.state, NOW)
    return made


def test_what_moves_a_bound_is_seen_in_the_same_second(venue: Venue) -> None:
    """E5: posts, disputes, a forced spread, settings; a state made anew says the same after each."""
    spread = '{"type":"spread","spread_bps":"20"}'
    steps: list[tuple[str, Command]] = [
        ("keeper", PostRounds(rounds=(Round(ASSET, 2_010 * 10**8),))),
        ("keeper", PostPrices(prices=(FastPrice(ASSET, 2_011 * USD),), timestamp=NOW)),
        ("price-signer-1", DisputePrices(dispute=True)),
        ("price-signer-2", DisputePrices(dispute=True)),
        ("price-signer-2", DisputePrices(dispute=False)),
        ("guardian", ForceSpread(forced=True)),
        ("governor", SetParameter(leaf="PriceSettings", key='["ETH"]', field="spread", value=spread)),
    ]
    seen = set()
    for account, command in steps:
        venue.apply(account, command)
        bounds = _bounds(venue.root.state, NOW)
        assert bounds == _bounds(State(venue.root.state.leaves()), NOW), command
        seen.add(bounds[ASSET])
    assert len(seen) >= 4, "the steps move the price"


def test_a_price_that_grows_old_is_read_again(venue: Venue) -> None:
    """E5: what is known of one second is not taken for another."""
    venue.apply("keeper", PostPrices(prices=(FastPrice(ASSET, 2_011 * USD),), timestamp=NOW))
    fresh, old = (pricing.bounds_at(venue.root.state, ASSET, NOW + age) for age in (0, 3_000))
    assert fresh != old
    assert pricing.bounds_at(venue.root.state, ASSET, NOW) == fresh


def test_a_draft_that_moves_a_price_reads_its_own(venue: Venue) -> None:
    """A3: the state after a quoted post has the new price, and the state itself keeps the old one."""
    before = _bounds(venue.root.state, NOW)
    post = PostRounds(rounds=(Round(ASSET, 1_500 * 10**8), Round(ASSET, 1_500 * 10**8), Round(ASSET, 1_500 * 10**8)))
    quote = venue.root.quote(Envelope(time=NOW, account="keeper", command=post))
    assert pricing.bounds_at(quote.after, ASSET, NOW)[0] < before[ASSET][0]
    assert _bounds(venue.root.state, NOW) == before
