"""Opening: a position borrows coins of the pool (O1, O2, O8). The steps are in the order of precedence."""

from __future__ import annotations

from zlp.engine import ledger, pricing
from zlp.engine.access import next_number
from zlp.engine.branches.borrow_pool import revenue, vaults
from zlp.engine.branches.borrow_pool.markets import load_market, touch
from zlp.engine.branches.borrow_pool.vaults import Coin
from zlp.engine.branches.borrowed.positions import record
from zlp.engine.branches.borrowed.settlement import Marks
from zlp.engine.branches.borrowed.thresholds import require_coin_price, require_index_price
from zlp.engine.commands.borrowed import OpenBorrowed
from zlp.engine.draft import Draft
from zlp.engine.fixed import BPS, RATE, div_up, mul_div_down, value_of
from zlp.engine.leaves.borrowed import BorrowedPosition, BorrowMarketSettings, BorrowMarketSide
from zlp.engine.leaves.coin_vaults import CoinVault, CoinVaultSettings, coins_e18
from zlp.engine.rejections import Code, Reject


def open_position(draft: Draft, command: OpenBorrowed) -> None:
    """Check, take the collateral and the fee, lend the reserve."""
    pool = vaults.load_pool(draft, command.pool)
    market = load_market(draft, pool.pool, command.market)
    settings = vaults.listed(draft, pool.pool, command.token)
    pricing.require_fresh(draft, market.market)
    vaults.require_fresh(draft, settings)
    low, high = pricing.bounds(draft, market.market)
    index = high if command.is_long else low
    require_index_price(index, command.acceptable_price, at_most=command.is_long)
    vault = vaults.touched(draft, settings, draft.time)
    _check_pool(command, market, settings, vault)
    coin = vaults.priced(draft, pool, settings)
    side = touch(draft, market, command.is_long)
    size = value_of(command.amount, index, market.unit)
    _check_limits(market, side, size)
    fee_e18 = coins_e18(mul_div_down(size, market.rules.open_fee, RATE), coin.low, coin.unit)
    _check_position(command, market, coin, size, fee_e18)
    fee = div_up(fee_e18, RATE)
    position = BorrowedPosition(
        number=next_number(draft, "position"),
        account=draft.sender,
        pool=pool.pool,
        market=market.market,
        token=command.token,
        is_long=command.is_long,
        opened_at=draft.time,
        amount=command.amount,
        size_usd=size,
        collateral=command.collateral - fee,
        reserved=command.reserve,
        borrow_rate_e18=vault.rate_e18,
        funding_rate_e18=side.funding_rate_e18,
        rules=market.rules,
    )
    ledger.move(draft, command.token, draft.sender, pool.holder, command.collateral)
    vault = vault.lend(command.reserve).receive(fee).back(position.collateral)
    vault = revenue.charge(draft, coin, vault, kind="trading", source="trading", account=draft.sender, fee_e18=fee_e18)
    vaults.store(draft, vault)
    draft.put(side.add(command.amount, size))
    draft.put(position)
    marks = Marks(index, market.unit, coin.low, coin.high, coin.unit, vault.rate_e18, side.funding_rate_e18)
    fee_usd = value_of(fee, coin.low, coin.unit)
    record(draft, marks, None, position, action="open", fee_usd=fee_usd)


def _check_pool(
    command: OpenBorrowed, market: BorrowMarketSettings, settings: CoinVaultSettings, vault: CoinVault
) -> None:
    """The pool's preconditions: the vault, the market, the collateral, and free coins left after lending."""
    if not settings.enabled:
        raise Reject(Code.VAULT_DISABLED, detail=settings.token)
    if not market.opens(command.is_long):
        raise Reject(Code.OPENING_DISABLED, detail=market.market)
    if command.token not in market.collaterals(command.is_long):
        raise Reject(Code.UNSUPPORTED_COLLATERAL, detail=command.token)
    if vault.liquidity <= command.reserve:
        raise Reject(
            Code.RESERVE_EXCEEDS_LIQUIDITY, limit=vault.liquidity, actual=command.reserve, detail=settings.token
        )


def _check_limits(market: BorrowMarketSettings, side: BorrowMarketSide, size: int) -> None:
    """The market's limits on one position and on one side."""
    if market.max_position_usd and size > market.max_position_usd:
        raise Reject(Code.MAX_POSITION_SIZE_EXCEEDED, limit=market.max_position_usd, actual=size)
    limit = market.max_side_usd(side.is_long)
    if limit and side.size_usd + size > limit:
        code = Code.MAX_LONGS_EXCEEDED if side.is_long else Code.MAX_SHORTS_EXCEEDED
        raise Reject(code, limit=limit, actual=side.size_usd + size)


def _check_position(command: OpenBorrowed, market: BorrowMarketSettings, coin: Coin, size: int, fee_e18: int) -> None:
    """What the trader offers, in the reference's order; the least reserve, which is ours, comes last."""
    rules, collateral = market.rules, command.collateral
    if collateral == 0:
        raise Reject(Code.INVALID_PLEDGE_AMOUNT, limit=1, actual=0)
    require_coin_price(coin.low, command.collateral_price_floor)
    if command.amount == 0:
        raise Reject(Code.INVALID_OPEN_AMOUNT, limit=1, actual=0)
    if command.reserve * BPS > collateral * rules.max_reserve:
        limit = mul_div_down(collateral, rules.max_reserve, BPS)
        raise Reject(Code.MAX_RESERVE_EXCEEDED, limit=limit, actual=command.reserve)
    fee = div_up(fee_e18, RATE)
    if fee > collateral:
        raise Reject(Code.OPEN_FEE_EXCEEDS_COLLATERAL, limit=collateral, actual=fee)
    worth = value_of(collateral - fee, coin.low, coin.unit)
    if worth < rules.min_collateral_usd:
        raise Reject(Code.COLLATERAL_BELOW_MINIMUM, limit=rules.min_collateral_usd, actual=worth)
    if not rules.enough_collateral(worth, size):
        limit = mul_div_down(worth, rules.max_leverage, BPS)
        raise Reject(Code.MAX_LEVERAGE_EXCEEDED, limit=limit, actual=size)
    borrowed = value_of(command.reserve, coin.low, coin.unit)
    if borrowed < rules.least_reserve_usd(size):
        raise Reject(Code.RESERVE_BELOW_MINIMUM, limit=rules.least_reserve_usd(size), actual=borrowed)
