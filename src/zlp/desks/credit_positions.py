"""The desk of trading accounts that are settled in credit of vaults."""

from __future__ import annotations

from collections.abc import Iterator

from zlp.desks.base import AssetView, MarketView, PoolView, PositionView, reading
from zlp.engine import ledger, pricing
from zlp.engine.branches.credit.values import credit_settings, funded_totals, index_price, market_state, price_of
from zlp.engine.branches.credit.vaults import assets, debt, recalculate, vault_capacity
from zlp.engine.branches.credit_positions.health import (
    Health,
    Mark,
    closing,
    health,
    trading_settings,
)
from zlp.engine.commands.base import Command
from zlp.engine.commands.credit import Report
from zlp.engine.commands.credit_positions import (
    AddMargin,
    FillCreditOrder,
    LiquidateTradingAccount,
    PlaceCreditOrder,
    RemoveMargin,
)
from zlp.engine.commands.stability import FulfilStableSwap
from zlp.engine.draft import Draft
from zlp.engine.fixed import BPS, RATE, USD, mul_div_down, mul_div_toward_zero, value_of
from zlp.engine.leaves.access import Role, RoleHolder
from zlp.engine.leaves.credit import (
    CreditCollateral,
    CreditMarketSettings,
    CreditVaultSettings,
    Delegation,
    ReportFeed,
)
from zlp.engine.leaves.credit_positions import CreditOrder, CreditPosition, TradingAccount
from zlp.engine.leaves.stability import StableSwapRequest
from zlp.engine.rejections import Code, Reject
from zlp.engine.state import Reader

HOURS = 24


