"""Opening and adding to a position (E6, E7, E10; reference section 6 and 12.3)."""

from __future__ import annotations

from msgspec.structs import replace

from zlp.engine import ledger, pricing
from zlp.engine.branches.basket.assets import load_asset, load_listed, load_pool
from zlp.engine.branches.basket.debt import charge
from zlp.engine.branches.basket.swap import swap_along
from zlp.engine.branches.isolated import shorts
from zlp.engine.branches.isolated.book import Book, open_book
from zlp.engine.branches.isolated.health import require_healthy, require_proportions
from zlp.engine.branches.isolated.record import position_changed
from zlp.engine.commands.isolated import IncreasePosition
from zlp.engine.draft import Draft
from zlp.engine.fixed import BPS, amount_of, mul_div_down, subtract, value_of
from zlp.engine.leaves.revenue import TREASURY
from zlp.engine.rejections import Code, Reject


def increase(draft: Draft, command: IncreasePosition) -> None:
    """Pay collateral in, check the limits of the market, then open or extend the position."""
    amount = _pay_in(draft, command)
    book = open_book(
        draft,
        command.pool,
        draft.sender,
        command.collateral,
        command.market,
        command.is_long,
        command.size_delta,
    )
    before = book.position
    if not command.keep_leverage:
        amount = _charge_deposit(book, command.size_delta, amount)
    _check_market(book, command)
    shorts.track(book, command.size_delta, increase=True)
    _check_tokens(book)
    pricing.require_all_fresh(draft, (command.market, command.collateral))

    size_fee, funding_fee = _open(book, command.size_delta, amount)
    _reserve(book, command.size_delta, amount, size_fee + funding_fee)
    if before.is_long:
        book.market = book.market.with_long(command.size_delta)
    else:
        shorts.grow(book, before, command.size_delta)
        _check_hard_short_limit(book)

    book.save()
    draft.put(book.position)
    action = "open" if before.size == 0 else "extend" if command.size_delta else "deposit"
    position_changed(book, before, action, book.entry_price, 0, size_fee, funding_fee)


def _pay_in(draft: Draft, command: IncreasePosition) -> int:
    """Swap what is paid into the collateral and hand it to the pool; returns the collateral tokens."""
    command.require_form()
    amount = command.amount
    if len(command.path) > 1 and amount:
        pool = load_pool(draft, command.pool)
        amount = swap_along(draft, pool, command.path, amount, command.min_amount, draft.sender)
    ledger.move(draft, command.collateral, draft.sender, f"pool:{command.pool}", amount)
    return amount


def _charge_deposit(book: Book, size_delta: int, amount: int) -> int:
    """Keep a fee of collateral that only lowers a long's leverage (12.4); returns what is left.

    Otherwise a long could be opened at high leverage and made safe at once, escaping the fees of a swap.
    """
    position, rules = book.position, book.rules
    if rules.deposit_fee_bps == 0 or not position.is_long or amount == 0:
        return amount
    if not _lowers_leverage(book, size_delta, _worth(book, amount)):
        return amount
    kept = mul_div_down(amount, BPS - rules.deposit_fee_bps, BPS)
    ledger.move(book.draft, position.collateral, book.pool.holder, TREASURY, amount - kept)
    price = pricing.bounds(book.draft, position.collateral)[0]
    charge(book.draft, book.pool, "deposit", book.settings, amount - kept, 0, price)
    return kept


def _lowers_leverage(book: Book, size_delta: int, added_usd: int) -> bool:
    """Whether a position would have less leverage than before, beyond the tolerance; a deposit alone always counts."""
    position = book.position
    if size_delta == 0:
        return True
    if position.size == 0:
        return False
    leverage = mul_div_down(position.size, BPS, position.collateral_usd)
    collateral = position.collateral_usd + added_usd
    return mul_div_down(position.size + size_delta, BPS + book.rules.leverage_buffer_bps, collateral) < leverage


def _check_market(book: Book, command: IncreasePosition) -> None:
    """Open-interest limits, then the trader's acceptable price, as a position router checks them (12.3)."""
    limits, price = book.limits, book.entry_price
    if not limits.enabled:
        raise Reject(Code.UNKNOWN_MARKET, detail=command.market)
    if command.size_delta:
        if command.is_long and limits.max_long:
            owed = load_asset(book.draft, command.pool, command.market).guaranteed + command.size_delta
            if owed > limits.max_long:
                raise Reject(Code.MAX_LONGS_EXCEEDED, limit=limits.max_long, actual=owed)
        if not command.is_long and limits.max_short:
            size = book.market.short_size + command.size_delta
            if size > limits.max_short:
                raise Reject(Code.MAX_SHORTS_EXCEEDED, limit=limits.max_short, actual=size)
    if (
        command.keep_leverage
        and command.is_long
        and _lowers_leverage(book, command.size_delta, _paid_usd(book, command))
    ):
        raise Reject(Code.LEVERAGE_LOWERED, detail=book.position.name)
    if command.acceptable_price:
        if command.is_long and price > command.acceptable_price:
            raise Reject(Code.PRICE_ABOVE_ACCEPTABLE, limit=command.acceptable_price, actual=price)
        if not command.is_long and price < command.acceptable_price:
            raise Reject(Code.PRICE_BELOW_ACCEPTABLE, limit=command.acceptable_price, actual=price)


