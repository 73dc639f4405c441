"""The live table of `zlp oracle watch`: sources side by side, and what a venue would use and why."""

from rich.console import Group
from rich.table import Table
from rich.text import Text

from zlp.oracle.blending import Blend
from zlp.oracle.decimal_text import price_to_text
from zlp.oracle.decision import Decision, PriceState
from zlp.oracle.observation import Health, Observation, Status
from zlp.oracle.pricing import Pricing

BPS = 10_000
STATUS_STYLES = {Status.LIVE: "green", Status.CONNECTING: "cyan", Status.SILENT: "yellow", Status.FAILED: "red"}
STATE_STYLES = {PriceState.FAST: "green", PriceState.BOTH: "yellow", PriceState.NONE: "red"}


def render(pricing: Pricing, now: int) -> Group:
    """Draw everything known at second `now`."""
    sources = Table(title="Sources", title_justify="left", expand=True)
    for name in ("asset", "source", "price", "age", "deviation", "status", "why"):
        sources.add_column(name, justify="right" if name in ("price", "age", "deviation") else "left")
    venue = Table(title="What a venue would use", title_justify="left", expand=True)
    for name in ("asset", "fast", "low", "high", "state", "why"):
        venue.add_column(name, justify="right" if name in ("fast", "low", "high") else "left")
    health = pricing.group.health()
    for asset in pricing.group.assets:
        fast = pricing.fast(asset, now)
        reference = _reference(pricing, asset, fast)
        for source in pricing.group.sources:
            if asset in health[source]:
                latest = pricing.group.latest(source, asset)
                sources.add_row(*_source_row(asset, source, latest, health[source][asset], reference, fast, now))
        sources.add_section()
        venue.add_row(*_venue_row(asset, fast, pricing.decision(asset, now)))
    return Group(sources, venue)


def deviation_bps(price_e30: int, reference_e30: int) -> str:
    """Signed distance from a reference in basis points with two decimals, as text."""
    hundredths = abs(price_e30 - reference_e30) * BPS * 100 // reference_e30
    sign = "-" if price_e30 < reference_e30 and hundredths else "+" if hundredths else ""
    return f"{sign}{hundredths // 100}.{hundredths % 100:02d} bps"


def _reference(pricing: Pricing, asset: str, fast: Blend) -> int | None:
    rounds = pricing.rounds(asset)
    return rounds[-1].price_e30 if rounds else fast.price_e30


def _source_row(
    asset: str,
    source: str,
    latest: Observation | None,
    health: Health,
    reference: int | None,
    fast: Blend,
    now: int,
) -> tuple[str | Text, ...]:
    why = health.reason or (f"not blended: {fast.dropped[source]}" if source in fast.dropped else "")
    status = Text(health.status, style=STATUS_STYLES[health.status])
    if latest is None:
        return asset, source, "-", "-", "-", status, why
    shown = price_to_text(latest.price_e30, 6) + ("" if latest.quote == "USD" else f" {latest.quote}")
    deviation = deviation_bps(latest.price_e30, reference) if reference else "-"
    return asset, source, shown, f"{now - latest.observed_at} s", deviation, status, why


def _venue_row(asset: str, fast: Blend, decision: Decision) -> tuple[str | Text, ...]:
    def shown(price: int | None) -> str:
        return price_to_text(price, 6) if price else "-"

    state = Text(decision.state, style=STATE_STYLES.get(decision.state, "yellow"))
    why = decision.why if fast.price_e30 is not None else f"{decision.why} (no new fast price: {fast.reason})"
    return asset, shown(fast.price_e30), shown(decision.low_e30), shown(decision.high_e30), state, why
