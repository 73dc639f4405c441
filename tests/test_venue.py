"""The notebook's venue: the same words provide, trade and leave on every design (A1, A5)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from zlp import Venue
from zlp.engine.codec import canonical
from zlp.engine.commands.governance import Configure
from zlp.engine.leaves.borrowed import BorrowedPosition, BorrowMarketSettings
from zlp.engine.leaves.coin_vaults import BorrowPoolSettings, CoinVaultSettings
from zlp.engine.leaves.ledger import Token
from zlp.engine.leaves.orders import OrderSettings
from zlp.engine.leaves.prices import PriceSettings
from zlp.engine.mechanisms.swap_fees import RebaseCurve
from zlp.profiles.loader import SHIPPED
from zlp.venue import Rejected

PRICES = {"ETH": "2000", "BTC": "40000", "WETH": "2000", "SOL": "100", "SUI": "2", "METIS": "20"}
PRICES |= {"wstETH/ETH": "1.25", "weETH/ETH": "1.1"}
NOW = 1_800_000_000


@pytest.fixture(params=SHIPPED)
def venue(request: pytest.FixtureRequest) -> Venue:
    """A priced venue in which ann and bob are rich."""
    found = Venue(request.param, time=NOW)
    refresh(found)
    for token in found.root.state.each(Token):
        if not token.issued:
            for account in ("ann", "bob"):
                found.deposit(account, token.symbol, "1000000")
    return found


def refresh(venue: Venue) -> None:
    """The same prices again, posted now."""
    assets = [settings.asset for settings in venue.root.state.each(PriceSettings)]
    venue.set_prices(**{asset: PRICES.get(asset, "1") for asset in assets})


def first_token(venue: Venue) -> str:
    """What the first pool takes."""
    return venue.desk.pools(venue.root.state, venue.now)[0].assets[0].token


def test_a_provider_a_trader_and_a_gain(venue: Venue) -> None:
    """Ann provides, Bob wins on a long and is paid; the books hold."""
    venue.mint("ann", first_token(venue), "1000")
    assert Decimal(venue.pools().rows[0][2].replace(",", "")) > 0
    if venue.profile.title == "ZO":
        venue.mint("ann", "ETH", "1000")  # each coin is lent by itself
    market = next(view for view in venue.desk.markets(venue.root.state, venue.now) if view.market.startswith("ETH"))
    token = "WETH" if "WETH" in market.long_collaterals else "ETH"
    venue.open_position("bob", market.market, "long", collateral=token, amount="1", leverage=3)
    [row] = venue.positions("bob").rows
    assert row[3] == "long"
    assert coins(venue) == pytest.approx(3 * 10**18, rel=0.01)
    opened = coins(venue)
    venue.advance(60)
    venue.set_prices(ETH="2100")
    assert coins(venue) == opened
    worth = Decimal(venue.positions("bob").rows[0][8].replace(",", ""))
    assert 250 < worth < 320
    venue.close_position("bob", row[0])

    assert venue.positions().rows == []
    assert venue.audit() == []


def coins(venue: Venue) -> int:
    """What the only position is in, at 1e18."""
    [view] = venue.desk.positions(venue.root.state, venue.now)
    return view.coins


def test_margin_comes_in_and_goes_out(venue: Venue) -> None:
    """E7, N3, O5: the position's size stays, what backs it changes, and only by what the account paid or got."""
    venue.mint("ann", first_token(venue), "1000")
    if venue.profile.title == "ZO":
        venue.mint("ann", "ETH", "1000")
    market = next(view for view in venue.desk.markets(venue.root.state, venue.now) if view.market.startswith("ETH"))
    token = "WETH" if "WETH" in market.long_collaterals else "ETH"
    venue.open_position("bob", market.market, "long", collateral=token, amount="1", leverage=3)
    [before] = venue.desk.positions(venue.root.state, venue.now, "bob")
    held = venue.balance("bob", token)

    venue.add_margin("bob", before.position, "0.5", token=token)
    [more] = venue.desk.positions(venue.root.state, venue.now, "bob")
    assert more.size_usd == before.size_usd
    assert more.collateral_usd > before.collateral_usd * 7 // 5
    assert more.liquidation_price < before.liquidation_price
    assert held - venue.balance("bob", token) == Decimal("0.5") + fees(venue)

    in_usd = venue.profile.title == "ZEUS"
    held = venue.balance("bob", token)
    venue.take_margin("bob", before.position, "500" if in_usd else "0.25", token=token)
    [less] = venue.desk.positions(venue.root.state, venue.now, "bob")
    assert less.size_usd == before.size_usd
    assert before.collateral_usd < less.collateral_usd < more.collateral_usd
    assert venue.balance("bob", token) - held == pytest.approx(Decimal("0.25") - fees(venue), rel=Decimal("0.01"))
    with pytest.raises(Rejected):
        venue.take_margin("bob", before.position, "100000", token=token)
    with pytest.raises(Rejected, match="unknown_position"):
        venue.add_margin("bob", before.position.replace("ETH", "BTC").replace("1", "9"), "1")
    assert venue.audit() == []


