"""The desk of positions that borrow a pool's coins."""

from __future__ import annotations

from collections.abc import Iterator

from zlp.desks.base import AssetView, MarketView, PoolView, PositionView, reading
from zlp.engine import ledger, pricing
from zlp.engine.branches.borrow_pool.markets import load_side
from zlp.engine.branches.borrow_pool.valuation import pool_value, share_price, vaults_worth
from zlp.engine.branches.borrow_pool.vaults import each_vault, touched
from zlp.engine.branches.borrowed.positions import Situation, situation
from zlp.engine.branches.borrowed.settlement import carry_of
from zlp.engine.commands.base import Command
from zlp.engine.commands.borrowed import (
    CloseBorrowed,
    CloseExhausted,
    DecreaseBorrowed,
    LiquidateBorrowed,
    OpenBorrowed,
    PledgeCollateral,
    RedeemCollateral,
)
from zlp.engine.draft import Draft
from zlp.engine.fixed import BPS, RATE, mul_div_down, mul_div_up, value_of
from zlp.engine.leaves.borrowed import BorrowedPosition, BorrowMarketSettings
from zlp.engine.leaves.coin_vaults import BorrowPoolSettings, CoinVaultSettings
from zlp.engine.mechanisms.borrowing import PERIOD, utilisation
from zlp.engine.rejections import Code, Reject
from zlp.engine.state import Reader

HOUR = 3_600
TYPICAL_RESERVE = 10 * BPS
"""Most people borrow at most ten times their collateral, whatever more is allowed."""


