"""One trader's story told by the read model, small enough to reckon by hand; and the files tax tools read."""

import csv
from decimal import Decimal

import pytest

from tests.projections.weather import Told, model
from zlp import Venue
from zlp.engine import Root
from zlp.engine.commands.liquidity import MeasurePool
from zlp.projections import ReadModel, export, reading, returns, tables
from zlp.projections.reading import Stretch

OLDEST = Stretch(oldest_first=True)


@pytest.fixture
def told(monkeypatch) -> list[Told]:
    """Everything the venue of this test answers, from its founding on."""
    heard: list[Told] = []
    apply = Root.apply

    def listening(root, envelope):
        receipt = apply(root, envelope)
        heard.append(Told(envelope.account, receipt))
        return receipt

    monkeypatch.setattr(Root, "apply", listening)
    return heard


@pytest.fixture
def story(told, tmp_path) -> ReadModel:
    """Ann provides, Bob goes long at 2000, adds, takes a part at 2200, is closed at 1900, opens again."""
    venue = Venue("zeus", time=1_699_920_000)
    venue.set_prices(ETH="2000", BTC="50000", USDC="1", USDT="1")
    for name in ("ann", "bob"):
        venue.deposit(name, "ETH", "100")
        venue.deposit(name, "USDC", "100000")
    venue.mint("ann", "ETH", "50")
    venue.apply("ann", MeasurePool(pool="main"))
    venue.open_position("bob", "ETH", "long", amount="0.4", size="4000")
    venue.open_position("bob", "ETH", "long", amount="0.2", size="2000")
    venue.advance(30)
    settle(venue, "2200")
    venue.apply("ann", MeasurePool(pool="main"))
    venue.advance(90)
    position = venue.positions().rows[0][0]
    venue.close_position("bob", position, fraction="0.5")
    venue.advance(3600)
    settle(venue, "1900")
    venue.close_position("bob", position)
    venue.swap("bob", "USDC", "ETH", amount="1000")
    venue.open_position("bob", "ETH", "long", amount="1", size="3000")
    venue.apply("ann", MeasurePool(pool="main"))
    return model(tmp_path / "story", told, batches=3)


def settle(venue: Venue, price: str) -> None:
    """Post a price until all rounds that are sampled say it."""
    for _ in range(4):
        venue.advance(5)
        venue.set_prices(ETH=price)


def rows(made: ReadModel, table, **equal) -> list[dict]:
    """Rows as the API shows them, oldest first."""
    return reading.page(made, table, OLDEST, equal).items


def test_fills_tell_the_story(story: ReadModel) -> None:
    """E10: open, extend, reduce, close and a new life; side, size, realised profit and running basis."""
    fills = rows(story, tables.fills, account="bob")
    assert [(row["action"], row["side"]) for row in fills] == [
        ("open", "buy"),
        ("extend", "buy"),
        ("reduce", "sell"),
        ("close", "sell"),
        ("open", "buy"),
    ]
    assert [row["traded_usd"] for row in fills] == ["4000", "2000", "3000", "3000", "3000"]
    assert [row["cost_basis_usd"] for row in fills] == ["4000", "6000", "3000", "0", "3000"]
    assert [row["closed_basis_usd"] for row in fills] == ["0", "0", "3000", "3000", "0"]
    assert [row["price"] for row in fills] == ["2000", "2000", "2200", "1900", "1900"]
    assert [Decimal(row["pnl_usd"]) for row in fills] == [0, 0, 300, -150, 0]
    assert [Decimal(row["fee_usd"]) for row in fills[:2]] == [4, 2]
    assert all(row["order"] for row in fills)
    orders = {row["order"]: row for row in rows(story, tables.orders)}
    assert {orders[row["order"]]["status"] for row in fills} == {"filled"}


def test_positions_have_lives(story: ReadModel) -> None:
    """E10: the same position opened twice is two lives; the first is closed with what it came to."""
    first, second = rows(story, tables.positions, account="bob")
    assert first["position"] == second["position"]
    assert (first["fills"], first["last_action"], first["largest_usd"], first["size_usd"]) == (
        "4",
        "close",
        "6000",
        "0",
    )
    assert Decimal(first["pnl_usd"]) == 150
    assert Decimal(first["net_usd"]) == 150 - Decimal(first["fee_usd"]) - Decimal(first["carry_usd"])
    assert (second["closed_at"], second["size_usd"], second["average_price"]) == ("0", "3000", "1900")
    funding = rows(story, tables.funding, account="bob")
    assert sum(Decimal(row["paid_usd"]) for row in funding) == Decimal(first["carry_usd"]) > 0


def test_candles_hold_posted_prices(story: ReadModel) -> None:
    """A6: open, extremes and close are posted prices; trades add volume and never a price."""
    day = reading.candles(story, "ETH", "1d", OLDEST).items
    assert len(day) == 1
    assert {name: day[0][name] for name in ("open", "high", "low", "close", "volume_usd", "trades")} == {
        "open": "2000",
        "high": "2200",
        "low": "1900",
        "close": "1900",
        "volume_usd": "15000",
        "trades": "5",
    }
    assert (day[0]["long_usd"], day[0]["short_usd"]) == ("3000", "0")
    minutes = reading.candles(story, "ETH", "1m", OLDEST).items
    assert next(row["close"] for row in minutes) == "2200"
    page = reading.candles(story, "ETH", "1m", Stretch(limit=1))
    older = reading.candles(story, "ETH", "1m", Stretch(limit=1, before=page.next))
    assert int(older.items[0]["start"]) < int(page.items[0]["start"])


