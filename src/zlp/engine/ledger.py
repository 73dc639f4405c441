"""The verbs of ownership: the only functions that write balances and supplies."""

from __future__ import annotations

from zlp.engine.draft import Draft
from zlp.engine.events.ledger import Issued, Retired, Transferred
from zlp.engine.fixed import UINT256
from zlp.engine.leaves.ledger import Balance, Supply, Token
from zlp.engine.rejections import Code, Reject
from zlp.engine.state import Reader


def token(reader: Reader, symbol: str) -> Token:
    """The token, or ``unknown_token``."""
    found = reader.get(Token, (symbol,))
    if found is None:
        raise Reject(Code.UNKNOWN_TOKEN, detail=symbol)
    return found


def balance_of(reader: Reader, owner: str, symbol: str) -> int:
    """Base units ``owner`` holds."""
    found = reader.get(Balance, (owner, symbol))
    return 0 if found is None else found.amount


def supply_of(reader: Reader, symbol: str) -> int:
    """Base units of the token that exist inside the venue."""
    found = reader.get(Supply, (symbol,))
    return 0 if found is None else found.amount


def move(draft: Draft, symbol: str, source: str, target: str, amount: int) -> None:
    """Transfer ``amount`` base units; ``insufficient_balance`` if the source holds less. 0 is a no-op."""
    if amount == 0:
        return
    _take(draft, source, symbol, amount)
    _give(draft, target, symbol, amount)
    draft.record(Transferred(token=symbol, source=source, target=target, amount=amount))


def issue(draft: Draft, symbol: str, target: str, amount: int) -> None:
    """Create ``amount`` base units at ``target``; ``amount_out_of_range`` if more would exist than can be stored."""
    if amount == 0:
        return
    supply = supply_of(draft, symbol) + amount
    if supply >= UINT256:
        raise Reject(Code.AMOUNT_OUT_OF_RANGE, limit=UINT256 - 1, actual=supply, detail=symbol)
    _give(draft, target, symbol, amount)
    draft.put(Supply(symbol, supply))
    draft.record(Issued(token=symbol, target=target, amount=amount))


def retire(draft: Draft, symbol: str, source: str, amount: int) -> None:
    """Destroy ``amount`` base units held by ``source``; ``insufficient_balance`` if it holds less."""
    if amount == 0:
        return
    _take(draft, source, symbol, amount)
    draft.put(Supply(symbol, supply_of(draft, symbol) - amount))
    draft.record(Retired(token=symbol, source=source, amount=amount))


def _take(draft: Draft, owner: str, symbol: str, amount: int) -> None:
    found = draft.get(Balance, (owner, symbol))
    held = 0 if found is None else found.amount
    if held < amount:
        raise Reject(Code.INSUFFICIENT_BALANCE, limit=held, actual=amount, detail=f"{owner}:{symbol}")
    draft.put(Balance(owner, symbol, held - amount))


def _give(draft: Draft, owner: str, symbol: str, amount: int) -> None:
    found = draft.get(Balance, (owner, symbol))
    draft.put(Balance(owner, symbol, amount if found is None else found.amount + amount))