class BorrowedDesk:
    """Answers for ``borrowed`` and ``borrow_pool``."""

    BRANCH = "borrowed"

    def pools(self, reader: Reader, now: int) -> list[PoolView]:
        """Every pool, valued at maximum prices (what minting is priced on)."""
        return [self._pool(reader, now, pool) for pool in reader.each(BorrowPoolSettings)]

    def _pool(self, reader: Reader, now: int, pool: BorrowPoolSettings) -> PoolView:
        worth = vaults_worth(reader, pool, now, maximise=True)
        lent = 0
        assets = []
        for settings in each_vault(reader, pool.pool):
            vault = touched(reader, settings, now)
            held = worth.vaults[settings.token]
            supply = vault.supply(pool.revenue)
            lent += mul_div_down(held, vault.reserved, supply) if supply else 0
            assets.append(
                AssetView(
                    token=settings.token,
                    amount=supply,
                    reserved=vault.reserved,
                    value_usd=held,
                    weight_bps=mul_div_down(held, BPS, worth.total) if worth.total else 0,
                    target_bps=mul_div_down(settings.weight, BPS, worth.total_weight),
                    stable=settings.stable,
                )
            )
        value = pool_value(reader, pool, now, maximise=True)
        return PoolView(
            pool=pool.pool,
            share=pool.share,
            value_usd=max(0, value),
            supply=ledger.supply_of(reader, pool.share),
            share_price=share_price(reader, pool, value),
            utilisation_bps=mul_div_down(lent, BPS, worth.total) if worth.total else 0,
            assets=tuple(assets),
        )

    def markets(self, reader: Reader, now: int) -> list[MarketView]:
        """Every market whose index has a price."""
        return list(self._markets(reader, now))

    def _markets(self, reader: Reader, now: int) -> Iterator[MarketView]:
        for market in reader.each(BorrowMarketSettings):
            try:
                low, high = pricing.bounds_at(reader, market.market, now)
            except Reject:
                continue
            yield MarketView(
                pool=market.pool,
                market=market.market,
                low=low,
                high=high,
                long_size=load_side(reader, market, True).size_usd,
                short_size=load_side(reader, market, False).size_usd,
                max_long=market.max_long_usd,
                max_short=market.max_short_usd,
                long_carry=_carry(reader, market, now, market.long_collaterals),
                short_carry=_carry(reader, market, now, market.short_collaterals),
                max_leverage=market.rules.max_leverage,
                long_collaterals=market.long_collaterals,
                short_collaterals=market.short_collaterals,
            )

    def positions(self, reader: Reader, now: int, account: str = "") -> Iterator[PositionView]:
        """Positions in the order they were opened."""
        draft = reading(reader, now, account)
        for position in reader.each(BorrowedPosition):
            if not account or position.account == account:
                yield self._view(_around(draft, position), position)

    def _view(self, here: Situation, position: BorrowedPosition) -> PositionView:
        rules = position.rules
        profit, carry, backing = _standing(here, position)
        threshold = mul_div_down(backing, rules.liquidation_threshold, RATE)
        return PositionView(
            position=str(position.number),
            pool=position.pool,
            account=position.account,
            market=position.market,
            collateral=position.token,
            is_long=position.is_long,
            size_usd=position.size_usd,
            coins=mul_div_down(position.amount, RATE, here.marks.index_unit),
            collateral_usd=backing,
            entry_price=position.entry_price(here.marks.index_unit),
            mark_price=here.marks.index_price,
            pnl_usd=profit,
            owed_usd=carry + mul_div_up(position.size_usd, rules.close_fee, RATE),
            liquidation_price=_liquidation_price(position, here, threshold, carry),
            health_bps=_health(backing, backing - threshold, profit - carry),
            due=rules.liquidatable(backing, profit - carry),
        )

    def due(self, reader: Reader, now: int) -> Iterator[Command]:
        """Liquidations, then positions whose profit has reached its cap; the worst first."""
        liquidations: list[tuple[int, int]] = []
        exhausted: list[int] = []
        draft = reading(reader, now)
        for position in reader.each(BorrowedPosition):
            try:
                here = _around(draft, position)
            except Reject:
                continue
            rules = position.rules
            profit, carry, backing = _standing(here, position)
            if rules.liquidatable(backing, profit - carry):
                needed = backing - mul_div_down(backing, rules.liquidation_threshold, RATE)
                liquidations.append((_health(backing, needed, profit - carry), position.number))
                continue
            if position.opened_at + rules.min_holding > now:
                continue
            owed = carry + mul_div_up(position.size_usd, rules.close_fee, RATE)
            if profit > owed + value_of(position.reserved, here.coin.high, here.coin.unit):
                exhausted.append(position.number)
        for _, number in sorted(liquidations):
            yield LiquidateBorrowed(position=number)
        for number in exhausted:
            yield CloseExhausted(position=number)

    def open(
        self,
        reader: Reader,
        now: int,
        *,
        pool: str,
        market: str,
        is_long: bool,
        collateral: str,
        amount: int,
        size_usd: int,
        price: int = 0,
    ) -> list[Command]:
        """One command; borrows what the leverage needs, at most ten times the collateral."""
        settings = reader.get(BorrowMarketSettings, (pool, market))
        if settings is None:
            raise Reject(Code.UNKNOWN_MARKET, detail=market)
        accepted = settings.collaterals(is_long)
        token = collateral if collateral in accepted or not accepted else accepted[0]
        low, high = pricing.bounds_at(reader, market, now)
        unit = ledger.token(reader, token).unit
        worth = value_of(amount, pricing.bounds_at(reader, token, now)[0], unit)
        wanted = mul_div_down(size_usd, BPS, worth) if worth else BPS
        multiple = min(max(wanted, BPS), settings.rules.max_reserve, TYPICAL_RESERVE)
        return [
            OpenBorrowed(
                pool=pool,
                market=market,
                is_long=is_long,
                token=token,
                collateral=amount,
                amount=mul_div_down(size_usd, settings.unit, price or (high if is_long else low)),
                reserve=mul_div_down(amount, multiple, BPS),
            )
        ]

    def margin_token(
        self, reader: Reader, now: int, *, position: str, adds: bool, token: str = "", pool: str = ""
    ) -> str:
        """The position's own token."""
        return _backed(reader, position, token).token

    def margin(
        self,
        reader: Reader,
        now: int,
        *,
        position: str,
        adds: bool,
        amount: int,
        token: str = "",
        pool: str = "",
    ) -> list[Command]:
        """One command, which runs at once."""
        number = _backed(reader, position, token).number
        if adds:
            return [PledgeCollateral(position=number, amount=amount)]
        return [RedeemCollateral(position=number, amount=amount)]

    def idle(self, reader: Reader, position: str) -> list[Command]:
        """Nothing: margin comes back with the position."""
        return []

    def expected(self, reader: Reader, now: int, account: str) -> list[tuple[str, Command]]:
        """Nothing: orders carry the action itself."""
        return []

    def close(self, reader: Reader, now: int, *, position: str, fraction_bps: int = BPS) -> list[Command]:
        """One command."""
        held = _held(reader, position)
        if fraction_bps >= BPS:
            return [CloseBorrowed(position=held.number, market=held.market, token=held.token, is_long=held.is_long)]
        return [
            DecreaseBorrowed(
                position=held.number,
                market=held.market,
                token=held.token,
                is_long=held.is_long,
                amount=mul_div_down(held.amount, fraction_bps, BPS),
            )
        ]


