"""The tables of the read model, for SQLite and PostgreSQL alike.

Two kinds. A *log* has a row per fact, keyed by the sequence of its command and the fact's place in the receipt;
rows never change. A *card* has a row per thing (a position, an order, a candle) and changes with it. Every row
follows from the journal's receipts alone.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, MetaData, Table

from zlp.projections.amounts import amount, exact, flag, number, small, text, usd

SCHEMA = 3
"""Version of these tables; a read model of another one is built anew."""

METADATA = MetaData()


def _log(name: str, *columns: Column[object], by: tuple[str, ...] = ()) -> Table:
    """A table of facts, indexed by time and by each column of ``by`` in the order of the log."""
    table = Table(name, METADATA, number("sequence", key=True), small("ordinal", key=True), number("time"), *columns)
    for column in ("time", *by):
        Index(f"{name}_by_{column}", table.c[column], table.c.sequence, table.c.ordinal)
    return table


def _card(name: str, *columns: Column[object], by: tuple[tuple[str, ...], ...] = ()) -> Table:
    """A table of things; the first columns are its key."""
    table = Table(name, METADATA, *columns)
    for names in by:
        Index(f"{name}_by_{'_'.join(names)}", *(table.c[each] for each in names))
    return table


progress = _card("progress", text("name", key=True), number("sequence"), number("schema"), text("venue"))
settings = _card("settings", text("leaf", key=True), text("key", key=True), text("record"), number("sequence"))

fills = _log(
    "fills",
    text("account"),
    text("market"),
    text("position"),
    number("opened_in"),
    small("opened_at_ordinal"),
    text("collateral"),
    flag("is_long"),
    text("action"),
    text("side"),
    usd("traded_usd"),
    usd("price"),
    usd("size_before"),
    usd("size_after"),
    usd("average_price"),
    usd("collateral_usd"),
    usd("pnl_usd"),
    usd("fee_usd"),
    usd("carry_usd"),
    usd("closed_basis_usd"),
    usd("cost_basis_usd"),
    usd("net_usd"),
    text("order"),
    by=("account", "market", "opened_in"),
)
positions = _card(
    "positions",
    number("opened_in", key=True),
    small("opened_at_ordinal", key=True),
    text("position"),
    text("account"),
    text("market"),
    text("collateral"),
    flag("is_long"),
    number("opened_at"),
    number("closed_at"),
    number("changed_in"),
    text("last_action"),
    small("fills"),
    usd("size_usd"),
    usd("largest_usd"),
    usd("average_price"),
    usd("collateral_usd"),
    usd("pnl_usd"),
    usd("fee_usd"),
    usd("carry_usd"),
    usd("net_usd"),
    by=(("account", "opened_in"), ("market", "opened_in")),
)
live_positions = _card("live_positions", text("position", key=True), number("opened_in"), small("opened_at_ordinal"))
liquidations = _log(
    "liquidations",
    text("account"),
    text("market"),
    text("liquidator"),
    text("token"),
    amount("reward"),
    usd("bad_debt_usd"),
    by=("account",),
)
funding = _log(
    "funding",
    text("account"),
    text("market"),
    text("position"),
    flag("is_long"),
    usd("paid_usd"),
    usd("size_usd"),
    by=("account", "market"),
)
fees = _log(
    "fees",
    text("kind"),
    text("pool"),
    text("account"),
    text("token"),
    amount("amount"),
    amount("to_pool"),
    usd("value_usd"),
    usd("to_pool_usd"),
    text("order"),
    by=("account", "pool"),
)
swaps = _log(
    "swaps",
    text("pool"),
    text("account"),
    text("token_in"),
    text("token_out"),
    amount("amount_in", "token_in"),
    amount("gross_out", "token_out"),
    amount("amount_out", "token_out"),
    usd("value_usd"),
    exact("fee_rate"),
    exact("fee_scale"),
    text("order"),
    by=("account", "pool"),
)
liquidity = _log(
    "liquidity",
    text("action"),
    text("pool"),
    text("account"),
    text("token"),
    text("share"),
    amount("amount"),
    amount("shares", "share"),
    usd("value_usd"),
    usd("pool_value_usd"),
    amount("supply", "share"),
    exact("fee_rate"),
    exact("fee_scale"),
    text("order"),
    by=("account", "pool"),
)
orders = _card(
    "orders",
    text("order", key=True),
    number("placed_in"),
    small("placed_at_ordinal"),
    number("placed_at"),
    text("account"),
    text("status"),
    text("reason"),
    text("kind"),
    text("market"),
    text("action"),
    flag("resting"),
    text("trigger_asset"),
    text("trigger_quote"),
    usd("trigger_price"),
    flag("trigger_above"),
    exact("fee"),
    number("expires"),
    text("client"),
    text("keeper"),
    number("closed_at"),
    number("changed_in"),
    by=(("account", "placed_in"), ("placed_in",)),
)
order_changes = _log("order_changes", text("order"), text("account"), text("change"), text("detail"), by=("order",))
credit_orders = _card("credit_orders", text("slot", key=True), text("order"))
transfers = _log(
    "transfers",
    text("kind"),
    text("token"),
    text("source"),
    text("target"),
    amount("amount"),
    by=("source", "target"),
)
rewards = _log("rewards", text("kind"), text("account"), text("token"), amount("amount"), by=("account",))
withdrawals = _card(
    "withdrawals",
    text("withdrawal", key=True),
    number("requested_in"),
    number("requested_at"),
    text("account"),
    text("token"),
    amount("amount"),
    text("destination"),
    text("status"),
    text("reference"),
    number("settled_at"),
    by=(("account", "requested_in"),),
)
governance = _log("governance", text("kind"), text("account"), text("record"))
prices = _log("prices", text("asset"), text("source"), usd("low"), usd("high"), by=("asset",))
last_prices = _card("last_prices", text("asset", key=True), usd("price"), number("time"))
open_interest = _card("open_interest", text("market", key=True), usd("long_usd"), usd("short_usd"))
candles = _card(
    "candles",
    text("symbol", key=True),
    text("interval", key=True),
    number("start", key=True),
    usd("open"),
    usd("high"),
    usd("low"),
    usd("close"),
    usd("volume_usd"),
    small("trades"),
    usd("long_usd"),
    usd("short_usd"),
)
pool_samples = _log(
    "pool_samples",
    text("pool"),
    text("share"),
    usd("low_usd"),
    usd("high_usd"),
    amount("supply", "share"),
    usd("share_price"),
    usd("burn_price"),
    by=("pool",),
)
pool_income = _card(
    "pool_income",
    text("pool", key=True),
    text("source", key=True),
    usd("pending_usd"),
    usd("total_usd"),
    usd("per_share"),
)
income_samples = _card(
    "income_samples",
    text("pool", key=True),
    number("sequence", key=True),
    text("source", key=True),
    number("time"),
    usd("total_usd"),
    usd("per_share"),
)
