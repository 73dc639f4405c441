"""The calculators of ``zlp quote`` as reads: the published examples with one's own figures, exact."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from zlp.engine.fixed import BPS, RATE, USD
from zlp.engine.mechanisms.deleverage_curve import DeleverageCurve, PremiumCurve
from zlp.node import Node
from zlp.quotes.adaptive_price import adaptive_price, decimal_text
from zlp.quotes.opening import quote_opening
from zlp.quotes.yields import quote_yield
from zlp.server.problems import Problem
from zlp.server.reads import Parameters, Read
from zlp.server.views import decimal

Inputs = dict[str, str]
PAIRS = 12


def _inputs(parameters: Parameters, example: Inputs) -> Inputs:
    """The published example's inputs, with what was given in their place."""
    found = dict(example)
    text = parameters.text("given")
    for pair in text.split(",")[:PAIRS] if text else ():
        name, equals, value = pair.partition("=")
        if not equals or name not in example:
            raise Problem("malformed_request", f"inputs are {', '.join(example)}, written name=value")
        found[name] = value
    return found


def _scaled(text: str, unit: int) -> int:
    """A decimal, signed, at ``unit``; more places than it has are refused."""
    value = Decimal(text)
    if not value.is_finite() or abs(value.adjusted()) > 40:
        raise ValueError(f"{text[:40]} is not a number this calculator takes")
    sign, digits, exponent = value.as_tuple()
    whole = int("".join(map(str, digits))) * unit
    shift: int = 10 ** abs(int(exponent))
    if int(exponent) < 0 and whole % shift:
        raise ValueError(f"{text[:40]} has too many decimals")
    scaled = whole * shift if int(exponent) >= 0 else whole // shift
    return -scaled if sign else scaled


def _calculator(example: Inputs, work: Callable[[Inputs], dict[str, Any]]) -> Callable[[Node, Parameters], Any]:
    def handler(node: Node, parameters: Parameters) -> Any:
        given = _inputs(parameters, example)
        try:
            answer = work(given)
        except ArithmeticError:
            raise Problem("malformed_request", "inputs are decimal numbers, like 1000 or 0.75") from None
        except (LookupError, ValueError) as fault:
            raise Problem("malformed_request", str(fault)) from None
        return {"sequence": str(node.root.sequence), "inputs": given, **answer}

    return handler


def _adaptive(given: Inputs) -> dict[str, Any]:
    oracle, skew, size, scale = (_scaled(given[name], USD) for name in ("oracle", "skew", "size", "scale"))
    quote = adaptive_price(oracle, skew, size, scale)
    curve = [
        {"skew": decimal(at, USD), "price": decimal(adaptive_price(oracle, at, 0, scale).price, USD)}
        for at in (scale * step // 200 for step in range(-20, 21))
    ]
    return {
        "before": decimal(quote.before_ratio, USD),
        "after": decimal(quote.after_ratio, USD),
        "premium": decimal(quote.premium, USD),
        "price": decimal(quote.price, USD),
        "exact": decimal_text(quote.exact),
        "rounded": decimal_text(quote.rounded),
        "curve": curve,
    }


def _yield(given: Inputs) -> dict[str, Any]:
    quote = quote_yield(
        daily_volume=Decimal(given["volume"]),
        fee_rate=Decimal(given["fee"]),
        pool_share=Decimal(given["pool_share"]),
        contribution=Decimal(given["contribution"]),
        pool_value=Decimal(given["pool_value"]),
    )
    return {
        "pool_fees_per_day": decimal_text(quote.pool_fees_per_day),
        "share": decimal_text(quote.share),
        "per_day": decimal_text(quote.per_day),
        "apr_bps": str(quote.apr_bps),
    }


def _opening(given: Inputs) -> dict[str, Any]:
    quote = quote_opening(
        "zeus",
        market=given["market"],
        collateral=given["collateral"],
        collateral_usd=_scaled(given["amount"], USD),
        leverage_bps=_scaled(given["leverage"], BPS),
    )
    lines = [
        {"name": line.name, "usd": decimal(line.value_usd, USD), "bps": str(line.bps or ""), "why": line.why}
        for line in quote.lines
    ]
    fee = decimal(quote.execution_fee, RATE)
    return {"size_usd": decimal(quote.size_usd, USD), "lines": lines, "execution": f"{fee} {quote.execution_token}"}


def _deleverage(given: Inputs) -> dict[str, Any]:
    start, end, exponent, debt, credit = (
        _scaled(given[name], RATE) for name in ("start", "end", "exponent", "debt", "credit")
    )
    curve = DeleverageCurve(start=start, end=end, exponent=exponent)
    fault = curve.invalid()
    if fault or credit <= 0:
        raise ValueError(fault or "there must be credit")
    points = [
        {"ratio": decimal(at, RATE), "paid": decimal(curve.payout_factor(RATE, at), RATE)}
        for at in ((end * 5 // 4) * step // 50 for step in range(51))
    ]
    return {"factor": decimal(curve.payout_factor(credit, debt), RATE), "curve": points}


def _premium(given: Inputs) -> dict[str, Any]:
    """What the output of swapping the stable token is multiplied with, by the vault's debt over its assets (Z6)."""
    low, high, least, most, exponent, debt, assets = (
        _scaled(given[name], RATE) for name in ("start", "end", "least", "most", "exponent", "debt", "assets")
    )
    curve = PremiumCurve(x_min=low, x_max=high, y_min=least, y_max=most, exponent=exponent)
    fault = curve.invalid()
    if fault or assets <= 0:
        raise ValueError(fault or "the vault must hold something")
    reach = high * 5 // 4
    points = [
        {"ratio": decimal(at, RATE), "factor": decimal(curve.factor(RATE, at), RATE)}
        for at in (reach * step // 50 for step in range(-50, 51))
    ]
    return {"factor": decimal(curve.factor(assets, debt), RATE), "curve": points}


ADAPTIVE = {"oracle": "1800", "skew": "0", "size": "1000000", "scale": "300000000"}
YIELD = {"volume": "50000000", "fee": "0.0006", "pool_share": "0.75", "contribution": "1000", "pool_value": "4000000"}
OPENING = {"market": "ETH", "collateral": "BTC", "amount": "1000", "leverage": "10"}
DELEVERAGE = {"start": "0.5", "end": "1", "exponent": "1", "debt": "700000", "credit": "1000000"}
PREMIUM = {
    "start": "0.3",
    "end": "0.8",
    "least": "0.01",
    "most": "0.1",
    "exponent": "3",
    "debt": "500000",
    "assets": "1000000",
}
WORK: tuple[tuple[str, str, Inputs, Callable[[Inputs], dict[str, Any]]], ...] = (
    ("adaptive-price", "the price of a trade from a market's skew", ADAPTIVE, _adaptive),
    ("yield", "what a pool's fees come to for one provider", YIELD, _yield),
    ("opening", "what opening an isolated position costs, fee by fee", OPENING, _opening),
    ("deleverage", "how much of a profit is paid as debt nears credit", DELEVERAGE, _deleverage),
    ("premium", "what swapping the stable token pays or costs by a vault's debt", PREMIUM, _premium),
)
READS: list[Read] = [
    Read(f"/v1/calculators/{name}", summary, _calculator(example, work), "calculators", ("given",))
    for name, summary, example, work in WORK
]