def _check_tokens(book: Book) -> None:
    """Longs are backed by their own index; shorts of a volatile index by a stable token."""
    if not book.rules.leverage_enabled:
        raise Reject(Code.LEVERAGE_DISABLED, detail=book.pool.pool)
    position = book.position
    if position.is_long:
        if position.collateral != position.index:
            raise Reject(Code.MISMATCHED_COLLATERAL, detail=position.collateral)
        if not book.settings.listed:
            raise Reject(Code.COLLATERAL_NOT_LISTED, detail=position.collateral)
        if book.settings.stable:
            raise Reject(Code.COLLATERAL_IS_STABLE, detail=position.collateral)
        return
    if not book.settings.listed:
        raise Reject(Code.COLLATERAL_NOT_LISTED, detail=position.collateral)
    if not book.settings.stable:
        raise Reject(Code.COLLATERAL_NOT_STABLE, detail=position.collateral)
    if book.index_settings.stable:
        raise Reject(Code.INDEX_IS_STABLE, detail=position.index)
    if not book.index_settings.shortable:
        raise Reject(Code.INDEX_NOT_SHORTABLE, detail=position.index)


def _open(book: Book, size_delta: int, amount: int) -> tuple[int, int]:
    """The new position, with its fees booked; returns ``(size fee, funding fee)`` in USD."""
    position = book.position
    average = position.average
    if position.size == 0:
        average = book.entry_price
    elif size_delta:
        average = _next_average(book, size_delta)
    size_fee = book.size_fee(size_delta, book.rules.opening_fee_bps)
    funding_fee = book.funding_fee()
    book.collect(size_fee, funding_fee)
    collateral = position.collateral_usd + _worth(book, amount)
    fee = size_fee + funding_fee
    if collateral < fee:
        raise Reject(Code.COLLATERAL_BELOW_FEES, limit=collateral, actual=fee)
    book.position = replace(
        position,
        size=position.size + size_delta,
        collateral_usd=collateral - fee,
        average=average,
        entry_funding=book.asset.funding_index,
        increased_at=book.draft.time,
    )
    if book.position.size == 0:
        raise Reject(Code.ZERO_POSITION)
    require_proportions(book.position)
    book.remark(size_delta if position.is_long else -size_delta)
    require_healthy(book)
    limit = book.limits.max_position
    if limit and size_delta and book.position.size > limit:
        raise Reject(Code.MAX_POSITION_SIZE_EXCEEDED, limit=limit, actual=book.position.size)
    return size_fee, funding_fee


def _worth(book: Book, amount: int) -> int:
    return value_of(amount, pricing.bounds(book.draft, book.settings.token)[0], book.settings.unit)


def _paid_usd(book: Book, command: IncreasePosition) -> int:
    """What is paid in, before it is swapped."""
    token = command.path[0] if command.path else command.collateral
    paid = load_listed(book.draft, command.pool, token)
    return value_of(command.amount, pricing.bounds(book.draft, token)[0], paid.unit)


def _next_average(book: Book, size_delta: int) -> int:
    """The entry price at which the larger position has the profit the smaller one had (5.3)."""
    position = book.position
    profit, delta = book.delta()
    size = position.size + size_delta
    divisor = size + delta if profit == position.is_long else subtract(size, delta)
    return mul_div_down(book.entry_price, size, divisor)


def _reserve(book: Book, size_delta: int, amount: int, fee: int) -> None:
    """Set the largest payout aside, then let a long's collateral join the pool (steps 9 and 10)."""
    reserve = book.most_tokens(size_delta)
    if book.position.is_long and size_delta:  # bought at a discount, more tokens can be won than the oracle says
        reserve = max(reserve, amount_of(size_delta, book.entry_price, book.settings.unit))
    book.position = replace(book.position, reserved=book.position.reserved + reserve)
    book.asset = book.asset.reserve(reserve)
    if book.position.is_long:
        book.asset = book.asset.guarantee(size_delta + fee, _worth(book, amount))
        book.asset = book.asset.add(amount).take(book.fewest_tokens(fee))


def _check_hard_short_limit(book: Book) -> None:
    limit = book.limits.max_short_hard
    if limit and book.market.short_size > limit:
        raise Reject(Code.MAX_SHORTS_EXCEEDED, limit=limit, actual=book.market.short_size)
