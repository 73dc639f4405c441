"""Replay recordings of the deployed contracts: every operation, every number of state, every reason (E1 to E11)."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.differential.report import Report
from tests.differential.zeus_operations import Operations
from tests.differential.zeus_venue import ReferenceVenue
from zlp.engine.rejections import Code

REASONS: dict[str, Code] = {
    "Vault: forbidden": Code.MANAGED_ONLY,
    "Vault: _token not whitelisted": Code.TOKEN_NOT_LISTED,
    "Vault: invalid tokenAmount": Code.ZERO_AMOUNT,
    "Vault: invalid usdgAmount": Code.DEBT_TOO_SMALL,
    "Vault: invalid redemptionAmount": Code.REDEMPTION_TOO_SMALL,
    "Vault: invalid amountOut": Code.OUTPUT_TOO_SMALL,
    "Vault: poolAmount exceeded": Code.POOL_INSUFFICIENT,
    "Vault: reserve exceeds pool": Code.RESERVE_EXCEEDS_POOL,
    "Vault: insufficient reserve": Code.RESERVE_INSUFFICIENT,
    "Vault: max USDG exceeded": Code.MAX_DEBT_EXCEEDED,
    "Vault: swaps not enabled": Code.SWAP_DISABLED,
    "Vault: _tokenIn not whitelisted": Code.INPUT_NOT_LISTED,
    "Vault: _tokenOut not whitelisted": Code.OUTPUT_NOT_LISTED,
    "Vault: invalid tokens": Code.SAME_TOKEN,
    "Vault: invalid amountIn": Code.ZERO_AMOUNT,
    "Vault: poolAmount < buffer": Code.POOL_BELOW_BUFFER,
    "Vault: leverage not enabled": Code.LEVERAGE_DISABLED,
    "Vault: invalid msg.sender": Code.AGENT_NOT_APPROVED,
    "Vault: mismatched tokens": Code.MISMATCHED_COLLATERAL,
    "Vault: _collateralToken not whitelisted": Code.COLLATERAL_NOT_LISTED,
    "Vault: _collateralToken must not be a stableToken": Code.COLLATERAL_IS_STABLE,
    "Vault: _collateralToken must be a stableToken": Code.COLLATERAL_NOT_STABLE,
    "Vault: _indexToken must not be a stableToken": Code.INDEX_IS_STABLE,
    "Vault: _indexToken not shortable": Code.INDEX_NOT_SHORTABLE,
    "Vault: insufficient collateral for fees": Code.COLLATERAL_BELOW_FEES,
    "Vault: invalid position.size": Code.ZERO_POSITION,
    "Vault: empty position": Code.EMPTY_POSITION,
    "Vault: position size exceeded": Code.SIZE_EXCEEDED,
    "Vault: position collateral exceeded": Code.COLLATERAL_EXCEEDED,
    "Vault: collateral should be withdrawn": Code.COLLATERAL_LEFT,
    "Vault: _size must be more than _collateral": Code.SIZE_BELOW_COLLATERAL,
    "Vault: invalid _averagePrice": Code.INVALID_AVERAGE_PRICE,
    "Vault: losses exceed collateral": Code.LOSSES_EXCEED_COLLATERAL,
    "Vault: fees exceed collateral": Code.FEES_EXCEED_COLLATERAL,
    "Vault: liquidation fees exceed collateral": Code.LIQUIDATION_FEE_EXCEEDS_COLLATERAL,
    "Vault: maxLeverage exceeded": Code.MAX_LEVERAGE_EXCEEDED,
    "Vault: max shorts exceeded": Code.MAX_SHORTS_EXCEEDED,
    "Vault: invalid liquidator": Code.LIQUIDATOR_NOT_ALLOWED,
    "Vault: position cannot be liquidated": Code.POSITION_NOT_LIQUIDATABLE,
    "Router: invalid _path.length": Code.INVALID_PATH,
    "Router: insufficient amountOut": Code.AMOUNT_BELOW_MINIMUM,
    "GlpManager: invalid _amount": Code.ZERO_AMOUNT,
    "GlpManager: invalid _glpAmount": Code.ZERO_AMOUNT,
    "GlpManager: insufficient USDG output": Code.DEBT_BELOW_MINIMUM,
    "GlpManager: insufficient GLP output": Code.SHARES_BELOW_MINIMUM,
    "GlpManager: insufficient output": Code.AMOUNT_BELOW_MINIMUM,
    "GlpManager: cooldown duration not yet passed": Code.COOLDOWN_NOT_PASSED,
    "BaseToken: burn amount exceeds balance": Code.INSUFFICIENT_BALANCE,
    "ERC20: transfer amount exceeds balance": Code.INSUFFICIENT_BALANCE,
    "BaseToken: transfer amount exceeds balance": Code.INSUFFICIENT_BALANCE,
    "YieldToken: transfer amount exceeds balance": Code.INSUFFICIENT_BALANCE,
    "VaultPriceFeed: invalid price feed": Code.UNKNOWN_FEED,
    "VaultPriceFeed: could not fetch price": Code.NO_PRICE,
    "VaultPriceFeed: invalid price": Code.INVALID_PRICE,
    "SafeMath: subtraction overflow": Code.ARITHMETIC_UNDERFLOW,
    "SafeMath: division by zero": Code.DIVISION_BY_ZERO,
}
"""Reasons of the contracts and the codes of the engine that say the same."""
SAME_WORDS: dict[str, tuple[Code, ...]] = {
    "Vault: invalid usdgAmount": (Code.DEBT_BELOW_MINIMUM,),
    "SafeMath: subtraction overflow": (
        Code.LOSSES_EXCEED_COLLATERAL,
        Code.FEES_EXCEED_COLLATERAL,
        Code.COLLATERAL_EXCEEDED,
    ),
}
"""Messages that several of our codes share: selling debt of 0 is not buying too little; the contracts' arithmetic
refuses what we call by its name."""


def records(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a recording."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt") as lines:
        for line in lines:
            yield json.loads(line)


def replay(path: Path) -> Report:
    """Run every operation on a venue set up like the recorded deployment and compare."""
    report = Report()
    venue: ReferenceVenue | None = None
    operations: Operations | None = None
    name = ""
    for record in records(path):
        if record["t"] == "header":
            continue
        if record["t"] == "episode":
            name = record["name"] if "name" in record else record["episode"]
            venue = ReferenceVenue(record["config"])
            operations = Operations(venue)
            continue
        assert venue is not None
        assert operations is not None
        difference = _compare(venue, operations, record)
        case = f"{name} op {record['i']} {record['op']}"
        if difference:
            report.mismatch(case, difference)
        else:
            report.match()
    return report


def _compare(venue: ReferenceVenue, operations: Operations, record: dict[str, Any]) -> str:
    outcome = operations.run(record)
    if (outcome.code is None) != record["ok"]:
        return f"expected {record['reason'] or 'success'}, got {outcome.code or 'success'}"
    if not record["ok"]:
        expected = REASONS.get(record["reason"])
        if expected is None:
            return f"no code stands for {record['reason']!r}"
        if outcome.code != expected and outcome.code not in SAME_WORDS.get(record["reason"], ()):
            return f"expected {expected} ({record['reason']}), got {outcome.code}"
    return "; ".join(venue.differences(record) + outcome.differences)
