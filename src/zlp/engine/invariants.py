"""What must hold after every command, checked over the leaves it touched; and over all of them, the slow way.

The check is O(touched): balances and supplies move together (A3), no record contradicts itself, and no
holder has less than the records that speak for it. A fault is ours, never the user's: ``InvariantBroken``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from zlp.engine.draft import Draft
from zlp.engine.leaves import CLAIMANTS
from zlp.engine.leaves.base import Key, Leaf
from zlp.engine.leaves.ledger import Balance, Supply
from zlp.engine.rejections import InvariantBroken
from zlp.engine.state import Reader, State


def check(draft: Draft) -> None:
    """Raise ``InvariantBroken`` if the draft may not be committed."""
    drift: dict[str, int] = {}
    for kind, table in draft.writes.items():
        if kind is Balance or kind is Supply:
            _check_ownership(draft, kind, table, drift)
            continue
        claims = kind.claim is not Leaf.claim
        for key, leaf in table.items():
            if leaf is not None:
                reason = leaf.broken()
                if reason is not None:
                    raise InvariantBroken(f"{kind.__name__}{key}: {reason}")
                if claims:
                    _check_claim(draft, leaf)
    for symbol, difference in drift.items():
        if difference:
            raise InvariantBroken(f"conservation of {symbol}: off by {difference}")


def _check_ownership(
    draft: Draft, kind: type[Balance | Supply], table: Mapping[Key, Leaf | None], drift: dict[str, int]
) -> None:
    """Add what balances gained, less what supplies gained, to ``drift``; holders must cover their claims."""
    sign = 1 if kind is Balance else -1
    get = draft.base.get
    for key, leaf in table.items():
        before = get(kind, key)
        after: int = 0 if leaf is None else leaf.amount  # type: ignore[attr-defined]
        if after < 0:
            raise InvariantBroken(f"{kind.__name__}{key}: below zero")
        symbol: str = key[-1]  # type: ignore[assignment]
        drift[symbol] = drift.get(symbol, 0) + sign * (after - (0 if before is None else before.amount))
        if sign == 1:
            prefix, colon, name = key[0].partition(":")  # type: ignore[union-attr]
            speaker = CLAIMANTS.get(prefix) if colon else None
            if speaker is not None and (name, symbol) not in draft.writes.get(speaker, ()):
                claimed = draft.base.get(speaker, (name, symbol))  # a touched one is checked as what it is
                if claimed is not None:
                    _check_claim(draft, claimed)


def _check_claim(reader: Reader, leaf: Leaf) -> None:
    claim = leaf.claim()
    if claim is None:
        return
    held = reader.get(Balance, (claim.holder, claim.token))
    amount = 0 if held is None else held.amount
    if amount < claim.amount:
        raise InvariantBroken(f"{claim.holder} holds {amount} {claim.token}, claimed {claim.amount}")


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