def test_the_share_earns_what_its_assets_and_traders_do(story: ReadModel) -> None:
    """E4: fees stay with the treasury here, so the share follows the prices and the trader's results."""
    samples = rows(story, tables.pool_samples, pool="main")
    assert next(row["share_price"] for row in samples) == "1"
    start, end = returns.bounds(story, "main")
    found = returns.returns(story, "main", start, end + 1)
    sources = {row["source"]: Decimal(row["per_share_usd"]) for row in found["sources"]}
    supply = Decimal(samples[0]["supply"])
    assert sources["trader_pnl"] == pytest.approx(Decimal(-150) / supply)
    assert set(sources) == {"trader_pnl", "prices"}


def parsed(lines) -> list[dict]:
    """A CSV file as dictionaries."""
    return list(csv.DictReader("".join(lines).splitlines()))


def test_koinly_reads_gains_costs_and_trades(story: ReadModel) -> None:
    """E10: realised gains and losses, fees and funding as costs, tokens as trades; nothing rounded, nothing twice."""
    entries = parsed(export.lines(story, "all", account="bob", form="koinly"))
    card = rows(story, tables.positions, account="bob")[0]
    gains = [row for row in entries if row["Label"] == "realized gain"]
    won = sum(Decimal(row["Received Amount"] or 0) - Decimal(row["Sent Amount"] or 0) for row in gains)
    assert won == Decimal(card["pnl_usd"]) == 150
    costs = sum(
        Decimal(row["Sent Amount"]) for row in entries if row["Label"] == "cost" and row["Sent Currency"] == "USD"
    )
    fees = sum(Decimal(row["fee_usd"]) + Decimal(row["carry_usd"]) for row in rows(story, tables.fills))
    assert costs == fees
    (swap,) = [row for row in entries if row["Sent Amount"] and row["Received Amount"]]
    assert (swap["Sent Amount"], swap["Sent Currency"], swap["Received Currency"]) == ("1000", "USDC", "ETH")
    deposits = [
        (row["Received Amount"], row["Received Currency"]) for row in entries if "outside" in row["Description"]
    ]
    assert deposits == [("100", "ETH"), ("100000", "USDC")]
    executions = [row for row in entries if row["Description"].startswith("execution fee")]
    assert len(executions) == 5
    assert {row["Sent Currency"] for row in executions} == {"ETH"}
    assert entries == sorted(entries, key=lambda row: row["Date"])
    (minted,) = [
        row for row in parsed(export.lines(story, "all", account="ann", form="koinly")) if "mint" in row["Description"]
    ]
    assert (minted["Sent Amount"], minted["Received Currency"]) == ("50", "ZLP")


def test_cointracking_reads_the_same(story: ReadModel) -> None:
    """E10: as many lines, of types that the tool knows."""
    entries = parsed(export.lines(story, "all", account="bob", form="cointracking"))
    assert len(entries) == len(parsed(export.lines(story, "all", account="bob", form="koinly")))
    types = {row["Type"] for row in entries}
    assert types == {"Deposit", "Trade", "Other Fee", "Derivatives / Futures Profit", "Derivatives / Futures Loss"}


def test_generic_exports_every_table(story: ReadModel) -> None:
    """A3: the rows of the table in exact decimals; a stretch of time can be chosen."""
    whole = parsed(export.lines(story, "trades", account="bob"))
    assert [row["traded_usd"] for row in whole] == ["4000", "2000", "3000", "3000", "3000"]
    middle = int(whole[2]["time"])
    assert parsed(export.lines(story, "trades", start=middle, end=middle + 1)) == [whole[2]]
    for kind in export.KINDS:
        if kind != "all":
            assert next(export.lines(story, kind)).startswith("utc,")


@pytest.mark.parametrize(
    ("kind", "form", "account"),
    [
        ("nothing", "generic", ""),
        ("trades", "xml", ""),
        ("all", "generic", ""),
        ("trades", "koinly", ""),
        ("fees", "koinly", "bob"),
    ],
)
def test_other_exports_say_what_there_is(story: ReadModel, kind: str, form: str, account: str) -> None:
    """A4: before a line is written."""
    with pytest.raises(export.CantExport):
        export.lines(story, kind, form=form, account=account)


def test_a_spreadsheet_runs_nothing(story: ReadModel) -> None:
    """A client id that is a formula stays text; negative numbers stay numbers."""
    assert export._line(["=1+1", "@x", "-2.5", "-x", "+3"]) == "'=1+1,'@x,-2.5,'-x,'+3\n"


def test_vault_shares_are_counted_like_their_collateral(told, tmp_path) -> None:
    """Z2: a deposit of 1,000 USDC makes 990 shares at about a dollar, in the read model as in the venue."""
    venue = Venue("zaros", time=1_699_920_000)
    venue.set_prices(ETH="2000", BTC="50000", USDC="1")
    venue.deposit("ann", "USDC", "1000")
    venue.mint("ann", "USDC", "1000", pool="usdc")
    venue.apply("ann", MeasurePool(pool="usdc"))
    made = model(tmp_path / "zaros.db", told)

    (minted,) = rows(made, tables.liquidity)
    assert (minted["shares"], minted["shares_units"]) == ("990", "990000000")
    (sample,) = (row for row in rows(made, tables.pool_samples) if row["pool"] == "usdc")
    assert (sample["supply"], sample["share_price"]) == ("990", "1")
    assert venue.balance("ann", "ZLP-USDC") == 990
    assert "usdc  990.00     990     1.000000" in str(venue.pools())
