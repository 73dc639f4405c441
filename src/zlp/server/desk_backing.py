"""What stands behind the traders' profits: a fund's buffer, or the credit that vaults lend to markets and their debt.

Only these two designs keep books of it; where a pool reserves tokens position by position, its assets say so.
"""

from __future__ import annotations

from typing import Any

from zlp.desks.base import decimals_of, reading
from zlp.desks.cross_margin import reading as fund_books
from zlp.engine import ledger
from zlp.engine.branches.credit import markets, values, vaults
from zlp.engine.branches.fund import valuation
from zlp.engine.draft import Draft
from zlp.engine.fixed import BPS, RATE, mul_div_down, mul_div_toward_zero, value_of
from zlp.engine.leaves.credit import CreditMarketSettings, CreditVaultSettings, Delegation
from zlp.engine.leaves.cross_margin import CrossMarginSettings
from zlp.engine.mechanisms.credit import locked
from zlp.engine.mechanisms.deleverage_curve import debt_ratio
from zlp.engine.rejections import Reject
from zlp.engine.state import Reader
from zlp.server.desk_views import amount, usd
from zlp.server.views import decimal

Row = dict[str, Any]


def backing(reader: Reader, now: int) -> dict[str, list[Row]]:
    """Funds with their buffer; vaults with their debt and capacity; markets with the credit lent to them; who lends."""
    vaulted = list(reader.each(CreditVaultSettings))
    draft = reading(reader, now)
    return {
        "funds": [row for each in reader.each(CrossMarginSettings) for row in _fund(reader, now, each.pool)],
        "vaults": [row for each in vaulted for row in _vault(draft, each)],
        "credit_markets": [row for each in reader.each(CreditMarketSettings) for row in _market(draft, each)],
        "lent": [row for each in vaulted for row in _lent(draft, each)],
    }


def _fund(reader: Reader, now: int, pool: str) -> list[Row]:
    """``buffer_bps``: 1 + the fund's own net PnL over its assets; below the threshold positions are closed (N8)."""
    try:
        desk = fund_books(reader, now, pool).desk
        assets, net = valuation.assets_usd(desk), valuation.net_pnl_usd(desk)
    except Reject:
        return []
    books = desk.books
    owed = books.trading_debt_usd + books.borrowing_debt_usd + books.funding_debt_usd + books.loss_debt_usd
    return [
        {
            "pool": pool,
            "assets_usd": usd(assets),
            "net_pnl_usd": usd(net),
            "buffer_bps": str(desk.fund.buffer.ratio_bps(net, assets)),
            "threshold_bps": str(desk.fund.buffer.threshold_bps),
            "reserved_usd": usd(books.reserve_usd),
            "reserved_bps": str(mul_div_down(books.reserve_usd, BPS, assets) if assets else 0),
            "max_reserved_bps": str(desk.fund.max_utilisation_bps),
            "owed_by_traders_usd": usd(owed),
            "lent_to_funding_usd": usd(books.loan_usd),
            "unpaid_profits_usd": usd(books.claims_usd),
        }
    ]


def _vault(draft: Draft, settings: CreditVaultSettings) -> list[Row]:
    """A vault brought up to date with its markets; a negative debt is owed to it."""
    try:
        state = vaults.recalculate(draft, settings)
        held = vaults.assets(draft, settings)
        worth = value_of(held, values.price_of(draft, settings.token), ledger.token(draft, settings.token).unit)
        settlement = values.credit_settings(draft).settlement
        capacity, debt = vaults.vault_capacity(draft, settings, state), vaults.debt(draft, state)
        settled = values.usd_of(draft, settlement, state.settled)
    except Reject:
        return []
    return [
        {
            "vault": settings.vault,
            "token": settings.token,
            "held": amount(decimals_of(draft), settings.token, held),
            "assets_usd": usd(worth),
            "credit_usd": usd(values.credit_of(draft, settings.token, held)),
            "realized_usd": usd(state.realized_debt),
            "settled_usd": usd(settled),
            "unrealized_usd": usd(state.unrealized_debt),
            "debt_usd": usd(debt),
            "capacity_usd": usd(capacity),
            "locked_usd": usd(locked(capacity, settings.locked_ratio)),
            "debt_ratio": decimal(mul_div_toward_zero(debt, RATE, worth) if worth else 0, RATE),
        }
    ]


def _market(draft: Draft, terms: CreditMarketSettings) -> list[Row]:
    """A market's debt over the credit lent to it, and the part of a profit that is paid at this ratio (Z5)."""
    try:
        debt = markets.total_debt(draft, terms)
        lent = values.market_state(draft, terms.market).delegated
        open_debt = values.unrealized_debt(draft, terms)
    except Reject:
        return []
    return [
        {
            "market": terms.market,
            "credit_usd": usd(lent),
            "debt_usd": usd(debt),
            "unrealized_usd": usd(open_debt),
            "capacity_usd": usd(lent - debt),
            "ratio": decimal(debt_ratio(debt, lent), RATE),
            "paid": decimal(terms.deleverage.payout_factor(lent, debt), RATE),
            "starts": decimal(terms.deleverage.start, RATE),
            "ends": decimal(terms.deleverage.end, RATE),
        }
    ]


def _lent(draft: Draft, settings: CreditVaultSettings) -> list[Row]:
    """Credit of one vault by market, and the part of the market's debt it bears."""
    rows = []
    for weight in settings.markets:
        held = draft.get(Delegation, (settings.vault, weight.market))
        state = values.market_state(draft, weight.market)
        if held is not None and state.bearing:
            rows.append(
                {
                    "vault": settings.vault,
                    "market": weight.market,
                    "credit_usd": usd(held.credit),
                    "bears_bps": str(mul_div_down(held.bearing, BPS, state.bearing)),
                }
            )
    return rows
