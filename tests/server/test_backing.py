"""What backs the traders' profits: figures that add up, on the two designs that keep books of it."""

from fractions import Fraction

from tests.server.test_owned import START, crowded, prices
from zlp.oracle.price_path import PriceTick
from zlp.server.desk_backing import backing
from zlp.simulator.agents import Founder, NoiseTrader
from zlp.simulator.shocks import Moment

TRADERS = NoiseTrader(count=8, wealth=(2_000.0, 9_000.0), interval=600, holding_hours=(5.0, 9.0), react=0.0)


def traded(profile: str) -> dict[str, list[dict[str, str]]]:
    """The figures after some hours of trading."""
    root, world = crowded(profile)
    for turn in range(8):
        moment = PriceTick(START + turn * 600, prices(turn))
        world.tick(Moment(moment, moment))
        if turn == 0:
            world.populate((Founder(), TRADERS))
    assert list(world.desk.positions(root.state, world.now))
    before = root.state_hash()
    found = backing(root.state, world.now)
    assert root.state_hash() == before
    return found


def test_a_funds_buffer() -> None:
    """N8: the buffer is one and the fund's net result over its assets; what is reserved is a part of them."""
    found = traded("zeno")
    (fund,) = found["funds"]
    expected = 1 + Fraction(fund["net_pnl_usd"]) / Fraction(fund["assets_usd"])
    assert abs(Fraction(fund["buffer_bps"]) / 10_000 - expected) < Fraction(1, 10_000)
    assert 0 < Fraction(fund["reserved_usd"]) < Fraction(fund["assets_usd"])
    assert found["vaults"] == []


def test_credit_and_debt() -> None:
    """Z3 to Z5: what vaults lend is what markets have; debt is borne in whole; far from the edge profits are whole."""
    found = traded("zaros")
    for market in found["credit_markets"]:
        lent = [row for row in found["lent"] if row["market"] == market["market"]]
        assert sum(Fraction(row["credit_usd"]) for row in lent) == Fraction(market["credit_usd"]) > 0
        assert abs(sum(int(row["bears_bps"]) for row in lent) - 10_000) <= len(lent)
        assert market["paid"] == "1"
    for vault in found["vaults"]:
        debt = Fraction(vault["realized_usd"]) - Fraction(vault["settled_usd"]) + Fraction(vault["unrealized_usd"])
        assert debt == Fraction(vault["debt_usd"])
        assert Fraction(vault["credit_usd"]) - debt == Fraction(vault["capacity_usd"])
    unrealized = sum(Fraction(row["unrealized_usd"]) for row in found["credit_markets"])
    assert abs(unrealized - sum(Fraction(row["unrealized_usd"]) for row in found["vaults"])) < Fraction(1, 100)
    assert found["funds"] == []