def _held(reader: Reader, position: str) -> BorrowedPosition:
    held = reader.get(BorrowedPosition, (int(position),))
    if held is None:
        raise Reject(Code.UNKNOWN_POSITION, detail=position)
    return held


def _backed(reader: Reader, position: str, token: str) -> BorrowedPosition:
    held = _held(reader, position)
    if token not in ("", held.token):
        raise Reject(Code.UNSUPPORTED_COLLATERAL, detail=f"{token}; this position is backed by {held.token}")
    return held


def _carry(reader: Reader, market: BorrowMarketSettings, now: int, tokens: tuple[str, ...]) -> int:
    """The dearest borrow fee of a side per hour, at 1e18 of what is borrowed."""
    dearest = 0
    for token in tokens:
        settings = reader.get(CoinVaultSettings, (market.pool, token))
        if settings is not None:
            vault = touched(reader, settings, now)
            used = utilisation(vault.liquidity, vault.reserved, vault.owed_e18)
            dearest = max(dearest, mul_div_down(settings.borrow.accrued(used, PERIOD), HOUR, PERIOD))
    return dearest


def _around(draft: Draft, position: BorrowedPosition) -> Situation:
    """What a position stands in, loaded once for all of one market, side and coin: a reading stores nothing."""
    place = (position.pool, position.market, position.token, position.is_long)
    here: Situation | None = draft.memo.get(place)
    if here is None:
        here = draft.memo[place] = situation(draft, position)
    return here


def _standing(here: Situation, position: BorrowedPosition) -> tuple[int, int, int]:
    """USD of its profit before fees, of what it owes for the time it has been open (both signed), of its backing."""
    marks = here.marks
    profit = position.profit_usd(marks.index_price, marks.index_unit)
    backing = value_of(position.collateral, marks.coin_low, marks.coin_unit)
    return profit, carry_of(position, marks).usd, backing


def _liquidation_price(position: BorrowedPosition, here: Situation, threshold: int, owed: int) -> int:
    """Index price at which loss and fees have used up the threshold, the collateral's price standing still."""
    bearable = threshold - owed
    entry = position.entry_price(here.marks.index_unit)
    distance = mul_div_down(abs(bearable), here.marks.index_unit, position.amount)
    below = position.is_long == (bearable >= 0)
    return max(0, entry - distance) if below else entry + distance


def _health(backing: int, must_keep: int, change: int) -> int:
    """What is left of the backing over the part that must not be touched, in bps."""
    kept = max(1, must_keep)
    return max(0, mul_div_down(max(0, backing + change), BPS, kept))


DESK = BorrowedDesk()
