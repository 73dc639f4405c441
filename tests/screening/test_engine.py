"""The folds against the engine itself: whatever it would liquidate is a candidate, in each shipped design.

The other tests hold the folds against rules written in plain integers; here the engine's own branches, prices,
accruals and settings take part, through the commands a keeper sends.
"""

from __future__ import annotations

import random

from tests.profiles.zeno.venue import POOL
from tests.profiles.zeno.venue import Venue as CrossVenue
from tests.profiles.zeus.desk import DOLLAR, ETHER, founded, immediate, send
from tests.profiles.zo.venue import Venue as BorrowVenue
from zlp import Venue
from zlp.engine import Command, Envelope, Root, ledger, pricing
from zlp.engine.branches.basket.assets import load_asset
from zlp.engine.branches.borrow_pool import vaults
from zlp.engine.branches.cross_margin import health
from zlp.engine.branches.cross_margin.books import projected_funding
from zlp.engine.branches.fund import valuation
from zlp.engine.commands.borrowed import LiquidateBorrowed
from zlp.engine.commands.cross_margin import LiquidateAccount
from zlp.engine.commands.isolated import IncreasePosition, LiquidatePosition
from zlp.engine.leaves.borrowed import BorrowedPosition
from zlp.engine.leaves.coin_vaults import CoinVaultSettings
from zlp.engine.leaves.cross_margin import CrossAccount, CrossPosition
from zlp.engine.leaves.fund import FundAssetSettings
from zlp.engine.leaves.isolated import IsolatedSettings, MarketSettings, Position
from zlp.engine.leaves.pool import PoolSettings
from zlp.screening import (
    AccountTable,
    CrossCollateral,
    Direction,
    DueTable,
    Headroom,
    Ratio,
    Threshold,
    cross_margin_variables,
    fold_borrowed,
    fold_cross_margin,
    fold_isolated,
)
from zlp.screening import CrossPosition as FoldedPosition

BPS = 10**4


def accepts(root: Root, now: int, command: Command) -> bool:
    """Whether the engine would take this command from a keeper now."""
    return root.quote(Envelope(time=now, account="keeper", command=command)).receipt.rejection is None


def two_tables(indices: int) -> dict[bool, DueTable[object]]:
    """Longs and shorts."""
    return {
        True: DueTable(Direction.AT_OR_BELOW, indices),
        False: DueTable(Direction.AT_OR_ABOVE, indices),
    }


def fold_position(venue: Venue, position: Position) -> Threshold:
    """A row of the isolated design, with the settings of its venue."""
    state = venue.root.state
    rules, limits = state.get(IsolatedSettings, ("main",)), state.get(MarketSettings, ("main", "ETH"))
    pool = state.get(PoolSettings, ("main",))
    assert rules is not None
    assert limits is not None
    assert pool is not None
    return fold_isolated(
        is_long=position.is_long,
        size=position.size,
        collateral=position.collateral_usd,
        average_price=position.average,
        entry_index=position.entry_funding,
        position_fee=position.size - position.size * (BPS - rules.closing_fee_bps) // BPS,
        liquidation_fee=rules.liquidation_fee,
        index_scale=pool.funding.scale,
        maximum_leverage_bps=limits.max_leverage,
    )


