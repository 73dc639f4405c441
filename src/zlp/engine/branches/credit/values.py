"""What things are worth to the credit system: collateral, reports, a market's debt."""

from __future__ import annotations

from msgspec.structs import replace

from zlp.engine import ledger, pricing
from zlp.engine.commands.credit import Report
from zlp.engine.draft import Draft
from zlp.engine.fixed import BPS, RATE, USD, div_down, mul_div_down, mul_div_up, value_of
from zlp.engine.leaves.credit import (
    CreditCollateral,
    CreditMarket,
    CreditMarketSettings,
    CreditSettings,
    ReportFeed,
)
from zlp.engine.leaves.credit_positions import SkewTotals
from zlp.engine.mechanisms.credit import market_realized
from zlp.engine.rejections import Code, Reject


def credit_settings(draft: Draft) -> CreditSettings:
    """The venue's credit terms."""
    return draft.need(CreditSettings, (), Code.UNKNOWN_SETTING)


def collateral(draft: Draft, token: str) -> CreditCollateral:
    """The terms of a collateral, or ``collateral_not_listed``."""
    return draft.need(CreditCollateral, (token,), Code.COLLATERAL_NOT_LISTED)


def price_of(draft: Draft, token: str, maximise: bool = False) -> int:
    """Price of a whole token, the low one unless asked otherwise; tokens without a feed count as one USD."""
    asset = collateral(draft, token).asset
    return pricing.bounds(draft, asset)[maximise] if asset else USD


def usd_of(draft: Draft, token: str, amount: int) -> int:
    """USD value of base units at the low price, rounded down."""
    return value_of(amount, price_of(draft, token), ledger.token(draft, token).unit) if amount else 0


def credit_of(draft: Draft, token: str, amount: int) -> int:
    """The part of a value that counts as credit (the adjusted price of reference section 3)."""
    return mul_div_down(usd_of(draft, token, amount), collateral(draft, token).credit_ratio, RATE)


def require_fresh(draft: Draft, token: str, *, reducing: bool = False) -> None:
    """Refuse a collateral price that is too old."""
    asset = collateral(draft, token).asset
    if asset:
        pricing.require_fresh(draft, asset, reducing=reducing)


def checked(draft: Draft, asset: str, report: Report) -> Report:
    """The report, if it is of this asset's feed, in force, young enough and near the posted price (Z6)."""
    feed = draft.need(ReportFeed, (asset,), Code.UNKNOWN_FEED)
    if report.feed != feed.feed:
        raise Reject(Code.REPORT_OF_ANOTHER_FEED, detail=report.feed)
    if report.valid_from > draft.time:
        raise Reject(Code.REPORT_NOT_YET_VALID, limit=draft.time, actual=report.valid_from)
    if draft.time > report.valid_from + feed.max_age:
        raise Reject(Code.REPORT_TOO_OLD, limit=feed.max_age, actual=draft.time - report.valid_from)
    if draft.time > report.expires:
        raise Reject(Code.REPORT_EXPIRED, limit=report.expires, actual=draft.time)
    if not 0 < report.bid <= report.price <= report.ask:
        raise Reject(Code.REPORT_INVALID, detail="bid <= price <= ask")
    if not report.evidence:
        raise Reject(Code.REPORT_INVALID, detail="no evidence")
    if feed.max_deviation_bps:
        posted = index_price(draft, asset)
        distance = mul_div_down(abs(report.price - posted), BPS, posted)
        if distance > feed.max_deviation_bps:
            raise Reject(Code.REPORT_DEVIATES, limit=feed.max_deviation_bps, actual=distance)
    return report


def index_price(draft: Draft, asset: str) -> int:
    """The middle of the posted prices."""
    low, high = pricing.bounds(draft, asset)
    return div_down(low + high, 2)


def market_settings(draft: Draft, market: str) -> CreditMarketSettings:
    """A market's terms, or ``unknown_market``."""
    return draft.need(CreditMarketSettings, (market,), Code.UNKNOWN_MARKET)


def market_state(draft: Draft, market: str) -> CreditMarket:
    """A market's account with its vaults."""
    return draft.get(CreditMarket, (market,)) or CreditMarket(market)


def funded_totals(draft: Draft, settings: CreditMarketSettings) -> SkewTotals:
    """The market's totals with funding up to the command's second.

    Funding is charged at the mark before the trade, the same for every position, so that a large order can't
    change what others have already accrued.
    """
    totals = draft.get(SkewTotals, (settings.market,)) or SkewTotals(settings.market, funding_at=draft.time)
    elapsed = draft.time - totals.funding_at
    if not elapsed:
        return totals
    if not totals.open_interest:
        return replace(totals, funding_at=draft.time)
    found = draft.memo.get(("funded", settings.market))
    if found is not None and found[0] is totals and found[1] is settings:
        return found[2]  # type: ignore[no-any-return]
    mark = settings.mark.mark(index_price(draft, settings.asset), totals.skew, 0)
    rate = settings.funding.rate(totals.funding_rate, totals.skew, elapsed)
    change = settings.funding.fee_change(totals.funding_rate, rate, elapsed, mark)
    funded = replace(totals, funding_rate=rate, funding_index=totals.funding_index + change, funding_at=draft.time)
    draft.memo["funded", settings.market] = totals, settings, funded
    return funded


def unrealized_debt(draft: Draft, settings: CreditMarketSettings) -> int:
    """What closing every position now would pay traders, funding included (USD, signed). O(1) in positions."""
    totals = funded_totals(draft, settings)
    closing = 0
    if totals.skew:
        closing = settings.mark.closing_value(index_price(draft, settings.asset), totals.skew)
    owed = totals.funding_index * totals.skew - totals.funding_entry - totals.entry_value
    return closing + _toward_debt(owed)


def _toward_debt(product: int) -> int:
    """The USD of an exact size x price product, rounded up: against the vaults never too little."""
    return mul_div_up(product, 1, RATE) if product > 0 else -mul_div_down(-product, 1, RATE)


def realized_debt(draft: Draft, state: CreditMarket) -> int:
    """Stable tokens issued for the market less the credit value of what losers have deposited."""
    stable = credit_settings(draft).stable
    deposits = sum(
        credit_of(draft, token, ledger.balance_of(draft, state.deposits_holder, token))
        for token in state.tokens
        if token != stable
    )
    return market_realized(state.issued, deposits)
