"""Fills orders on the vaults' credit and swaps of the stable token with signed reports, and keeps vaults up to date."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from zlp.desks.credit_positions import posted_report
from zlp.engine import Command
from zlp.engine.branches.credit_positions.held import signed_order
from zlp.engine.codec import decode_command
from zlp.engine.commands.credit import RefreshVaults, Report
from zlp.engine.commands.credit_positions import (
    CancelCreditOrder,
    FillCreditOrder,
    FillSignedOrders,
    FillWaitingOrder,
    PlaceCreditOrder,
    SignedOrder,
)
from zlp.engine.commands.stability import FulfilStableSwap
from zlp.engine.events.credit_positions import SignedOrderSkipped
from zlp.engine.leaves.credit import CreditCollateral, CreditMarketSettings, CreditVaultSettings
from zlp.engine.leaves.credit_positions import CreditOrder, HeldOrder, SkewTotals
from zlp.engine.leaves.orders import Order
from zlp.engine.leaves.stability import StableSwapRequest
from zlp.engine.state import Reader
from zlp.keepers.port import Port
from zlp.keepers.waiting_orders import WaitingOrders

Reports = Callable[[str, int], Report | None]
"""The newest verified report of an asset at a second, or ``None`` while there is none."""
BATCH = 64
REFRESH_EVERY = 3_600
"""Seconds between looks of every vault at its markets."""


class CreditKeeper:
    """Submits what waits, with the newest report of what it is priced by. Refused orders wait for the next round.

    It is the same with any source of reports: verified streams, a recording, or ``posted_reports`` where the
    keeper is trusted and everything happens in one process.
    """

    name = "credit"

    def __init__(self, port: Port, reports: Reports | None = None) -> None:
        self._port = port
        self._reports = reports or posted_reports(port.reader)
        self._waiting = WaitingOrders(port.reader, reported=True)
        port.listen(self._waiting.hear)
        self._refreshed_at = 0

    def work(self) -> int:
        """One round."""
        now = self._port.now()
        return sum(self._port.submit(command).accepted for command in list(self._due(now)))

    def _due(self, now: int) -> Iterator[Command]:
        reader = self._port.reader
        for order in reader.each(CreditOrder):
            report = self._market_report(order.market, now)
            if report is not None and report.valid_from >= order.placed_at:
                yield from self._possible(FillCreditOrder(trading_account=order.account, report=report))
            elif report is None:
                yield from self._possible(CancelCreditOrder(trading_account=order.account))
        for number in self._waiting.due(now):
            yield from self._fill_waiting(number, now)
        yield from self._fill_signed(now)
        for request in reader.each(StableSwapRequest):
            report = self._swap_report(request, now)
            if report is not None and now <= request.deadline:
                yield from self._possible(FulfilStableSwap(swap=request.number, report=report))
        if now - self._refreshed_at >= REFRESH_EVERY:
            self._refreshed_at = now
            yield from (RefreshVaults(vaults=(vault.vault,)) for vault in reader.each(CreditVaultSettings))

    def _possible(self, command: Command) -> Iterator[Command]:
        """A command that would fail now stays out of the log."""
        if self._port.quote(command).accepted:
            yield command

    def _fill_waiting(self, number: int, now: int) -> Iterator[Command]:
        order = self._port.reader.get(Order, (number,))
        action = None if order is None else decode_command(order.action)
        if order is not None and isinstance(action, PlaceCreditOrder):
            report = self._market_report(action.market, now)
            if report is not None and report.valid_from >= order.placed_at:
                yield from self._possible(FillWaitingOrder(number=number, report=report))

    def _fill_signed(self, now: int) -> Iterator[Command]:
        """Signed orders the venue keeps, whose price a report reaches; those that have expired go with them."""
        found: dict[str, list[SignedOrder]] = {}
        for held in self._port.reader.each(HeldOrder):
            report = self._market_report(held.market, now)
            if report is not None and self._is_due(held, report, now):
                found.setdefault(held.market, []).append(signed_order(held))
        for market, orders in found.items():
            report = self._market_report(market, now)
            for start in range(0, len(orders) if report is not None else 0, BATCH):
                batch = tuple(orders[start : start + BATCH])
                yield FillSignedOrders(market=market, orders=batch, report=report)  # type: ignore[arg-type]

    def _is_due(self, held: HeldOrder, report: Report, now: int) -> bool:
        """Whether it would end now: the price with its premium first, since most are far from it, then a quote."""
        if not held.expires or now <= held.expires:
            terms = self._port.reader.get(CreditMarketSettings, (held.market,))
            totals = self._port.reader.get(SkewTotals, (held.market,))
            buys, skew = held.size_delta > 0, 0 if totals is None else totals.skew
            if terms is None or report.valid_from < held.held_at:
                return False
            price = terms.mark.mark(report.ask if buys else report.bid, skew, held.size_delta)
            if price > held.target_price if buys else price < held.target_price:
                return False
        receipt = self._port.quote(FillSignedOrders(market=held.market, orders=(signed_order(held),), report=report))
        return receipt.accepted and not any(isinstance(event, SignedOrderSkipped) for event in receipt.events)

    def _market_report(self, name: str, now: int) -> Report | None:
        market = self._port.reader.get(CreditMarketSettings, (name,))
        return None if market is None else self._reports(market.asset, now)

    def _swap_report(self, request: StableSwapRequest, now: int) -> Report | None:
        reader = self._port.reader
        vault = reader.get(CreditVaultSettings, (request.vault,))
        terms = None if vault is None else reader.get(CreditCollateral, (vault.token,))
        return None if terms is None else self._reports(terms.asset, now)


def posted_reports(reader: Reader) -> Reports:
    """Reports made of the posted prices, for simulations and demos; the evidence says so."""
    return lambda asset, now: posted_report(reader, asset, now)