def test_isolated_positions_the_engine_would_liquidate_are_candidates() -> None:
    """E8, E11: 80 longs and shorts, prices that swing and a year that passes; nothing due is missed."""
    draw = random.Random(21)
    venue = immediate(founded())
    for number in range(80):
        account, is_long = f"trader{number}", number % 2 == 0
        token, amount = ("ETH", ETHER // 10) if is_long else ("USDC", 200 * 10**6)
        venue.deposit(account, token, "0.1" if is_long else "200")
        size = int(200 * draw.uniform(1.1, 28) * 10**6) * DOLLAR // 10**6
        send(
            venue,
            account,
            IncreasePosition(
                pool="main", market="ETH", collateral=token, is_long=is_long, amount=amount, size_delta=size
            ),
        )
    positions = {position.key: position for position in venue.root.state.each(Position)}
    assert len(positions) > 70
    tables = two_tables(indices=1)
    for key, position in positions.items():
        tables[position.is_long].upsert(key, fold_position(venue, position))
    pool, seen = venue.root.state.get(PoolSettings, ("main",)), 0
    assert pool is not None

    for _ in range(12):
        venue.advance(draw.randrange(86_400, 30 * 86_400))
        venue.set_prices(ETH=f"{draw.uniform(1_700, 2_300):.2f}", BTC="40000", USDC="1", USDT="1")
        state, candidates = venue.root.state, []
        low, high = pricing.bounds_at(state, "ETH", venue.now)
        for is_long, table in tables.items():
            asset = load_asset(state, "main", "ETH" if is_long else "USDC")
            index, _ = pool.funding.accrue(
                asset.funding_index, asset.funding_at, venue.now, asset.reserved, asset.amount, not is_long
            )
            candidates += table.due(low if is_long else high, [index])
        due = [
            position.key
            for position in positions.values()
            if accepts(
                venue.root,
                venue.now,
                LiquidatePosition(
                    pool="main",
                    account=position.account,
                    market="ETH",
                    collateral=position.collateral,
                    is_long=position.is_long,
                ),
            )
        ]
        assert set(due) == set(candidates)
        seen += len(due)
    assert seen > 100


def test_borrowed_positions_the_engine_would_liquidate_are_candidates() -> None:
    """O1, O8: 60 longs and shorts at all leverages, prices that swing, a stable that slips, months of borrow fees."""
    draw, venue = random.Random(22), BorrowVenue()
    for number in range(60):
        account = f"trader{number}"
        if number % 2:
            leverage = draw.uniform(2, 40)
            venue.ok(
                account, venue.long(account, amount=int(10**7 * leverage) // 20, collateral=10**7 // 20, reserve=10**6)
            )
        else:
            collateral = int(6_000 / draw.uniform(2, 40)) * 10**6
            venue.ok(account, venue.short(account, amount=10**7, collateral=collateral, reserve=collateral))
    tables, positions = two_tables(indices=4), list(venue.root.state.each(BorrowedPosition))
    for position in positions:
        tables[position.is_long].upsert(
            position.number,
            fold_borrowed(
                is_long=position.is_long,
                amount=position.amount,
                amount_unit=10**8,
                size=position.size_usd,
                collateral=position.collateral,
                collateral_unit=venue.unit(position.token),
                reserved=position.reserved,
                owed=position.owed_e18,
                entry_rate=position.borrow_rate_e18,
                funding=position.funding_usd,
                entry_funding=position.funding_rate_e18,
                liquidation_threshold=position.rules.liquidation_threshold,
            ),
        )
    seen = 0

    for _ in range(12):
        price, slipped = round(draw.uniform(45_000, 78_000), 2), round(draw.uniform(0.9, 1.02), 4)
        venue.later(draw.randrange(86_400, 20 * 86_400), BTC=price, USDC=slipped)
        candidates = []
        low, high = pricing.bounds_at(venue.root.state, "BTC", venue.now)
        for is_long, table in tables.items():
            token = "BTC" if is_long else "USDC"
            settings = venue.root.state.get(CoinVaultSettings, ("main", token))
            assert settings is not None
            rate = vaults.touched(venue.root.state, settings, venue.now).rate_e18
            coin_low, coin_high = pricing.bounds_at(venue.root.state, token, venue.now)
            candidates += table.due(low if is_long else high, [coin_low, coin_high, coin_high * rate, 0])
        due = {
            each.number for each in positions if accepts(venue.root, venue.now, LiquidateBorrowed(position=each.number))
        }
        assert due == set(candidates)
        seen += len(due)
    assert seen > 60


def fold_account(venue: CrossVenue, account: CrossAccount) -> Headroom:
    """A row of the cross-margin design, with the settings of its venue."""
    books, state = venue.books(), venue.root.state
    collaterals, positions = [], []
    for token in books.desk.fund.assets:
        amount, settings = ledger.balance_of(state, account.holder, token), state.get(FundAssetSettings, (POOL, token))
        if amount and settings is not None:
            unit = books.desk.unit(token)
            collaterals.append(
                CrossCollateral(asset=token, amount=amount, unit=unit, factor_bps=settings.collateral_bps)
            )
    for name in account.markets:
        held, settings = state.get(CrossPosition, (POOL, account.owner, account.number, name)), books.settings(name)
        assert held is not None
        assert settings.fees.taker_rate >= settings.fees.maker_rate > 0
        positions.append(
            FoldedPosition(
                market=name,
                asset_class=settings.borrowing_class,
                size=held.size,
                average_price=held.average_price,
                profit_cap=held.reserve_usd,
                entry_borrow=held.entry_borrowing,
                entry_funding=held.entry_funding,
                closing_fee=Ratio(settings.fees.taker_rate, 10**8),
                maximum_skew_scale=settings.price.max_skew_scale,
                maintenance_margin_bps=settings.maintenance_bps,
            )
        )
    return fold_cross_margin(
        collaterals=collaterals,
        positions=positions,
        debts=account.debt_usd,
        liquidation_fee=books.rules.liquidation_fee_usd,
        profit_share_bps=books.rules.pnl_bps,
    )


def cross_tick(venue: CrossVenue) -> dict[object, int]:
    """Every variable of the venue now."""
    books = venue.books()
    names = ("ETH", "BTC", "SOL")
    settings = {name: books.settings(name) for name in names}
    assets = {*books.desk.fund.assets, *names}
    classes = {each.borrowing_class: books.group(each.borrowing_class) for each in settings.values()}
    total = valuation.assets_usd(books.desk)
    return cross_margin_variables(
        prices={asset: pricing.bounds_at(venue.root.state, asset, venue.now) for asset in assets},
        markets={
            name: (
                books.market(name).skew,
                projected_funding(books.market(name), settings[name], venue.now)[1],
            )
            for name in names
        },
        borrow={
            name: group.rate + valuation.next_borrowing_rate(books.desk, group, total)
            for name, group in classes.items()
        },
    )


def test_accounts_the_engine_would_liquidate_are_candidates() -> None:
    """N3, N10, N11, N12: 40 accounts in up to three markets; premium, funding and borrowing of weeks."""
    draw, venue = random.Random(23), CrossVenue()
    venue.fund()
    for number in range(40):
        owner, worth = f"trader{number}", draw.uniform(2_000, 20_000)
        venue.margin(owner, "m.USDC", worth)
        if number % 3 == 0:
            venue.margin(owner, "WETH", worth / 1_800)
        for market in draw.sample(["ETH", "BTC", "SOL"], draw.randrange(1, 4)):
            venue.trade(owner, market, int(worth * draw.uniform(2, 14)) * draw.choice([1, -1]))
    accounts = [account for account in venue.root.state.each(CrossAccount) if account.markets]
    assert len(accounts) > 30
    table: AccountTable[object] = AccountTable()
    for account in accounts:
        table.upsert(account.key, fold_account(venue, account))
    seen = false_candidates = 0

    for _ in range(12):
        venue.now += draw.randrange(3_600, 7 * 86_400)
        venue.post(
            ETH=(ether := round(draw.uniform(1_650, 1_950), 2)),
            WETH=ether,
            BTC=round(draw.uniform(27_500, 32_500), 2),
            SOL=round(draw.uniform(91, 109), 2),
            **{"m.USDC": 1, "m.USDT": 1, "METIS": 20},
        )
        candidates = set(table.due(cross_tick(venue)))
        due = {
            account.key
            for account in accounts
            if accepts(venue.root, venue.now, LiquidateAccount(pool=POOL, owner=account.owner, number=account.number))
        }
        books = venue.books()
        assert due == {account.key for account in accounts if health.measure(books, account).is_liquidatable}
        assert due <= candidates
        seen += len(due)
        false_candidates += len(candidates - due)
    assert seen > 60
    assert false_candidates < seen // 10