def fees(venue: Venue) -> Decimal:
    """What the order around an action costs in ETH, where a design has orders for it."""
    settings = venue.root.state.get(OrderSettings, ())
    waits = settings is not None and "IncreasePosition" not in settings.immediate and venue.profile.title == "ZEUS"
    return Decimal(settings.minimum_fee) / 10**18 if waits else Decimal(0)


def test_leaving(venue: Venue) -> None:
    """At once where a design lets providers go, else by a request and its delay."""
    token = first_token(venue)
    pool = venue.desk.pools(venue.root.state, venue.now)[0].pool
    venue.mint("ann", token, "1000")
    venue.advance(3_600)
    refresh(venue)
    before = venue.balance("ann", token)
    if venue.profile.title == "Zaros":
        with pytest.raises(Rejected, match="redeem"):
            venue.burn("ann", token, "1")
        number = venue.request("ann", "100", pool=pool).event("RedemptionRequested").redemption
        with pytest.raises(Rejected):
            venue.redeem("ann", number)
        venue.advance(90_000)
        refresh(venue)
        venue.redeem("ann", number)
    else:
        venue.burn("ann", token, "100")

    assert venue.balance("ann", token) > before
    assert venue.audit() == []


def test_tables_are_for_people(venue: Venue) -> None:
    """No integer of the engine's scales shows, in text or in a notebook."""
    for table in (venue.pools(), venue.markets()):
        assert "0" * 20 not in repr(table)
        assert "<table>" in table._repr_html_()


def test_a_market_of_the_named_pool() -> None:
    """O9: two pools have a BTC market; what backs it and who lends is the pool's that was named."""
    venue = Venue("zo", time=NOW)
    refresh(venue)
    market = venue.root.state.get(BorrowMarketSettings, ("main", "BTC"))
    assert market is not None
    for record in (
        Token("ALT", 6, issued=True),
        BorrowPoolSettings("alt", "ALT", RebaseCurve()),
        CoinVaultSettings("alt", "USDC", weight=1),
        replace(market, pool="alt", long_collaterals=("USDC",), short_collaterals=("USDC",)),
    ):
        venue.apply("governor", Configure(settings=canonical(record).decode()))
    for account in ("ann", "bob"):
        venue.deposit(account, "USDC", "200000")
        venue.deposit(account, "SUI", "10")
    venue.mint("ann", "USDC", "100000", pool="alt")
    venue.open_position("bob", "BTC", "long", amount="1000", leverage=3, pool="alt")

    (position,) = venue.root.state.each(BorrowedPosition)
    assert (position.pool, position.token, position.collateral) == ("alt", "USDC", 994 * 10**6)
    with pytest.raises(LookupError, match="no market BTC of pool other"):
        venue.open_position("bob", "BTC", "long", amount="1000", leverage=3, pool="other")
