"""Replay recordings of the reference's request queue, order book and managers (E7, E9, E10).

Requests are our market orders, book orders our resting ones. What the reference does differently by design is
run as the commands our users would send, or listed with its reason; state is compared after every operation.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.differential.report import Report
from tests.differential.zeus import REASONS, SAME_WORDS, records
from tests.differential.zeus_flow_venue import FlowVenue, Result
from zlp.engine.rejections import Code

FLOW_REASONS: dict[str, tuple[Code, ...]] = {
    "fee": (Code.EXECUTION_FEE_TOO_SMALL,),
    "OrderBook: insufficient execution fee": (Code.EXECUTION_FEE_TOO_SMALL,),
    "403": (Code.ROLE_REQUIRED, Code.SENDER_NOT_ALLOWED),
    "delay": (Code.REQUEST_TOO_YOUNG,),
    "expired": (Code.REQUEST_EXPIRED,),
    "insufficient amountOut": (Code.AMOUNT_BELOW_MINIMUM,),
    "OrderBook: insufficient amountOut": (Code.AMOUNT_BELOW_MINIMUM,),
    "markPrice > price": (Code.PRICE_ABOVE_ACCEPTABLE,),
    "markPrice < price": (Code.PRICE_BELOW_ACCEPTABLE,),
    "max longs exceeded": (Code.MAX_LONGS_EXCEEDED,),
    "max shorts exceeded": (Code.MAX_SHORTS_EXCEEDED,),
    "OrderBook: invalid price for execution": (Code.PRICE_NOT_REACHED,),
    "OrderBook: non-existent order": (Code.UNKNOWN_ORDER,),
    "VaultPriceFeed: invalid price feed": (Code.UNKNOWN_ORDER, Code.UNKNOWN_FEED),
    "PositionManager: forbidden": (Code.ROLE_REQUIRED, Code.LIQUIDATOR_NOT_ALLOWED),
    "PositionManager: max global longs exceeded": (Code.MAX_LONGS_EXCEEDED,),
    "PositionManager: long deposit": (Code.LEVERAGE_LOWERED,),
    "PositionManager: long leverage decrease": (Code.LEVERAGE_LOWERED,),
    "len": (Code.INVALID_PATH,),
    "OrderBook: invalid _path.length": (Code.INVALID_PATH,),
    "OrderBook: invalid _path": (Code.INVALID_PATH,),
    "OrderBook: insufficient collateral": (Code.AMOUNT_BELOW_MINIMUM,),
    "OrderBook: invalid _amountIn": (Code.ZERO_AMOUNT,),
    "PositionManager: max global shorts exceeded": (Code.MAX_SHORTS_EXCEEDED,),
}
NOT_OURS = {
    "val": "a fee is an amount of the command, not coins sent along with it",
    "OrderBook: incorrect execution fee transferred": "a fee is an amount of the command, not coins sent along",
    "path": "a native token is a token like others, so none has to begin or end a path",
}


def replay(path: Path) -> Report:
    """Run every operation and compare the whole state, queues and escrow included."""
    report = Report()
    params: dict[str, Any] = {}
    venue: FlowVenue | None = None
    name = ""
    for record in records(path):
        if record["t"] == "header":
            params = record["params"]
            continue
        if record["t"] == "episode":
            name, venue = f"seed {record.get('seed')}", FlowVenue(record["config"], params)
            continue
        assert venue is not None
        case = f"{name} op {record['i']} {record['op']}"
        if not record["ok"] and record["reason"] in NOT_OURS:
            report.list(case, NOT_OURS[record["reason"]])
            continue
        result = venue.run(record)
        difference = _compare(venue, record, result)
        if difference:
            report.mismatch(case, difference)
        else:
            report.match()
    return report


def _compare(venue: FlowVenue, record: dict[str, Any], result: Result) -> str:
    if (result.code is None) != record["ok"]:
        return f"expected {record['reason'] or 'success'}, got {result.code or 'success'}"
    if not record["ok"]:
        known = FLOW_REASONS.get(record["reason"]) or (
            REASONS.get(record["reason"]),
            *SAME_WORDS.get(record["reason"], ()),
        )
        if result.code not in known:
            return f"expected {record['reason']}, got {result.code}"
    expected = record["out"].get("result")
    if expected is not None and expected != result.answer:
        return f"result {expected} is {result.answer}"
    return "; ".join(venue.differences({**record, "position": None, "liq": None}) + venue.flow_differences(record))
