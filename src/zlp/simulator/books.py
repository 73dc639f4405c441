"""How each trading design settles with its LPs: what of a trader's result the pool gains or bears in the end.

A position's event says what it won or lost. The pool may get more (collateral that a liquidation leaves) or less
(a loss beyond collateral, which nobody pays) and may pay less (a profit beyond what was set aside for it). Everything
here is USD at 1e30; the parts are what ``Accounting.split`` shows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from zlp.desks.base import PoolView, reading
from zlp.desks.cross_margin import reading as fund_books
from zlp.engine import ledger
from zlp.engine.branches.basket import valuation as basket
from zlp.engine.branches.borrow_pool import valuation as coins
from zlp.engine.branches.credit.values import unrealized_debt
from zlp.engine.branches.fund.valuation import assets_usd, net_pnl_usd, pending_borrowing_usd, value_usd
from zlp.engine.events.borrowed import ReserveChanged
from zlp.engine.events.credit import DepositsConverted, LossDeposited, ProfitMinted, VaultSettled, VaultsRebalanced
from zlp.engine.events.credit_positions import ShortfallForgiven
from zlp.engine.events.cross_margin import DebtForgiven
from zlp.engine.events.liquidity import FeeCharged
from zlp.engine.events.trading import Liquidated, PositionChanged
from zlp.engine.fixed import USD, mul_div_down, value_of
from zlp.engine.leaves.access import Installed
from zlp.engine.leaves.coin_vaults import BorrowPoolSettings, CoinVault
from zlp.engine.leaves.credit import SETTLED_HOLDER, CreditMarket, CreditMarketSettings, CreditSettings
from zlp.engine.leaves.credit_positions import TradingAccount
from zlp.engine.leaves.cross_margin import CrossMarginSettings
from zlp.engine.leaves.pool import PoolSettings
from zlp.simulator.world import World


class Books:
    """What all designs share, and all that isolated positions need: collateral in USD, all of it forfeited.

    ``net``: what each account's trading made since ``clear``, after fees, without open positions. ``tell`` is called
    with every loss beyond collateral that no liquidation names: account, market, USD.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.net: dict[str, int] = defaultdict(int)
        self.tell: Callable[[str, str, int], None] = _untold
        self.realised = self.forfeited = self.uncollected = self.unpaid = self.carried = self.converted = 0
        self.handlers: dict[type, Callable[[Any], None]] = {PositionChanged: self.changed, Liquidated: self.liquidated}
        self._collateral: dict[str, int] = {}

    def clear(self) -> None:
        """Count from here."""
        self.net.clear()
        self.realised = self.forfeited = self.uncollected = self.unpaid = self.carried = self.converted = 0

    def kept(self, event: FeeCharged) -> int:
        """The USD of a fee that stays with the LPs."""
        return mul_div_down(event.value_usd, event.to_pool, event.amount) if event.amount else 0

    def changed(self, event: PositionChanged) -> None:
        """A position was traded, closed, liquidated, or its collateral changed."""
        self.realised += event.pnl_usd
        costs = event.fee_usd + event.carry_usd
        self.net[event.account] += event.pnl_usd - costs
        before = self._collateral.pop(event.position, 0)
        if event.size_after:
            self._collateral[event.position] = event.collateral_usd
        elif event.action == "liquidate":
            self.leave(event.account, before + event.pnl_usd - costs)

    def leave(self, account: str, left: int) -> None:
        """A closed position leaves collateral to the pool, or (negative) a loss that nobody pays."""
        self.forfeited += max(0, left)
        self.uncollected += max(0, -left)
        self.net[account] -= left

    def liquidated(self, event: Liquidated) -> None:
        """The liquidator's reward comes out of the collateral, and so out of what the pool gets."""
        if event.reward:
            self.forfeited -= self.world.worth(event.token, event.reward)

    def low_value(self, pool: PoolView) -> int:
        """What a pool is worth to those who leave it; a desk shows the value that minting is priced on."""
        settings = self.world.reader.get(PoolSettings, (pool.pool,))
        if settings is None:
            return pool.value_usd
        return basket.pool_value(self.world.reader, settings, self.world.now, maximise=False)

    def open_result(self) -> int:
        """What the pools count as the traders' result of open positions, whatever of it they will be paid."""
        return sum(view.pnl_usd for view in self.world.desk.positions(self.world.reader, self.world.now))

    def accrued(self) -> int:
        """Fees the pools count already and nobody has paid yet."""
        return 0

    def held(self, pools: Iterable[PoolView]) -> Iterator[tuple[str, int]]:
        """Tokens and base units whose price is the LPs' risk."""
        return ((asset.token, asset.amount) for pool in pools for asset in pool.assets)


