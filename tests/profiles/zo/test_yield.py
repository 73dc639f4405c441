"""What providers earn: the weekly figure, its history, and the document's example."""

from decimal import Decimal
from fractions import Fraction

import pytest
import typer
from typer.testing import CliRunner

from tests.profiles.zo.venue import USD, Venue
from zlp.engine import Code
from zlp.engine.commands.borrowed import UpdateYield
from zlp.engine.commands.liquidity import Burn
from zlp.engine.leaves.coin_vaults import PoolYield, YieldRecord
from zlp.quotes.yields import quote_yield, yield_command

WEEK = 604_800
YEAR = 31_536_000


def earned(venue: Venue) -> PoolYield:
    found = venue.root.state.get(PoolYield, ("main",))
    assert found is not None
    return found


def test_the_weekly_figure() -> None:
    """O6: after more than a week, apr_bps = realised * year * 10000 / (pool value * elapsed), kept with its history."""
    venue = Venue()
    since = earned(venue).since
    venue.ok("ann", venue.long())
    venue.later(since + WEEK - venue.now)
    assert venue.refused("anyone", UpdateYield(pool="main")) == Code.YIELD_NOT_DUE
    venue.later(1)
    realised, value = earned(venue).realised_fee_usd, venue.value()
    assert realised >= 90 * USD  # 75 % of the 120 USD opening fee, and what seeding the pool cost
    venue.ok("anyone", UpdateYield(pool="main"))
    apr = realised * YEAR * 10_000 // (value * (WEEK + 1))
    assert (earned(venue).apr_bps, earned(venue).realised_fee_usd, earned(venue).periods) == (apr, 0, 1)
    record = venue.root.state.get(YieldRecord, ("main", 1))
    assert record == YieldRecord("main", 1, since, venue.now, realised, value, apr)


def test_burning_updates_a_due_figure_too() -> None:
    """O6: the pool's value is at hand, so nobody has to ask."""
    venue = Venue()
    venue.later(WEEK + 1)
    venue.ok("lp", Burn(pool="main", token="USDC", shares=10**6))
    assert earned(venue).periods == 1
    assert venue.refused("anyone", UpdateYield(pool="main")) == Code.YIELD_NOT_DUE
    assert venue.refused("anyone", UpdateYield(pool="other")) == Code.UNKNOWN_POOL


def test_a_figure_is_of_the_day() -> None:
    """O6, A7: nobody puts a pool's value at prices of last week on record for good."""
    venue = Venue()
    venue.now += WEEK + 1
    assert venue.refused("anyone", UpdateYield(pool="main")) == Code.STALE_PRICE
    venue.post()
    venue.ok("anyone", UpdateYield(pool="main"))


def test_the_documents_example() -> None:
    """O6: 50M a day at 0.06 % and 75 % are 22,500; 1,000 of 4M earn 5.625 a day; seven such days are 20531 bps."""
    quote = quote_yield(
        daily_volume=Decimal(50_000_000),
        fee_rate=Decimal("0.0006"),
        pool_share=Decimal("0.75"),
        contribution=Decimal(1_000),
        pool_value=Decimal(4_000_000),
    )
    assert quote == (22_500, Fraction(1, 4_000), Fraction(5_625, 1_000), 20_531)


def test_the_command_prints_it() -> None:
    """O6: without options the command is the document's example; nonsense is explained."""
    app = typer.Typer()
    app.command()(yield_command)
    shown = CliRunner().invoke(app, [])
    assert shown.exit_code == 0
    assert all(text in shown.output for text in ("$22500", "0.025 %", "$5.625", "205.31 %"))
    assert CliRunner().invoke(app, ["--pool-value", "0"]).exit_code == 2
    assert CliRunner().invoke(app, ["--volume", "much"]).exit_code == 2


@pytest.mark.parametrize("field", ["daily_volume", "fee_rate", "contribution"])
def test_negative_terms_are_refused(field: str) -> None:
    """A4: a quote of nonsense says so."""
    terms = dict.fromkeys(("daily_volume", "fee_rate", "pool_share", "contribution", "pool_value"), Decimal(1))
    with pytest.raises(ValueError, match="negative"):
        quote_yield(**(terms | {field: Decimal(-1)}))
