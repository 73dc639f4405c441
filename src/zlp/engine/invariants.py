"""What must hold after every command, checked over the leaves it touched; and over all of them, the slow way.

The check is O(touched): balances and supplies move together (A3), no record contradicts itself, and no
holder has less than the records that speak for it. A fault is ours, never the user's: ``InvariantBroken``.
"""

from __future__ import annotations

from collections.abc import Iterator

from zlp.engine.draft import Draft
from zlp.engine.leaves import CLAIMANTS
from zlp.engine.leaves.base import Leaf
from zlp.engine.leaves.ledger import Balance, Supply
from zlp.engine.rejections import InvariantBroken
from zlp.engine.state import Reader, State


def check(draft: Draft) -> None:
    """Raise ``InvariantBroken`` if the draft may not be committed."""
    drift: dict[str, int] = {}
    for kind, table in draft.writes.items():
        for key, leaf in table.items():
            if leaf is not None:
                reason = leaf.broken()
                if reason is not None:
                    raise InvariantBroken(f"{kind.__name__}{key}: {reason}")
                if kind is not Balance:
                    _check_claim(draft, leaf)
            if kind is Balance:
                symbol = str(key[1])
                drift[symbol] = drift.get(symbol, 0) + _change(draft, Balance, key, leaf)
                _check_holder(draft, str(key[0]), symbol)
            elif kind is Supply:
                symbol = str(key[0])
                drift[symbol] = drift.get(symbol, 0) - _change(draft, Supply, key, leaf)
    for symbol, difference in drift.items():
        if difference:
            raise InvariantBroken(f"conservation of {symbol}: off by {difference}")


def _change(draft: Draft, kind: type[Balance | Supply], key: tuple[object, ...], leaf: Leaf | None) -> int:
    before = draft.base.get(kind, key)  # type: ignore[arg-type]
    after = leaf.amount if isinstance(leaf, (Balance, Supply)) else 0
    return after - (before.amount if before is not None else 0)


def _check_claim(reader: Reader, leaf: Leaf) -> None:
    claim = leaf.claim()
    if claim is None:
        return
    held = reader.get(Balance, (claim.holder, claim.token))
    amount = 0 if held is None else held.amount
    if amount < claim.amount:
        raise InvariantBroken(f"{claim.holder} holds {amount} {claim.token}, claimed {claim.amount}")


def _check_holder(reader: Reader, owner: str, symbol: str) -> None:
    prefix, colon, name = owner.partition(":")
    kind = CLAIMANTS.get(prefix) if colon else None
    leaf = reader.get(kind, (name, symbol)) if kind is not None else None
    if leaf is not None:
        _check_claim(reader, leaf)


def audit(state: State) -> Iterator[str]:
    """Every fault of the whole state, the slow way: a sentence each. Costs O(leaves)."""
    totals: dict[str, int] = {}
    for leaf in state.leaves():
        reason = leaf.broken()
        if reason is not None:
            yield f"{type(leaf).__name__}{leaf.key}: {reason}"
        try:
            _check_claim(state, leaf)
        except InvariantBroken as fault:
            yield str(fault)
        if isinstance(leaf, Balance):
            totals[leaf.token] = totals.get(leaf.token, 0) + leaf.amount
    for supply in state.each(Supply):
        held = totals.pop(supply.token, 0)
        if held != supply.amount:
            yield f"conservation of {supply.token}: supply {supply.amount}, balances {held}"
    for symbol, held in totals.items():
        if held:
            yield f"conservation of {symbol}: no supply, balances {held}"