def _untold(_account: str, _market: str, _usd: int) -> None:
    """Nobody listens."""


class BorrowedBooks(Books):
    """Positions that borrow coins: collateral is coins, a profit is paid up to the coins that were borrowed."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._coins: dict[str, int] = {}
        self._reserved: dict[str, int] = {}
        self._charged: dict[str, int] = defaultdict(int)
        self.handlers |= {FeeCharged: self._fee, ReserveChanged: self._reserve}
        for view in world.desk.positions(world.reader, world.now):
            self._coins[view.position] = self._amount(view.collateral, view.collateral_usd)

    def _fee(self, event: FeeCharged) -> None:
        """A trading or borrow fee is charged just before the position's own event."""
        self._charged[event.account] += event.value_usd

    def _reserve(self, event: ReserveChanged) -> None:
        self._reserved[str(event.position)] = event.after

    def _amount(self, token: str, usd: int) -> int:
        """Coins from their value: exact, since a base unit is worth many units of value."""
        price = self.world.token_price(token)
        return -(-usd * self.world.token_unit(token) // price) if price else 0

    def changed(self, event: PositionChanged) -> None:
        """Collateral that is left, or missing, at the price of the moment; profits beyond the borrowed coins."""
        charged = self._charged.pop(event.account, 0)
        before = self._coins.pop(event.position, 0)
        reserved = self._reserved.get(event.position, 0)
        self.realised += event.pnl_usd
        self.net[event.account] += event.pnl_usd - charged
        if event.size_after:
            self._coins[event.position] = self._amount(event.collateral, event.collateral_usd)
            return
        self._reserved.pop(event.position, None)
        backing = self.world.worth(event.collateral, before)
        if event.action == "liquidate":
            self.leave(event.account, backing + event.pnl_usd - charged)
            return
        due = event.pnl_usd - event.fee_usd - event.carry_usd
        beyond = max(0, due - self.world.worth(event.collateral, reserved))
        self.unpaid += beyond
        self.net[event.account] -= beyond
        if due + backing < 0:
            self.leave(event.account, backing + event.pnl_usd - charged)
        lost = event.pnl_usd - event.carry_usd + backing
        if lost < 0:
            self.tell(event.account, event.market, -lost)

    def low_value(self, pool: PoolView) -> int:
        """Vaults at low prices, traders' results at those that are better for traders."""
        settings = self.world.reader.get(BorrowPoolSettings, (pool.pool,))
        if settings is None:
            return pool.value_usd
        return max(0, coins.pool_value(self.world.reader, settings, self.world.now, maximise=False))

    def open_result(self) -> int:
        """Profits in full, as the pool's value counts them."""
        reader, now = self.world.reader, self.world.now
        return -sum(coins.markets_worth(reader, pool, now, maximise=True) for pool in reader.each(BorrowPoolSettings))

    def accrued(self) -> int:
        """The LPs' part of unpaid borrow fees."""
        pools = self.world.desk.pools(self.world.reader, self.world.now)
        counted = sum(self.world.worth(token, amount) for token, amount in super().held(pools))
        return counted - sum(self.world.worth(token, amount) for token, amount in self.held(pools))

    def held(self, _pools: Iterable[PoolView]) -> Iterator[tuple[str, int]]:
        """Coins in the vaults, free and lent."""
        for vault in self.world.reader.each(CoinVault):
            yield vault.token, vault.liquidity + vault.reserved


class FundBooks(Books):
    """Accounts that back all their positions: what they can't pay is their debt until a liquidation forgives it."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.handlers |= {FeeCharged: self._fee, DebtForgiven: self._forgiven}

    def kept(self, event: FeeCharged) -> int:
        """Funding that reaches the fund pays back what it lent to those who receive funding."""
        return 0 if event.kind == "funding" else super().kept(event)

    def changed(self, event: PositionChanged) -> None:
        """The account pays, or owes."""
        self.realised += event.pnl_usd
        self.net[event.account] += event.pnl_usd - event.fee_usd - event.carry_usd

    def _fee(self, event: FeeCharged) -> None:
        if event.kind == "liquidation":
            self.net[event.account] -= event.value_usd

    def liquidated(self, event: Liquidated) -> None:
        """The liquidator was paid by the account, as a fee."""

    def _forgiven(self, event: DebtForgiven) -> None:
        """Losses were counted as gains when they were made; fees and funding that nobody paid never were."""
        self.uncollected += event.loss_usd
        self.net[event.owner] += event.trading_usd + event.borrowing_usd + event.funding_usd + event.loss_usd

    def _each(self) -> list[Any]:
        reader, now = self.world.reader, self.world.now
        return [fund_books(reader, now, rules.pool).desk for rules in reader.each(CrossMarginSettings)]

    def low_value(self, pool: PoolView) -> int:
        """Assets at low prices, traders' results at those that are better for traders."""
        return value_usd(fund_books(self.world.reader, self.world.now, pool.pool).desk, maximise=False)

    def open_result(self) -> int:
        """Profits in full, as the fund's value counts them, though each is paid up to its reserve."""
        return -sum(net_pnl_usd(desk, maximise=True) for desk in self._each())

    def accrued(self) -> int:
        """Borrowing fees, pending and unpaid."""
        return sum(
            pending_borrowing_usd(desk, assets_usd(desk, maximise=True)) + desk.books.borrowing_debt_usd
            for desk in self._each()
        )


class CreditBooks(Books):
    """Accounts settled in the vaults' credit: profits are minted, losses deposited, funding is part of both."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.handlers |= {
            FeeCharged: self._fee,
            ShortfallForgiven: self._shortfall,
            ProfitMinted: self._minted,
            LossDeposited: self._deposited,
            DepositsConverted: self._converted,
            VaultSettled: self._converted,
            VaultsRebalanced: self._converted,
        }
        settings = world.reader.get(CreditSettings, ())
        self._stable, self._settlement = ("", "") if settings is None else (settings.stable, settings.settlement)
        self._paid = self._won = self._lost = self._taken = self._missing = 0

    def changed(self, event: PositionChanged) -> None:
        """Funding goes to the vaults, or comes from them, with the profit."""
        result = event.pnl_usd - event.carry_usd
        self.realised += event.pnl_usd
        self.carried += event.carry_usd
        self.net[event.account] += result - event.fee_usd
        if event.action != "liquidate":
            self._begin()
            return
        self._won += max(0, result)
        self._lost += max(0, -result)

    def _begin(self) -> None:
        """What follows belongs to another action."""
        self._paid = self._won = self._lost = self._taken = self._missing = 0

    def _fee(self, event: FeeCharged) -> None:
        if event.kind == "liquidation":
            self.net[event.account] -= event.value_usd

    def _shortfall(self, event: ShortfallForgiven) -> None:
        self.uncollected += event.shortfall_usd
        self._missing += event.shortfall_usd
        self.net[self._owner(event.trading_account)] += event.shortfall_usd

    def _minted(self, event: ProfitMinted) -> None:
        """The deleverage curve pays a part of a profit."""
        self._paid += event.profit_usd
        minted = value_of(event.minted, USD, self.world.token_unit(self._stable))
        self._withhold(self._owner(event.trading_account), event.profit_usd - minted)

    def _withhold(self, account: str, beyond: int) -> None:
        self.unpaid += beyond
        self.net[account] -= beyond

    def _deposited(self, event: LossDeposited) -> None:
        self._taken += event.value_usd

    def _converted(self, event: DepositsConverted | VaultSettled | VaultsRebalanced) -> None:
        """Every conversion takes a flat fee from the vaults for the protocol."""
        self.converted += self.world.worth(self._settlement, event.fee)

    def _owner(self, number: int) -> str:
        account = self.world.reader.get(TradingAccount, (number,))
        return "" if account is None else account.owner

    def liquidated(self, event: Liquidated) -> None:
        """What was taken beyond the losses is the penalty, which the vaults keep; a market without credit pays none."""
        penalty = self._taken - (self._lost - self._missing)
        self.forfeited += penalty
        self.net[event.account] -= penalty
        self._withhold(event.account, self._won - self._paid)
        self._begin()

    def low_value(self, pool: PoolView) -> int:
        """Vaults count their collateral at low prices anyway."""
        return pool.value_usd

    def held(self, pools: Iterable[PoolView]) -> Iterator[tuple[str, int]]:
        """Also what losers have paid, settled or waiting for its conversion."""
        yield from super().held(pools)
        reader = self.world.reader
        yield self._settlement, ledger.balance_of(reader, SETTLED_HOLDER, self._settlement)
        for market in reader.each(CreditMarket):
            for token in market.tokens:
                yield token, ledger.balance_of(reader, market.deposits_holder, token)

    def open_result(self) -> int:
        """What closing everything would pay, funding included: the vaults' unrealised debt."""
        draft = reading(self.world.reader, self.world.now)
        return sum(unrealized_debt(draft, settings) for settings in self.world.reader.each(CreditMarketSettings))


DESIGNS: dict[str, type[Books]] = {
    "borrowed": BorrowedBooks,
    "cross_margin": FundBooks,
    "credit_positions": CreditBooks,
}


def books_of(world: World) -> Books:
    """The books of the trading design this world runs."""
    for branch, kind in DESIGNS.items():
        if world.reader.get(Installed, (branch,)) is not None:
            return kind(world)
    return Books(world)