class CreditDesk:
    """Answers for ``credit_positions``, ``credit`` and ``credit_vaults``."""

    BRANCH = "credit_positions"

    def pools(self, reader: Reader, now: int) -> list[PoolView]:
        """Every vault whose collateral has a price, brought up to date with its markets."""
        return list(self._pools(reader, now))

    def _pools(self, reader: Reader, now: int) -> Iterator[PoolView]:
        for settings in reader.each(CreditVaultSettings):
            try:
                yield self._pool(reading(reader, now), settings)
            except Reject:
                continue

    def _pool(self, draft: Draft, settings: CreditVaultSettings) -> PoolView:
        state = recalculate(draft, settings)
        held = assets(draft, settings)
        unit = ledger.token(draft, settings.token).unit
        worth = value_of(held, price_of(draft, settings.token), unit)
        value = max(0, worth - debt(draft, state))
        supply = ledger.supply_of(draft, settings.share)
        capacity = max(0, vault_capacity(draft, settings, state))
        used = sum(self._used(draft, settings.vault, weight.market) for weight in settings.markets)
        return PoolView(
            pool=settings.vault,
            share=settings.share,
            value_usd=value,
            supply=supply,
            share_price=mul_div_down(value, unit, supply) if supply else 0,
            utilisation_bps=min(BPS, mul_div_down(used, BPS, capacity)) if capacity else 0,
            assets=(
                AssetView(
                    token=settings.token,
                    amount=held,
                    reserved=0,
                    value_usd=worth,
                    weight_bps=BPS,
                    target_bps=BPS,
                    stable=settings.token == credit_settings(draft).settlement,
                ),
            ),
        )

    def _used(self, draft: Draft, vault: str, market: str) -> int:
        """The part of a market's open positions that this vault's credit stands for (USD)."""
        delegation, terms = draft.get(Delegation, (vault, market)), draft.get(CreditMarketSettings, (market,))
        if delegation is None or terms is None:
            return 0
        state = market_state(draft, market)
        interest = funded_totals(draft, terms).open_interest
        if not interest or not state.delegated:
            return 0
        value = mul_div_down(interest, index_price(draft, terms.asset), RATE)
        return mul_div_down(value, delegation.credit, state.delegated)

    def markets(self, reader: Reader, now: int) -> list[MarketView]:
        """Every market whose index has a price."""
        return list(self._markets(reader, now))

    def _markets(self, reader: Reader, now: int) -> Iterator[MarketView]:
        tokens = _margin_tokens(reader)
        for terms in reader.each(CreditMarketSettings):
            try:
                low, high = pricing.bounds_at(reader, terms.asset, now)
            except Reject:
                continue
            totals = funded_totals(reading(reader, now), terms)
            hourly = mul_div_toward_zero(totals.funding_rate, RATE, HOURS * USD)
            cap = mul_div_down(terms.max_open_interest, high, RATE)
            yield MarketView(
                pool="",
                market=terms.market,
                low=low,
                high=high,
                long_size=mul_div_down((totals.open_interest + totals.skew) // 2, high, RATE),
                short_size=mul_div_down((totals.open_interest - totals.skew) // 2, high, RATE),
                max_long=cap,
                max_short=cap,
                long_carry=hourly,
                short_carry=-hourly,
                max_leverage=mul_div_down(BPS, RATE, terms.initial_margin),
                long_collaterals=tokens,
                short_collaterals=tokens,
            )

    def positions(self, reader: Reader, now: int, account: str = "") -> Iterator[PositionView]:
        """Positions with the health of their whole account."""
        draft = reading(reader, now, account)
        for trading in reader.each(TradingAccount):
            if trading.markets and (not account or trading.owner == account):
                yield from self._views(draft, trading)

    def _views(self, draft: Draft, trading: TradingAccount) -> Iterator[PositionView]:
        state = health(draft, trading)
        fee = trading_settings(draft).liquidation_fee_usd
        needed = state.maintenance + fee
        for market in trading.markets:
            position = draft.need(CreditPosition, (trading.number, market), Code.UNKNOWN_POSITION)
            terms = draft.need(CreditMarketSettings, (market,), Code.UNKNOWN_MARKET)
            mark = closing(draft, position)
            skew = funded_totals(draft, terms).skew
            owed = terms.fees.fee(skew, -position.size, mark.price) + trading_settings(draft).settlement_fee_usd
            yield PositionView(
                position=f"{trading.number}/{market}",
                pool="",
                account=trading.owner,
                market=market,
                collateral="",
                is_long=position.size > 0,
                size_usd=mark.notional,
                coins=abs(position.size),
                collateral_usd=state.collateral,
                entry_price=position.price,
                mark_price=mark.price,
                pnl_usd=mark.profit + mark.funding,
                owed_usd=owed,
                liquidation_price=_liquidation_price(position, mark, state, terms, fee),
                health_bps=max(0, mul_div_toward_zero(state.margin, BPS, needed)) if needed else BPS,
                due=state.liquidatable(fee),
            )

    def due(self, reader: Reader, now: int) -> Iterator[Command]:
        """Accounts to liquidate, the least healthy first."""
        draft = reading(reader, now)
        fee = trading_settings(draft).liquidation_fee_usd
        found: list[tuple[int, int]] = []
        for trading in reader.each(TradingAccount):
            if not trading.markets:
                continue
            try:
                state = health(draft, trading)
            except Reject:
                continue
            if state.liquidatable(fee):
                found.append((state.margin - state.maintenance, trading.number))
        for _, number in sorted(found):
            yield LiquidateTradingAccount(trading_account=number)

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
        """Margin into the main account, then an order, which a keeper fills at a report after it."""
        terms = reader.get(CreditMarketSettings, (market,))
        if terms is None:
            raise Reject(Code.UNKNOWN_MARKET, detail=market)
        low, high = pricing.bounds_at(reader, terms.asset, now)
        size = mul_div_down(size_usd, RATE, price or (high if is_long else low))
        token = collateral or _margin_tokens(reader)[0]
        order = PlaceCreditOrder(trading_account=0, market=market, size_delta=size if is_long else -size)
        return [AddMargin(trading_account=0, token=token, amount=amount), order] if amount else [order]

    def margin_token(
        self, reader: Reader, now: int, *, position: str, adds: bool, token: str = "", pool: str = ""
    ) -> str:
        """Any token that can be margin; going out, what the account holds comes first."""
        trading = _account_of(reader, position)
        held = () if adds or trading is None else trading.tokens
        accepted = [token] if token else [*held, *_margin_tokens(reader)]
        if not accepted:
            raise Reject(Code.NOT_MARGIN_COLLATERAL)
        return accepted[0]

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
        wanted = self.margin_token(reader, now, position=position, adds=adds, token=token)
        trading = _account_of(reader, position)
        number = 0 if trading is None else trading.number
        if adds:
            return [AddMargin(trading_account=number, token=wanted, amount=amount)]
        return [RemoveMargin(trading_account=number, token=wanted, amount=amount)]

    def idle(self, reader: Reader, position: str) -> list[Command]:
        """All margin of the position's account, if that has no position left and no pending order."""
        number = int(position.partition("/")[0])
        trading = reader.get(TradingAccount, (number,))
        if trading is None or trading.markets or reader.get(CreditOrder, (number,)) is not None:
            return []
        held = {token: ledger.balance_of(reader, trading.holder, token) for token in trading.tokens}
        return [RemoveMargin(trading_account=number, token=token, amount=held[token]) for token in held]

    def expected(self, reader: Reader, now: int, account: str) -> list[tuple[str, Command]]:
        """Fills of a pending order and of swaps of the stable token, by the first keeper there is.

        Orders of the registry wait for their price.
        """
        keeper = next((each.holder for each in reader.each(RoleHolder) if each.role == Role.KEEPER), "")
        fills: list[tuple[str, Command]] = []
        for order in reader.each(CreditOrder):
            trading = reader.get(TradingAccount, (order.account,))
            market = reader.get(CreditMarketSettings, (order.market,))
            report = None if market is None else posted_report(reader, market.asset, now)
            if report is not None and trading is not None and trading.owner == account:
                fills.append((keeper, FillCreditOrder(trading_account=order.account, report=report)))
        return [*fills, *_swaps(reader, now, account, keeper)]

    def close(self, reader: Reader, now: int, *, position: str, fraction_bps: int = BPS) -> list[Command]:
        """An order that only reduces, by at most this part of today's size; the margin stays in the account."""
        held = _held(reader, position)
        delta = -mul_div_toward_zero(held.size, min(fraction_bps, BPS), BPS)
        return [PlaceCreditOrder(trading_account=held.account, market=held.market, size_delta=delta, reduce_only=True)]


def _held(reader: Reader, position: str) -> CreditPosition:
    number, _, market = position.partition("/")
    held = reader.get(CreditPosition, (int(number), market))
    if held is None:
        raise Reject(Code.UNKNOWN_POSITION, detail=position)
    return held


def _account_of(reader: Reader, position: str) -> TradingAccount | None:
    """A position's trading account; without one the main account, of whoever asks."""
    return reader.get(TradingAccount, (_held(reader, position).account,)) if position else None


def posted_report(reader: Reader, asset: str, now: int) -> Report | None:
    """A report made of the posted prices, for quotes, simulations and demos; its evidence says so."""
    feed = reader.get(ReportFeed, (asset,))
    if feed is None:
        return None
    try:
        low, high = pricing.bounds_at(reader, asset, now)
    except Reject:
        return None
    return Report(
        feed=feed.feed, price=low, bid=low, ask=high, valid_from=now, expires=now + 60, evidence="posted prices"
    )


def _swaps(reader: Reader, now: int, account: str, keeper: str) -> Iterator[tuple[str, Command]]:
    """The fulfilment of an account's swaps of the stable token."""
    for request in reader.each(StableSwapRequest):
        vault = reader.get(CreditVaultSettings, (request.vault,))
        terms = None if vault is None else reader.get(CreditCollateral, (vault.token,))
        report = None if terms is None else posted_report(reader, terms.asset, now)
        if request.account == account and report is not None:
            yield keeper, FulfilStableSwap(swap=request.number, report=report)


def _margin_tokens(reader: Reader) -> tuple[str, ...]:
    """Tokens that can be margin: those from outside first, each group in order of priority."""
    accepted = [terms for terms in reader.each(CreditCollateral) if terms.enabled and terms.loan_to_value]
    accepted.sort(key=lambda terms: (not terms.asset, terms.priority, terms.token))
    return tuple(terms.token for terms in accepted)


def _liquidation_price(
    position: CreditPosition, mark: Mark, state: Health, terms: CreditMarketSettings, fee: int
) -> int:
    """Mark at which the account becomes due if only this market moves; 0 where none does."""
    own = mul_div_down(mark.notional, terms.maintenance_margin, RATE)
    spare = state.margin - mark.profit - (state.maintenance - own) - fee
    needed = position.size * position.price - spare * RATE
    slope = position.size - mul_div_down(abs(position.size), terms.maintenance_margin, RATE)
    return max(0, mul_div_toward_zero(needed, 1, slope)) if slope else 0


DESK = CreditDesk()
