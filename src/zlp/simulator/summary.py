"""The closing tables of a run, for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from zlp.engine.fixed import USD
from zlp.simulator.backtest import Result
from zlp.simulator.paths import day


def closing(result: Result, source: str, kind: str = "backtest") -> RenderableType:
    """Everything a reader wants to know first: LP return and where it came from, traders, risk, digest."""
    parts: list[RenderableType] = [_head(result, source, kind), _split(result), _traders(result), _risk(result)]
    parts += _remarks(result)
    return Group(*parts)


def dollars(amount: int) -> str:
    """USD at 1e30 as text to the dollar, or to the cent where it is small."""
    places = 0 if abs(amount) >= 1_000 * USD else 2
    return f"{amount / USD:,.{places}f}"


def _head(result: Result, source: str, kind: str) -> Table:
    table = Table(title=f"{result.profile}: {kind}", title_justify="left", show_header=False)
    table.add_row("prices", source)
    table.add_row("from, to", f"{day(result.start_time)}, {day(result.end_time)} UTC")
    table.add_row("ticks, commands", f"{result.ticks:,}, {result.commands:,}")
    table.add_row("profile, seed", f"{result.profile_hash[:16]}, {result.seed}")
    table.add_row("[bold]LP return", f"[bold]{result.series.total_return:+.2%}")
    if result.leaving_return is not None:
        table.add_row("of those who leave now", f"{result.leaving_return:+.2%}")
    table.add_row("holding the same assets", f"{result.holding_return:+.2%}")
    table.add_row("pool value", f"{dollars(result.start_value)} -> {dollars(result.end_value)} USD")
    return table


def _split(result: Result) -> Table:
    table = Table("where it came from", title="Pool value", title_justify="left")
    table.add_column("USD", justify="right")
    table.add_column("of the average pool", justify="right")
    average = sum(result.series.value) / len(result.series.value) or 1.0
    for name, amount in result.split.items():
        table.add_row(name, dollars(amount), f"{amount / USD / average:+.3%}")
    table.add_section()
    table.add_row("change of pool value", dollars(sum(result.split.values())), "")
    if result.fees_elsewhere:
        table.add_section()
        for kind, amount in result.fees_elsewhere.items():
            table.add_row(f"[dim]not the LPs': {kind} fees", f"[dim]{dollars(amount)}", "")
    return table


def _traders(result: Result) -> Table:
    table = Table("after fees, with open positions", title="Traders", title_justify="left")
    table.add_column("result in USD", justify="right")
    for name, amount in result.net_by_behaviour.items():
        table.add_row(name, dollars(amount))
    table.add_section()
    table.add_row("all", dollars(sum(result.net_by_behaviour.values())))
    table.add_row("volume", dollars(result.volume))
    return table


def _risk(result: Result) -> Table:
    series = result.series
    table = Table(title="Risk", title_justify="left", show_header=False)
    table.add_column()
    table.add_column(overflow="fold")
    table.add_row("worst drawdown of a share", f"{series.worst_drawdown:.2%}")
    table.add_row("utilisation", f"{series.mean_utilisation:.1%} on average, {max(series.utilisation):.1%} at most")
    table.add_row("largest open interest", f"{max(series.long_size):,.0f} long, {max(series.short_size):,.0f} short")
    table.add_row("liquidations, deleverages", f"{result.liquidations}, {result.deleverages}")
    table.add_row("bad debt", f"{dollars(result.bad_debt)} USD in {len(result.bad_debts)} cases")
    table.add_row("orders", _orders(result))
    if result.rejections:
        table.add_row("rejected", ", ".join(f"{code} {count}" for code, count in result.rejections.items()))
    table.add_row("conservation", "no faults" if not result.faults else f"[red]{len(result.faults)} faults")
    table.add_row("digest", result.digest)
    return table


def _orders(result: Result) -> str:
    named = {name: count for name, count in result.actions.items() if name.startswith("order")}
    return ", ".join(f"{name.removeprefix('order ')} {count}" for name, count in named.items()) or "none"


def _remarks(result: Result) -> Iterator[RenderableType]:
    if result.bad_debts:
        yield Text("Bad debt: prices jumped past these positions between two ticks; the pool bears the rest.")
        yield from (Text(f"  {line}") for line in result.bad_debts[:5])
        if len(result.bad_debts) > 5:
            yield Text(f"  and {len(result.bad_debts) - 5} more")
    if result.assumptions:
        yield Text(f"Assumed prices: {'; '.join(result.assumptions)}.", style="dim")
    yield from (Text(f"fault: {fault}", style="red") for fault in result.faults)
